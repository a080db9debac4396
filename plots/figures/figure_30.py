"""Figure 30: gradient and Hessian by class, ResNet."""

from plots import effect_sizes as e
from plots.figure import WITH_MOMENTUM, PaperFigure
from plots.hessian_figures import gradients_and_hessians
from plots.modules import RARE_IMAGES
from plots.shared_claims import hessian_claims

FIGURE = PaperFigure(
    "30",
    "gradient and Hessian by class, ResNet",
    (RARE_IMAGES,),
    gradients_and_hessians(RARE_IMAGES, *WITH_MOMENTUM),
)

CLAIMS = hessian_claims("30", "ResNet, Adam", RARE_IMAGES, e.ADAM, (100,))
