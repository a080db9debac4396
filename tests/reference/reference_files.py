"""Where the reference numbers lie. On the import path of the tests (pyproject.toml)."""

import json
import os
from pathlib import Path

import numpy as np

REFERENCE_DIR = Path(os.environ.get("OPTEXP_REFERENCE_DIR") or Path(__file__).parent)


def arrays(name):
    """The arrays of one npz file, by name."""
    with np.load(REFERENCE_DIR / name) as file:
        return {key: file[key] for key in file.files}


def from_json(name):
    """What one JSON file holds."""
    return json.loads((REFERENCE_DIR / name).read_text())


def assert_close_to_largest(found, expected, relative=1e-9):
    """Largest difference at most `relative` times the largest expected entry."""
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=relative * np.abs(expected).max())
