"""Figure 4: a linear model on random inputs."""

from plots import effect_sizes as e
from plots.claim import Claim
from plots.figure import main_figure
from plots.modules import BELOW_EDGE, LINEAR

FIGURE = main_figure("4", "a linear model on random inputs", LINEAR, slower=BELOW_EDGE)

CLAIMS = [
    Claim(
        "4", "linear: Adam has at most half of GD's loss on the rarest group, early",
        lambda runs: e.rarest_ratio(
            runs.chosen(LINEAR), e.ADAM, e.GD, e.early(runs.chosen(LINEAR).any)
        ),
        at_most=0.5,
    ),
    Claim(
        "4", "linear: Adam halves the loss of rare classes before frequent ones (steps, ratio)",
        lambda runs: e.steps_to_halve(runs.chosen(LINEAR).worst(*e.ADAM), e.RAREST)
        / e.steps_to_halve(runs.chosen(LINEAR).worst(*e.ADAM), e.MOST_FREQUENT),
        at_most=1.0,
    ),
]  # fmt: skip
