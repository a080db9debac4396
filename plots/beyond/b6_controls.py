"""Figure B6: the gap of SGD to Adam by frequency, under controls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.beyond.controls import NONE, SETTINGS, Setting
from optexp_jax.plotting import page, style
from optexp_jax.plotting.canvas import PageFigure
from plots import effect_sizes as e
from plots.beyond.table import draw_cells
from plots.claim import LEAD, Claim
from plots.figure import PaperFigure
from plots.runs import Runs

_MODULE = "beyond.controls"
_ROW = 0.19  # inches
_NAMES = {
    "batch": "batches of a quarter",
    "clip": "clipping",
    "schedule": "schedule",
    "no_dropout": "no dropout",
    "smoothing": "label smoothing",
}
CLIPPED, SCHEDULED, SMALL = Setting(clip=True), Setting(schedule=True), Setting(batch=True)
USUAL, SMALL_CLIPPED = Setting(clip=True, schedule=True), Setting(batch=True, clip=True)
SHARP, SMOOTHED = Setting(dropout=False), Setting(smoothing=True)


def name_of(setting: Setting) -> str:
    """What a setting is called: the controls that are on."""
    text = ", ".join(_NAMES[word] for word in setting.words) or "as in figure 12"
    return text[:1].upper() + text[1:]


@functools.lru_cache(maxsize=32)
def gaps(runs: Runs, setting: Setting) -> np.ndarray:
    """Loss of SGD less that of Adam, in nats: of all words, then of groups, most frequent first."""
    chosen = runs.chosen(_MODULE, group=setting.group)
    sgd, adam = chosen.worst(*e.GD), chosen.worst(*e.ADAM)
    return np.array([e.overall(sgd) - e.overall(adam), *(e.groups(sgd) - e.groups(adam))])


def _draw(runs: Runs) -> Figure:
    """Settings x groups; red where Adam is ahead, blue where SGD is."""
    values = np.array([gaps(runs, setting) for setting in SETTINGS])
    with style.context():
        figure = PageFigure(figsize=(page.WIDTH, _ROW * len(SETTINGS) + 0.6), layout="constrained")
        shape = {"width_ratios": [1, values.shape[1] - 1], "squeeze": False}
        all_words, by_group = figure.subplots(1, 2, **shape)[0]
        limit = float(np.abs(values).max())
        for axes, part in ((all_words, values[:, :1]), (by_group, values[:, 1:])):
            draw_cells(axes, part, style.DIVERGING, (-limit, limit))
        _name(all_words, [0.5], ["all"], [name_of(setting) for setting in SETTINGS])
        _name(by_group, [0.5, values.shape[1] - 1.5], ["frequent", "rare"], [])
        by_group.set_title("SGD less Adam, nats; tenths of the words by frequency", pad=6)
        page.add_below(figure, [], [], "At the end, each method at its best rate in each setting.")
    return figure


def _name(axes: Axes, places: Sequence[float], words: Sequence[str], rows: Sequence[str]) -> None:
    axes.set_xticks(places, words)
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows)


# ---------------------------------------------------------------------------- claims

_ALL, _FREQUENT, _RARE = 0, 1, -1


def _gap(setting: Setting, at: int) -> Callable[[Runs], float]:
    return lambda runs: float(gaps(runs, setting)[at])


def _left(setting: Setting, at: int) -> Callable[[Runs], float]:
    """The share of the gap without controls that a setting leaves."""
    return lambda runs: float(gaps(runs, setting)[at] / gaps(runs, NONE)[at])


def _least(runs: Runs) -> float:
    return min(float(gaps(runs, setting)[_RARE]) for setting in SETTINGS)


def _least_difference(runs: Runs) -> float:
    """The rarest group against the most frequent, where their gaps differ least."""
    found = [gaps(runs, setting) for setting in SETTINGS]
    return min(float(gap[_RARE] - gap[_FREQUENT]) for gap in found)


FIGURE = PaperFigure("B6", "controls: batches, clipping, schedule", (_MODULE,), _draw)

CLAIMS = [
    Claim("B6", "no control: SGD is 1 nat above Adam on the rarest group", _gap(NONE, _RARE),
          at_least=1.0),
    Claim("B6", "warm-up, cosine and clipping leave half of the gap of all words (share)",
          _left(USUAL, _ALL), at_most=0.5, origin=LEAD),
    Claim("B6", "small batches with clipping leave a quarter of the gap of all words (share)",
          _left(SMALL_CLIPPED, _ALL), at_most=0.25, origin=LEAD),
    Claim("B6", "small batches leave three quarters of the gap of all words (share)",
          _left(SMALL, _ALL), at_most=0.75, origin=LEAD),
    Claim("B6", "clipping alone leaves most of the gap on the rarest group (share)",
          _left(CLIPPED, _RARE), at_least=0.5),
    Claim("B6", "the schedule alone leaves most of the gap on the rarest group (share)",
          _left(SCHEDULED, _RARE), at_least=0.5),
    Claim("B6", "without dropout the gap on the rarest group is no smaller (share)",
          _left(SHARP, _RARE), at_least=1.0),
    Claim("B6", "label smoothing leaves most of the gap on the rarest group (share)",
          _left(SMOOTHED, _RARE), at_least=0.5),
    Claim("B6", "in every setting SGD is half a nat above Adam on the rarest group (least)",
          _least, at_least=0.5),
    Claim("B6", "in every setting the gap is wider on the rarest group than on the most frequent",
          _least_difference, at_least=0.0),
]  # fmt: skip
