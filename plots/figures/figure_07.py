"""Figure 7: gradient and Hessian by class of a linear model."""

from plots import effect_sizes as e
from plots.claim import Claim
from plots.figure import PaperFigure
from plots.hessian_figures import gradients_and_hessians
from plots.modules import LINEAR
from plots.shared_claims import hessian_claims

FIGURE = PaperFigure(
    "7",
    "gradient and Hessian by class of a linear model",
    (LINEAR,),
    gradients_and_hessians(LINEAR, e.ADAM),
)

CLAIMS = [
    *hessian_claims("7", "linear, Adam", LINEAR, e.ADAM),
    Claim(
        "7", "linear, Adam: by step 100 gradients and Hessians go together, r(log g, log H)",
        lambda runs: e.gradient_correlation(runs, LINEAR, e.ADAM, 100), at_least=0.8,
    ),
]  # fmt: skip
