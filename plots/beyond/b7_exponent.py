"""Figure B7: the gap of GD to Adam against the exponent of the class distribution."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from experiments.beyond.exponent import POWERS
from optexp_jax.optim import SGD, Adam
from optexp_jax.plotting.available import chosen_runs
from optexp_jax.plotting.panels import Lines
from optexp_jax.plotting.sheet import sheet
from optexp_jax.results.fields import value_of
from plots import effect_sizes as e
from plots.beyond.looks import pointed
from plots.claim import Claim
from plots.figure import PaperFigure
from plots.runs import Chosen, Runs

_MODULE = "beyond.exponent"
EARLY = 50  # steps: before everything is fitted


class Losses(NamedTuple):
    """Final losses of a method by exponent: of all classes, the most frequent and rarest tenth."""

    overall: np.ndarray
    frequent: np.ndarray
    rare: np.ndarray


@functools.lru_cache(maxsize=8)
def _losses(runs: Runs, kind: type) -> Losses:
    """At the rate that is best after `EARLY` steps, at that step."""
    rows = []
    for power in POWERS:
        of = [r for r in runs.of(_MODULE) if value_of(r.experiment, "dataset.power") == power]
        chosen = Chosen(chosen_runs(of, EARLY), EARLY, runs.remedy(_MODULE))
        run = chosen.worst(kind, momentum=True)
        groups = e.groups(run, EARLY)
        rows.append((e.overall(run, EARLY), groups[e.MOST_FREQUENT], groups[e.RAREST]))
    return Losses(*np.array(rows).T)


def _gaps(runs: Runs) -> Losses:
    gd, adam = _losses(runs, SGD), _losses(runs, Adam)
    return Losses(*(a - b for a, b in zip(gd, adam, strict=True)))


def _draw(runs: Runs) -> Figure:
    """Losses of both methods, and their difference."""
    x = np.array(POWERS)
    panels = []
    for name, field in (("Most frequent tenth", 1), ("Rarest tenth", 2)):
        lines = [
            (x, _losses(runs, kind)[field],
             {"color": kind.appearance.color, "marker": kind.appearance.marker, "ms": 4, "lw": 1.0,
              "label": kind.appearance.label})
            for kind in (SGD, Adam)
        ]  # fmt: skip
        labels = (name, "Exponent", f"Loss after {EARLY} steps")
        panels.append(Lines(lines, labels, legend=True, kind="loss"))
    gaps = [
        (x, gap, pointed(color, "o", name))
        for gap, color, name in zip(
            _gaps(runs), ("black", "#0077BB", "#CC3311"), ("all", "frequent", "rare"), strict=True
        )
    ]
    panels.append(Lines(gaps, ("GD less Adam", "Exponent", "Nats"), legend=True, kind="gap"))
    figure = sheet([panels], height=1.9)
    for axes in figure.axes:
        axes.set_xticks([0, 0.5, 1, 1.5])
    return figure


def _rank_correlation(runs: Runs) -> float:
    ranks = np.argsort(np.argsort(_gaps(runs).rare))
    return float(np.corrcoef(ranks, np.arange(len(POWERS)))[0, 1])


def _closed_at_zero(runs: Runs) -> float:
    gaps = _gaps(runs).overall
    return float(abs(gaps[0]) / gaps[POWERS.index(1.0)])


FIGURE = PaperFigure("B7", "the exponent of the class distribution", (_MODULE,), _draw)

CLAIMS = [
    Claim("B7", "exponent 0: the gap of GD to Adam is a quarter of that at 1 (share)",
          _closed_at_zero, at_most=0.25),
    Claim("B7", "the gap on the rarest tenth grows with the exponent (rank correlation)",
          _rank_correlation, at_least=0.8),
    Claim("B7", "exponent 1: GD is 1 nat above Adam on the rarest tenth",
          lambda runs: float(_gaps(runs).rare[POWERS.index(1.0)]), at_least=1.0),
    Claim("B7", "exponent 1: the gap on the rarest tenth is wider than on the most frequent (nats)",
          lambda runs: float((_gaps(runs).rare - _gaps(runs).frequent)[POWERS.index(1.0)]),
          at_least=0.0),
]  # fmt: skip
