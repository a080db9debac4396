"""Figure 11: validation loss of GPT-2."""

from plots import effect_sizes as e
from plots.claim import Claim
from plots.figure import main_figure
from plots.modules import GPT

_METRIC = "va_CrossEntropyLoss"

FIGURE = main_figure("11", "validation loss of GPT-2", GPT, metric=_METRIC)

CLAIMS = [
    Claim(
        "11", "GPT-2: SGD ends above its start on the rarest tenth of validation text (ratio)",
        lambda runs: e.rarest_over_start(runs.chosen(GPT).worst(*e.GD), None, _METRIC),
        at_least=1.0,
    ),
]  # fmt: skip
