"""Networks for images: both forms of a convolution, counts, norms, patches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from filled_models import filled

from optexp_jax.models import (
    CNN,
    MLP,
    Conv,
    ImageNetCNN,
    ResNet,
    SimpleViT,
    convolve,
    max_pool,
    resnet18,
    resnet50,
)
from optexp_jax.models.convolution import form
from optexp_jax.models.functional import functional

KEY = jax.random.key(0)
TINY = ResNet(3, depths=(1,), width=4)
IMAGES = jax.random.normal(KEY, (4, 32, 32, 3))


def applied(model, params, state, inputs, train=False):
    """Logits and the new state."""
    return functional(model).apply(params, state, inputs, {}, train)


def size(model, *shape):
    params, _ = jax.eval_shape(functional(model).init, KEY, jnp.zeros((1, *shape)))
    return sum(leaf.size for leaf in jax.tree.leaves(params))


@pytest.mark.parametrize(
    ("model", "shape", "count"),
    [
        (CNN(10), (28, 28, 1), 129_942),
        (CNN(10_250), (28, 28, 1), 50_316_182),
        (ImageNetCNN(1000), (224, 224, 3), 991_720),
        (resnet18(1000), (224, 224, 3), 11_689_512),
        (resnet18(1000, norm="layer"), (224, 224, 3), 11_689_512),
        (resnet50(1000), (224, 224, 3), 25_557_032),
        (SimpleViT(1000), (224, 224, 3), 21_958_504),
        (MLP(2, (5, 4)), (3,), 3 * 5 + 5 + 5 * 4 + 4 + 4 * 2 + 2),
    ],
)
def test_models_have_the_sizes_of_the_paper(model, shape, count):
    assert size(model, *shape) == count


@pytest.mark.parametrize(
    ("size", "stride", "padding", "height", "width"),
    [(1, 1, 0, 5, 6), (1, 2, 0, 5, 6), (3, 1, 1, 5, 6), (3, 2, 1, 8, 7), (5, 1, 2, 5, 9),
     (7, 2, 3, 9, 8), (2, 3, 2, 6, 9), (4, 3, 1, 7, 7)],
)  # fmt: skip
def test_both_forms_of_a_convolution_agree(size, stride, padding, height, width):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, height, width, 3)).astype(np.float32)
    kernel = rng.normal(size=(size, size, 3, 4)).astype(np.float32)
    with form("slices"):
        slices = convolve(images, kernel, stride, padding)
    with form("convolution"):
        convolution = convolve(images, kernel, stride, padding)
    np.testing.assert_allclose(slices, convolution, atol=1e-4)


def test_a_window_is_joined_from_rows():
    """Of 5 x 5 pixels, 10 pieces are copied, not 25: each is a kernel to compile and to run."""

    def slices(images, kernel):
        with form("slices"):
            return convolve(images, kernel, 1, 2)

    program = str(jax.make_jaxpr(slices)(IMAGES, jnp.ones((5, 5, IMAGES.shape[-1], 4))))
    assert program.count(" slice[") == 10


@pytest.mark.slow
@pytest.mark.parametrize("size", [3, 5, 7])
def test_both_forms_have_the_same_gradients(size):
    kernel = jax.random.normal(KEY, (size, size, 3, 4))

    def loss(images, kernel, name):
        with form(name):
            return jnp.sin(convolve(images, kernel, 2, 1)).sum()

    for k in (0, 1):
        found, expected = (
            jax.grad(loss, k)(IMAGES, kernel, name) for name in ("slices", "convolution")
        )
        np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(("window", "stride", "padding"), [(2, None, 0), (3, 2, 1), (3, None, 0)])
def test_pooling_takes_the_largest(window, stride, padding):
    pairs = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    padded = np.pad(np.asarray(IMAGES), pairs, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (window, window), (1, 2))
    step = stride or window
    expected = windows[:, ::step, ::step].max((-1, -2))
    found = max_pool(IMAGES, window, stride, padding)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
def test_batch_norm_uses_the_batch_in_training_and_running_statistics_in_evaluation():
    model = TINY
    functions = functional(model)
    assert not functions.modes_coincide
    params, state = filled(model, IMAGES)
    trained, new = applied(model, params, state, IMAGES, train=True)
    still, same = applied(model, params, state, IMAGES)
    assert not jnp.allclose(trained, still)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, same, state))
    moved = [
        not np.allclose(a, b)
        for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(new), strict=True)
    ]
    assert all(moved)
    mean = np.asarray(_first_conv(params)).mean((0, 1, 2))
    expected = 0.9 * state["batch_stats"]["norm"]["mean"] + 0.1 * mean
    np.testing.assert_allclose(new["batch_stats"]["norm"]["mean"], expected, atol=1e-5)


def _first_conv(params):
    return convolve(IMAGES, params["conv"]["kernel"], stride=2, padding=3)


@pytest.mark.slow
def test_a_single_image_decides_its_logits_in_evaluation_only():
    params, state = filled(TINY, IMAGES)
    for train in (True, False):
        alone, _ = applied(TINY, params, state, IMAGES[:1], train)
        together, _ = applied(TINY, params, state, IMAGES, train)
        assert np.allclose(alone[0], together[0], atol=1e-4) == (not train)


@pytest.mark.slow
def test_layer_norm_has_no_state_and_one_mode():
    model = TINY.clone(norm="layer")
    functions = functional(model)
    assert functions.modes_coincide
    params, state = filled(model, IMAGES)
    assert not jax.tree.leaves(state)
    alone, _ = applied(model, params, state, IMAGES[:1], train=True)
    together, _ = applied(model, params, state, IMAGES)
    np.testing.assert_allclose(alone[0], together[0], atol=1e-4)


def test_residual_networks_start_as_in_torchvision():
    values = {"use_bias": False, "init_values": resnet18(10).init_values, "fan_out": True}
    kernel = Conv(128, 3, **values).init(KEY, jnp.zeros((1, 4, 4, 64)))["params"]["kernel"]
    assert float(kernel.std()) == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.02)


def test_images_of_another_size_are_taken_too():
    large = jnp.zeros((4, 70, 64, 3))
    for model in (TINY, ResNet(3, depths=(1, 1), width=4, bottleneck=True), ImageNetCNN(3, 4)):
        shape = jax.eval_shape(lambda x, m=model: m.init_with_output(KEY, x)[0], large).shape
        assert shape == (4, 3)
    with refuses("images-too-small"):
        filled(ImageNetCNN(3, 4), IMAGES)


def test_a_vision_transformer_sees_every_patch():
    model = SimpleViT(3, patch=8, depth=1, num_heads=2, width=8, width_mlp=16, head_width=4)
    params = {"params": filled(model, IMAGES)[0]}
    slope = jax.jit(jax.grad(lambda images: jnp.sin(model.apply(params, images)).sum()))(IMAGES)
    blocks = np.abs(slope).reshape(4, 4, 8, 4, 8, 3).sum((2, 4, 5))
    assert (blocks > 0).all()
    with refuses("patches-do-not-fit", height=30, width=30, size=8):
        model.apply(params, IMAGES[:, :30, :30])


def test_the_mlp_without_hidden_layers_is_linear():
    model = MLP(3, ())
    params = {"params": filled(model, IMAGES)[0]}
    zero = model.apply(params, jnp.zeros_like(IMAGES))
    doubled = model.apply(params, 2 * IMAGES)
    np.testing.assert_allclose(
        doubled - zero, 2 * (model.apply(params, IMAGES) - zero), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    ("make", "code", "kind", "field", "value"),
    [
        (lambda: ResNet(10, norm="instance"), "not-a-choice", "ResNet", "norm", "instance"),
        (lambda: CNN(0), "not-an-integer", "CNN", "num_classes", 0),
        (lambda: MLP(3, (4,), "sin"), "not-a-choice", "MLP", "activation", "sin"),
        (lambda: SimpleViT(3, width=10), "not-a-multiple", "SimpleViT", "width", 10),
    ],
)
def test_impossible_models_are_named(make, code, kind, field, value):
    with refuses(code, kind=kind, field=field, value=value):
        make()
