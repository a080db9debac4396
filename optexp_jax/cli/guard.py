"""What may go wrong in a command, as one sentence and an exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from optexp_jax.errors import OptexpError, cause_of, remedy_of
from optexp_jax.numerics import pinned
from optexp_jax.runner.output import ReaderGoneError, code_of, complain, safe_output
from optexp_jax.runner.signals import StopFlag, Stopped

_SIGNAL = 128  # added to the number of a signal, for exit codes


def guarded(command: Callable[[], int]) -> int:
    """Run a command; what a user can mend becomes one sentence and exit code 2.

    So does output that cannot be written, after the command has ended; output that is closed goes
    nowhere, and output whose reader has seen enough ends the command, with the code of that signal.
    """
    with safe_output() as output:
        try:
            return code_of(output, _guarded(command))
        except ReaderGoneError:
            return _SIGNAL + signal.SIGPIPE
        except SystemExit as ended:  # of argparse, such as after --help
            if isinstance(ended.code, int) and code_of(output, ended.code) != ended.code:
                return 2
            raise


def _guarded(command: Callable[[], int]) -> int:
    try:
        # First of all: a signal while JAX is imported must not get lost.
        with StopFlag(at_once=True) as stop, pinned():
            stop.check()
            code = command()
            if code < _SIGNAL:
                stop.check()
            return code
    except OptexpError as error:
        complain(str(error))
        return 2
    except KeyboardInterrupt as error:
        print("Interrupted. What was recorded is kept.", file=sys.stderr)
        return _SIGNAL + (error.args[0] if isinstance(error, Stopped) else signal.SIGINT)
    except BrokenPipeError:  # of a stream that is not a standard one
        return _SIGNAL + signal.SIGPIPE
    except OSError as error:
        complain(
            f"{_what_failed(error)} cannot be read or written ({cause_of(error)}): "
            f"{remedy_of(error)} and call the command again."
        )
        return 2


def _what_failed(error: OSError) -> object:
    if error.filename is not None:
        return error.filename
    return "The current folder" if isinstance(error, FileNotFoundError) else "A file"
