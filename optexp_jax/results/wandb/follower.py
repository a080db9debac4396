"""Follow the runs of a command in a child process, and log them to wandb.

The process works until its standard input ends, that is until the process that trains ends in any
way. Then it does what is left. It prints at most one sentence. It leaves the processors to the
runs: offline, it starts late, since importing wandb takes a second, and sleeps most of the time.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from optexp_jax.results.wandb import client

_POLL = 0.5  # seconds
_LIMIT = 600.0  # after the end of the process that runs
_FIRST = 60.0  # seconds before an offline reader begins
_GRACE = 2.0  # seconds after the last run, when the command still shows its report
_SHARE = 0.01  # of the time; niceness does not keep it from taking a core where there are two
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")


def main() -> None:
    """Follow the runs of a workspace until standard input ends."""
    request = json.loads(sys.argv[1])
    workspace = Path(request["workspace"])
    for name in _SIGNALS:  # they are meant for the process that runs, whose end is seen
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.nice(10)
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,), daemon=True).start()
    try:
        (_follow_live if request["mode"] == "online" else _follow)(workspace, ended)
    except (Exception, SystemExit) as error:  # of wandb, which may raise anything
        _say(client.reason(error))
    finally:
        client.clean_up()
    os._exit(0)  # threads of wandb may wait for a server that does not answer


def _follow(workspace: Path, ended: threading.Event) -> None:
    """Make a record of every run that ends."""
    if ended.wait(_FIRST):
        time.sleep(_GRACE)
    began = time.monotonic()
    from optexp_jax.results.wandb.reader import OfflineReader

    reader = OfflineReader(workspace)
    while not ended.is_set():
        reader.look()
        ended.wait(max(_POLL, (time.monotonic() - began) / _SHARE))
        began = time.monotonic()
    reader.look()


def _follow_live(workspace: Path, ended: threading.Event) -> None:
    """Send the rows of every run while it records them."""
    from optexp_jax.results.wandb.reader import LiveReader

    reader = LiveReader(workspace)
    while not ended.is_set():
        reader.look()
        ended.wait(_POLL)
    reader.look()
    reader.close()


def _wait_for_end(ended: threading.Event) -> None:
    with contextlib.suppress(OSError):
        sys.stdin.read()
    ended.set()
    threading.Timer(_LIMIT, os._exit, [1]).start()


def _say(sentence: str) -> None:
    with contextlib.suppress(OSError):  # whoever listened has gone
        print(sentence, flush=True)


if __name__ == "__main__":
    main()
