"""Figure 3: ResNet-18 on images, uniform classes and a heavy tail."""

from plots.figure import Part, uniform_and_rare
from plots.modules import RARE_IMAGES
from plots.shared_claims import heavy_tail_claims

_UNIFORM, _RARE = Part("vision.imagenet.resnet18_small"), Part(RARE_IMAGES)

FIGURE = uniform_and_rare(
    "3", "ResNet-18 on images, uniform classes and a heavy tail", _UNIFORM, _RARE, log=True
)
CLAIMS = heavy_tail_claims("3", "ResNet-18", _UNIFORM, _RARE)
