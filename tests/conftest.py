"""Four fake devices, no wandb, one folder of compiled programs. Set before anything imports jax."""

import atexit
import os
import tempfile

os.environ["XLA_FLAGS"] = " ".join(
    [os.environ.get("XLA_FLAGS", ""), "--xla_force_host_platform_device_count=4"]
)
os.environ.setdefault("OPTEXP_WANDB_ENABLED", "false")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# A program is compiled once for all processes of a session: its workers and those that tests start.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    folder = tempfile.TemporaryDirectory(prefix="compiled-")
    atexit.register(folder.cleanup)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder.name
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import jax
import pytest
from hypothesis import settings
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


@pytest.fixture(scope="module")
def quickly_compiled():
    """Programs are optimized little and compiled in a third of the time: for tests whose subject is
    what becomes of rows, not their bits."""
    if os.environ.get("JAX_DISABLE_MOST_OPTIMIZATIONS"):  # as in the fast suite
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # for processes that the tests start
        jax.config.update("jax_disable_most_optimizations", True)
        jax.clear_caches()
        yield
        jax.config.update("jax_disable_most_optimizations", False)
        jax.clear_caches()  # else later tests would get these programs, which round differently


@pytest.fixture
def x64():
    """64-bit floats for one test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="session")
def reference_dir():
    """The folder of the reference numbers."""
    return REFERENCE_DIR
