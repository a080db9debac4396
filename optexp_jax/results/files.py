"""Files that are either whole or absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from optexp_jax.aside import aside
from optexp_jax.errors import OptexpError


def write_text(path: Path, text: str) -> None:
    """Write a text file as a whole."""
    with aside(path) as new:
        new.write_text(text, encoding="utf-8")


def require_writable(folder: Path) -> None:
    """Make a folder and try to write in it.

    Raises:
        OptexpError: it cannot be made or written.
    """
    try:
        write_text(folder / ".writable", "")
        (folder / ".writable").unlink()
    except OSError as error:
        raise unwritable(folder, error) from error


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, empty if there is no file.

    Raises:
        OptexpError: the file is damaged or cannot be read.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error
    if not isinstance(document, dict):
        raise damaged(path, "not an object")
    return document


def damaged(path: Path, reason: object) -> OptexpError:
    """The error that names a damaged file of results and the remedy."""
    return OptexpError(
        f"The file {path} cannot be read ({reason}): delete it, or run the experiment again with "
        "--force."
    )


def unwritable(folder: Path, error: OSError) -> OptexpError:
    """The error that names a folder that cannot be written, why, and the remedy."""
    return OptexpError(
        f"The workspace {folder} cannot be written ({error.strerror or error}): free some space or "
        "set OPTEXP_WORKSPACE to another folder; what was recorded is kept."
    )
