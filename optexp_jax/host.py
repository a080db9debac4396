"""The resources that this process may use on its machine."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from pathlib import Path
from zlib import crc32

try:
    import resource
except ImportError:  # not on Windows
    resource = None

# Options of mallopt(3): blocks that are mapped one by one, free memory at the end of the heap that
# goes back to the kernel (-1: none), and heaps of threads.
_MMAP_MAX, _TRIM_THRESHOLD, _ARENA_MAX = -4, -1, -8


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


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees; on Linux with the GNU C library.

    XLA for CPUs asks for the memory of a step anew in each call. Large blocks go back to the kernel
    when they are freed, which clears every page that it hands out: that took 70 ms of a call whose
    step took 240 ms, and 400 ms of one of 1,400 ms.

    Call it before JAX starts its threads: memory that a thread has of its own goes back as before.

    Returns:
        whether the library does so.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    wanted = {_MMAP_MAX: 0, _TRIM_THRESHOLD: -1, _ARENA_MAX: 1}
    return all(library.mallopt(option, value) for option, value in wanted.items())


def processor() -> str:
    """A short text that differs between processors of different instruction sets.

    Programs compiled for one of them may stop on another.
    """
    text = platform.machine() + platform.processor()
    with contextlib.suppress(OSError):  # not on macOS
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        text += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{crc32(text.encode()):08x}"
