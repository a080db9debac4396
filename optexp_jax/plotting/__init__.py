"""Figures as functions of results: no global state, nothing but files to clean up.

from optexp_jax.plotting import best_over_time, final_against_rate, per_class, save

save(per_class([load_results(e) for e in experiments]), "plots", "linreg_perclass")
"""

from optexp_jax.plotting import backend  # noqa: F401  # imports Matplotlib, before others do
from optexp_jax.plotting.arrays import losses_by_group
from optexp_jax.plotting.available import missing_note
from optexp_jax.plotting.best_run import best_over_time
from optexp_jax.plotting.by_class import per_class
from optexp_jax.plotting.class_counts import class_counts
from optexp_jax.plotting.compared import Compared
from optexp_jax.plotting.grid import final_against_rate
from optexp_jax.plotting.page import save
from optexp_jax.plotting.sheet import sheet

__all__ = [
    "Compared",
    "best_over_time",
    "class_counts",
    "final_against_rate",
    "losses_by_group",
    "missing_note",
    "per_class",
    "save",
    "sheet",
]
