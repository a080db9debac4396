"""Figure 23: a transformer of one layer, eight optimizers."""

from plots.figure import FOUR_KINDS, optimizers_figure
from plots.modules import ONE_LAYER
from plots.shared_claims import sign_claims

FIGURE = optimizers_figure(
    "23", "a transformer of one layer, eight optimizers", ONE_LAYER, kinds=FOUR_KINDS
)
CLAIMS = sign_claims("23", "one layer, full batch", ONE_LAYER)
