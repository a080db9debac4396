"""The form of programs for GPUs, forced on a CPU: the same rows, and nothing makes a GPU wait."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_problems import (
    RANDOM,
    BatchNormNet,
    DropoutNet,
    experiment,
    one_hot_problem,
    random_problem,
    sweep,
)
from training_rows import alone, load, train

from benchmarks.families import FAMILIES
from optexp_jax import MiniBatch, backend, per_class
from optexp_jax.backend import use_form
from optexp_jax.optim import SGD, Adam, LearningRate, LineSearchGD
from optexp_jax.per_class import sum_by_class
from optexp_jax.training import scanned
from optexp_jax.training.pack import Pack
from optexp_jax.training.program import is_by_class, precision_of
from optexp_jax.training.resident import ResidentProgram
from optexp_jax.training.scanned import ScannedProgram

pytestmark = pytest.mark.usefixtures("quickly_compiled")

NETS = {"dropout": DropoutNet(RANDOM.num_classes), "statistics": BatchNormNet(RANDOM.num_classes)}
# Of 24 examples: batches of 1 make long epochs, those of 7 short ones with a shorter last batch.
RUNS = {
    "full batch": experiment(random_problem(), Adam(LearningRate(-2)), steps=21),
    "one-hot": experiment(one_hot_problem(), steps=21),
    "rows now and then": experiment(random_problem(), steps=21, eval_every=5),
    "long epochs": experiment(random_problem(batching=MiniBatch(1)), steps=60, eval_every=7),
    "short epochs": experiment(random_problem(batching=MiniBatch(7)), steps=21, eval_every=2),
    "unshuffled": experiment(random_problem(batching=MiniBatch(7, shuffle=False)), steps=21),
    "dropout": experiment(random_problem(NETS["dropout"], batching=MiniBatch(7)), steps=21),
    # At a small rate: the statistics of three examples amplify rounding.
    "statistics": experiment(
        random_problem(NETS["statistics"], batching=MiniBatch(7)), SGD(LearningRate(-4)), steps=21
    ),
    "line search": experiment(random_problem(), LineSearchGD(), steps=9),
    "kept": dataclasses.replace(experiment(random_problem(), steps=21), keep_steps=(0, 5, 21)),
}


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch):
    """Pieces of eight steps, and chunks long enough for them."""
    monkeypatch.setattr(scanned, "LENGTHS", (8, 1))
    monkeypatch.setattr(scanned, "_WORTH", 1)


def assert_close(rows, expected):
    assert rows.status == expected.status
    assert list(rows.table) == list(expected.table)
    np.testing.assert_array_equal(rows.steps, expected.steps)
    for part in ("table", "per_class", "kept"):
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-6),
            getattr(rows, part),
            getattr(expected, part),
        )


FAST = ("full batch",)


@pytest.mark.parametrize(
    "name", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in RUNS]
)
def test_both_forms_make_the_same_rows(name):
    expected = alone(RUNS[name])
    with use_form("gpu"):
        assert_close(alone(RUNS[name]), expected)


@pytest.mark.slow
def test_a_run_that_diverges_leaves_its_neighbours_alone():
    runs = sweep(experiment(one_hot_problem(), steps=21), [LearningRate(e) for e in (-1, 9, 0)])
    expected = train(*runs)
    assert [rows.status for rows in expected.values()] == ["done", "diverged", "done"]
    for mode in ("map", "vmap"):
        with use_form("gpu"):
            found = train(*runs, mode=mode)
        for key, rows in expected.items():
            assert_close(found[key], rows)


@pytest.mark.slow
def test_the_size_of_a_pack_changes_no_bit_in_this_form_either():
    runs = sweep(experiment(random_problem(batching=MiniBatch(7)), steps=12))
    with use_form("gpu"):
        together, one = train(*runs), alone(runs[1])
    for name, column in one.table.items():
        np.testing.assert_array_equal(together[runs[1].id].table[name], column)


def test_pieces_are_of_one_kind_and_cover_the_chunk():
    run = experiment(random_problem(batching=MiniBatch(1)), steps=60, eval_every=7)
    program = ScannedProgram(Pack((run,)), load(run))
    nowhere = program.row_capacity
    rows = np.where(np.arange(3, 43) % 7 == 0, 0, nowhere)
    pieces = list(program._cut(3, scanned.Slots(rows, rows)))
    assert [p.start for p in pieces] == [0, *np.cumsum([p.length for p in pieces])[:-1]]
    assert sum(p.length for p in pieces) == 40
    for piece in pieces:
        steps = np.arange(3 + piece.start, 3 + piece.start + piece.length)
        assert len({s // 24 for s in steps}) == 1
        assert {bool(s % 7 == 0) for s in steps} == {piece.record}


# -- what a GPU would be given ------------------------------------------------------------------


def lowered(runs, mode="map"):
    """The program of sixteen steps as StableHLO for CUDA, from shapes; no GPU is needed."""
    pack = Pack(tuple(runs), mode)
    with use_form("gpu"), precision_of(pack):
        program = ScannedProgram(pack, load(runs[0]))
        states = jax.eval_shape(lambda: program._spread_states(_stacked(program)))
        rows, slots = jax.eval_shape(program._rows, states.step), np.zeros(16, np.int32)
        seeds = program._spread(program._seeds)
        orders = jax.eval_shape(program._orders, states.step, seeds)
        counts = (program._runs, np.bool_(True), slots, slots)
        traced = program._pieces(16, True, False).trace(
            (states, rows), orders, seeds, *counts, program.data
        )
        return traced.lower(lowering_platforms=("cuda",)).as_text()


def _stacked(program):
    return jax.tree.map(lambda leaf: jnp.stack([leaf] * program.padded), program._first())


def loops_bounded_by_data(text):
    """Loops whose condition compares with anything but a constant."""
    conditions = re.findall(r"cond \{(.*?)\} do \{", text, re.DOTALL)
    compared = (re.search(r"stablehlo.compare\s+LT, %\w+, %(\w+)", c) for c in conditions)
    return sum(not (match and match[1].startswith("c")) for match in compared)


@pytest.mark.parametrize("mode", ["map", "vmap"])
@pytest.mark.parametrize("name", ["full batch", "one-hot", "long epochs", "short epochs"])
def test_a_gpu_waits_for_the_host_in_no_step(name, mode):
    text = lowered(sweep(RUNS[name]), mode)
    assert "stablehlo.case" not in text
    assert loops_bounded_by_data(text) == 0


@pytest.mark.parametrize(
    "family",
    [f if f in ("cnn", "gpt") else pytest.param(f, marks=pytest.mark.slow) for f in FAMILIES],
)
def test_a_gpu_waits_for_the_host_in_no_step_of_any_family(family):
    text = lowered([FAMILIES[family].experiment("tiny", steps=100)])
    assert "stablehlo.case" not in text
    assert loops_bounded_by_data(text) == 0
    assert "stablehlo.while" in text  # the loop over steps


@pytest.mark.parametrize(("precision", "products"), [("float32", "HIGHEST"), ("tf32", "HIGH")])
def test_a_gpu_rounds_the_factors_of_products_where_it_was_asked_to(precision, products):
    run = RUNS["full batch"]
    problem = dataclasses.replace(run.problem, precision=precision)
    text = lowered([dataclasses.replace(run, problem=problem)])
    assert set(re.findall(r"precision = \[(\w+), (\w+)\]", text)) == {(products, products)}


@pytest.mark.parametrize(("recorded", "kept"), [(0, 1), (3, 4), (11, 16)])
def test_the_host_copies_no_more_rows_by_class_than_twice_those_recorded(recorded, kept):
    run = experiment(random_problem(), steps=60)
    program = ScannedProgram(Pack((run,)), load(run))
    slots = np.full(11, program.class_capacity)
    slots[:recorded] = np.arange(recorded)
    _, rows = program.chunk(program.initial(), scanned.Slots(np.arange(11), slots))
    leaves = jax.tree_util.tree_leaves_with_path(rows)
    by_class = [np.asarray(leaf) for path, leaf in leaves if is_by_class(path)]
    assert {leaf.shape for leaf in by_class} == {(1, kept, RANDOM.num_classes)}
    assert all(leaf[0, :recorded].any(axis=1).all() for leaf in by_class)


def test_the_form_for_a_cpu_would_make_a_gpu_wait():
    run = RUNS["short epochs"]
    program = ResidentProgram(Pack((run,)), load(run))
    states, slots = program.initial(), np.zeros(program.most_steps, np.int32)
    counts = (program._runs, np.int32(2), np.bool_(True), slots, slots)
    seeds = program._spread(program._seeds)
    text = program._chunk.lower(states, seeds, *counts, program.data).as_text()
    assert "stablehlo.case" in text
    assert loops_bounded_by_data(text) > 0


def test_sums_by_class_need_no_place_that_threads_share(monkeypatch):
    monkeypatch.setattr(per_class, "_SLOW_TO_ADD", True)
    values, labels = np.arange(6, dtype=np.float32) ** 2, np.array([0, 2, 2, -1, 0, 7])
    with use_form("gpu"):
        sums, counts = sum_by_class(values, labels, 3)
        text = jax.jit(lambda v, y: sum_by_class(v, y, 3)).lower(values, labels).as_text()
    assert sums.tolist() == [16.0, 0.0, 5.0]
    assert counts.tolist() == [2, 0, 2]
    assert "scatter" not in text


def test_a_form_is_cpu_or_gpu():
    assert backend.form() == "cpu"
    with pytest.raises(ValueError, match="cuda"), use_form("cuda"):
        pass
