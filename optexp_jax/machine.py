"""What this process may use of its machine."""

from __future__ import annotations

import os


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # what a cluster leaves of the machine; not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
