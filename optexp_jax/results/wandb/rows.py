"""What of a record goes to the wandb mirror: scalars and group means, never class-sized lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from optexp_jax.per_class import mean_by_group


def rows_to_mirror(
    table: Mapping[str, np.ndarray],
    per_class: Mapping[str, np.ndarray],
    per_class_steps: np.ndarray,
    groups: Sequence[np.ndarray],
    counts: Mapping[str, np.ndarray],
) -> list[dict[str, float]]:
    """One dictionary per recorded step; where arrays by class were kept, their group means too.

    Args:
        table: columns of equal length, as a run folder takes them.
        per_class: means by class, `[rows, num_classes]`.
        per_class_steps: the steps of these rows.
        groups: index arrays of classes.
        counts: examples per class that the metrics of `tr` and `va` are measured on.
    """
    rows = [
        {name: column[i].item() for name, column in table.items()}
        for i in range(len(table["step"]))
    ]
    position = {row["step"]: i for i, row in enumerate(rows)}
    for name, array in per_class.items():
        means = mean_by_group(array, counts[name.partition("_")[0]], groups)
        for step, of_groups in zip(per_class_steps.tolist(), means, strict=True):
            named = {f"{name}/group_{g}": float(mean) for g, mean in enumerate(of_groups)}
            rows[position[step]] |= named
    return rows
