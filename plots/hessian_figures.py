"""Figures of gradients and Hessians by class, from the parameters that runs kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure

from optexp_jax.analysis import RowStatistics, block_traces, hessian_entries
from optexp_jax.per_class import mean_by_group
from optexp_jax.plotting import style
from optexp_jax.plotting.panels import Heat, Lines, Points
from optexp_jax.plotting.sheet import sheet
from plots.figure import Method
from plots.runs import Runs
from plots.trajectory import Trajectory, along, over_ranks

_DECADES = 6  # of an axis, at most
_ACROSS = 4  # panels of a row
_BLOCKS, _DIMENSIONS = 10, 40  # classes and weights of each of the matrix of entries
NAMES = ("Gradient norm", "Trace of the Hessian")


def gradients_and_hessians(
    module: str, *methods: Method, flipped: bool = False
) -> Callable[[Runs], Figure]:
    """Draws the gradients against the Hessians of a module, a method in each row."""

    def draw(runs: Runs) -> Figure:
        paths = [along(runs, module, method) for method in methods]
        return gradient_against_hessian(paths, flipped)

    return draw


def gradient_against_hessian(paths: Sequence[Trajectory], flipped: bool = False) -> Figure:
    """Every class by the norm of its gradient and the trace of its Hessian, over time.

    One run has all steps at which it kept its parameters; several have a row of four steps each.
    """
    found = [{t: path.rows_at(t, flipped) for t in _few(path.steps, len(paths))} for path in paths]
    limits = _limits([rows for path in found for rows in path.values()])
    rows = [
        [
            Points(
                at.gradient_norm,
                at.hessian_trace,
                _with_examples(path.groups, at),
                (f"{path.name}, t = {t}" if len(paths) > 1 else f"t = {t}", *NAMES),
                limits,
            )
            for t, at in statistics.items()
        ]
        for path, statistics in zip(paths, found, strict=True)
    ]
    return sheet(_in_threes(rows), paths[0].run)


def blocks(path: Trajectory, steps: Sequence[int]) -> Figure:
    """Absolute traces of the Hessian's blocks between classes, spread evenly over the ranks."""
    chosen = over_ranks(path.run.class_counts)
    traces = [np.abs(block_traces(*path.layer_at(t), chosen)) for t in steps]
    high = float(np.ceil(np.log10(max(t.max() for t in traces))))
    labels = ("Class, by rank", "Class, by rank")
    panels = [
        Heat(t, (f"t = {s}", *labels), (high - _DECADES, high))
        for s, t in zip(steps, traces, strict=True)
    ]
    return sheet([panels[i : i + 2] for i in range(0, len(panels), 2)], height=2.1)


def entries(path: Trajectory, steps: Sequence[int]) -> Figure:
    """Absolute entries of the Hessian between some classes and dimensions, in blocks of classes."""
    chosen = over_ranks(path.run.class_counts, _BLOCKS)
    found = []
    for t in steps:
        layer, batches = path.layer_at(t)
        dimensions = np.linspace(0, len(layer.kernel) - 1, _DIMENSIONS).round().astype(int)
        size = len(chosen) * len(dimensions)
        matrix = hessian_entries(layer, batches, chosen, dimensions)
        found.append(np.abs(matrix).reshape(size, size))
    high = float(np.ceil(np.log10(max(matrix.max() for matrix in found))))
    labels = ("Weight, by class", "Weight, by class")
    panels = [
        Heat(matrix, (f"t = {t}", *labels), (high - _DECADES, high))
        for t, matrix in zip(steps, found, strict=True)
    ]
    return sheet([panels], height=2.1)


def probabilities(paths: Sequence[Trajectory]) -> Figure:
    """Mean predicted probability of the right class over time, by group, for each run."""
    panels = []
    for path in paths:
        by_step = [path.rows_at(t) for t in path.steps]
        counts = by_step[0].examples
        values = np.array([np.nan_to_num(at.correct_probability) for at in by_step])
        means = mean_by_group(values, counts, path.groups)
        lines = [
            (np.array(path.steps), mean, {"color": color, "marker": "o", "markersize": 2})
            for mean, color in zip(means.T, style.group_colors(len(path.groups)), strict=True)
        ]
        optimizer, batching = path.run.experiment.optimizer, path.run.experiment.problem.batching
        title = style.title(style.label(optimizer, batching), optimizer)
        labels = (title, "Step", "Probability of the right class")
        panels.append(Lines(lines, labels, ylim=(0, 1.02), kind="probability"))
    return sheet([panels], paths[0].run, height=1.9)


def _few(steps: list[int], runs: int) -> list[int]:
    """All steps for one run; for several the first, the last, and two between."""
    if runs == 1 or len(steps) <= _ACROSS:
        return steps
    return [steps[i] for i in np.linspace(0, len(steps) - 1, _ACROSS).round().astype(int)]


def _with_examples(groups: Sequence[np.ndarray], at: RowStatistics) -> list[np.ndarray]:
    return [group[at.examples[group] > 0] for group in groups]


def _limits(
    statistics: Sequence[RowStatistics],
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ranges of both axes that hold the points of all panels down to six decades."""

    def limits(values: np.ndarray) -> tuple[float, float]:
        high = float(values.max())
        low = max(float(values[values > 0].min()), high * 10.0**-_DECADES)
        return low / 2, high * 2

    seen = [s.examples > 0 for s in statistics]
    return (
        limits(np.concatenate([s.gradient_norm[k] for s, k in zip(statistics, seen, strict=True)])),
        limits(np.concatenate([s.hessian_trace[k] for s, k in zip(statistics, seen, strict=True)])),
    )


def _in_threes(rows: list[list[Points]]) -> list[list[Points]]:
    """One run in two rows of three panels; several runs in a row each."""
    if len(rows) > 1:
        return rows
    return [rows[0][i : i + 3] for i in range(0, len(rows[0]), 3)]
