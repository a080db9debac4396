"""Figure 1: GPT-2 on text."""

from plots import effect_sizes as e
from plots.claim import PAPER, Claim
from plots.figure import main_figure
from plots.modules import GPT
from plots.shared_claims import rare_word_claims

FIGURE = main_figure("1", "GPT-2 on text: SGD leaves rare words behind", GPT)

CLAIMS = [
    *rare_word_claims("1", "GPT-2", GPT),
    Claim(
        "1", "GPT-2: SGD ends above its start on the rarest tenth (ratio)",
        lambda runs: e.rarest_over_start(runs.chosen(GPT).worst(*e.GD)), at_least=1.0, origin=PAPER,
    ),
]  # fmt: skip
