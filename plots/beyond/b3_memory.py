"""Figure B3: the least class probability when the likeliest class is learned, in two bases."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from experiments.beyond.memory import DATASETS
from optexp_jax.optim import SGD, Adam, Muon, SignDescent
from optexp_jax.plotting.panels import Lines
from optexp_jax.plotting.sheet import sheet
from optexp_jax.results.fields import value_of
from optexp_jax.results.load import Results
from plots.beyond.looks import line_of
from plots.claim import Claim
from plots.figure import PaperFigure
from plots.runs import Runs

_MODULE = "beyond.memory"
_LEARNED = 0.9
_KINDS: tuple[type, ...] = (SGD, SignDescent, Adam, Muon)
_NAMES: dict[object, str] = {DATASETS[0]: "Zipf", DATASETS[1]: "groups of $2^g$"}
Point = tuple[int, float]  # steps until a class is learned, and the least probability then


def point(run: Results) -> Point | None:
    """The first row at which a class is learned; None where there is none."""
    right = np.exp(-run.per_class["tr_CrossEntropyLossPerClass"])
    learned = np.flatnonzero(right.max(axis=1) >= _LEARNED)
    if not len(learned):
        return None
    return int(run.per_class_steps[learned[0]]), float(right[learned[0]].min())


@functools.lru_cache(maxsize=4)
def _points(runs: Runs) -> dict[tuple[object, bool, type], list[Point]]:
    """By data set, basis and method, a point for each number of steps: that of the least rate."""
    found: dict[tuple[object, bool, type], dict[int, float]] = {}
    recorded = [r for r in runs.of(_MODULE) if len(r.table)]
    for r in sorted(recorded, key=lambda r: float(r.experiment.optimizer.learning_rate)):
        e = r.experiment
        key = e.problem.dataset, value_of(e, "model.rotated"), type(e.optimizer)
        if (at := point(r)) is not None:
            found.setdefault(key, {}).setdefault(*at)
    return {key: sorted(points.items()) for key, points in found.items()}


def _draw(runs: Runs) -> Figure:
    """A panel for each basis and each law."""
    points = _points(runs)
    panels = []
    for dataset, name in _NAMES.items():
        for rotated in (False, True):
            lines = []
            for kind in _KINDS:
                found = points.get((dataset, rotated, kind), [])
                steps, least = np.reshape(found, (-1, 2)).T
                lines.append((steps, least, line_of(kind)))
            title = f"{'Rotated' if rotated else 'One-hot'}, {name}"
            labels = (title, "Steps until one is learned", "Least probability")
            panels.append(Lines(lines, labels, log="x", ylim=(-0.03, 1.03), kind="least"))
    note = f"When the likeliest class has probability {_LEARNED}; a point for each learning rate."
    return sheet([panels], height=1.9, note=note, named=True)


def _at_once(kind: type, rotated: bool, which: int) -> Callable[[Runs], float]:
    """The least probability where the fewest steps are taken."""
    return lambda runs: _points(runs)[DATASETS[which], rotated, kind][0][1]


FIGURE = PaperFigure("B3", "an associative memory in two bases", (_MODULE,), _draw)

CLAIMS = [
    claim
    for which, name in enumerate(("Zipf", "groups"))
    for claim in (
        Claim("B3", f"{name}: GD leaves the rarest class (least probability)",
              _at_once(SGD, False, which), at_most=0.05),
        Claim("B3", f"{name}, one-hot: sign descent learns all (least probability)",
              _at_once(SignDescent, False, which), at_least=0.5),
        Claim("B3", f"{name}, rotated: sign descent leaves the rarest (least probability)",
              _at_once(SignDescent, True, which), at_most=0.1),
        Claim("B3", f"{name}, rotated: Adam leaves the rarest (least probability)",
              _at_once(Adam, True, which), at_most=0.1),
        Claim("B3", f"{name}, one-hot: Muon learns all (least probability)",
              _at_once(Muon, False, which), at_least=0.5),
        Claim("B3", f"{name}, rotated: Muon learns all (least probability)",
              _at_once(Muon, True, which), at_least=0.5),
    )
]  # fmt: skip
