"""Figure 10: how often tokens appear in text, by words and by pieces of words."""

from __future__ import annotations

import dataclasses

import numpy as np
from matplotlib.figure import Figure

from optexp_jax.datasets import PTB, Shakespeare, WikiText2
from optexp_jax.datasets.text.tokens import BPE, Tokens, Unigram, Words
from optexp_jax.plotting import style
from optexp_jax.plotting.class_counts import ranked, thinned_ranks
from optexp_jax.plotting.panels import Lines
from optexp_jax.plotting.sheet import sheet
from plots.claim import Claim
from plots.figure import PaperFigure
from plots.runs import MissingRunsError, Runs

# How a text is cut, as `style.TOKENS` names it; None for the tokens that it has.
_PIECES: dict[str, Tokens | None] = {
    "words": None,
    "unigram pieces": Unigram(4000),
    "byte-pair pieces": BPE(4000),
}
TEXTS = {
    "small": {"Shakespeare": Shakespeare(tokens=Words(20_000))},
    "medium": {"Shakespeare": Shakespeare(tokens=Words(20_000))},
    "paper": {"Penn Treebank": PTB(), "WikiText-2": WikiText2()},
}


def _word_counts(runs: Runs) -> np.ndarray:
    """Counts of the words of the first text of a scale.

    Raises:
        MissingRunsError: the text is not here.
    """
    return _counts(next(iter(TEXTS[runs.scale].values())), runs)


def _token_counts(runs: Runs) -> dict[str, dict[str, np.ndarray]]:
    """Counts of each class of a text, by how it is cut."""
    return {
        name: {
            cut: _counts(dataclasses.replace(text, tokens=tokens or text.tokens), runs)
            for cut, tokens in _PIECES.items()
        }
        for name, text in TEXTS[runs.scale].items()
    }


def _draw(runs: Runs) -> Figure:
    """A panel for each text, both axes logarithmic, with the law of Zipf."""
    panels = []
    for name, by_cut in _token_counts(runs).items():
        lines = []
        for cut, counts in by_cut.items():
            x, y = ranked(counts)
            kept = thinned_ranks(len(x))
            lines.append((x[kept], y[kept], {"label": cut, **style.TOKENS[cut]}))
        x, y = lines[0][:2]
        lines.append((x, y[0] / x, style.ZIPF))
        labels = (name, "Rank of the token", "Number of tokens")
        panels.append(Lines(lines, labels, "xy", (0.7, 2.0 * y[0]), legend=not panels, kind=name))
    return sheet([panels], height=2.2)


def _counts(text, runs: Runs) -> np.ndarray:
    missing = text.missing(runs.workspace)
    if missing:
        raise MissingRunsError(missing, code="data-not-here", dataset=type(text).__name__)
    text.prepare(runs.workspace)
    return text.load(runs.workspace).class_counts


def _zipf(runs: Runs) -> float:
    """Distance from one of the exponent of the counts of words, over the ranks 10 to 1,000."""
    counts = _word_counts(runs)
    ranked = np.sort(counts[counts > 0])[::-1][9:1000]
    exponent = -np.polyfit(np.log(np.arange(10, 10 + len(ranked))), np.log(ranked), 1)[0]
    return float(abs(exponent - 1))


FIGURE = PaperFigure("10", "how often tokens appear", (), _draw)

CLAIMS = [
    Claim("10", "words follow 1 / rank (distance of the exponent from 1)", _zipf, at_most=0.2),
]
