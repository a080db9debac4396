"""What `benchmarks.gpu` measures, a function for each section; each yields entries."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import jax
import numpy as np

from benchmarks import lean
from benchmarks import steps as steps_of_families
from benchmarks.drawn import Drawn
from benchmarks.families import FAMILIES
from optexp_jax import Experiment, LearningRate, per_class
from optexp_jax.backend import use_form
from optexp_jax.optim import (
    SGD,
    Adagrad,
    Adam,
    LineSearchGD,
    NormalizedGD,
    ScaledSignDescent,
    SignDescent,
)
from optexp_jax.problem import Problem
from optexp_jax.training.forecast import step_flops
from optexp_jax.training.gpus import Gpu, gpu_named, gpu_of_device
from optexp_jax.training.loop import train_pack
from optexp_jax.training.memory import estimate
from optexp_jax.training.pack import Pack

Entry = dict[str, Any]

_STEPS = 20
# Of tiny problems, after twenty steps.
_CASES = ("linear", "softmax7", "cnn", "transformer1", "gpt")


def _size(tiny: bool) -> str:
    return "tiny" if tiny else "gpu"


# -- correctness ------------------------------------------------------------------------------


def correctness(tiny: bool) -> Iterator[Entry]:
    """Rows here against rows of a CPU, and against themselves."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.npz"
        env = os.environ | {"JAX_PLATFORMS": "cpu"}
        command = [sys.executable, "-c", _WRITE_ROWS, str(file)]
        with subprocess.Popen(command, env=env) as reference:
            here = dict(_rows_of_cases())
            reference.wait()
        with np.load(file) as there:
            for name, rows in here.items():
                yield {"check": "against the CPU", "case": name, "error": _error(rows, there[name])}
    yield from deterministic(tiny)


_WRITE_ROWS = """
import sys
import numpy as np
from benchmarks.gpu_sections import _rows_of_cases
np.savez(sys.argv[1], **dict(_rows_of_cases()))
"""


def _rows_of_cases() -> Iterator[tuple[str, np.ndarray]]:
    for name in _CASES:
        yield name, _rows([FAMILIES[name].experiment("tiny", steps=_STEPS)])[0]
    rate = LearningRate(-2)
    for optimizer in (
        SGD(rate, 0.9),
        Adam(rate),
        SignDescent(rate, 0.9),
        NormalizedGD(rate, 0.9),
        ScaledSignDescent(rate),
        Adagrad(rate),
        LineSearchGD(),
    ):
        run = FAMILIES["softmax7"].experiment("tiny", steps=_STEPS, optimizer=optimizer)
        yield type(optimizer).__name__, _rows([run])[0]


def _rows(experiments: list[Experiment], mode: str = "map", stop: int | None = None) -> list[Any]:
    """Losses of each run, overall and by class, `[rows, 1 + classes]`; resumed at a step."""
    pack = Pack(tuple(experiments), mode)
    data = experiments[0].problem.dataset.load(Path())
    found: dict[str, list[Any]] = {e.id: [] for e in experiments}

    def follow(states: Any, step: int) -> Iterator[Any]:
        for chunk in train_pack(pack, data, states, step, chunk_seconds=0.05):
            for record in chunk.records:
                name = record.experiment.problem.loss.name
                by_class = record.per_class[f"tr_{name}PerClass"]
                total = np.asarray(record.table[f"tr_{name}"])[:, None]
                found[record.experiment.id].append((total, by_class))
            yield chunk

    states, step = None, 0
    for chunk in follow(states, step):
        if stop is not None and stop <= chunk.step < _STEPS:
            states, step = chunk.snapshot(), chunk.step
            break
    if states is not None:
        for _ in follow(states, step):
            pass
    return [
        np.concatenate([np.concatenate([part[k].ravel() for part in parts]) for k in (0, 1)])
        for parts in found.values()
    ]


