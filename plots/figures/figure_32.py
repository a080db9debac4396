"""Figure 32: gradient and Hessian on the other side of zero."""

from plots import effect_sizes as e
from plots.claim import Claim
from plots.figure import PaperFigure
from plots.hessian_figures import gradients_and_hessians
from plots.modules import LINEAR

FIGURE = PaperFigure(
    "32",
    "gradient and Hessian on the other side of zero",
    (LINEAR,),
    gradients_and_hessians(LINEAR, e.ADAM, flipped=True),
)

CLAIMS = [
    Claim(
        "32", "linear: at -W the Hessian falls with frequency at step 100, r(log H, log n)",
        lambda runs: e.hessian_correlation(runs, LINEAR, e.ADAM, 100, True), at_most=-0.5,
    ),
]  # fmt: skip
