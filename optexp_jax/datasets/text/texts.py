"""Plain text in files, read in small pieces."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optexp_jax.datasets.data import Report, silent
from optexp_jax.datasets.files import aside, reading
from optexp_jax.errors import OptexpError

_BATCH = 1 << 20  # characters: enough for all cores, little beside the tokens of a large text
_BLOCK = 1 << 24  # bytes
_REMEMBERED = "hashes.json"


@dataclasses.dataclass(frozen=True)
class Text:
    """The lines of a file, in UTF-8.

    Args:
        path: the file.
        share: part of the lines that is used, the first ones, rounded down.
    """

    path: Path
    share: float = 1.0

    def lines_and_words(self) -> tuple[int, int]:
        """Newlines of the whole file, and words between white space.

        Raises:
            OptexpError: the file cannot be read, or is not UTF-8.
        """
        lines = words = 0
        for batch in Text(self.path).batches("", silent):
            lines += sum(line.endswith("\n") for line in batch)
            words += sum(len(line.split()) for line in batch)
        return lines, words

    def num_lines(self) -> int:
        """Lines of the whole file, with the last one where no newline ends it."""
        lines, last = 0, b"\n"
        with reading(self.path) as file:
            while block := file.read(_BLOCK):
                lines, last = lines + block.count(b"\n"), block[-1:]
        return lines + (last != b"\n")

    def batches(self, what: str, report: Report) -> Iterator[list[str]]:
        """Lists of whole lines, of about a million characters or one longer line.

        Only "\\n" ends a line.

        Args:
            what: is being done with them.
            report: told the bytes that were read.

        Raises:
            OptexpError: the file cannot be read, or is not UTF-8.
        """
        left = int(self.share * self.num_lines()) if self.share < 1 else None
        with reading(self.path) as binary:
            size = self.path.stat().st_size
            file = io.TextIOWrapper(binary, encoding="utf-8", newline="\n")
            while left != 0 and (lines := self._some(file)):
                yield lines[:left]
                left = None if left is None else max(0, left - len(lines))
                report(what, binary.tell(), size)

    def _some(self, file: io.TextIOWrapper) -> list[str]:
        try:
            return file.readlines(_BATCH)
        except UnicodeDecodeError as error:
            raise OptexpError(
                f"{self.path} is not text in UTF-8 ({error.reason}): put the original there."
            ) from error

    def sha256(self, remember: bool = True) -> str:
        """Hash of the whole file, remembered beside it as long as its size and time are the same.

        Gigabytes take seconds to hash, and every load asks.
        """
        if not remember:
            return _hash(self.path, "sha256")
        with reading(self.path) as file:
            stat = os.stat(file.fileno())
        now = [stat.st_size, stat.st_mtime_ns]
        known = _remembered(self.path.parent)
        *then, found = known.get(self.path.name, [None])
        if then != now:
            found = _hash(self.path, "sha256")
            known[self.path.name] = [*now, found]
            with contextlib.suppress(OptexpError), aside(self.path.parent / _REMEMBERED) as path:
                path.write_text(json.dumps(known))  # unless the folder cannot be written to
        return found

    def md5(self) -> str:
        """Hash of the whole file as sources publish it."""
        return _hash(self.path, "md5")


def _remembered(folder: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        known = json.loads((folder / _REMEMBERED).read_text())
        if isinstance(known, dict):
            return known
    return {}


def _hash(path: Path, kind: str) -> str:
    with reading(path) as file:
        return hashlib.file_digest(file, kind).hexdigest()
