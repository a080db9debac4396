"""The two JAX steps that are timed: ours, and the leanest that trains the same model."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from optexp_jax import backend
from optexp_jax.backend import use_form
from optexp_jax.datasets.data import Data
from optexp_jax.experiment import Experiment
from optexp_jax.models.functional import functional
from optexp_jax.numerics import pinned
from optexp_jax.training.batches import as_inputs, named_key
from optexp_jax.training.compiler import compiler_options
from optexp_jax.training.devices import of_host
from optexp_jax.training.loop import Chunk, train_pack
from optexp_jax.training.pack import Pack

_MOST = 8192  # steps of a call
_SCAN = 256  # steps of a scan
_SLOW = 0.002  # seconds of a step beside which starting it counts for nothing


@dataclasses.dataclass
class Way:
    """One way to take the steps of a problem.

    Args:
        take: take about so many steps and wait for them; returns how many.
        first: the loss before the first step.
        start: seconds until the first step was taken, compilation included.
        peak: most bytes of memory that JAX had on the device by then; None on a CPU.
        planned: bytes that the compiler plans for a step of the lean way; None on a CPU.
    """

    take: Callable[[int], int]  # of ours: a chunk, which has its own length
    first: float
    start: float
    peak: int | None = None
    planned: int | None = None

    def settle(self, seconds: float = 1.0, most: float = 40.0) -> None:
        """Take steps until nothing compiles and calls have their length, or time is over."""
        began = time.perf_counter()
        steps, longest, quiet = 1, 0, 0.0
        while quiet < seconds and time.perf_counter() - began < most:
            before = time.perf_counter()
            taken = self.take(steps)
            passed = time.perf_counter() - before
            # An eager loop takes as many as it is asked for.
            steps = 2 * steps if passed < seconds / 4 else steps
            quiet, longest = (quiet + passed if taken <= longest else 0.0), max(longest, taken)

    def milliseconds(self, seconds: float) -> float:
        """Time of a step, over about so many seconds."""
        steps, taken = 1, 0
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            taken += self.take(steps)
            steps = min(2 * steps, max(1, int((seconds - passed) * taken / max(passed, 1e-6))))
        return 1000 * passed / taken


def ours(
    experiments: list[Experiment],
    data: Data,
    mode: str = "map",
    form: str | None = None,
    **pack: Any,
) -> Way:
    """Our training loop, metrics by class on; a step is one step of every run of the pack."""
    began = time.perf_counter()
    chunks = train_pack(Pack(tuple(experiments), mode, **pack), data, chunk_seconds=0.5)

    def following() -> Chunk:
        with use_form(form or backend.form()):
            return next(chunks)

    first = following()
    loss = first.records[0].table[f"tr_{experiments[0].problem.loss.name}"][0]
    last = first.step

    def take(steps: int) -> int:
        # Chunks have their own length, which doubles until it takes half a second.
        del steps
        nonlocal last
        before, chunk = last, following()
        if any(record.status != "running" for record in chunk.records):
            raise RuntimeError("A run ended: the steps it left out would count as fast ones.")
        last = chunk.step
        return last - before

    return Way(take, float(loss), time.perf_counter() - began, peak_bytes())


def peak_bytes() -> int | None:
    """Most bytes that JAX had on the first device so far; None if the device does not count."""
    return (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")


def lean(experiment: Experiment, data: Data, precision: str | None = None) -> Way:
    """`value_and_grad` and optax in one jitted loop, memory donated, nothing recorded.

    Args:
        experiment: in full batches.
        data: of its problem.
        precision: of matrix products, None for that of the library.
    """
    with pinned(), jax.default_matmul_precision(precision or "highest"):
        return _lean(experiment, data, precision or "highest")


def _lean(experiment: Experiment, data: Data, precision: str) -> Way:
    began = time.perf_counter()
    model = functional(experiment.problem.model, experiment.problem.precision)
    loss_sum = experiment.problem.loss.build(data.class_counts)
    transform = experiment.optimizer.build()
    inputs = as_inputs(jnp.asarray(data.train.inputs))  # pyright: ignore
    labels = jnp.asarray(data.train.labels)

    def loss(params: Any, inputs: Any, labels: Any) -> Any:
        logits, _ = model.apply(params, {}, inputs, {}, True)
        total, weight = loss_sum(logits, labels)
        return total / weight

    def step(carry: Any, inputs: Any, labels: Any) -> tuple[Any, Any]:
        params, state = carry
        value, grads = jax.value_and_grad(loss)(params, inputs, labels)
        updates, state = transform.update(grads, state, params)
        return (optax.apply_updates(params, updates), state), value

    def loop(carry: Any, number: Any, inputs: Any, labels: Any) -> Any:
        return jax.lax.fori_loop(0, number, lambda _, c: step(c, inputs, labels)[0], carry)

    def scan(carry: Any, inputs: Any, labels: Any, length: int) -> Any:
        one = lambda c, _: (step(c, inputs, labels)[0], None)  # noqa: E731
        return jax.lax.scan(one, carry, length=length)[0]

    options = compiler_options()
    params = initial(experiment, data)
    # All on the device by name, as a step returns it: else the second step compiles once more.
    carry = jax.device_put((params, jax.jit(transform.init)(params)), jax.local_devices()[0])
    # On a GPU the host waits in every turn of a loop whose length is data.
    known, slow, planned = jax.default_backend() != "cpu", False, None
    one_step: Any = jax.jit(step, donate_argnums=0, compiler_options=options)
    if known:
        one_step = one_step.lower(carry, inputs, labels).compile()
        planned = _planned(one_step)
        carry, value = one_step(carry, inputs, labels)
    else:  # where loops take the steps: one step alone would be a program more
        value = jax.jit(loss)(params, inputs, labels)
    first = float(value)
    looped = jax.jit(loop, donate_argnums=0, compiler_options=options)
    scanned = jax.jit(scan, donate_argnums=0, static_argnums=3, compiler_options=options)

    def take(steps: int) -> int:
        nonlocal carry
        with pinned(), jax.default_matmul_precision(precision):
            if not known:
                steps = min(steps, _MOST)
                carry = looped(carry, steps, inputs, labels)
            elif slow or steps < _SCAN:
                steps = min(steps, _SCAN)
                for _ in range(steps):  # which are only enqueued
                    carry, _ = one_step(carry, inputs, labels)
            else:
                steps = _SCAN
                carry = scanned(carry, inputs, labels, _SCAN)
            jax.block_until_ready(carry)
        return steps

    take(1)
    start = time.perf_counter() - began
    if known:
        began = time.perf_counter()
        take(8)
        slow = time.perf_counter() - began > 8 * _SLOW
    return Way(take, first, start, planned=planned)


def initial(experiment: Experiment, data: Data) -> Any:
    """The initial parameters of an experiment, made where the library makes them: on the CPU."""
    with pinned(), jax.default_device(of_host()):
        example = as_inputs(jnp.asarray(data.train.inputs[:1]))  # pyright: ignore
        init = _init(experiment.problem.model, experiment.problem.precision)
        params = init(named_key(experiment.seed, "params"), example)[0]
    return jax.device_put(params, jax.local_devices()[0])


@functools.lru_cache(maxsize=1)
def _init(model: Any, precision: str) -> Any:
    """The program that makes parameters, compiled once for the lean step and PyTorch."""
    return jax.jit(functional(model, precision).init)


def _planned(step: Any) -> int:
    """Bytes that the compiler plans for a compiled step; what is donated counts once."""
    memory = step.memory_analysis()
    return (
        memory.argument_size_in_bytes
        + memory.output_size_in_bytes
        - memory.alias_size_in_bytes
        + memory.temp_size_in_bytes
    )
