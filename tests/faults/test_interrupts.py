"""Ctrl-C at any moment of a start ends the command: it is never lost, nothing is half-written."""

import os
import signal
import subprocess
import sys
import time

import pytest

from optexp_jax.runner.signals import StopFlag, Stopped

COMMAND = [sys.executable, "-m", "experiments.linreg_perclass", "--local"]
MOMENTS = [0.6, 1.0, 1.4, 1.8, 2.3, 3.0]  # seconds after the start
PATIENCE = 600


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_command_starts_is_not_lost(number, tmp_path):
    environment = os.environ | {"OPTEXP_WORKSPACE": str(tmp_path), "XLA_FLAGS": ""}
    for moment in MOMENTS:
        process = subprocess.Popen(
            COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(moment)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 128 + number, (moment, out, err)
        assert "Traceback" not in err, (moment, err)
        assert "Exception ignored" not in err, (moment, err)


def test_a_flag_takes_over_what_came_before():
    with StopFlag() as outer:
        os.kill(os.getpid(), signal.SIGTERM)
        with StopFlag() as inner:
            assert inner.signal == signal.SIGTERM
        assert outer.signal == signal.SIGTERM
        with pytest.raises(Stopped):
            outer.check()
    with StopFlag() as new:
        assert new.signal is None


def test_a_flag_that_raises_remembers_what_got_lost():
    with StopFlag(at_once=True) as flag:
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGINT)
        # As in a callback of the garbage collection: the exception is gone, the flag is not.
        with StopFlag() as inner:
            assert inner.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert flag.signal == signal.SIGINT
