"""Train a pack in chunks of steps: a generator of records, which the caller stores."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from flax import traverse_util

from optexp_jax import backend
from optexp_jax.datasets.data import Data, Split
from optexp_jax.schedule import Schedule
from optexp_jax.training.devices import agreed, fetch
from optexp_jax.training.pack import Pack
from optexp_jax.training.program import Program, Slots
from optexp_jax.training.resident import ResidentProgram
from optexp_jax.training.run_control import NEVER_STOP, RunControl
from optexp_jax.training.run_record import RunRecord, by_class, columns
from optexp_jax.training.scanned import ScannedProgram
from optexp_jax.training.step import RunState, States
from optexp_jax.training.streamed import StreamedProgram

_CHUNK_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class Chunk:
    """The records and states of a pack after some steps.

    Args:
        step: steps taken by the runs that still train.
        records: one record for each run that trained in this chunk.
        states: states after the chunk, on the devices; valid only until the next chunk starts.
    """

    step: int
    records: list[RunRecord]
    states: RunState

    def snapshot(self) -> States:
        """Copy the states to the host for a checkpoint: path of each leaf -> `[runs, ...]`."""
        leaves = jax.tree_util.tree_leaves_with_path(fetch(self.states))
        # A real copy: the next chunk reuses the memory of the states.
        return {jax.tree_util.keystr(path): np.array(leaf) for path, leaf in leaves}


def train_pack(
    pack: Pack,
    data: Data,
    states: States | None = None,
    step: int = 0,
    chunk_seconds: float = _CHUNK_SECONDS,
    control: RunControl = NEVER_STOP,
) -> Iterator[Chunk]:
    """Train a pack to its last step, and yield after every chunk of steps.

    The caller may stop after any chunk and resume later from its states, with the same rows.

    Args:
        pack: the runs and how they train.
        data: the data of their problem.
        states: states to resume from, from `Chunk.snapshot`, leaves `[runs, ...]`; None to start
            at the first step.
        step: steps taken before these states.
        chunk_seconds: target time of a chunk, in seconds. The first chunk is one step, and the next
            ones double until they take about as long.
        control: checked after every batch of an evaluation that streams its examples; whatever it
            raises ends training. Not checked if several processes train the pack.

    Yields:
        a `Chunk` after each chunk of steps; after the last one every run is done or diverged.
    """
    if jax.process_count() > 1:
        control = NEVER_STOP
    with contextlib.closing(_program(pack, data, control)) as program:
        yield from _chunks(program, pack, data, states, step, chunk_seconds)


def _program(pack: Pack, data: Data, control: RunControl) -> Program:
    if not isinstance(data.train, Split):
        return StreamedProgram(pack, data, control)
    return (ResidentProgram if backend.form() == "cpu" else ScannedProgram)(pack, data)


def _chunks(
    program: Program,
    pack: Pack,
    data: Data,
    states: States | None,
    step: int,
    chunk_seconds: float,
) -> Iterator[Chunk]:
    schedule = Schedule.of(pack.experiments[0], len(data.train))
    keep = sorted({k for e in pack.experiments for k in e.keep_steps})
    schedule = dataclasses.replace(schedule, keep=tuple(keep))
    current = program.initial() if states is None else program.restored(states)
    alive = _alive(program, current)
    if step == 0 and 0 in keep:
        yield Chunk(0, _start_records(program, current), current)
    wanted = 1
    while any(alive) and step < schedule.total:
        began = time.monotonic()
        end, slots = _plan(program, schedule, step, agreed(min(wanted, program.most_steps)))
        current, rows = program.chunk(current, slots)
        host = fetch(rows)
        current, records = _records(program, schedule, (step, end), current, host, alive)
        alive = _alive(program, current)
        step = end
        if step == schedule.total and any(alive):
            current, records = _finish(program, schedule, current, records, alive)
        yield Chunk(step, records, current)
        elapsed = time.monotonic() - began
        wanted = wanted * 2 if elapsed < chunk_seconds / 2 else max(1, end - step or wanted)


def _start_records(program: Program, states: RunState) -> list[RunRecord]:
    """Return records with no rows but the initial parameters, for runs that keep these."""
    none = np.zeros(0, np.int64)
    return [
        RunRecord(experiment, "running", 0, {"step": none}, {}, none, _parameters(states, i))
        for i, experiment in enumerate(program.pack.experiments)
        if 0 in experiment.keep_steps
    ]


def _alive(program: Program, states: RunState) -> list[bool]:
    alive = fetch(states.alive)
    return [bool(a) for a in alive[: len(program.pack.experiments)]]


def _plan(program: Program, schedule: Schedule, start: int, wanted: int) -> tuple[int, Slots]:
    """Return the end of the next chunk, which fits the row buffers, and the slots of its rows."""
    end = schedule.chunk_end(start, min(wanted, program.most_steps))
    recorded = schedule.recorded(start, end)
    classes = schedule.by_class(recorded)
    if len(recorded) > program.row_capacity:
        end = int(recorded[program.row_capacity])
    if len(classes) > program.class_capacity:
        end = min(end, int(classes[program.class_capacity]))
    recorded, classes = recorded[recorded < end], classes[classes < end]
    return end, Slots(
        _slots(start, end, recorded, program.row_capacity),
        _slots(start, end, classes, program.class_capacity),
    )


def _slots(start: int, end: int, steps: np.ndarray, nowhere: int) -> np.ndarray:
    slots = np.full(end - start, nowhere)
    slots[steps - start] = np.arange(len(steps))
    return slots


def _records(
    program: Program,
    schedule: Schedule,
    span: tuple[int, int],
    states: RunState,
    rows: Any,
    was_alive: list[bool],
) -> tuple[RunState, list[RunRecord]]:
    """Return the records of a chunk; a run whose last row is not finite ends as diverged."""
    alive, taken = _alive(program, states), fetch(states.step)
    dead_rows = None
    records = []
    for i, experiment in enumerate(program.pack.experiments):
        if not was_alive[i]:
            continue
        last = span[1] if alive[i] else int(taken[i]) + 1
        recorded = schedule.recorded(span[0], last)
        row = jax.tree.map(lambda leaf, i=i: leaf[i], rows)
        record = _record(experiment, schedule, recorded, row)
        if not alive[i]:
            if int(taken[i]) not in recorded:
                if dead_rows is None:
                    states, evaluated = program.evaluate(states)
                    dead_rows = fetch(evaluated)
                record = _extended(record, schedule, int(taken[i]), dead_rows, i)
            record = dataclasses.replace(record, status="diverged", step=int(taken[i]))
        elif span[1] in experiment.keep_steps:
            record = dataclasses.replace(record, parameters=_parameters(states, i))
        records.append(dataclasses.replace(record, step=int(taken[i])))
    return states, records


def _record(experiment: Any, schedule: Schedule, recorded: np.ndarray, row: Any) -> RunRecord:
    classes = schedule.by_class(recorded)
    table = columns(experiment, schedule, recorded, _without_classes(row))
    arrays = by_class(experiment, len(classes), row)
    step = int(recorded[-1]) if len(recorded) else 0
    return RunRecord(experiment, "running", step, table, arrays, classes)


def _without_classes(row: Any) -> Any:
    return {
        key: {k: v for k, v in part.items() if not k.startswith("class_")}
        if isinstance(part, dict)
        else part
        for key, part in row.items()
    }


def _finish(
    program: Program,
    schedule: Schedule,
    states: RunState,
    records: list[RunRecord],
    alive: list[bool],
) -> tuple[RunState, list[RunRecord]]:
    """Append the row after the last step to every run that reached it."""
    states, evaluated = program.evaluate(states)
    rows = fetch(evaluated)
    position = {e.id: i for i, e in enumerate(program.pack.experiments)}
    finished = []
    for record in records:
        i = position[record.experiment.id]
        if alive[i]:
            record = _extended(record, schedule, schedule.total, rows, i)
            loss = record.table[f"tr_{record.experiment.problem.loss.name}"][-1]
            status = "done" if np.isfinite(loss) else "diverged"
            record = dataclasses.replace(record, status=status, step=schedule.total)
        finished.append(record)
    return states, finished


def _extended(record: RunRecord, schedule: Schedule, step: int, rows: Any, index: int) -> RunRecord:
    """Append a row from an evaluation to a record."""
    row = jax.tree.map(lambda leaf: leaf[index], rows)
    steps = np.array([step])
    table = columns(record.experiment, schedule, steps, _without_classes(row))
    arrays = by_class(record.experiment, 1, row)
    return dataclasses.replace(
        record,
        table={k: np.concatenate([v, table[k]]) for k, v in record.table.items()},
        per_class={k: np.concatenate([v, arrays[k]]) for k, v in record.per_class.items()},
        per_class_steps=np.concatenate([record.per_class_steps, steps]),
    )


def _parameters(states: RunState, index: int) -> dict[str, np.ndarray]:
    """Copy the trained parameters and model state (`batch_stats/...`) of a run to the host."""
    statistics: dict[str, Any] = traverse_util.flatten_dict(states.model_state, sep="/")
    kept = states.params | statistics
    return fetch({path: leaf[index] for path, leaf in kept.items()})
