"""Keep compiled programs on disk, so that each program is compiled once."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import jax
from jax.experimental.compilation_cache import compilation_cache

from optexp_jax.host import processor

_DIRECTORY = "jax_compilation_cache_dir"
_LEAST_SECONDS = "jax_persistent_cache_min_compile_time_secs"
_WORTH_KEEPING = 0.5  # seconds of compilation


@contextlib.contextmanager
def persistent_compile_cache(workspace: Path) -> Iterator[None]:
    """Keep programs that are compiled in the block in `compiled/` of the workspace.

    Programs are kept apart by version of jaxlib, kind of device and processor. If
    `JAX_COMPILATION_CACHE_DIR` or the calling program has chosen a folder, that one is used.

    Args:
        workspace: folder of the workspace.
    """
    if getattr(jax.config, _DIRECTORY):
        yield
        return
    before = getattr(jax.config, _LEAST_SECONDS)
    device = jax.local_devices()[0].device_kind.replace(" ", "-")
    folder = workspace / "compiled" / f"{version('jaxlib')}-{device}-{processor()}"
    jax.config.update(_DIRECTORY, str(folder))
    jax.config.update(_LEAST_SECONDS, _WORTH_KEEPING)
    compilation_cache.reset_cache()
    try:
        with warnings.catch_warnings():
            # On a full disk programs are not kept; runs report a full disk themselves.
            warnings.filterwarnings("ignore", "Error .* persistent compilation cache")
            yield
    finally:
        jax.config.update(_DIRECTORY, None)
        jax.config.update(_LEAST_SECONDS, before)
        compilation_cache.reset_cache()
