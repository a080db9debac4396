"""`run` from Python: bars for whoever watches, nothing in logs unless asked for."""

import dataclasses
import io

import pytest

from optexp_jax import Experiment, LearningRate, MiniBatch, Problem, run
from optexp_jax.datasets import HeavyTailedOneHot, Sequences, Shakespeare
from optexp_jax.losses import CrossEntropy, SquaredLoss
from optexp_jax.models import GPT, Linear
from optexp_jax.optim import SGD
from optexp_jax.runner.bars import RichDisplay
from optexp_jax.runner.display import Silent
from optexp_jax.runner.pace import Pace, Work
from optexp_jax.runner.pack_run import work_of
from optexp_jax.runner.progress import progress_display
from optexp_jax.training import devices
from optexp_jax.training.forecast import step_flops
from optexp_jax.training.pack import Pack

PROBLEM = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), SquaredLoss())


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_has_bars_unless_they_are_refused(monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    for progress in (None, True):
        with progress_display(progress) as display:
            assert isinstance(display, RichDisplay)
            display.begin(2)
            display.pack("SGD", 2, 10, 0)
            display.advance(10)
    with progress_display(False) as display:
        assert isinstance(display, Silent)


@pytest.mark.parametrize("ipywidgets", [True, False])
def test_a_notebook_has_bars_where_it_can_show_them_and_lines_elsewhere(monkeypatch, ipywidgets):
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: ipywidgets or None)
    display = progress_display()
    assert isinstance(display, RichDisplay) == ipywidgets
    if not ipywidgets:
        with display as lines:
            assert not isinstance(lines, Silent)


@pytest.mark.parametrize("progress", [None, True])
def test_runs_are_quiet_where_nobody_watches_unless_asked_for(tmp_path, capsys, progress):
    run(Experiment(PROBLEM, SGD(LearningRate(0)), "quiet", steps=3), tmp_path, progress=progress)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("1 of 1 run ended" in err) == bool(progress)


def test_the_time_of_compiling_is_left_out_also_where_initial_parameters_are_kept():
    seconds = iter([0.0, 30.0, 34.0])
    pace = Pace(lambda: next(seconds))
    pace.begin(1)
    pace.pack(runs=1, total_steps=20, taken=0)
    pace.advance(0)  # a chunk without a step
    pace.advance(1)
    assert pace.words() == "run 1 of 1, step 1 of 20"
    pace.advance(9)
    assert pace.words() == "run 1 of 1, step 9 of 20, 6 s left"


def test_texts_show_tokens_a_second_and_the_share_of_a_known_peak():
    seconds = iter([0.0, 30.0, 34.0])
    pace = Pace(lambda: next(seconds))
    pace.begin(2)
    pace.pack(runs=2, total_steps=20, taken=0, work=Work(500, flops=1e12, peak=8e12))
    pace.advance(1)
    assert "tokens" not in pace.words()  # that chunk was compiled
    pace.advance(9)
    assert pace.words().endswith("step 9 of 20, 2,000 tokens/s (50% of peak FLOP/s), 6 s left")


def test_a_step_of_a_text_is_a_batch_of_tokens(tmp_path, monkeypatch):
    problem = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), SquaredLoss())
    one = Experiment(problem, SGD(LearningRate(0)), "a", steps=3)
    assert work_of(Pack((one,)), problem.dataset.load(tmp_path)) is None
    dataset = Shakespeare(layout=Sequences(16))
    model = GPT(dataset.vocabulary, dataset.num_classes, 1, 2, 8)
    text = Problem(model, dataset, CrossEntropy(), MiniBatch(8))
    pack = Pack((dataclasses.replace(one, problem=text),))
    assert work_of(pack, dataset.shapes()) == Work(8 * 16)  # a CPU has no known peak

    class Device:
        device_kind = "NVIDIA H100 80GB HBM3"

    monkeypatch.setattr(devices, "used", lambda: [Device()] * 2)
    assert work_of(pack, dataset.shapes()) == Work(128, step_flops(pack, dataset.shapes()), 134e12)
