"""What this process may use of its machine."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from zlib import crc32


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # what a cluster leaves of the machine; not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """A short text that differs between processors of different instruction sets.

    Programs compiled for one of them may stop on another.
    """
    text = platform.machine() + platform.processor()
    with contextlib.suppress(OSError):  # not on macOS
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        text += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{crc32(text.encode()):08x}"
