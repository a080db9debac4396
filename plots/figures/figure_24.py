"""Figure 24: a CNN, eight optimizers."""

from plots.figure import FOUR_KINDS, HORIZON, optimizers_figure
from plots.shared_claims import sign_claims

_MODULE = "vision.barcoded.mnist_and_barcoded_long_perclass"

FIGURE = optimizers_figure(
    "24", "a CNN, eight optimizers", _MODULE, kinds=FOUR_KINDS, horizon=HORIZON
)
CLAIMS = sign_claims("24", "CNN", _MODULE)
