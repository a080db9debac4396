"""What of a record goes to the wandb mirror: scalars and group means, never class-sized lists."""

from __future__ import annotations

from optexp_jax.datasets.data import Data
from optexp_jax.per_class import mean_by_group
from optexp_jax.training.records import RunRecord


def rows_to_mirror(record: RunRecord, data: Data) -> list[dict[str, float]]:
    """One dictionary per recorded step; where arrays by class were kept, their group means too."""
    table = record.table
    rows = [
        {name: column[i].item() for name, column in table.items()}
        for i in range(len(table["step"]))
    ]
    position = {row["step"]: i for i, row in enumerate(rows)}
    groups = record.experiment.problem.dataset.groups(data.class_counts)
    for name, array in record.per_class.items():
        means = mean_by_group(array, data.class_counts, groups)
        for step, of_groups in zip(record.per_class_steps.tolist(), means, strict=True):
            named = {f"{name}/group_{g}": float(mean) for g, mean in enumerate(of_groups)}
            rows[position[step]] |= named
    return rows
