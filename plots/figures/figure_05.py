"""Figure 5: the last layer of a transformer, eight optimizers."""

from plots.figure import FOUR_KINDS, optimizers_figure
from plots.modules import LAST_LAYER
from plots.shared_claims import sign_claims

FIGURE = optimizers_figure(
    "5", "the last layer of a transformer, eight optimizers", LAST_LAYER, kinds=FOUR_KINDS
)
CLAIMS = sign_claims("5", "last layer", LAST_LAYER)
