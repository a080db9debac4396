"""Figure 13: a transformer of one layer in full batches."""

from plots.figure import main_figure
from plots.modules import ONE_LAYER
from plots.shared_claims import rare_word_claims

FIGURE = main_figure("13", "a transformer of one layer in full batches", ONE_LAYER)
CLAIMS = rare_word_claims("13", "one layer, full batch", ONE_LAYER)
