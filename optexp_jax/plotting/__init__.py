"""Draw figures from results, without global state.

    from optexp_jax import load_results, plot_final_loss

    figure = plot_final_loss(load_results(experiments), labels={"AdamW": "ours"})
    save(figure, "plots", "final_loss")

`plot_final_loss`, `plot_best_runs`, `plot_per_class` and `plot_heat_map` return a Matplotlib
figure, which a notebook shows, or draw on `ax=`. `docs/your_own.md` has examples.
"""

from optexp_jax.extras import require

require("run", "matplotlib", "pandas", "tueplots")

from optexp_jax.plotting import backend  # noqa: F401  # imports Matplotlib, before others do
from optexp_jax.plotting.arrays import losses_by_group
from optexp_jax.plotting.available import missing_note
from optexp_jax.plotting.best_run import plot_best_runs
from optexp_jax.plotting.by_class import plot_per_class
from optexp_jax.plotting.class_counts import class_counts
from optexp_jax.plotting.compared import Compared
from optexp_jax.plotting.grid import plot_final_loss
from optexp_jax.plotting.heat_map import plot_heat_map
from optexp_jax.plotting.heat_map_values import tuned_pairs
from optexp_jax.plotting.page import save
from optexp_jax.plotting.sheet import sheet

# Old names.
best_over_time = plot_best_runs
final_against_rate = plot_final_loss
per_class = plot_per_class

__all__ = [
    "Compared",
    "best_over_time",
    "class_counts",
    "final_against_rate",
    "losses_by_group",
    "missing_note",
    "per_class",
    "plot_best_runs",
    "plot_final_loss",
    "plot_heat_map",
    "plot_per_class",
    "save",
    "sheet",
    "tuned_pairs",
]
