"""Figure 31: gradient and Hessian by class, transformer."""

from plots import effect_sizes as e
from plots.figure import WITH_MOMENTUM, PaperFigure
from plots.hessian_figures import gradients_and_hessians
from plots.modules import PTB
from plots.shared_claims import hessian_claims

FIGURE = PaperFigure(
    "31",
    "gradient and Hessian by class, transformer",
    (PTB,),
    gradients_and_hessians(PTB, *WITH_MOMENTUM),
)

CLAIMS = hessian_claims("31", "transformer, Adam", PTB, e.ADAM, (100,))
