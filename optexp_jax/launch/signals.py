"""Stopping politely: a signal sets a flag that long work looks at after every piece of it."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from optexp_jax.datasets.data import Report

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class Stopped(KeyboardInterrupt):
    """Work was left because of a signal, whose number is the argument."""


class StopFlag:
    """Set by SIGINT, SIGTERM or SIGUSR1 while it is entered; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, object] = {}

    def __bool__(self) -> bool:
        return self.signal is not None

    def check(self) -> None:
        """Leave the work if the flag is set.

        Raises:
            Stopped: it is.
        """
        if self.signal is not None:
            raise Stopped(self.signal)

    def watching(self, report: Report) -> Report:
        """A report that also leaves the work if the flag is set.

        An interrupt that is raised at once may get lost: Python ignores exceptions in the callbacks
        of its garbage collection, where much of the time of reading a text is spent.
        """

        def checked(what: str, done: int, total: int) -> None:
            self.check()
            report(what, done, total)

        return checked

    def __enter__(self) -> Self:
        # Python delivers signals to the main thread only; elsewhere the caller stops the run.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._set) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]

    def _set(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.signal == signal.SIGINT == number:
            raise KeyboardInterrupt
        self.signal = number
