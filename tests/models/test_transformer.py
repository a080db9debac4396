"""Language models: counts, causality, modes, what is frozen, merged classes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from filled_models import filled
from flax import traverse_util

from optexp_jax.models import GPT, Transformer
from optexp_jax.models.functional import functional, split_trainable

KEY = jax.random.key(0)
TOKENS = jax.random.randint(KEY, (2, 6), 0, 11)
SMALL = {"vocabulary": 11, "num_classes": 11, "depth": 2, "num_heads": 2, "width": 8}
MODELS = {
    "encoder": Transformer(**SMALL, width_mlp=8),
    "no norm": Transformer(**SMALL, width_mlp=8, norm="none"),
    "no positions": Transformer(**SMALL, width_mlp=8, positions=False),
    "attention only": Transformer(**SMALL, norm="none"),
    "GPT as run": GPT(**SMALL, dropout=0.0),
    "GPT-2": GPT(**SMALL, dropout=0.0, norm="pre"),
}


def size(model, tokens=TOKENS):
    params, _ = jax.eval_shape(functional(model).init, KEY, tokens)
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def logits_of(model, train=False, key=KEY, tokens=TOKENS):
    params = {"params": filled(model, tokens)[0]}
    return model.apply(params, tokens, train=train, rngs={"dropout": key} if train else None)


@pytest.mark.parametrize(
    ("model", "count"),
    [
        (GPT(50_608, 50_608), 162_840_496),
        (GPT(50_608, 50_608, norm="pre"), 162_840_496),
        (Transformer(9922, 9922, 2, 4, 1000, 1000, 0.2), 31_873_922),
        (Transformer(9922, 9922, 1, 1, 1200, 1200, 0.2), 32_474_722),
    ],
)
def test_models_have_the_sizes_of_the_paper(model, count):
    assert size(model) == count


def test_the_last_layer_of_the_paper_has_11_9_million_weights():
    frozen = ("embedding", "attention")
    model = Transformer(9922, 9922, 1, 1, 1200, norm="none", frozen=frozen)
    params, _ = jax.eval_shape(functional(model).init, KEY, TOKENS)
    trained, _ = split_trainable(params, model.trainable)
    assert {path: leaf.size for path, leaf in trained.items()} == {
        "head/kernel": 1200 * 9922,
        "head/bias": 9922,
    }


@pytest.mark.parametrize("name", MODELS)
def test_no_logit_depends_on_a_later_token(name):
    """∂ logits[t] / ∂ embedding of the token at s is zero exactly for s > t."""
    model = MODELS[name].clone(vocabulary=6)
    tokens = jnp.arange(6)[None]  # a row of the embedding is a position
    variables = {"params": filled(model, tokens)[0]}

    def logits(table):
        params = {**variables["params"], "embedding": table}
        return model.apply({"params": params}, tokens)[0]

    jacobian = jax.jit(jax.jacobian(logits))(variables["params"]["embedding"])
    sensitivity = np.abs(jacobian).sum(axis=(1, 3))  # [time, position of the token]
    assert (np.triu(sensitivity, 1) == 0).all()
    assert (sensitivity[np.tril_indices(6)] > 0).all()


@pytest.mark.parametrize("name", ["no positions", "no norm"])
def test_order_matters_only_with_positions(name):
    """Without positions, the last logits do not change when earlier tokens change places."""
    swapped = TOKENS[:, jnp.array([1, 0, 2, 3, 4, 5])]
    model = MODELS[name].clone(depth=1)  # two layers see the order by their masks
    last = [logits_of(model, tokens=tokens)[:, -1] for tokens in (TOKENS, swapped)]
    assert np.allclose(last[0], last[1], atol=1e-6) == (name == "no positions")


@pytest.mark.slow
@pytest.mark.parametrize("model", [MODELS["encoder"], MODELS["GPT as run"]])
def test_dropout_is_on_in_training_and_off_in_evaluation(model):
    model = model.clone(dropout=0.5)
    assert not functional(model).modes_coincide
    first, again = logits_of(model, True), logits_of(model, True)
    other = logits_of(model, True, jax.random.key(1))
    still = logits_of(model)
    assert jnp.array_equal(first, again)
    assert not jnp.allclose(first, other)
    assert not jnp.allclose(first, still)
    assert jnp.array_equal(still, logits_of(model.clone(dropout=0.0)))


@pytest.mark.parametrize(
    ("model", "masks"),
    [
        # embedding, attention weights, what attention and MLP add, hidden units
        (Transformer(11, 11, 1, 2, 8, 8, dropout=0.3), 5),
        (GPT(11, 11, 1, 2, 8, dropout=0.3), 4),  # no hidden units
        (Transformer(11, 11, 1, 2, 8, dropout=0.3), 3),  # no MLP
        (MODELS["encoder"], 0),
    ],
)
def test_dropout_falls_on_every_kind_of_unit(model, masks):
    params = jax.eval_shape(model.init, KEY, TOKENS)

    def logits(params):
        return model.apply(params, TOKENS, train=True, rngs={"dropout": KEY})

    assert str(jax.make_jaxpr(logits)(params)).count("name=_bernoulli") == masks


def test_without_dropout_both_modes_are_one():
    for model in MODELS.values():
        assert functional(model).modes_coincide
        assert jnp.array_equal(logits_of(model, True), logits_of(model))


@pytest.mark.parametrize(
    ("part", "prefix"),
    [
        ("embedding", "embedding"),
        ("attention", "block_0/attention/"),
        ("mlp", "block_1/mlp_in/"),
        ("norm", "block_0/attention_norm/"),
        ("head", "head/"),
    ],
)
def test_frozen_parts_are_those_named(part, prefix):
    model = MODELS["encoder"].clone(frozen=(part,))
    params, _ = jax.eval_shape(functional(model).init, KEY, TOKENS)
    paths = list(traverse_util.flatten_dict(params, sep="/"))
    frozen = [path for path in paths if not model.trainable(path)]
    assert any(path.startswith(prefix) for path in frozen)
    every = MODELS["encoder"].clone(frozen=("embedding", "attention", "mlp", "norm", "head"))
    assert not any(map(every.trainable, paths))
    others = {"embedding", "attention", "mlp", "norm", "head"} - {part}
    rest = MODELS["encoder"].clone(frozen=tuple(others))
    assert {path for path in paths if rest.trainable(path)} == set(frozen)


def test_merged_classes_add_the_logits_of_their_tokens():
    whole = MODELS["encoder"]
    merged = whole.clone(num_classes=4, merge_factor=3)
    params = {"params": filled(whole, TOKENS)[0]}
    logits = np.asarray(whole.apply(params, TOKENS))
    found = merged.apply(params, TOKENS)
    expected = [logits[..., k : k + 3].sum(-1) for k in (0, 3, 6, 9)]
    np.testing.assert_allclose(found, np.stack(expected, -1), rtol=1e-5, atol=1e-7)


def test_the_stream_of_the_paper_is_not_that_of_gpt_2():
    as_run, textbook = MODELS["GPT as run"], MODELS["GPT-2"]
    assert not jnp.allclose(logits_of(as_run), logits_of(textbook))  # the same parameters


@pytest.mark.parametrize("model", [MODELS["encoder"], MODELS["GPT as run"]])
def test_activations_may_be_bfloat16(model):
    functions = functional(model, "bfloat16")
    params, state = filled(model, TOKENS)
    shapes, _ = jax.eval_shape(functions.init, KEY, TOKENS)
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
    logits = jax.jit(lambda p: functions.apply(p, state, TOKENS, {}, False)[0])(params)
    assert logits.dtype == jnp.bfloat16
    np.testing.assert_allclose(logits, logits_of(model), atol=0.05)


@pytest.mark.parametrize(
    ("fields", "code", "values"),
    [
        ({"num_heads": 3}, "not-a-multiple", {"field": "width", "value": 8, "of": 3}),
        ({"depth": 0}, "not-an-integer", {"field": "depth", "value": 0}),
        ({"width_mlp": 0}, "not-an-integer", {"field": "width_mlp", "value": 0}),
        ({"dropout": 1.0}, "dropout-outside", {"value": 1.0}),
        ({"norm": "first"}, "not-a-choice", {"field": "norm", "value": "first"}),
        ({"frozen": ("tail",)}, "unknown-part", {"field": "frozen", "value": ("tail",)}),
        ({"merge_factor": 2}, "merged-classes-wrong", {"merge_factor": 2, "num_classes": 11}),
    ],
)
def test_impossible_models_are_named(fields, code, values):
    with refuses(code, kind="Transformer", **values):
        Transformer(**SMALL | fields)
