"""Figure 22: a linear model, eight optimizers."""

from plots.figure import FOUR_KINDS, optimizers_figure
from plots.modules import BELOW_EDGE, LINEAR
from plots.shared_claims import sign_claims

_OTHERS = "toy_models.balanced_x_perclass_alt_opt"

FIGURE = optimizers_figure(
    "22",
    "a linear model, eight optimizers",
    LINEAR,
    _OTHERS,
    kinds=FOUR_KINDS,
    slower=BELOW_EDGE,
)
CLAIMS = sign_claims("22", "linear", LINEAR, _OTHERS)
