"""FSDP: devices that share parameters, gradients and optimizer states record the same rows."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from small_problems import BITWISE, RANDOM, HalfFrozen, experiment, random_problem, sweep
from training_rows import alone, assert_close, load, train

from optexp_jax import FullBatch, LearningRate, MiniBatch
from optexp_jax.backend import use_form
from optexp_jax.losses import CrossEntropy, Weighted
from optexp_jax.optim import SGD, SOAP, Adam, AdamMini, LineSearchGD, Muon, NormalizedGD
from optexp_jax.training import sharding
from optexp_jax.training.loop import train_pack
from optexp_jax.training.pack import Pack
from optexp_jax.training.program import Slots
from optexp_jax.training.resident import ResidentProgram
from optexp_jax.training.sharding import axis_of, spec_of

RATE = LearningRate(-2)
WHOLE = {"step", "alive"}


@pytest.fixture(autouse=True)
def small_leaves_are_shared_too(monkeypatch):
    monkeypatch.setattr(sharding, "_LEAST", 16)


def weighted(**changes):
    return random_problem(loss=Weighted(CrossEntropy()), l2=0.01, **changes)


def assert_shared_alike(one, **how):
    """A run has the rows of devices that share its batches only."""
    whole, shared = alone(one, **how), alone(one, shard="fsdp", **how)
    assert_close(whole, shared, rtol=2e-5, atol=1e-6)


def test_the_longest_axis_that_devices_divide_is_cut():
    assert axis_of((8, 12), 4) == 1
    assert axis_of((8, 13), 4) == 0
    assert axis_of((7, 13), 4) is None
    assert axis_of((8,), 4) is None  # small
    assert axis_of((8, 12), 1) is None
    assert spec_of((8, 12), 4, "run") == jax.P("run", None, "data")


@pytest.mark.usefixtures("all_devices", "quickly_compiled")
@pytest.mark.slow
def test_each_device_holds_a_part_of_the_states_before_and_after_steps():
    one = experiment(weighted(batching=MiniBatch(10)), Adam(RATE))
    program = ResidentProgram(Pack((one,), devices=4, shard="fsdp"), load(one))
    states = program.initial()
    before = shapes(states)
    kernels = [key for key in before if "kernel" in key]
    assert len(kernels) == 3  # the parameter and two moments
    for key in kernels:
        part, whole = before[key]
        assert np.prod(part) * 4 == np.prod(whole)
    slots = np.zeros(2, np.int32)
    after, _ = program.chunk(states, Slots(slots, slots))
    assert shapes(after) == before


def shapes(states):
    """Path -> shape of a leaf on the first device, and of the whole leaf."""
    leaves = jax.tree_util.tree_leaves_with_path(states)
    return {
        jax.tree_util.keystr(path): (leaf.addressable_shards[0].data.shape, leaf.shape)
        for path, leaf in leaves
    }


@pytest.mark.usefixtures("all_devices", "quickly_compiled")
@pytest.mark.parametrize(
    ("batching", "micro_batch", "devices"),
    [
        pytest.param(MiniBatch(10), None, 4, id="mini"),
        pytest.param(FullBatch(), 3, 4, id="micro", marks=pytest.mark.slow),
        pytest.param(MiniBatch(10), 2, 2, id="two runs at once", marks=pytest.mark.slow),
        pytest.param(MiniBatch(1), None, 2, id="one example", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_rows_are_those_of_devices_that_share_batches_only(batching, micro_batch, devices):
    pack = sweep(experiment(weighted(batching=batching), Adam(RATE), steps=6), [RATE])
    if devices == 2:
        pack = sweep(pack[0], [LearningRate(-3), RATE, LearningRate(-1)])
    how = {"micro_batch": micro_batch, "devices": devices}
    whole, shared = train(*pack, **how), train(*pack, shard="fsdp", **how)
    for one in pack:
        assert_close(whole[one.id], shared[one.id], rtol=2e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices", "quickly_compiled")
@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(RATE, momentum=0.9, clip=0.1),
        NormalizedGD(RATE),
        LineSearchGD(),
        Muon(RATE),
        AdamMini(RATE),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_optimizers_that_need_whole_leaves_or_norms_of_all_are_right(optimizer):
    assert_shared_alike(experiment(weighted(), optimizer, steps=5), devices=2)


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices", "quickly_compiled")
def test_soap_differs_as_much_as_by_devices_that_share_batches():
    """Rounding chooses the basis in which it does not look at anything yet: 0.3 % of the loss."""
    one, loss = experiment(weighted(), SOAP(RATE), steps=5), "tr_CrossEntropyLoss"
    rows = [alone(one, devices=2, shard=shard).table[loss] for shard in ("data", "fsdp")]
    np.testing.assert_allclose(*rows, rtol=0.01)


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices", "quickly_compiled")
@pytest.mark.parametrize("kind", ["dropout", "schedule"])
def test_dropout_and_schedules_are_the_same(kind):
    assert_shared_alike(dataclasses.replace(BITWISE[kind], steps=5), devices=4, micro_batch=1)


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices", "quickly_compiled")
def test_frozen_parameters_are_shared_too():
    assert_shared_alike(experiment(weighted(model=HalfFrozen(RANDOM.num_classes))), devices=2)


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices", "quickly_compiled")
def test_packs_side_by_side_and_the_form_of_gpus_share_too():
    pack = sweep(BITWISE["full batch"], [LearningRate(e) for e in (-3, -2)])
    wanted = train(*pack, devices=2)
    beside = train(*pack, devices=2, shard="fsdp", mode="vmap")
    with use_form("gpu"):
        scanned = train(*pack, devices=2, shard="fsdp")
    for one in pack:
        assert_close(wanted[one.id], beside[one.id], rtol=2e-5, atol=1e-6)
        assert_close(wanted[one.id], scanned[one.id], rtol=2e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices", "quickly_compiled")
@pytest.mark.parametrize("devices", [1, 4])
def test_a_run_goes_on_with_another_number_of_devices(devices):
    one = experiment(weighted(batching=MiniBatch(7)), Adam(RATE), steps=9)
    chunks = train_pack(Pack((one,), devices=2, shard="fsdp"), load(one), chunk_seconds=0.0)
    chunk = next(c for c in chunks if c.step == 4)
    states = {path: leaf[:1] for path, leaf in chunk.snapshot().items()}  # no padding
    chunks.close()
    loss = "tr_CrossEntropyLoss"
    went_on = alone(one, devices=devices, shard="fsdp", states=states, step=4).table[loss]
    np.testing.assert_allclose(went_on, alone(one).table[loss][4:], rtol=2e-5)


@pytest.mark.usefixtures("all_devices")
def test_the_gradient_is_that_of_whole_parameters():
    """Each device gathers parts; the gradient of a part is a sum over the devices."""
    weights = jax.random.normal(jax.random.key(0), (8, 6))
    inputs = jax.random.normal(jax.random.key(1), (4, 8))

    def loss(params, inputs):
        return jnp.sum(jnp.tanh(inputs @ params["w"]) ** 2)

    def on_one(params, inputs):
        return jax.grad(lambda p: loss(sharding.gathered(p, {"w": 0}), inputs))(params)

    mesh = jax.make_mesh((4,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    specs = ({"w": jax.P("data")}, jax.P("data"))
    shared = jax.shard_map(on_one, mesh=mesh, in_specs=specs, out_specs=specs[0], check_vma=False)
    found = jax.jit(shared)({"w": weights}, inputs)
    expected = jax.grad(loss)({"w": weights}, inputs)
    np.testing.assert_allclose(found["w"], expected["w"], rtol=1e-4, atol=1e-5)


def test_an_unknown_way_is_refused():
    with refuses("unknown-shard", shard="tensor"):
        Pack((BITWISE["full batch"],), shard="tensor")
