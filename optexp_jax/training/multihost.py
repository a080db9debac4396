"""Send decisions of the first process to all processes that train a pack together."""

from __future__ import annotations

import json
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from optexp_jax.training.devices import agreed


def broadcast(message: Any = None) -> Any:
    """Send a JSON value from the first process to all processes; every process must call this.

    Args:
        message: the value, of the first process; others are ignored.

    Returns:
        the value of the first process.
    """
    if jax.process_count() == 1:
        return message
    text = json.dumps(message).encode() if jax.process_index() == 0 else b""
    buffer = np.zeros(agreed(len(text)), np.uint8)
    buffer[: len(text)] = np.frombuffer(text, np.uint8)
    return json.loads(bytes(np.asarray(multihost_utils.broadcast_one_to_all(buffer))))
