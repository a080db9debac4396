"""Figure 8: gradient and Hessian by class of GPT-2's last layer."""

from plots import effect_sizes as e
from plots.figure import PaperFigure
from plots.hessian_figures import gradients_and_hessians
from plots.modules import GPT
from plots.shared_claims import hessian_claims

FIGURE = PaperFigure(
    "8",
    "gradient and Hessian by class of GPT-2's last layer",
    (GPT,),
    gradients_and_hessians(GPT, e.ADAM),
)

CLAIMS = hessian_claims("8", "GPT-2, Adam", GPT, e.ADAM)
