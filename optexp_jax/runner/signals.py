"""Stop cleanly: a signal sets a flag, which long work checks after each piece."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

_SOON = 0.02  # seconds

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class Stopped(KeyboardInterrupt):
    """A signal stopped the work; its number is the argument."""


class StopFlag:
    """Set by SIGINT, SIGTERM or SIGUSR1 while it is entered; a second SIGINT interrupts at once.

    A flag inside another takes over what came before. It is a `RunControl` of training.

    Args:
        at_once: whether the first signal raises `Stopped`, for work that does not check the flag.
    """

    def __init__(self, at_once: bool = False) -> None:
        self.signal: int | None = None
        self._at_once = at_once
        self._before: dict[int, object] = {}

    def __bool__(self) -> bool:
        return self.signal is not None

    def is_stopping(self) -> bool:
        """Whether the flag is set."""
        return bool(self)

    def check(self) -> None:
        """Raise `Stopped` if the flag is set.

        Raises:
            Stopped: it is.
        """
        if self.signal is not None:
            raise Stopped(self.signal)

    def watching(self, report: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
        """Wrap a report, so that each call also checks the flag."""

        def checked(what: str, done: int, total: int) -> None:
            self.check()
            report(what, done, total)

        return checked

    def __enter__(self) -> Self:
        # Python delivers signals to the main thread only; elsewhere the caller stops the run.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._set) for number in _SIGNALS}
            outer = getattr(self._before[signal.SIGINT], "__self__", None)
            if isinstance(outer, StopFlag) and self.signal is None:
                self.signal = outer.signal
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            if handler is not None:  # one that another language installed
                signal.signal(number, handler)  # pyright: ignore[reportArgumentType]

    def _set(self, number: int, frame: FrameType | None) -> None:
        again, self.signal = self.signal == number, number
        if not (self._at_once or (again and number == signal.SIGINT)):
            return
        if _would_be_lost(frame):
            threading.Timer(_SOON, self._send_again, [number]).start()
        else:
            raise Stopped(number)

    def _send_again(self, number: int) -> None:
        if signal.getsignal(number) == self._set:  # no other flag has taken over
            os.kill(os.getpid(), number)


def _would_be_lost(frame: FrameType | None) -> bool:
    """Whether Python would ignore what is raised here, in a callback of its garbage collection."""
    codes = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        if frame.f_code in codes:
            return True
        frame = frame.f_back
    return False


def keep_for_main() -> None:
    """Keep signals that come while `python -m` imports: the command line looks at them first.

    For the `__init__` of packages with commands: importing JAX and Flax takes seconds.
    """
    if sys.argv[:1] == ["-m"]:  # which Python puts there until it has found the module
        StopFlag().__enter__()
