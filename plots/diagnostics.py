"""Gradients and Hessians by class along a run, from the parameters that it kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util
from matplotlib.figure import Figure

from optexp_jax.analysis import (
    OutputLayer,
    RowStatistics,
    block_traces,
    feature_extractor,
    head_of,
    hessian_entries,
    output_layer,
    row_statistics,
)
from optexp_jax.analysis.rows import MicroBatch
from optexp_jax.datasets.data import Data, Split, Streamed
from optexp_jax.datasets.loading import loaded
from optexp_jax.models.functional import functional
from optexp_jax.per_class import mean_by_group
from optexp_jax.plotting import style
from optexp_jax.plotting.panels import Heat, Lines, Points
from optexp_jax.plotting.sheet import sheet
from optexp_jax.results.load import Results
from optexp_jax.results.store import RunFolder
from optexp_jax.training.batches import as_inputs, named_key
from plots.figure import Method
from plots.runs import MissingRunsError, Runs

_NUMBERS = 2**22  # logits of a micro-batch, or four times its inputs, at most
_DECADES = 6  # of an axis, at most
_ACROSS = 4  # panels of a row
_COMPARED = 40  # classes of the matrix of blocks
_BLOCKS, _DIMENSIONS = 10, 40  # classes and weights of each of the matrix of entries
NAMES = ("Gradient norm", "Trace of the Hessian")


class Trajectory:
    """A run, its data, and the steps at which it kept its parameters.

    Args:
        run: with kept parameters.
        workspace: where they are.
    """

    def __init__(self, run: Results, workspace: Path) -> None:
        self.run, self._folder = run, RunFolder(workspace, run.experiment)
        problem = run.experiment.problem.with_data_seed(run.experiment.seed)
        self._data: Data = loaded(problem.dataset, workspace)
        self._model = problem.model
        modes_differ = not functional(problem.model).modes_coincide
        self._options: dict[str, Any] = {"train": False} if modes_differ else {}
        self.groups = problem.dataset.groups(run.class_counts)

    @property
    def name(self) -> str:
        """The kind of optimizer, in a word or two."""
        batching = self.run.experiment.problem.batching
        return style.label(self.run.experiment.optimizer, batching).split(" + ")[0]

    @property
    def steps(self) -> list[int]:
        """Steps at which parameters were kept and that were reached.

        Raises:
            MissingRunsError: none.
        """
        reached = int(self.run.table["step"].iloc[-1])
        steps = [step for step in self.run.experiment.keep_steps if step <= reached]
        if not steps:
            raise MissingRunsError(f"{self.run.experiment.short_id} kept no parameters.")
        return steps

    def layer_at(self, step: int) -> tuple[OutputLayer, Iterator[MicroBatch]]:
        """The output layer at a step, and features and labels of what training is measured on."""
        variables = self._variables(step)
        classes = len(self.run.class_counts)
        head = head_of(variables["params"], classes)
        return output_layer(variables["params"], head), self._batches(variables, head, classes)

    def rows_at(self, step: int, flipped: bool = False) -> RowStatistics:
        """Statistics of the rows of the output layer at a step, or on the other side of zero."""
        layer, batches = self.layer_at(step)
        return row_statistics(layer.flipped() if flipped else layer, batches)

    def _variables(self, step: int) -> dict[str, Any]:
        kept = self._folder.read_parameters(step)
        # What is frozen is not kept: it is that of the seed.
        key = named_key(self.run.experiment.seed, "params")
        params, state = functional(self._model).init(key, self._inputs(0, 1))
        flat = traverse_util.flatten_dict(params, sep="/")
        params = {path: kept.get(path, leaf) for path, leaf in flat.items()}
        state = {path: kept[path] for path in traverse_util.flatten_dict(state, sep="/")}
        nested = traverse_util.unflatten_dict(state, sep="/")
        return {"params": traverse_util.unflatten_dict(params, sep="/"), **nested}

    @property
    def _split(self) -> Split | Streamed:
        """What training metrics are measured on: of much text and many images a fixed part."""
        return self._data.train if self._data.evaluation is None else self._data.evaluation

    def _inputs(self, first: int, size: int) -> jax.Array:
        """The inputs of so many examples, as the model takes them."""
        split, train = self._split, self._data.train
        if isinstance(split, Split):
            return as_inputs(jnp.asarray(split.inputs[first : first + size]))
        images = [split.example(i, None) for i in range(first, first + size)]
        return cast(Streamed, train).to_inputs(jnp.asarray(np.stack(images)))

    def _batches(self, variables: dict[str, Any], head: str, classes: int) -> Iterator[MicroBatch]:
        features = jax.jit(feature_extractor(self._model, head, **self._options))
        split = self._split
        tokens = int(np.prod(split.labels.shape[1:], initial=1))
        numbers = max(classes * tokens, 4 * int(np.prod(self._inputs(0, 1).shape)))
        size = min(max(1, _NUMBERS // numbers), len(split))
        for start in range(0, len(split), size):
            # The last micro-batch is as long as the others; its repeated examples are padding.
            first = min(start, len(split) - size)
            labels = np.array(split.labels[first : first + size], np.int32)
            labels[: start - first] = -1
            yield features(variables, self._inputs(first, size)), jnp.asarray(labels)


def along(runs: Runs, module: str, method: Method) -> Trajectory:
    """The run of a method at its best step size, with the parameters that it kept.

    Raises:
        MissingRunsError: it was not run, or its parameters were not released.
    """
    if runs.source == "paper":
        raise MissingRunsError(
            "the paper released no parameters, which gradients and Hessians need: leave out "
            "--source paper"
        )
    return Trajectory(runs.chosen(module).worst(*method), runs.workspace)


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


def over_ranks(counts: np.ndarray, number: int = _COMPARED) -> np.ndarray:
    """Distinct classes spread evenly over the ranks of those that have examples."""
    order = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    return order[np.unique(np.linspace(0, len(order) - 1, number).round().astype(int))]


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
