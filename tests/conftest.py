"""Four fake devices, no wandb, 64-bit floats on request. Set before anything imports jax."""

import os

os.environ["XLA_FLAGS"] = " ".join(
    [os.environ.get("XLA_FLAGS", ""), "--xla_force_host_platform_device_count=4"]
)
os.environ.setdefault("OPTEXP_WANDB_ENABLED", "false")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import pytest
from hypothesis import settings
from jax.experimental.compilation_cache import compilation_cache
from reference_files import REFERENCE_DIR

from optexp_jax.training import devices

settings.register_profile("optexp", deadline=None, max_examples=25)
settings.load_profile("optexp")


@pytest.fixture(autouse=True, scope="session")
def one_device():
    """Packs use one device: programs for four take several times as long to compile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "used", lambda: jax.devices()[:1])
        yield


@pytest.fixture
def all_devices(monkeypatch):
    """Packs use all four devices for one test."""
    monkeypatch.setattr(devices, "used", jax.devices)


@pytest.fixture
def x64():
    """64-bit floats for one test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="session")
def reference_dir():
    """The folder of the reference numbers."""
    return REFERENCE_DIR


@pytest.fixture(autouse=True, scope="session")
def compiled_once(tmp_path_factory):
    """Every program is compiled once in a session: most packs of the tests run the same ones."""
    names = (
        "jax_compilation_cache_dir",
        "jax_persistent_cache_min_compile_time_secs",
        "jax_persistent_cache_min_entry_size_bytes",
    )
    before = {name: getattr(jax.config, name) for name in names}
    values = (str(tmp_path_factory.mktemp("compiled")), 0.0, -1)
    for name, value in zip(names, values, strict=True):
        jax.config.update(name, value)
    compilation_cache.reset_cache()
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()
