"""Progress in words, and failed runs that are told of once for each reason."""

from optexp_jax import Experiment, LearningRate, Problem
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import SGD
from optexp_jax.runner.failures import Failures
from optexp_jax.runner.log_display import LogDisplay

PROBLEM = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), SquaredLoss())
RUNS = [Experiment(PROBLEM, SGD(LearningRate(e)), "failing", steps=3) for e in (-1, 0, 1)]


def test_a_reason_is_said_once_and_summed_up_with_a_count():
    lines = []
    failures = Failures(LogDisplay(lines.append))
    failures.tell(RUNS[:1], "The disk is full.\nmore")
    failures.tell(RUNS[1:], "The disk is full.\nmore")
    assert len(lines) == 1
    assert RUNS[0].short_id in lines[0]
    failures.sum_up()
    assert len(lines) == 2
    assert "3 runs" in lines[1]
    assert not any("more" in line for line in lines)


def test_a_reason_that_came_once_is_not_repeated():
    lines = []
    failures = Failures(LogDisplay(lines.append))
    failures.tell(RUNS, "The disk is full.")
    failures.sum_up()
    assert len(lines) == 1
    assert "3 runs" in lines[0]


def test_lines_name_runs_steps_and_the_time_left():
    lines = []
    log = LogDisplay(lines.append, seconds=0)
    log.begin(3)
    log.pack("SGD", runs=2, total_steps=10, taken=0)
    log.advance(3)
    log.advance(5)
    log.finished(2)
    log.pack("Adam", runs=1, total_steps=10, taken=0)
    assert "runs 1 to 2 of 3, step 0 of 10" in lines[0]
    assert lines[1].endswith("runs 1 to 2 of 3, step 3 of 10")  # the program was compiled
    assert "runs 1 to 2 of 3, step 5 of 10, 1 s left" in lines[2]
    assert "2 of 3 runs ended" in lines[3]
    assert "run 3 of 3, step 0 of 10" in lines[4]
