"""Figure 17: a vision transformer, uniform classes and a heavy tail."""

from plots.figure import Part, uniform_and_rare
from plots.shared_claims import heavy_tail_claims

_MODULE = "vision.imagenet.vit"
_UNIFORM = Part(_MODULE, "SimpleViT_SmallImageNet")
_RARE = Part(_MODULE, "SimpleViT_HeavyTailedImageNet")

FIGURE = uniform_and_rare(
    "17", "a vision transformer, uniform classes and a heavy tail", _UNIFORM, _RARE
)
CLAIMS = heavy_tail_claims("17", "ViT", _UNIFORM, _RARE)
