"""Stop cleanly on signals: they set a flag, which long work checks at intervals."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

_SOON = 0.02  # seconds until a signal is sent again

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class Stopped(KeyboardInterrupt):
    """A signal stopped the work; the argument is its number."""


class StopFlag:
    """A flag that SIGINT, SIGTERM and SIGUSR1 set in its `with` block.

    A second SIGINT raises `Stopped` at once. A flag inside the block of another one starts set if
    the outer one is. Training takes a flag as its `RunControl`.

    Args:
        at_once: whether the first signal already raises `Stopped`, for work that does not check
            the flag.
    """

    def __init__(self, at_once: bool = False) -> None:
        self.signal: int | None = None
        self._at_once = at_once
        self._before: dict[int, object] = {}

    def __bool__(self) -> bool:
        return self.signal is not None

    def is_stopping(self) -> bool:
        """Return whether the flag is set."""
        return bool(self)

    def check(self) -> None:
        """Raise `Stopped` if the flag is set.

        Raises:
            Stopped: the flag is set.
        """
        if self.signal is not None:
            raise Stopped(self.signal)

    def watching(self, report: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
        """Wrap a function that reports progress, so that each call also checks the flag."""

        def checked(what: str, done: int, total: int) -> None:
            self.check()
            report(what, done, total)

        return checked

    def __enter__(self) -> Self:
        # Python delivers signals only to the main thread; in others, the caller stops the run.
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
            if handler is not None:  # None if C code installed the handler
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
        if signal.getsignal(number) == self._set:  # unless another flag has taken over
            os.kill(os.getpid(), number)


def _would_be_lost(frame: FrameType | None) -> bool:
    """Return whether Python would ignore an exception here, in a garbage collection callback."""
    codes = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        if frame.f_code in codes:
            return True
        frame = frame.f_back
    return False


def keep_for_main() -> None:
    """Catch signals that arrive while `python -m` imports a package; its command line checks them.

    For the `__init__` of packages with commands, since importing JAX and Flax takes seconds.
    """
    if sys.argv[:1] == ["-m"]:  # as long as Python looks for the module
        StopFlag().__enter__()
