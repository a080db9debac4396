"""Claims on losses of language models."""

from __future__ import annotations

from plots import measures as m
from plots.appendix_figures import ONE_LAYER, PTB
from plots.claim import PAPER, Claim
from plots.paper_figures import GPT, LAST_LAYER
from plots.runs import Runs
from plots.statements.shared import sign_claims


def _rare_claims(figure: str, name: str, module: str) -> list[Claim]:
    """What figures 1, 12, 13 and 14 say of their problem."""
    return [
        Claim(
            figure, f"{name}: Adam ends 1 nat below (S)GD on the rarest group",
            lambda runs: m.rarest_gap(runs.chosen(module)), at_least=1.0,
        ),
        Claim(
            figure, f"{name}: Adam ends below (S)GD on all classes",
            lambda runs: m.overall_gap(runs.chosen(module)), at_least=0.0, origin=PAPER,
        ),
        Claim(
            figure, f"{name}: Adam ends below its start on every group (largest ratio)",
            lambda runs: _largest_ratio(runs, module), at_most=1.0, origin=PAPER,
        ),
    ]  # fmt: skip


def _largest_ratio(runs: Runs, module: str) -> float:
    run = runs.chosen(module).worst(*m.ADAM)
    return float((m.groups(run) / m.start(run)).max())


STATEMENTS = [
    *_rare_claims("1", "GPT-2", GPT),
    Claim(
        "1", "GPT-2: SGD ends above its start on the rarest tenth (ratio)",
        lambda runs: m.rarest_over_start(runs.chosen(GPT).worst(*m.GD)), at_least=1.0, origin=PAPER,
    ),
    *sign_claims("5", "last layer", LAST_LAYER),
    Claim(
        "11", "GPT-2: SGD ends above its start on the rarest tenth of validation text (ratio)",
        lambda runs: m.rarest_over_start(
            runs.chosen(GPT).worst(*m.GD), None, "va_CrossEntropyLoss"
        ),
        at_least=1.0,
    ),
    *_rare_claims("12", "transformer, PTB", PTB),
    *_rare_claims("13", "one layer, full batch", ONE_LAYER),
    *_rare_claims("14", "last layer, full batch", LAST_LAYER),
    *sign_claims("23", "one layer, full batch", ONE_LAYER),
]  # fmt: skip
