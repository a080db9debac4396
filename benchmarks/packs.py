"""Time per step of a pack, of its runs one by one, and of a plain PyTorch loop.

    python -m benchmarks.packs --problem linreg --rates 5 --seconds 2

Three ways to train the same learning-rate grid are timed in turn, in one process, several times:

- pack: all rates in one call of `optexp_jax.training.loop.run`;
- one by one: the same with packs of one;
- PyTorch: an eager loop over steps, one rate at a time, with `torch.optim`.

All take full-batch steps on the same float32 data and record the same metrics at every step: the
loss and accuracy, both by class, and the norms of gradient and parameters, from the forward pass of
the gradient. Compilation and start-up are left out, and shown on their own.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from optexp_jax.datasets import HeavyTailedOneHot, RandomHeavyTailedLabels, Split
from optexp_jax.datasets.data import Data
from optexp_jax.experiment import Experiment
from optexp_jax.losses import CrossEntropy, SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.problem import Problem
from optexp_jax.training.loop import train_pack
from optexp_jax.training.pack import Pack

_NO_TORCH = (
    "PyTorch is not installed, so its column is left out: install it with "
    "`python -m pip install -e '.[bench]'`."
)
# More steps than any measurement takes; the runs are stopped, not finished.
_STEPS = 10**8
# Half-powers of ten down from here, at which none of the problems diverges.
_LARGEST = {"GD": -1.0, "Adam": -2.0}
_OPTIMIZERS = {"GD": SGD, "Adam": Adam}

Sample = Callable[[], float]  # -> milliseconds per step and run


@dataclasses.dataclass(frozen=True)
class Timing:
    """Milliseconds per step and run of every round, by way of training, and start-up seconds."""

    rounds: dict[str, list[float]]
    start: dict[str, float]

    def ratio(self, way: str) -> list[float]:
        """How many times slower than the pack, round by round."""
        return [t / pack for t, pack in zip(self.rounds[way], self.rounds["pack"], strict=True)]


def problems() -> dict[str, list[Problem]]:
    """The problems by the name on the command line."""

    def one_hot(examples: int) -> Problem:
        dataset = HeavyTailedOneHot(examples)
        model = Linear(dataset.num_inputs, dataset.num_classes)
        return Problem(model, dataset, SquaredLoss())

    def softmax(size: int) -> Problem:
        dataset = RandomHeavyTailedLabels(size, seed=0)
        model = Linear(dataset.num_inputs, dataset.num_classes)
        return Problem(model, dataset, CrossEntropy())

    return {
        "linreg": [one_hot(100), one_hot(1000)],
        "softmax7": [softmax(7)],
        "softmax8": [softmax(8)],
    }


def grid(problem: Problem, optimizer: str, count: int) -> list[Experiment]:
    """One experiment per learning rate."""
    return [
        Experiment(
            problem,
            _OPTIMIZERS[optimizer](LearningRate(_LARGEST[optimizer] - i / 2)),  # pyright: ignore
            group="benchmark",
            steps=_STEPS,
            per_class=True,
        )
        for i in range(count)
    ]


def jax_samples(
    experiments: list[Experiment], data: Data, seconds: float, mode: str
) -> tuple[Sample, float]:
    """Timer of the chunks of a pack, settled to their final length, and its start-up seconds."""
    began = time.monotonic()
    chunks = train_pack(Pack(tuple(experiments), mode), data, chunk_seconds=seconds)
    last = next(chunks).step
    start = time.monotonic() - began

    def sample() -> float:
        nonlocal last
        began, before = time.monotonic(), last
        chunk = next(chunks)
        elapsed, last = time.monotonic() - began, chunk.step
        if not all(record.status == "running" for record in chunk.records):
            raise RuntimeError("A run diverged: the steps it left out would count as fast ones.")
        return 1000 * elapsed / ((last - before) * len(experiments))

    taken = 0.0
    while taken < 1.5 * seconds:
        before = time.monotonic()
        sample()
        taken += time.monotonic() - before
    return sample, start


def torch_samples(experiment: Experiment, data: Data, seconds: float) -> tuple[Sample, float]:
    """Timer of the eager PyTorch loop, and its start-up seconds.

    It runs with one thread and with all, and the faster counts: on cores that other programs use,
    PyTorch's threads wait for each other.
    """
    import torch  # pyright: ignore[reportMissingImports]

    began = time.monotonic()
    step = torch_step(experiment, data)
    step()
    start = time.monotonic() - began

    def sample(length: float) -> float:
        rows = []
        began = time.monotonic()
        while not rows or time.monotonic() - began < length:
            rows.append(step())
        return 1000 * (time.monotonic() - began) / len(rows)

    def best() -> float:
        times = []
        for threads in sorted({1, os.cpu_count() or 1}):
            torch.set_num_threads(threads)
            times.append(sample(seconds / 2))
        return min(times)

    return best, start


def torch_step(experiment: Experiment, data: Data) -> Callable[[], dict[str, Any]]:
    """A step of the eager loop: takes it, and returns its row of metrics."""
    import torch  # pyright: ignore[reportMissingImports]
    from torch.nn import functional  # pyright: ignore[reportMissingImports]

    problem = experiment.problem
    num_classes = problem.model.num_classes
    labels = torch.from_numpy(np.array(data.train.labels, np.int64))
    assert isinstance(data.train, Split)
    inputs = torch.from_numpy(np.array(data.train.inputs))
    counts = torch.from_numpy(np.array(data.class_counts)).float()
    one_hot = functional.one_hot(labels, num_classes).float()
    layer = torch.nn.Linear(problem.model.num_inputs, num_classes)
    if inputs.is_floating_point():
        forward = functools.partial(layer, inputs)
        kernel = layer.weight
    else:
        # The inputs are one-hot: PyTorch gathers rows too.
        indices = inputs.long()
        kernel = torch.nn.Parameter(layer.weight.detach().T.contiguous())
        forward = lambda: functional.embedding(indices, kernel) + layer.bias  # noqa: E731
    parameters = [kernel, layer.bias]
    rate = float(experiment.optimizer.learning_rate)
    make = torch.optim.Adam if isinstance(experiment.optimizer, Adam) else torch.optim.SGD
    optimizer = make(parameters, lr=rate)

    def losses(logits: torch.Tensor) -> torch.Tensor:
        if isinstance(problem.loss, SquaredLoss):
            return 0.5 * (logits - one_hot).square().sum(1)
        return functional.cross_entropy(logits, labels, reduction="none")

    def by_class(values: torch.Tensor) -> torch.Tensor:
        return torch.zeros(num_classes).index_add_(0, labels, values) / counts

    def norms(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
        return [torch.linalg.vector_norm(t) for t in tensors]

    def step() -> dict[str, Any]:
        optimizer.zero_grad()
        logits = forward()
        values = losses(logits)
        loss = values.mean()
        loss.backward()
        with torch.no_grad():
            correct = (logits.argmax(1) == labels).float()
            row = {
                "loss": loss.detach(),
                "accuracy": correct.mean(),
                "class_loss": by_class(values.detach()),
                "class_accuracy": by_class(correct),
                "grad_norms": norms([p.grad for p in parameters]),  # pyright: ignore
                "param_norms": norms([p.detach() for p in parameters]),
            }
        optimizer.step()
        return row

    return step


def measure(
    experiments: list[Experiment], data: Data, seconds: float, rounds: int, mode: str
) -> Timing:
    """Time the ways in turn; runs one by one take turns too, a rate per round."""
    ways: dict[str, Iterator[tuple[Sample, float]]] = {
        "pack": itertools.repeat(jax_samples(experiments, data, seconds, mode)),
        "one by one": itertools.cycle(
            [jax_samples([e], data, seconds, mode) for e in experiments[:rounds]]
        ),
    }
    if find_spec("torch"):
        ways["PyTorch"] = itertools.cycle(
            [torch_samples(e, data, seconds) for e in experiments[:rounds]]
        )
    timing = Timing({way: [] for way in ways}, {})
    for _ in range(rounds):
        for way, samples in ways.items():
            sample, start = next(samples)
            timing.start.setdefault(way, start)
            timing.rounds[way].append(sample())
    return timing


def _spread(values: list[float], unit: str = "") -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.3g}{unit} ({low:.3g}-{high:.3g})"


def _describe(problem: Problem, data: Data) -> str:
    kind = "linear" if isinstance(problem.loss, SquaredLoss) else "softmax"
    inputs, classes = problem.model.num_inputs, problem.model.num_classes
    return f"{kind}, n={len(data.train)}, d={inputs}, c={classes}"


def _rows(where: str, rates: int, timing: Timing) -> Iterator[list[str]]:
    for way, times in timing.rounds.items():
        start = timing.start[way] * (1 if way == "pack" else rates)
        slower = "" if way == "pack" else _spread(timing.ratio(way), "x")
        yield [where if way == "pack" else "", way, _spread(times), slower, f"{start:.2g}"]


def main() -> None:
    """Measure what the command line asks for and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packs", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--problem", choices=[*problems(), "all"], default="all")
    parser.add_argument("--rates", type=int, default=5, help="learning rates in the grid")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a measurement")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each way")
    parser.add_argument("--mode", choices=["map", "vmap"], default="map", help="mode of the packs")
    args = parser.parse_args()
    if min(args.rates, args.rounds) < 1 or args.seconds <= 0:
        parser.error("--rates and --rounds are at least 1, and --seconds is above 0.")

    console = Console(width=None if Console().is_terminal else 110)
    if not find_spec("torch"):
        console.print(_NO_TORCH, markup=False)
    table = Table(
        "problem and optimizer",
        "way",
        "ms per step and run",
        "slower than the pack",
        f"start-up of {args.rates} runs, s",
        title=f"{args.rates} learning rates, {os.cpu_count()} cores: "
        f"median (min-max) of {args.rounds} rounds",
    )
    chosen = problems() if args.problem == "all" else {args.problem: problems()[args.problem]}
    for problem in itertools.chain.from_iterable(chosen.values()):
        data = problem.dataset.load(Path())
        for optimizer in _OPTIMIZERS:
            experiments = grid(problem, optimizer, args.rates)
            where = f"{_describe(problem, data)}, {optimizer}"
            with console.status(where):
                timing = measure(experiments, data, args.seconds, args.rounds, args.mode)
            for row in _rows(where, args.rates, timing):
                table.add_row(*row)
            table.add_section()
    console.print(table)


if __name__ == "__main__":
    main()
