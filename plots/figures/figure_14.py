"""Figure 14: the last layer of a transformer in full batches."""

from plots.figure import main_figure
from plots.modules import LAST_LAYER
from plots.shared_claims import rare_word_claims

FIGURE = main_figure("14", "the last layer of a transformer in full batches", LAST_LAYER)
CLAIMS = rare_word_claims("14", "last layer, full batch", LAST_LAYER)
