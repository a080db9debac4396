"""Figure 28: gradient and Hessian by class, GPT-2."""

from plots import effect_sizes as e
from plots.figure import WITH_MOMENTUM, PaperFigure
from plots.hessian_figures import gradients_and_hessians
from plots.modules import GPT
from plots.shared_claims import hessian_claims

FIGURE = PaperFigure(
    "28",
    "gradient and Hessian by class, GPT-2",
    (GPT,),
    gradients_and_hessians(GPT, *WITH_MOMENTUM),
)

CLAIMS = hessian_claims("28", "GPT-2, SGD", GPT, e.GD, (100,))
