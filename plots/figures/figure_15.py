"""Figure 15: ResNet-18 with norms over the layer."""

from plots.figure import Part, uniform_and_rare
from plots.shared_claims import heavy_tail_claims

_MODULE = "vision.imagenet.resnet18_layer_norm"
_UNIFORM = Part(_MODULE, "ResNet18LayerNorm_SmallImageNet")
_RARE = Part(_MODULE, "ResNet18LayerNorm_HeavyTailedImageNet")

FIGURE = uniform_and_rare("15", "ResNet-18 with LayerNorm", _UNIFORM, _RARE)
CLAIMS = heavy_tail_claims("15", "ResNet-18 with LayerNorm", _UNIFORM, _RARE)
