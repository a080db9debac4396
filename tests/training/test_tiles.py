"""Losses in tiles of rows: the numbers of all logits at once, without ever holding these."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from optexp_jax.losses import CrossEntropy, LogitAdjusted, Weighted
from optexp_jax.models import GPT, Transformer
from optexp_jax.models.functional import functional, split_trainable
from optexp_jax.training import metrics, tiles
from optexp_jax.training.batches import Batch
from optexp_jax.training.objective import Draw, Objective

WORDS, TEXTS, TIME = 41, 6, 8
SIZES = {"vocabulary": WORDS, "depth": 1, "num_heads": 2, "width": 16}
GPT_MODEL = GPT(num_classes=WORDS, dropout=0.2, **SIZES)
CASES = {
    "GPT": (GPT_MODEL, CrossEntropy()),
    "weighted": (GPT_MODEL, Weighted(CrossEntropy(), power=0.5)),
    "adjusted": (GPT_MODEL.clone(frozen=("attention",)), LogitAdjusted()),
    "merged words": (Transformer(num_classes=14, merge_factor=3, **SIZES), CrossEntropy()),
}


def labels(classes):
    drawn = jax.random.randint(jax.random.key(2), (TEXTS, TIME), 0, classes)
    return drawn.at[-1].set(-1).at[0, 0].set(-1)  # padding


def setting(model, loss):
    """An objective, the parameters, and a batch."""
    functions = functional(model)
    counts = np.arange(1, model.num_classes + 1)[::-1]
    objective = Objective(functions, loss, loss.build(counts), 0.0, model.num_classes, True)
    tokens = jax.random.randint(jax.random.key(1), (TEXTS, TIME), 0, WORDS)
    params = functions.init(jax.random.key(0), tokens)[0]
    return objective, split_trainable(params, functions.trainable), tokens


def gradient(objective, parts, tokens, size):
    batch = Batch(tokens, labels(objective.num_classes), size)
    key = jax.random.key(3)
    return jax.jit(lambda *p: objective.gradient(*p, {}, batch, key, True)[:2])(*parts)


def in_tiles(monkeypatch, rows):
    monkeypatch.setattr(tiles, "_AT_ONCE", 0)
    monkeypatch.setattr(tiles, "_LARGE_ROW", 0)
    monkeypatch.setattr(tiles, "_TILE", rows)
    tile = tiles.rows_of_tile
    monkeypatch.setattr(
        "optexp_jax.training.objective.rows_of_tile", lambda number, row_bytes: tile(number, 1)
    )


@pytest.mark.usefixtures("quickly_compiled")
@pytest.mark.parametrize("size", [1, 7, 48])
def test_tiles_of_a_last_layer_have_the_sums_and_the_gradient_of_the_whole(size):
    hidden = jax.random.normal(jax.random.key(0), (TEXTS, TIME, 5))
    weights = jax.random.normal(jax.random.key(1), (5, WORDS))
    loss_sum = CrossEntropy().build(np.ones(WORDS))

    def sums_of(logits, labels):
        sums = metrics.objective_sums(loss_sum, logits, labels)
        return sums | metrics.batch_sums(CrossEntropy(), logits, labels, WORDS, True)

    def whole(hidden, weights):
        sums = sums_of(hidden @ weights, labels(WORDS))
        return sums["objective"], sums

    def tiled(hidden, weights):
        sums = tiles.sums_in_tiles(
            sums_of, lambda rows: rows @ weights, hidden, labels(WORDS), size
        )
        return sums["objective"], sums

    a, b = (jax.jit(jax.grad(f, (0, 1), has_aux=True))(hidden, weights) for f in (whole, tiled))
    for one, other in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("quickly_compiled")
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("rows", [7, 16])
def test_loss_gradient_and_sums_by_class_are_those_of_all_rows_at_once(name, rows, monkeypatch):
    objective, parts, tokens = setting(*CASES[name])
    whole = gradient(objective, parts, tokens, TEXTS)
    in_tiles(monkeypatch, rows)
    tiled = gradient(objective, parts, tokens, TEXTS)
    assert jax.tree.structure(whole) == jax.tree.structure(tiled)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(tiled), strict=True):
        assert a.dtype == b.dtype
        if jnp.issubdtype(a.dtype, jnp.integer):
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)
    assert int(tiled[1]["count"]) == (TEXTS - 1) * TIME - 1


@pytest.mark.slow
def test_small_logits_keep_their_program():
    objective, parts, tokens = setting(*CASES["GPT"])
    assert objective._rows_of_tile(labels(WORDS)) is None
    text = jax.jit(lambda *p: gradient(objective, p, tokens, TEXTS)).lower(*parts).as_text()
    assert f"tensor<{TEXTS}x{TIME}x{WORDS}xf32>" in text


def test_only_large_logits_of_large_vocabularies_are_in_tiles():
    assert tiles.rows_of_tile(10**9, 4 * 10_000) is None
    assert tiles.rows_of_tile(1024, 4 * 50_608) is None
    size = tiles.rows_of_tile(16 * 1024, 4 * 50_608)
    assert size is not None
    assert size * 4 * 50_608 <= 256 * 2**20


@pytest.mark.slow
def test_no_array_holds_all_logits(monkeypatch):
    model = GPT(num_classes=5003, **SIZES | {"vocabulary": 5003}, dropout=0.0)
    objective, parts, tokens = setting(model, CrossEntropy())

    def compiled():
        traced = jax.jit(lambda *p: gradient(objective, p, tokens, TEXTS))
        return traced.lower(*parts).compile()

    whole = compiled()
    in_tiles(monkeypatch, 8)
    tiled = compiled()
    rows = TEXTS * TIME
    assert largest_with(5003, whole.as_text()) == rows * 5003
    # A tile of logits, or the weights of the last layer.
    assert largest_with(5003, tiled.as_text()) == 16 * 5003
    saved = whole.memory_analysis().temp_size_in_bytes - tiled.memory_analysis().temp_size_in_bytes
    assert saved > 4 * 5003 * (rows - 8)


def largest_with(classes, hlo):
    """Entries of the largest array of an optimized program that has an axis of the classes."""
    shapes = (m.group(1).split(",") for m in re.finditer(r"f32\[([\d,]+)\]", hlo))
    return max(int(np.prod([int(n) for n in s])) for s in shapes if str(classes) in s)


@pytest.mark.slow
@pytest.mark.usefixtures("quickly_compiled")
def test_evaluation_is_in_tiles_too(monkeypatch):
    objective, parts, tokens = setting(*CASES["GPT"])
    batch = Batch(tokens, labels(WORDS), 4)

    def evaluated():
        return jax.jit(lambda *p: objective.evaluate(*p, {}, batch))(*parts)

    whole = evaluated()
    in_tiles(monkeypatch, 7)
    tiled = evaluated()
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(tiled), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def test_random_numbers_of_an_example_depend_on_its_place_only():
    key = jax.random.key(5)
    whole = jax.random.key_data(Draw(key).keys(6))
    assert np.array_equal(whole[4:], jax.random.key_data(Draw(key, 4).keys(2)))
    assert len(np.unique(np.asarray(whole), axis=0)) == 6
