"""`--dry-run`: what a grid would take, from shapes alone, without data or a GPU.

Memory stands beside what a compiler says of the step that takes most: that step is compiled at its
full size, for as many devices as a run has.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence

import jax
from rich.markup import escape
from rich.table import Table

from optexp_jax.backend import use_form
from optexp_jax.cli.context import Context
from optexp_jax.datasets.data import Data, InFiles
from optexp_jax.datasets.text.base import TextDataset
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.grid import method_name
from optexp_jax.numerics import pinned
from optexp_jax.runner.options import RunOptions
from optexp_jax.runner.pace import duration
from optexp_jax.training import devices
from optexp_jax.training.compiled_step import compiled_step
from optexp_jax.training.forecast import Forecast, forecast
from optexp_jax.training.gpus import Gpu, gpu_named, share_of_peak
from optexp_jax.training.memory import shapes_of
from optexp_jax.training.pack import program_id

DEFAULT_GPU = "H100"


def dry_run(
    context: Context,
    experiments: Sequence[Experiment],
    options: RunOptions,
    args: argparse.Namespace,
) -> int:
    """Print parameters, FLOPs, memory and time of experiments; runs nothing.

    Args:
        context: of the command line.
        experiments: what would run.
        options: how; micro-batch, devices and what they share count.
        args: with the name of a GPU, and whether to compile.
    """
    gpu = gpu_named(args.gpu or DEFAULT_GPU)
    _take_devices(options.devices)
    by_program: dict[str, list[Experiment]] = {}
    for experiment in experiments:
        by_program.setdefault(program_id(experiment), []).append(experiment)
    found = []
    with pinned():
        for number, runs in enumerate(by_program.values(), 1):
            first = runs[0]
            context.say(f"Tracing {number} of {len(by_program)}: {_name(first)}")
            how = (options.devices, options.micro_batch, options.shard, options.remat)
            found.append((runs, forecast(first, _shapes(context, first), gpu, *how)))
        context.console.print(_table(found, gpu))
        for sentence in _sentences(found, gpu, options.devices):
            context.say(sentence)
        if not args.no_compile:
            _compile_largest(context, [one for _, one in found])
    return 0


def _take_devices(number: int) -> None:
    """Let this process have as many CPU devices as a run would have, where nothing has run yet."""
    if number == 1:
        return
    with contextlib.suppress(RuntimeError):  # too late: those that there are must do
        jax.config.update("jax_num_cpu_devices", number)


def _compile_largest(context: Context, found: Sequence[Forecast]) -> None:
    """Compile the step that takes most memory, and say what the compiler says of it."""
    one = max(found, key=lambda one: one.memory.total)
    experiment = one.pack.experiments[0]
    if len(devices.used()) < one.devices:
        context.say(
            f"No step was compiled: this machine has {len(devices.used())} devices, not "
            f"{one.devices}."
        )
        return
    context.say(
        f"Compiling a step of {_name(experiment)} on this machine, of shapes alone: it takes a few "
        "seconds, or half a minute for a model as large as GPT-2; --no-compile skips it."
    )
    with use_form("gpu"):  # as it was estimated
        step = compiled_step(one.pack, _shapes(context, experiment, quiet=True))
    gigabytes = {name: f"{getattr(step, name) / 1e9:.2f} GB" for name in ("arguments", "temporary")}
    context.say(
        f"Compiled in {duration(step.seconds)}: on each device {step.total / 1e9:.2f} GB by the "
        f"compiler ({gigabytes['arguments']} of states and examples, {gigabytes['temporary']} in "
        f"between), {(one.memory.runs + one.memory.step) / 1e9:.2f} GB by the estimate; a compiler "
        "for GPUs keeps other arrays."
    )


def _shapes(context: Context, experiment: Experiment, quiet: bool = False) -> Data:
    """The shapes of the data; of texts that are not prepared, of a size that is said once."""
    dataset = experiment.problem.dataset
    try:
        return shapes_of(experiment)
    except OptexpError as error:
        if error.code != "shapes-unknown":
            raise
        workspace = context.settings.workspace
        if isinstance(dataset, InFiles) and dataset.is_prepared(workspace):
            return dataset.load(workspace)
        if not isinstance(dataset, TextDataset):
            raise
    if not quiet:
        _say_assumed(context, dataset)
    return dataset.shapes_for(*dataset.assumed_tokens)


def _say_assumed(context: Context, dataset: TextDataset) -> None:
    train, validation = dataset.assumed_tokens
    context.say(
        f"The tokens of {type(dataset).__name__} are counted once --prepare has written them: "
        f"{_short(train)} to train on and {_short(validation)} to validate on are assumed."
    )


def _name(experiment: Experiment) -> str:
    problem = experiment.problem
    model, data = type(problem.model).__name__, type(problem.dataset).__name__
    return f"{model} on {data}, {method_name(experiment.optimizer)}"


def _table(found: Sequence[tuple[list[Experiment], Forecast]], gpu: Gpu) -> Table:
    table = Table(title=f"Dry run: nothing was run; times are computed for {gpu.name}")
    table.add_column("what")
    for name in ("runs", "parameters", "batch", "memory", "FLOPs a step", "a step", "a run"):
        table.add_column(name, justify="right")
    for runs, one in found:
        precision = runs[0].problem.precision
        parts = f" in {one.micro_batch}" if one.micro_batch else ""
        table.add_row(
            escape(_name(runs[0])),
            str(len(runs)),
            _short(one.parameters),
            f"{one.batch}{parts}",
            f"{one.memory.total / 1e9:.1f} GB",
            _short(one.model_flops),
            _precise(one.step_seconds(gpu, precision)),
            duration(one.run_seconds(gpu, precision)),
        )
    return table


def _sentences(
    found: Sequence[tuple[list[Experiment], Forecast]], gpu: Gpu, per_run: int
) -> list[str]:
    seconds = sum(
        len(runs) * one.run_seconds(gpu, runs[0].problem.precision) for runs, one in found
    )
    runs, total = sum(len(runs) for runs, _ in found), duration(seconds)
    gpus = f"{per_run} {gpu.name} for each run" if per_run > 1 else f"one {gpu.name}"
    peaks = {runs[0].problem.precision for runs, _ in found}
    rates = " and ".join(
        f"{share_of_peak(p):.0%} of {gpu.peak(p) / 1e12:g} TFLOP/s in {p}" for p in sorted(peaks)
    )
    share = max(one.evaluation_share for _, one in found)
    ratios = sorted({f"{one.xla_flops / one.model_flops:.2f}" for _, one in found}, key=float)
    ratio = " to ".join(dict.fromkeys((ratios[0], ratios[-1])))
    return [
        f"{runs} run{'' if runs == 1 else 's'} one after the other on {gpus}: {total}.",
        f"Time is FLOPs / ({rates}), the peak of {gpu.name} and the share that an H200 reached; "
        "steps of less than a millisecond take longer than that.",
        "FLOPs are three times the products of the forward pass; XLA counts "
        f"{ratio} times as many, with all that is no product.",
        f"Rows of metrics take up to {share:.1%} of a run.",
        "Memory is an estimate for each device; states of runs are "
        f"{max(one.memory.runs for _, one in found) / 1e9:.1f} GB of it at most.",
    ]


def _short(number: float) -> str:
    """Write a count as `162.8 M`.

    >>> _short(162_760_000), _short(950), _short(5.3e14)
    ('162.8 M', '950', '530.0 T')
    """
    for size, unit in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number:.0f}"


def _precise(seconds: float) -> str:
    if seconds < 1e-3:
        return "< 1 ms"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