def _error(rows: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, as a share of the largest value; classes without examples are NaN."""
    if not np.array_equal(np.isnan(rows), np.isnan(expected)):
        return float("inf")
    return float(np.nanmax(np.abs(rows - expected)) / np.nanmax(np.abs(expected)))


def deterministic(tiny: bool) -> Iterator[Entry]:
    """The same runs again, in a pack of another size, resumed, and side by side."""
    del tiny  # the problems are small in any case
    for name in ("softmax7", "transformer1"):
        family = FAMILIES[name]
        kind = type(family.optimizer)
        grid = [
            family.experiment("tiny", steps=_STEPS, optimizer=kind(LearningRate(-k)))
            for k in (3, 4, 5)  # larger rates amplify rounding
        ]
        alone, resumed = _rows(grid[:1])[0], _rows(grid[:1], stop=5)[0]
        together, beside = _rows(grid)[0], _rows(grid, "vmap")[0]
        for check, rows in (
            ("again", _rows(grid[:1])[0]),
            ("resumed", resumed),
            ("in a pack of three", together),
            ("side by side", beside),
        ):
            same = bool(np.array_equal(rows, alone, equal_nan=True))
            yield {"check": check, "case": name, "bitwise": same, "error": _error(rows, alone)}


# -- time -------------------------------------------------------------------------------------


def sums(tiny: bool) -> Iterator[Entry]:
    """Both forms of the sums by class, for labels with a heavy tail, in microseconds."""
    shapes = [(300, 100)] if tiny else [(4096, 1000), (4096, 10_000), (70_000, 10_000)]
    for number, classes in shapes if tiny else [*shapes, (8192, 50_000)]:
        shares = 1 / np.arange(1, classes + 1)
        labels = np.random.default_rng(0).choice(classes, number, p=shares / shares.sum())
        for form in ("gpu", "cpu"):
            with _told(f"sums {form}"), use_form(form), _slow_to_add():
                taken = _sums_time(number, classes, labels.astype(np.int32))
                yield {"examples": number, "classes": classes, "form": form, "us": taken}


@contextlib.contextmanager
def _slow_to_add() -> Iterator[None]:
    """Both forms, whichever this jaxlib would take."""
    before, per_class._SLOW_TO_ADD = per_class._SLOW_TO_ADD, True
    try:
        yield
    finally:
        per_class._SLOW_TO_ADD = before


def _sums_time(number: int, classes: int, labels: np.ndarray) -> float:
    turns = 200

    @jax.jit
    def repeated(values: Any, labels: Any) -> Any:
        def one(values: Any, _: Any) -> Any:
            total, counts = per_class.sum_by_class(values, labels, classes)
            return values + 1e-9 * (total[0] + counts[0]), None

        return jax.lax.scan(one, values, length=turns)[0]

    arrays = jax.device_put((np.ones(number, np.float32), labels))
    repeated(*arrays).block_until_ready()
    began = time.perf_counter()
    for _ in range(3):
        repeated(*arrays).block_until_ready()
    return (time.perf_counter() - began) / 3 / turns * 1e6


def steps(tiny: bool, family: str) -> Iterator[Entry]:
    """A step, each way, and the estimated memory of ours against the peak of the device."""
    small = family in ("linear", "softmax7", "transformer1")
    names = ["ours", *(["loops"] if small else []), "lean", "torch"]
    entry = steps_of_families.measure(family, _size(tiny), names, *_lengths(tiny))
    experiment = FAMILIES[family].experiment(_size(tiny))
    data = experiment.problem.dataset.load(Path())
    yield entry | {"estimate_bytes": estimate(Pack((experiment,)), data).total}


def compiled(tiny: bool, family: str) -> Iterator[Entry]:
    """PyTorch with and without `torch.compile`."""
    yield steps_of_families.measure(family, _size(tiny), ["torch", "compile"], *_lengths(tiny))


def _lengths(tiny: bool) -> tuple[float, int]:
    """Seconds of a measurement, and the number of measurements."""
    return (0.1, 2) if tiny else (0.3, 3)


def packs(tiny: bool, family: str) -> Iterator[Entry]:
    """Milliseconds of a step and run."""
    numbers, seconds = ((1, 2), 0.1) if tiny else ((1, 8, 64), 0.3)
    base = FAMILIES[family].experiment("tiny" if tiny else "cpu")
    data = base.problem.dataset.load(Path())
    for number in numbers:
        runs = [dataclasses.replace(base, optimizer=o) for o in _grid(base.optimizer, number)]
        for mode, form in (("map", "gpu"), ("vmap", "gpu"), ("map", "cpu")):
            with _told(f"{family} {mode} {number}"):
                way = lean.ours(runs, data, mode, form)
                way.settle(seconds)
                taken = way.milliseconds(seconds) / number
                entry = {"family": family, "runs": number, "mode": mode, "form": form}
                yield entry | {"ms": taken, "start_s": way.start}
            _forget()


def _grid(optimizer: Any, number: int) -> list[Any]:
    low = float(optimizer.learning_rate.exponent)
    kind = type(optimizer)
    return [kind(LearningRate(low - i / 16)) for i in range(number)]


def precision(tiny: bool) -> Iterator[Entry]:
    """A GPT step by the precision of its products."""
    base = FAMILIES["gpt"].experiment(_size(tiny))
    data = base.problem.dataset.load(Path())
    half = dataclasses.replace(base.problem, precision="bfloat16")
    tf32 = dataclasses.replace(base.problem, precision="tf32")
    ways = {
        "ours, float32": lambda: lean.ours([base], data),
        "ours, tf32": lambda: lean.ours([dataclasses.replace(base, problem=tf32)], data),
        "ours, bfloat16": lambda: lean.ours([dataclasses.replace(base, problem=half)], data),
        "lean, float32": lambda: lean.lean(base, data),
        "lean, tf32": lambda: lean.lean(base, data, "tensorfloat32"),
        "lean, bfloat16": lambda: lean.lean(dataclasses.replace(base, problem=half), data),
    }
    for name, make in ways.items():
        with _told(name):
            way = make()
            way.settle(0.2)
            yield {"step": name, "ms": way.milliseconds(0.1 if tiny else 1.0), "loss": way.first}
        _forget()


def gpt2(tiny: bool, kind: str) -> Iterator[Entry]:
    """GPT-2 small in micro-batches: tokens per second, and the share of the card's peak."""
    problem = FAMILIES["gpt2"].problem(_size(tiny))
    if not tiny:
        data_set: Any = dataclasses.replace(cast(Drawn, problem.dataset), num_examples=64)
        problem = dataclasses.replace(problem, dataset=data_set)
    # With dropout, a row takes another pass: one more program to compile.
    model = problem.model.clone(dropout=0.0)
    yield _gpt2(dataclasses.replace(problem, model=model, precision=kind), tiny)


def _gpt2(problem: Problem, tiny: bool) -> Entry:
    data = problem.dataset.load(Path())
    fields = {"steps": 10**6, "per_class": True}
    experiment = Experiment(problem, Adam(LearningRate(-4)), "benchmark", **fields)
    micro = 1 if tiny else 8
    way = lean.ours([experiment], data, micro_batch=micro)
    way.settle(0.2)
    taken = way.milliseconds(0.2 if tiny else 4.0)
    tokens = int(data.train.labels.size)
    pack = Pack((experiment,), micro_batch=micro)
    flops = step_flops(pack, data)
    return {
        "precision": problem.precision,
        "tokens": tokens,
        "micro_batch": micro,
        "ms": taken,
        "tokens_per_second": 1000 * tokens / taken,
        "tflops": flops / taken / 1e9,
        "utilisation": 1000 * flops / taken / _gpu().peak(problem.precision),
        "start_s": way.start,
        "estimate_bytes": estimate(pack, data).total,
        "peak_bytes": way.peak,
    }


def _gpu() -> Gpu:
    """The GPU of this machine; an H100 where its peaks are not known."""
    return gpu_of_device(jax.local_devices()[0].device_kind) or gpu_named("H100")


def _forget() -> None:
    """Let go of programs and arrays, PyTorch's too."""
    jax.clear_caches()
    gc.collect()
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """An error of one measurement is told, and leaves the others alone."""
    try:
        yield
    except Exception as error:  # of memory, or of a compiler: the entry is missing, and says why
        print(f"{what}: {type(error).__name__}: {str(error)[:500]}", file=sys.stderr, flush=True)
