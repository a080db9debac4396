"""The best runs of each method, which print as a table."""

from __future__ import annotations

import pandas as pd

from optexp_jax.optim import Optimizer
from optexp_jax.results.load import Results
from optexp_jax.results.tidy import known_of

_FIELDS_OF_RUNS = ("group", "id", "lr", "seed", "status")


class BestRuns(dict[Optimizer, list[Results]]):
    """Method -> its runs by seed; printed, and shown in a notebook, as a table."""

    def table(self) -> pd.DataFrame:
        """Return a table with a row for each method.

        Returns:
            columns `optimizer`, `learning_rate`, the other fields, `runs` (number of seeds),
            `best_loss` and `final_loss`: the smallest and the last recorded training loss, each of
            the worst seed.
        """
        return pd.DataFrame([_row(runs) for runs in self.values() if runs])

    def __str__(self) -> str:
        return self.table().to_string(index=False)

    def _repr_html_(self) -> str:
        return self.table().to_html(index=False)


def _row(runs: list[Results]) -> dict[str, object]:
    experiment = runs[0].experiment
    known = known_of(experiment, runs[0].status)
    losses = [r.table[f"tr_{experiment.problem.loss.name}"] for r in runs]
    return {
        **{name: value for name, value in known.items() if name not in _FIELDS_OF_RUNS},
        "runs": len(runs),
        "best_loss": max(loss.min() for loss in losses),
        "final_loss": max(loss.iloc[-1] for loss in losses),
    }
