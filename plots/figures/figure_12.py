"""Figure 12: a transformer on the Penn Treebank."""

from plots.figure import main_figure
from plots.modules import PTB
from plots.shared_claims import rare_word_claims

FIGURE = main_figure("12", "a transformer on the Penn Treebank", PTB)
CLAIMS = rare_word_claims("12", "transformer, PTB", PTB)
