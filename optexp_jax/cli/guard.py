"""Turn what goes wrong in a command into one sentence and an exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from optexp_jax.errors import OptexpError, cause_of, remedy_of
from optexp_jax.runner.output import ReaderGoneError, code_of, complain, safe_output
from optexp_jax.runner.signals import StopFlag, Stopped

_SIGNAL = 128  # added to the number of a signal, for exit codes


def guarded(command: Callable[[], int], numeric: bool = True) -> int:
    """Run a command; turn an error that the user can fix into one sentence and exit code 2.

    If the output cannot be written, the command still runs to its end and the code is 2. If the
    reader of the output has closed it, as `head` does, the command ends with the code of SIGPIPE.

    Args:
        command: returns its exit code.
        numeric: whether to pin the settings that affect numbers, which imports JAX.
    """
    with safe_output() as output:
        try:
            return code_of(output, _guarded(command, numeric))
        except ReaderGoneError:
            return _SIGNAL + signal.SIGPIPE
        except SystemExit as ended:  # of argparse, such as after --help
            if isinstance(ended.code, int) and code_of(output, ended.code) != ended.code:
                return 2
            raise


def _guarded(command: Callable[[], int], numeric: bool) -> int:
    try:
        # First of all: a signal while JAX is imported must not get lost.
        with StopFlag(at_once=True) as stop, _pinned() if numeric else nullcontext():
            stop.check()
            code = command()
            if code < _SIGNAL:
                stop.check()
            return code
    except OptexpError as error:
        complain(str(error))
        return 2
    except KeyboardInterrupt as error:
        print("Interrupted. Recorded results are kept.", file=sys.stderr)
        return _SIGNAL + (error.args[0] if isinstance(error, Stopped) else signal.SIGINT)
    except BrokenPipeError:  # of a stream that is not a standard one
        return _SIGNAL + signal.SIGPIPE
    except OSError as error:
        complain(
            f"{_what_failed(error)} cannot be read or written ({cause_of(error)}): "
            f"{remedy_of(error)} and rerun the command."
        )
        return 2


def _pinned() -> AbstractContextManager[None]:
    from optexp_jax.numerics import pinned

    return pinned()


def _what_failed(error: OSError) -> object:
    if error.filename is not None:
        return error.filename
    return "The current folder" if isinstance(error, FileNotFoundError) else "A file"
