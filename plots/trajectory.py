"""A run along the parameters that it kept: its output layer, and statistics of that by class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from optexp_jax.analysis import (
    OutputLayer,
    RowStatistics,
    feature_extractor,
    head_of,
    output_layer,
    row_statistics,
)
from optexp_jax.analysis.rows import MicroBatch
from optexp_jax.datasets.data import Data, Split, Streamed
from optexp_jax.datasets.loading import loaded
from optexp_jax.models.functional import functional
from optexp_jax.plotting import style
from optexp_jax.results.load import Results
from optexp_jax.results.store import RunFolder
from optexp_jax.training.batches import as_inputs, named_key
from plots.figure import Method
from plots.runs import MissingRunsError, Runs

_NUMBERS = 2**22  # logits of a micro-batch, or four times its inputs, at most
_COMPARED = 40  # classes of the matrix of blocks


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
            raise MissingRunsError(
                f"{self.run.experiment.short_id} saved no parameters.",
                code="parameters-not-kept",
                experiment=self.run.experiment.short_id,
            )
        return steps

    def check(self, step: int) -> int:
        """The step, where parameters were kept at it; those of another do not stand for them.

        Raises:
            MissingRunsError: they were not, or the run ended before.
        """
        if step not in self.steps:
            raise MissingRunsError(
                f"{self.run.experiment.short_id} saved no parameters at step {step}: add the step "
                "to keep_steps in its module, and run it again with --force.",
                code="parameters-not-kept",
                experiment=self.run.experiment.short_id,
                step=step,
            )
        return step

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
        """The data on which training metrics are measured; a fixed part of large data sets."""
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
    """The run of a method at its best learning rate, with the parameters that it kept.

    Raises:
        MissingRunsError: it was not run, or its parameters were not released.
    """
    if runs.source == "paper":
        raise MissingRunsError(
            "the paper released no parameters, which gradients and Hessians need: leave out "
            "--source paper",
            code="nothing-released",
            scale="paper",
        )
    return Trajectory(runs.chosen(module).worst(*method), runs.workspace)


def over_ranks(counts: np.ndarray, number: int = _COMPARED) -> np.ndarray:
    """Distinct classes spread evenly over the ranks of those that have examples."""
    order = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    return order[np.unique(np.linspace(0, len(order) - 1, number).round().astype(int))]
