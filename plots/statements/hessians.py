"""Claims on gradients and Hessians of the output layer, by class."""

from __future__ import annotations

from plots import measures as m
from plots.appendix_figures import PTB
from plots.claim import PAPER, Claim
from plots.paper_figures import BARCODED, GPT, LINEAR, RARE_IMAGES


def _correlations(figure: str, name: str, module: str, method, steps=(50, 100)) -> list[Claim]:
    """What figures 7, 8, 26 and 28 to 31 say."""
    flat = Claim(
        figure, f"{name}: at the start the Hessian knows no frequency, |r(log H, log n)|",
        lambda runs: abs(m.hessian_correlation(runs, module, method, 0)), at_most=0.2,
    )  # fmt: skip
    later = [
        Claim(
            figure, f"{name}: by step {t} Hessian traces follow frequency, r(log H, log n)",
            lambda runs, t=t: m.hessian_correlation(runs, module, method, t), at_least=0.8,
        )
        for t in steps
    ]  # fmt: skip
    return [flat, *later]


STATEMENTS = [
    *_correlations("7", "linear, Adam", LINEAR, m.ADAM),
    Claim(
        "7", "linear, Adam: by step 100 gradients and Hessians go together, r(log g, log H)",
        lambda runs: m.gradient_correlation(runs, LINEAR, m.ADAM, 100), at_least=0.8,
    ),
    *_correlations("8", "GPT-2, Adam", GPT, m.ADAM),
    Claim(
        "9, 33", "linear: diagonal blocks over the others by step 100 (medians; c - 1 on average)",
        lambda runs: m.diagonal_over_rest(runs, LINEAR, m.ADAM, 100), at_least=100,
    ),
    *_correlations("26", "linear, GD", LINEAR, m.GD),
    Claim(
        "27", "linear: probability of the right class on rare classes at step 100, Adam less GD",
        lambda runs: m.rarest_probability(runs, LINEAR, m.ADAM, 100)
        - m.rarest_probability(runs, LINEAR, m.GD, 100),
        at_least=0.0, origin=PAPER,
    ),
    *_correlations("28", "GPT-2, SGD", GPT, m.GD, (100,)),
    *_correlations("29", "CNN, Adam", BARCODED, m.ADAM, (100,)),
    *_correlations("30", "ResNet, Adam", RARE_IMAGES, m.ADAM, (100,)),
    *_correlations("31", "transformer, Adam", PTB, m.ADAM, (100,)),
    Claim(
        "32", "linear: at -W the Hessian falls with frequency at step 100, r(log H, log n)",
        lambda runs: m.hessian_correlation(runs, LINEAR, m.ADAM, 100, True), at_most=-0.5,
    ),
]  # fmt: skip
