"""The resources that this process may use on its machine."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from zlib import crc32

try:
    import resource
except ImportError:  # not on Windows
    resource = None


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # what a cluster leaves of the machine; not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def allow_open_files(number: int) -> None:
    """Raise the limit of open files of this process to a number, as far as it may."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def processor() -> str:
    """A short text that differs between processors of different instruction sets.

    Programs compiled for one of them may stop on another.
    """
    text = platform.machine() + platform.processor()
    with contextlib.suppress(OSError):  # not on macOS
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        text += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{crc32(text.encode()):08x}"
