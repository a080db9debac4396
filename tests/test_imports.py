"""What an import brings along, and that every public name is there."""

import json
import subprocess
import sys

import pytest

import optexp_jax

HEAVY = {
    "flax",
    "matplotlib",
    "orbax",
    "pandas",
    "pyarrow",
    "rich",
    "tensorflow",
    "tensorflow_datasets",
    "wandb",
}


# Beside the module itself.
_ROOMS = ("backend", "errors", "frequency", "registry", "shapes", "version")
LIGHT = {f"optexp_jax.{name}" for name in _ROOMS}


def modules_after(statement):
    code = f"{statement}; import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("module", "also_heavy"),
    [
        ("optexp_jax", {"jax", "optax"}),
        ("optexp_jax.optim", set()),
        ("optexp_jax.per_class", {"optax"}),
    ],
)
def test_importing_a_light_module_brings_no_heavy_one(module, also_heavy):
    loaded = modules_after(f"import {module}")
    assert not {name.partition(".")[0] for name in loaded} & (HEAVY | also_heavy)
    ours = {name for name in loaded if name.startswith("optexp_jax.")} - LIGHT
    assert all(name == module or name.startswith(f"{module}.") for name in ours)


@pytest.mark.parametrize("name", optexp_jax.__all__)
def test_public_names_resolve(name):
    assert getattr(optexp_jax, name).__name__ == name
    assert name in dir(optexp_jax)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'typo'"):
        _ = optexp_jax.typo
