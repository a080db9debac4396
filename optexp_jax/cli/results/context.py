"""The values that every command on results needs, and how it prints."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.markup import escape

from optexp_jax.errors import OptexpError

if TYPE_CHECKING:
    from optexp_jax.results.workspace import UnreadRun

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class ResultsContext:
    """The values that every command needs.

    Args:
        workspace: where the runs are.
        console: where to print.
        json: whether to print JSON.
    """

    workspace: Path
    console: Console
    json: bool = False

    def say(self, text: str = "") -> None:
        """Print a line as it is."""
        self.console.print(escape(text), highlight=False, soft_wrap=True)

    def tell(self, sentences: Iterable[str]) -> None:
        """Print problems, on standard error."""
        for sentence in sentences:
            print(sentence, file=sys.stderr)

    def tell_unread(self, unread: Collection[UnreadRun]) -> None:
        """Name the runs that could not be read, one for each reason."""
        reasons: dict[str, list[UnreadRun]] = {}
        for run in unread:
            reasons.setdefault(run.sentence.replace(str(run.path), ""), []).append(run)
        for first, *others in reasons.values():
            more = f" The same holds for {len(others)} more." if others else ""
            self.tell([f"{first.sentence}{more}"])
        if any(run.why == "unknown-class" for run in unread):
            self.tell(["To import a module first, add --import MODULE."])

    def emit(self, document: Any) -> None:
        """Print a document as JSON."""
        print(json.dumps(plain(document), indent=1, allow_nan=False))

    def watched(self, things: Collection[T], what: str) -> Iterator[T]:
        """Yield things one by one, with a progress bar in a terminal."""
        from rich.progress import track

        quiet = self.json or not self.console.is_terminal or len(things) < 2
        yield from track(things, what, console=self.console, transient=True, disable=quiet)

    def agrees(self, question: str, yes: bool) -> bool:
        """Ask whether to do it; `--yes` answers beforehand.

        Raises:
            OptexpError: there is no terminal.
        """
        if yes:
            return True
        if self.json or not sys.stdin.isatty():
            raise OptexpError(
                "The command cannot ask for confirmation without a terminal: add --yes to remove, "
                "or --dry-run to see what it would remove.",
                code="nobody-to-ask",
            )
        return self.console.input(f"{escape(question)} \\[y/N] ").strip().lower() in ("y", "yes")


def plain(value: Any) -> Any:
    """A value as JSON has it: paths as text, NaN and infinities as the words NaN and Infinity.

    >>> plain({"loss": [0.5, float("nan"), float("-inf")], "path": Path("a")})
    {'loss': [0.5, 'NaN', '-Infinity'], 'path': 'a'}
    """
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
