"""Roles of leaves in every model of ours, and the optimizers that treat them differently."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import traverse_util

from optexp_jax import identity
from optexp_jax.models import (
    CNN,
    GPT,
    MLP,
    AttentionFeatures,
    ImageNetCNN,
    Linear,
    SimpleViT,
    Transformer,
    resnet18,
    resnet50,
)
from optexp_jax.optim import (
    ROLES,
    SGD,
    Adam,
    Cosine,
    LearningRate,
    LinearWarmup,
    LineSearchGD,
    Muon,
    Partitioned,
    momentum_of,
    role_of,
)
from optexp_jax.optim.roles import heads_split

TOKENS = jnp.zeros((1, 3), int)
ATTENTION = {"query": "qk", "key": "qk", "value": "vo", "out": "vo"}
MODELS = {
    "GPT": (GPT(9, 9, depth=2, num_heads=2, width=8), TOKENS),
    "Transformer": (
        Transformer(9, 9, depth=1, num_heads=2, width=8, width_mlp=8, norm="pre"),
        TOKENS,
    ),
    "AttentionFeatures": (AttentionFeatures(5, 4), TOKENS),
    "SimpleViT": (
        SimpleViT(3, patch=4, depth=1, num_heads=2, width=8, width_mlp=16),
        jnp.zeros((1, 8, 8, 1)),
    ),
    "ResNet, batch norm": (resnet18(3), jnp.zeros((1, 64, 64, 3))),
    "ResNet, layer norm": (resnet50(3, norm="layer"), jnp.zeros((1, 64, 64, 3))),
    "CNN": (CNN(3), jnp.zeros((1, 28, 28, 1))),
    "ImageNetCNN": (ImageNetCNN(3), jnp.zeros((1, 224, 224, 3))),
    "MLP": (MLP(3, (5, 4)), jnp.zeros((1, 6))),
    "Linear": (Linear(6, 3), jnp.zeros((1, 6))),
}
EXPECTED = {  # beside those of attention
    "GPT": {"embedding", "norm", "qk", "vo", "mlp", "head"},
    "Transformer": {"embedding", "norm", "qk", "vo", "mlp", "head"},
    "AttentionFeatures": {"embedding", "qk", "vo"},
    "SimpleViT": {"embedding", "norm", "qk", "vo", "mlp", "head"},
    "ResNet, batch norm": {"norm", "other", "head"},
    "ResNet, layer norm": {"norm", "other", "head"},
    "CNN": {"other", "head"},
    "ImageNetCNN": {"other", "head"},
    "MLP": {"mlp"},
    "Linear": {"other"},
}


def shapes(name):
    model, inputs = MODELS[name]
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), inputs)["params"])
    return traverse_util.flatten_dict(params, sep="/")


@pytest.mark.parametrize("name", MODELS)
def test_every_leaf_of_a_model_has_the_role_that_its_names_say(name):
    paths = shapes(name)
    assert {role_of(path) for path in paths} == EXPECTED[name]
    for path in paths:
        names = path.split("/")
        if any("norm" in part for part in names):
            wanted = "norm"
        elif "attention" in names:
            wanted = ATTENTION[names[-2]]
        elif any(part.startswith("conv") for part in names) or name == "Linear":
            wanted = "other"
        else:
            wanted = names[-2] if len(names) > 1 else names[0]
            wanted = "mlp" if wanted.startswith(("mlp", "layer")) else wanted
        assert role_of(path) == wanted, path
        assert wanted in ROLES


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("transformer/wte/embedding", "embedding"),
        ("LayerNorm_0/scale", "norm"),
        ("h_1/ln_2/scale", "norm"),
        ("Dense_3/kernel", "mlp"),
        ("layers_0/self_attn/q_proj/kernel", "qk"),
        ("lm_head/kernel", "head"),
        ("outer/kernel", "other"),
    ],
)
def test_usual_names_of_others_have_their_roles(path, role):
    assert role_of(path) == role
    assert role_of(path, rules=((".*", "mine"),)) == "mine"


def test_kernels_of_attention_say_which_of_their_axes_are_inputs():
    leaf = jnp.zeros((2, 3, 4))
    for layer, split in {"query": 1, "key": 1, "value": 1, "out": 2, "conv": None}.items():
        assert heads_split(f"block_0/attention/{layer}/kernel", leaf) == split
    assert heads_split("block_0/attention/out/kernel", leaf[0]) is None


# -- Muon ---------------------------------------------------------------------------------------


def filled(name):
    key = jax.random.key(1)
    return {
        path: jax.random.normal(jax.random.fold_in(key, i), leaf.shape) / 10
        for i, (path, leaf) in enumerate(shapes(name).items())
    }


def one_update(spec, params, gradient):
    tx = spec.build(total_steps=10)
    return jax.jit(tx.update)(gradient, tx.init(params), params)[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["GPT", "CNN"])
def test_muon_takes_matrices_of_its_roles_and_adam_the_rest(name):
    params = filled(name)
    gradient = {path: jnp.cos(50 * leaf) for path, leaf in params.items()}
    takes = ("qk", "vo", "mlp") if name == "GPT" else ("other",)
    found = one_update(Muon("10^-1", takes=takes), params, gradient)
    tx = optax.adamw(0.1, weight_decay=0.0, nesterov=True)
    by_adam = tx.update(gradient, tx.init(params), params)[0]
    taken = set()
    for path, update in found.items():
        if not np.allclose(update, by_adam[path], rtol=1e-4, atol=1e-6):
            taken.add(path)
            by_head = path.split("/")[-2] in ("query", "key", "value")
            rows = update.shape[0] if by_head else None
            matrix = np.reshape(update, (rows, -1) if rows else (-1, update.shape[-1]))
            singular = np.linalg.svd(matrix, compute_uv=False)
            scale = 0.1 * max(1, matrix.shape[1] / matrix.shape[0]) ** 0.5
            assert np.all(singular < 1.3 * scale)
            # A matrix that is nearly of lower rank keeps some small ones.
            assert np.median(singular) > 0.6 * scale
    wanted = {p for p in params if p.endswith("kernel") and role_of(p) in takes}
    assert taken == wanted


def test_muon_says_what_it_cannot_take():
    for fields in ({"takes": ("heads",)}, {"takes": "qk"}, {"ns_steps": 0}, {"rules": ("a",)}):
        with pytest.raises(ValueError, match="Muon"):
            Muon("10^-1", **fields)
    mine = Muon("10^-1", takes=("mine", "qk"), rules=(("first/.*", "mine"),))
    assert identity.decode(identity.encode(mine)) == mine
    assert mine == Muon("10^-1", takes=["qk", "mine"], rules=[["first/.*", "mine"]])


# -- Partitioned --------------------------------------------------------------------------------

PARTS = {"head": Adam("10^-3"), "norm": Adam("10^-2", schedule=LinearWarmup(2)), "*": SGD("10^0")}


@pytest.mark.slow
def test_each_part_moves_as_its_optimizer_does():
    params = filled("GPT")
    gradient = {path: jnp.cos(50 * leaf) for path, leaf in params.items()}
    spec = Partitioned(PARTS, "10^-1")
    found = one_update(spec, params, gradient)
    for path, update in found.items():
        part = PARTS.get(role_of(path), PARTS["*"])
        alone = one_update(part, {path: params[path]}, {path: gradient[path]})
        np.testing.assert_allclose(update, 0.1 * alone[path], rtol=1e-5, atol=1e-8)


def test_schedule_and_clip_act_on_all_parts():
    params = {"head": jnp.ones(2), "mlp": jnp.ones(2)}
    gradient = {"head": jnp.array([3.0, 0.0]), "mlp": jnp.array([0.0, 4.0])}
    spec = Partitioned({"head": SGD("10^0"), "*": SGD("10^-1")}, clip=1.0, schedule=LinearWarmup(2))
    found = one_update(spec, params, gradient)
    np.testing.assert_allclose(found["head"], [-0.3, 0], rtol=1e-6)
    np.testing.assert_allclose(found["mlp"], [0, -0.04], rtol=1e-6)


def test_parts_are_an_identity_without_an_order():
    spec = Partitioned(PARTS, schedule=Cosine())
    assert spec == Partitioned(dict(reversed(PARTS.items())), schedule=Cosine())
    assert identity.decode(identity.encode(spec)) == spec
    assert spec.learning_rate == LearningRate(0)
    assert (spec.method_kind, momentum_of(spec)) == ("SGD, Adam on head, norm", 0.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Partitioned({}),
        lambda: Partitioned({"heads": SGD("10^0")}),
        lambda: Partitioned({"*": LineSearchGD()}),
        lambda: Partitioned({"*": 0.1}),
        lambda: Partitioned(SGD("10^0")),
        lambda: Partitioned(PARTS, rules=(("(", "mine"),)),
        lambda: Partitioned({"head": SGD("10^0")}).build().init({"mlp": jnp.ones(2)}),
    ],
)
def test_impossible_parts_are_refused_in_one_sentence(make):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value).endswith(".")
    assert ". " not in str(caught.value)
