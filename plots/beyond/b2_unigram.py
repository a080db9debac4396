"""Figure B2: sign against normalised descent on one softmax over ever more words."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from experiments.beyond.unigram import WORDS
from optexp_jax.frequency import zipf_law
from optexp_jax.optim import SGD, NormalizedGD, SignDescent
from optexp_jax.plotting.panels import Lines
from optexp_jax.plotting.sheet import sheet
from optexp_jax.results.fields import value_of
from optexp_jax.results.load import Results
from plots.beyond.looks import pointed
from plots.claim import LEAD, Claim
from plots.figure import PaperFigure
from plots.runs import Runs

_MODULE = "beyond.unigram"
_SHARE = 0.1  # of the excess over the entropy
_KINDS: tuple[type, ...] = (SGD, NormalizedGD, SignDescent)


def _steps(run: Results) -> float:
    """Steps until a tenth of the excess over the entropy is left, from then on; or infinity."""
    law = zipf_law(value_of(run.experiment, "dataset.num_classes"), 1.0)
    excess = run.table["tr_CrossEntropyLoss"].to_numpy() + float(law @ np.log(law))
    above = np.flatnonzero(~(excess <= _SHARE * excess[0]))
    after = int(above[-1]) + 1 if len(above) else 0
    return float(after) if after < len(excess) else np.inf


@functools.lru_cache(maxsize=4)
def _fewest(runs: Runs) -> dict[type, np.ndarray]:
    """The fewest steps over learning rates of each method, by number of words."""
    found: dict[type, dict[int, float]] = {kind: dict.fromkeys(WORDS, np.inf) for kind in _KINDS}
    for r in (r for r in runs.of(_MODULE) if len(r.table)):
        words = value_of(r.experiment, "dataset.num_classes")
        of_kind = found[type(r.experiment.optimizer)]
        of_kind[words] = min(of_kind[words], _steps(r))
    return {kind: np.array(list(by_words.values())) for kind, by_words in found.items()}


def _draw(runs: Runs) -> Figure:
    """Steps of each method, and their ratio."""
    words = np.array(WORDS)
    fewest = _fewest(runs)
    lines = [
        (words, np.where(np.isfinite(steps), steps, np.nan),
         {"color": kind.appearance.color, "marker": kind.appearance.marker, "ms": 4, "lw": 1.0,
          "label": kind.appearance.label})
        for kind, steps in fewest.items()
    ]  # fmt: skip
    ratio = fewest[NormalizedGD] / fewest[SignDescent]
    look = pointed("black", "o", "")
    return sheet(
        [[
            Lines(lines, ("Best rate of each", "Words $V$", "Steps to a tenth"), log="xy",
                  legend=True, kind="steps"),
            Lines([(words, ratio, look)], ("Normalised over sign", "Words $V$", "Ratio of steps"),
                  log="x", kind="ratio"),
        ]],
        height=1.9,
        note="Until a tenth of the excess over the entropy is left; at most 1,000 steps.",
    )  # fmt: skip


def _ratio(words: int) -> Callable[[Runs], float]:
    """Steps of normalised descent over those of sign descent."""

    def measure(runs: Runs) -> float:
        at = WORDS.index(words)
        return float(_fewest(runs)[NormalizedGD][at] / _fewest(runs)[SignDescent][at])

    return measure


FIGURE = PaperFigure("B2", "one softmax over many words", (_MODULE,), _draw)

CLAIMS = [
    Claim("B2", "1,000 words: normalised descent takes more steps than sign descent (ratio)",
          _ratio(1000), at_least=1.0, origin=LEAD),
    Claim("B2", "100,000 words: likewise (ratio)", _ratio(100_000), at_least=1.0, origin=LEAD),
    Claim("B2", "the ratio at 100,000 words is twice that at 100",
          lambda runs: _ratio(100_000)(runs) / _ratio(100)(runs), at_least=2.0),
]  # fmt: skip
