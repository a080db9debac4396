"""Figure 26: gradient and Hessian along GD and Adam."""

from plots import effect_sizes as e
from plots.figure import WITH_MOMENTUM, PaperFigure
from plots.hessian_figures import gradients_and_hessians
from plots.modules import LINEAR
from plots.shared_claims import hessian_claims

FIGURE = PaperFigure(
    "26",
    "gradient and Hessian along GD and Adam",
    (LINEAR,),
    gradients_and_hessians(LINEAR, *WITH_MOMENTUM),
)

CLAIMS = hessian_claims("26", "linear, GD", LINEAR, e.GD)
