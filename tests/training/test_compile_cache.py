"""Compiled programs are kept in the workspace, where nobody chose another folder."""

import resource
from importlib.metadata import version

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache import compilation_cache

from optexp_jax import host
from optexp_jax.training import compile_cache

DIRECTORY = "jax_compilation_cache_dir"


@pytest.fixture
def no_folder():
    """As outside of the tests, which keep compiled programs in a folder of their own."""
    before = getattr(jax.config, DIRECTORY)
    jax.config.update(DIRECTORY, None)
    yield
    jax.config.update(DIRECTORY, before)
    compilation_cache.reset_cache()


def test_what_is_compiled_is_kept_by_kind_of_device(no_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(compile_cache, "_WORTH_KEEPING", 0.0)
    with compile_cache.persistent_compile_cache(tmp_path):
        jax.jit(lambda x: jnp.sin(x) + 41)(jnp.ones(3)).block_until_ready()
    (folder,) = (tmp_path / "compiled").iterdir()
    assert folder.name == f"{version('jaxlib')}-cpu-{host.processor()}"
    assert any(folder.iterdir())
    assert getattr(jax.config, DIRECTORY) is None


def test_a_folder_that_was_chosen_is_left(tmp_path):
    chosen = getattr(jax.config, DIRECTORY)
    with compile_cache.persistent_compile_cache(tmp_path):
        assert getattr(jax.config, DIRECTORY) == chosen
    assert not (tmp_path / "compiled").exists()


def test_a_processor_has_one_name():
    assert host.processor() == host.processor()
    assert len(host.processor()) == 8


def test_the_limit_of_open_files_is_raised_and_never_lowered():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        host.allow_open_files(300)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (300, hard)
        host.allow_open_files(10)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (300, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
