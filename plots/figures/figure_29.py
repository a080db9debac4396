"""Figure 29: gradient and Hessian by class, CNN."""

from plots import effect_sizes as e
from plots.figure import WITH_MOMENTUM, PaperFigure
from plots.hessian_figures import gradients_and_hessians
from plots.modules import BARCODED
from plots.shared_claims import hessian_claims

FIGURE = PaperFigure(
    "29",
    "gradient and Hessian by class, CNN",
    (BARCODED,),
    gradients_and_hessians(BARCODED, *WITH_MOMENTUM),
)

CLAIMS = hessian_claims("29", "CNN, Adam", BARCODED, e.ADAM, (100,))
