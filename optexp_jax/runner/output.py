"""Keep commands running when standard output or error output fails.

Output may be closed, on a full disk, a pipe whose reader has exited, or in an encoding that lacks
some characters. The work of a command matters more than its output, so a failure to write raises
nothing; `Output.lost` holds it.
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
    """The reader of the output has closed it, as `| head` does; the command ends without error."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGPIPE)


class Output:
    """A text stream that writes to another one, and keeps the first error instead of raising it.

    Args:
        stream: a standard stream.
        of_errors: whether this is the error output; its reader may close it without effect.

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
        """Note an error, and discard all further text; else Python reports it at exit, too."""
        self.lost = self.lost or error
        self._reader_gone = isinstance(error, BrokenPipeError) and not self._of_errors
        with contextlib.suppress(OSError, ValueError):  # a stream without a file
            number = self._stream.fileno()
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, number)
            os.close(nowhere)

    def _leave_if_unread(self) -> None:
        # In another thread, the error would end only that thread.
        if self._reader_gone and threading.current_thread() is threading.main_thread():
            self._reader_gone = False
            raise ReaderGoneError


@contextlib.contextmanager
def safe_output() -> Iterator[Output]:
    """Replace the standard streams in the block, so that no failure to write raises an error.

    Yields:
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
    """Open closed standard streams, so that no file opened later becomes one."""
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number


def complain(sentence: str) -> None:
    """Print an error as one line on the error output."""
    print(f"error: {visible(sentence)}", file=sys.stderr)


def visible(text: str) -> str:
    """Escape control characters, so that a terminal shows them instead of obeying them.

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
        output: standard output of the command.
        code: exit code of the command; that of a signal, from 128, is kept.
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
