"""Rows of runs that are trained without a launcher, and their comparison."""

import dataclasses
from pathlib import Path

import numpy as np

from optexp_jax.training.loop import train_pack
from optexp_jax.training.pack import Pack


def load(one):
    """The data of an experiment that needs no files."""
    return one.problem.with_data_seed(one.seed).dataset.load(Path())


@dataclasses.dataclass
class Rows:
    """What one run recorded."""

    table: dict
    per_class: dict
    steps: np.ndarray
    status: str
    kept: dict
    lengths: list


def train(
    *experiments,
    mode="map",
    micro_batch=None,
    devices=1,
    shard="data",
    remat=False,
    data=None,
    **arguments,
):
    """Rows of every experiment of one pack, by id."""
    pack = Pack(experiments, mode, micro_batch, devices, shard, remat)
    records = {e.id: [] for e in experiments}
    lengths, last = [], 0
    for chunk in train_pack(pack, data or load(experiments[0]), **arguments):
        lengths.append(chunk.step - last)
        last = chunk.step
        for record in chunk.records:
            records[record.experiment.id].append(record)
    return {key: joined(found, lengths) for key, found in records.items()}


def joined(records, lengths):
    filled = [r for r in records if len(r.table["step"])]

    def join(field):
        names = getattr(filled[0], field)
        return {n: np.concatenate([getattr(r, field)[n] for r in filled]) for n in names}

    steps = np.concatenate([r.per_class_steps for r in filled])
    kept = {r.step: r.parameters for r in records if r.parameters is not None}
    return Rows(join("table"), join("per_class"), steps, records[-1].status, kept, lengths)


def alone(one, **arguments):
    """Rows of an experiment that runs by itself."""
    return train(one, **arguments)[one.id]


def assert_same(a, b):
    """Bitwise, NaN equal to NaN."""
    assert a.status == b.status
    assert list(a.table) == list(b.table)
    assert list(a.per_class) == list(b.per_class)
    for name in a.table:
        np.testing.assert_array_equal(a.table[name], b.table[name], err_msg=name)
    for name in a.per_class:
        np.testing.assert_array_equal(a.per_class[name], b.per_class[name], err_msg=name)
    np.testing.assert_array_equal(a.steps, b.steps)


def assert_close(a, b, rtol, atol=0.0):
    assert list(a.table) == list(b.table)
    for name in a.table:
        np.testing.assert_allclose(a.table[name], b.table[name], rtol, atol, err_msg=name)
    for name in a.per_class:
        np.testing.assert_allclose(a.per_class[name], b.per_class[name], rtol, atol, err_msg=name)
