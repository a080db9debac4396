"""Standard output and error output that cannot end a command halfway.

Output may be closed, full, read by something that has seen enough, or in an encoding that lacks
some characters. What a command does matters more than what it prints, so nothing is raised for what
cannot be written; `Output.lost` remembers it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Iterator
from typing import Any, TextIO

from optexp_jax.config import CONTROL
from optexp_jax.errors import cause_of

_STANDARD = (0, 1, 2)  # input, output, error output


class ReaderGoneError(SystemExit):
    """The reader of the output has closed it, as `| head` does: the command ends quietly."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGPIPE)


class Output:
    """A text stream that passes on to another all that it can write.

    Args:
        stream: a standard stream.
        of_errors: whether this is the error output, whose own loss cannot be reported.

    >>> import io
    >>> latin = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    >>> written = Output(latin).write("2 ² ≈ 4")
    >>> latin.seek(0), latin.read()
    (0, '2 ² ? 4')
    """

    def __init__(self, stream: TextIO, of_errors: bool = False) -> None:
        self._stream = stream
        self._of_errors = of_errors
        self.lost: OSError | None = None
        self._reader_gone = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text; characters that the encoding lacks become question marks.

        Raises:
            ReaderGoneError: the reader has closed the output.
        """
        try:
            self._stream.write(text)
        except UnicodeEncodeError as error:
            self._stream.write(text.encode(error.encoding, "replace").decode(error.encoding))
        except OSError as error:
            self._give_up(error)
        self._leave_if_unread()
        return len(text)

    def flush(self) -> None:
        """Write the buffered text.

        Raises:
            ReaderGoneError: the reader has closed the output.
        """
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)
        self._leave_if_unread()

    def _give_up(self, error: OSError) -> None:
        """Discard the rest: Python would complain about it at exit."""
        self.lost = self.lost or error
        self._reader_gone = isinstance(error, BrokenPipeError) and not self._of_errors
        with contextlib.suppress(OSError, ValueError):  # a stream without a file
            number = self._stream.fileno()
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, number)
            os.close(nowhere)

    def _leave_if_unread(self) -> None:
        # In another thread it would end that thread alone.
        if self._reader_gone and threading.current_thread() is threading.main_thread():
            self._reader_gone = False
            raise ReaderGoneError


@contextlib.contextmanager
def safe_output() -> Iterator[Output]:
    """Make standard streams safe in the block: no failure to write raises an error.

    Returns:
        standard output.
    """
    _open_what_is_closed()
    with contextlib.ExitStack() as stack:
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
        out, err = Output(sys.stdout or nowhere), Output(sys.stderr or nowhere, of_errors=True)
        stack.enter_context(contextlib.redirect_stdout(out))  # pyright: ignore[reportArgumentType]
        stack.enter_context(contextlib.redirect_stderr(err))  # pyright: ignore[reportArgumentType]
        try:
            yield out
        finally:
            err.flush()


def _open_what_is_closed() -> None:
    """Prevent that a file opened later becomes a standard stream."""
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number


def complain(sentence: str) -> None:
    """Print an error as one line of the error output."""
    print(f"error: {visible(sentence)}", file=sys.stderr)


def visible(text: str) -> str:
    """Escape control characters, so that a terminal shows them and does not obey them.

    >>> print(visible("my\\nfolder"))
    my\\nfolder
    """
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in CONTROL else c
        for c in text
    )


def code_of(output: Output, code: int) -> int:
    """Return the exit code of a command; 2, with a sentence, if its output was lost.

    Args:
        output: of the command.
        code: its own exit code; the code of a signal is kept.
    """
    output.flush()
    if output.lost is None or code >= 128:
        return code
    if isinstance(output.lost, BrokenPipeError):
        return 128 + signal.SIGPIPE
    complain(
        f"The output cannot be written ({cause_of(output.lost)}): write it elsewhere and rerun the "
        "command; recorded results are kept."
    )
    return 2
