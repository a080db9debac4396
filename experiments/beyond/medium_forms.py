"""The medium forms beyond the paper: three seeds, and longer runs.

Closed forms and exact gradients (B1 to B3) have none, since nothing in them is drawn by chance.
"""

from __future__ import annotations

from experiments.beyond import controls, exponent
from experiments.small.medium import MediumForm, all_methods
from optexp_jax import Experiment
from optexp_jax.grid import method_name


def _exponent(experiment: Experiment) -> MediumForm:
    """Every learning rate that is declared, on every data set."""
    rates: dict[str, tuple[str, ...]] = {}
    for optimizer in exponent.optimizers:
        name = method_name(optimizer)
        rates[name] = (*rates.get(name, ()), str(optimizer.learning_rate.exponent))
    return MediumForm(None, experiment.steps or 0, rates, seconds=exponent.seconds)


FORMS = {
    "beyond_today_linear": all_methods(times=2),
    "beyond_today_text": all_methods(times=3),
    "beyond_today_barcoded": all_methods(times=2),
    "beyond_layers": all_methods(times=3),
    **{setting.group: all_methods(times=3) for setting in controls.SETTINGS},
    "beyond_exponent": _exponent,
}
