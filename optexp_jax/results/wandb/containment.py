"""What keeps wandb from printing, from leaving the workspace, and from waiting for ever."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optexp_jax.errors import OptexpError

_ADDRESS = re.compile(r"\S*(://|\d+\.\d+\.\d+\.\d+|host=|\w\.(ai|com|org|net|io)\b)\S*")
# What pydantic adds to its errors, the rejected value among it, which may be a key.
_DETAILS = re.compile(r"\s*\[type=[^]]*\]|\s*For further information visit \S+")
_CACHES = ("WANDB_CACHE_DIR", "WANDB_DATA_DIR")


def ignore_threads() -> None:
    """Let threads of wandb end without a traceback, as they do when its service was ended."""
    before = threading.excepthook
    if getattr(before, "ignores_wandb", False):
        return

    def hook(ended: threading.ExceptHookArgs) -> None:
        if ended.thread is None or not ended.thread.name.startswith("wandb"):
            before(ended)

    hook.ignores_wandb = True  # pyright: ignore[reportFunctionMemberAccess]
    threading.excepthook = hook
    logging.getLogger("wandb").addHandler(logging.NullHandler())


@contextlib.contextmanager
def folders(workspace: Path) -> Iterator[None]:
    """What wandb takes from the environment only; set where unset, and taken back."""
    wanted = {name: str(workspace / "wandb_cache") for name in _CACHES}
    wanted["WANDB_ERROR_REPORTING"] = "false"
    ours = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


def caches() -> list[Path]:
    """The folders of `folders`, or those that the environment had before."""
    return [Path(os.environ[name]) for name in _CACHES]


def reason(error: BaseException) -> str:
    """One line without network addresses and keys."""
    text = _DETAILS.sub("", " ".join(str(error).split()))
    key = os.environ.get("WANDB_API_KEY", "").strip()
    text = _ADDRESS.sub("[address]", text.replace(key, "[key]") if key else text)
    text = text if len(text) <= 200 else text[:200] + "..."
    return text if isinstance(error, OptexpError) else f"{type(error).__name__}: {text}"


def kill_service(wandb: Any) -> bool:
    """End wandb's process and its exit hook, which would wait for ever, or print a traceback."""
    with contextlib.suppress(Exception):  # private names: nothing public ends a service that hangs
        if wandb.run is None:  # else the user's own run, in the same process, needs it
            setup = wandb.sdk.wandb_setup
            connection, setup._singleton = setup._singleton._connection, None
            os.environ.pop("WANDB_SERVICE", None)
            connection._cleanup()
            connection._proc._process.kill()
            return True
    return False
