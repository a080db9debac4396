"""`--dry-run` of every module has numbers, at both scales, without a file of data."""

import math
from types import SimpleNamespace

import jax
import pytest

from experiments.small import small
from optexp_jax.cli.dry_run import _shapes
from optexp_jax.cli.package_main import discover
from optexp_jax.numerics import pinned
from optexp_jax.training.forecast import forecast
from optexp_jax.training.gpus import gpu_named
from optexp_jax.training.memory import started
from optexp_jax.training.pack import Pack

MODULES = {**discover("experiments"), **discover("experiments.beyond")}


def problems(scale):
    """Module -> an experiment for each model, data set and batch."""
    for name, experiments in MODULES.items():
        runs = experiments if scale == "paper" else small(experiments)
        yield (
            name,
            list(
                {(e.problem.model, e.problem.dataset, e.problem.batching): e for e in runs}.values()
            ),
        )


@pytest.fixture
def context(tmp_path):
    """Of a workspace without any file."""
    return SimpleNamespace(settings=SimpleNamespace(workspace=tmp_path), say=lambda text: None)


@pytest.mark.parametrize("scale", ["paper", "small"])
def test_every_module_has_shapes_and_parameters(scale, context):
    seen = set()
    for name, experiments in problems(scale):
        assert experiments, name
        for one in experiments:
            data = _shapes(context, one)
            assert len(data.train) > 0, name
            if type(one.problem.model) in seen:
                continue
            seen.add(type(one.problem.model))
            with pinned():
                _, state, block = started(Pack((one,)), data)
            sizes = [leaf.size for leaf in jax.tree.leaves(state.params)]
            assert sum(sizes) > 0, name
            assert 0 < len(block.labels) <= len(data.train), name
    assert len(seen) >= 7


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["paper", "small"])
def test_every_kind_of_problem_has_a_forecast(scale, context):
    gpu, seen = gpu_named("H100"), set()
    for name, experiments in problems(scale):
        for one in experiments:
            problem = (type(one.problem.model), type(one.problem.dataset))  # one of a kind: minutes
            if problem in seen:
                continue
            seen.add(problem)
            with pinned():
                found = forecast(one, _shapes(context, one), gpu)
            numbers = found.model_flops, found.memory.total, found.run_seconds(gpu, "float32")
            assert all(math.isfinite(n) and n > 0 for n in numbers), name
