"""Plain text in files, read in small pieces."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

from optexp_jax.datasets.data import Report, silent
from optexp_jax.datasets.data_files import reading
from optexp_jax.errors import OptexpError

_BATCH = 1 << 20  # characters: enough for all cores, little beside the tokens of a large text
_BLOCK = 1 << 24  # bytes


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
                f"{self.path} is not UTF-8 text ({error.reason}): replace it with the original "
                "file.",
                code="not-utf-8",
                path=self.path,
                reason=error.reason,
            ) from error
