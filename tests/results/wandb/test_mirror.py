"""The wandb mirror: what it records, and that nothing wandb does can stop or delay a run."""

import math
import os
import threading
import time
import types

import pytest

from optexp_jax.config import Settings
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.experiment import Experiment
from optexp_jax.identity import encode_fields
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.problem import Problem
from optexp_jax.results.wandb import mirror as wandb_mirror

PROBLEM = Problem(Linear(111, 111), HeavyTailedOneHot(100), SquaredLoss())
ROWS = [{"step": 0, "tr_Accuracy": 0.5, "tr_SquaredLoss": math.nan}, {"step": 1, "x": 2.0}]


def declare(**fields):
    fields = {"group": "demo", "steps": 10, "seed": 3, **fields}
    return Experiment(PROBLEM, SGD(LearningRate("-1/2")), **fields)


class FakeWandb:
    """A stand-in for the module; `faults` maps the name of a call to what happens in it."""

    run = None

    class Settings:
        model_fields = dict.fromkeys(("disable_git", "x_disable_stats"))

        def __init__(self, **values):
            self.values = values

    def __init__(self, **faults):
        self.faults, self.runs, self.threads = faults, [], set()
        self.key = True

    def happens(self, name):
        self.threads.add(threading.current_thread().name)
        self.faults.get(name, lambda: None)()

    def setup(self, settings):
        self.happens("setup")

    def login(self, prompt):
        assert prompt is False
        return self.key

    def init(self, **options):
        self.happens("init")
        self.runs.append(FakeRun(self, options))
        return self.runs[-1]

    def Artifact(self, name, type):
        files = []
        return types.SimpleNamespace(
            name=name, type=type, files=files, add_file=lambda file, **_: files.append(file)
        )


class FakeRun:
    def __init__(self, wandb, options):
        self.wandb, self.options = wandb, options
        self.rows, self.summary, self.artifacts, self.exit_code = [], {}, [], None

    def log(self, values, step):
        self.wandb.happens("log")
        self.rows.append((step, values))

    def log_artifact(self, artifact):
        self.artifacts.append(artifact)

    def finish(self, exit_code):
        self.wandb.happens("finish")
        self.exit_code = exit_code


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """Makes a mirror on a stand-in; the sentences it reports are in `mirror.said`."""

    def make(wandb, **fields):
        monkeypatch.setattr(wandb_mirror, "_import_wandb", lambda: wandb)
        said = []
        settings = Settings(workspace=tmp_path / "w", **fields)
        made = wandb_mirror.open_mirror(settings, said.append)
        made.said = said
        return made

    return make


def fail(error):
    def call():
        raise error

    return call


def drive(mirror, runs=3):
    """A launch; returns the seconds for which the mirror held it up."""
    begin = time.perf_counter()
    for i in range(runs):
        mirror.start(declare(seed=i), f"run{i}")
    for _ in range(5):
        for i in range(runs):
            mirror.log(f"run{i}", ROWS)
    for i in range(runs):
        mirror.finish(f"run{i}", "done", [])
    return time.perf_counter() - begin


def test_mirrors_definition_rows_and_files(mirror, tmp_path):
    wandb, experiment = FakeWandb(), declare(epochs=2, steps=None)
    healthy = mirror(wandb, wandb_project="p", wandb_entity="e")
    healthy.start(experiment, "abcd1234")
    healthy.log("abcd1234", ROWS)
    healthy.finish("abcd1234", "diverged", [tmp_path / "arrays.npz"])
    healthy.close()
    (run,) = wandb.runs
    options = run.options
    assert options["name"] == f"SGD 10^-1/2 seed 3 {experiment.short_id}"
    assert (options["project"], options["entity"], options["group"]) == ("p", "e", "demo")
    assert (options["id"], options["mode"], options["resume"]) == ("abcd1234", "offline", None)
    assert options["dir"] == tmp_path / "w"
    assert options["reinit"] == "create_new"
    assert options["config"] == {
        **encode_fields(experiment),
        "id": experiment.id,
        "group": "demo",
    }
    assert [step for step, _ in run.rows] == [0, 1]
    assert run.rows[0][1].keys() == {"tr_Accuracy", "tr_SquaredLoss"}
    assert run.rows[1][1] == {"x": 2.0}
    (artifact,) = run.artifacts
    assert (artifact.name, artifact.type) == ("results-abcd1234", "results")
    assert artifact.files == [str(tmp_path / "arrays.npz")]
    assert run.summary == {"status": "diverged"}
    assert run.exit_code == 0
    assert healthy.said == []


def test_quiet_settings_leave_out_names_that_this_wandb_lacks(mirror):
    wandb = FakeWandb()
    healthy = mirror(wandb)
    drive(healthy, runs=1)
    healthy.close()
    given = wandb.runs[0].options["settings"].values
    assert given.pop("stop_fn")() is None
    assert given == {
        "silent": True,
        "console": "off",
        "disable_git": True,
        "x_disable_stats": True,
    }


def test_every_call_to_wandb_is_on_one_daemon_thread(mirror):
    wandb = FakeWandb()
    healthy = mirror(wandb)
    drive(healthy)
    healthy.close()
    assert wandb.threads == {"wandb-mirror"}
    assert healthy._worker.daemon


def test_online_resumes_and_fails_a_run_that_failed(mirror):
    wandb = FakeWandb()
    online = mirror(wandb, wandb_mode="online")
    online.start(declare(), "a")
    online.finish("a", "failed", [])
    online.start(declare(), "b")  # never finished: the launch was interrupted
    online.close()
    assert [run.options["resume"] for run in wandb.runs] == ["allow", "allow"]
    assert [run.exit_code for run in wandb.runs] == [1, 1]


def test_online_without_a_key_is_one_sentence(mirror):
    wandb = FakeWandb()
    wandb.key = False
    online = mirror(wandb, wandb_mode="online")
    drive(online)
    online.close()
    (sentence,) = online.said
    assert "wandb login" in sentence
    assert "are complete" in sentence
    assert wandb.runs == []


@pytest.mark.parametrize("call", ["import", "setup", "init", "log", "finish"])
def test_a_failure_is_one_sentence(call, mirror, monkeypatch):
    error = OSError("no route to https://wandb.example.org/graphql\n(10.1.2.3)")
    wandb = FakeWandb(**{call: fail(error)})
    broken = mirror(wandb)
    if call == "import":
        monkeypatch.setattr(wandb_mirror, "_import_wandb", fail(error))
    drive(broken)
    broken.close()
    drive(broken)
    broken.close()
    (sentence,) = broken.said
    assert "(OSError: no route to [address]" in sentence
    assert "\n" not in sentence
    assert not any(part in sentence for part in ("example", "10.1"))
    assert not broken._worker.is_alive()


def test_a_failure_midway_keeps_what_wandb_has(mirror):
    calls = iter(range(100))
    wandb = FakeWandb(log=lambda: next(calls) == 7 and fail(ValueError("full"))())
    broken = mirror(wandb)
    drive(broken)
    broken.close()
    assert "(ValueError: full)" in broken.said[0]
    assert sum(len(run.rows) for run in wandb.runs) == 7
    assert [run.exit_code for run in wandb.runs] == [1, 1, 1]


@pytest.mark.parametrize("call", ["setup", "init", "log", "finish"])
def test_a_hang_delays_nothing_but_close(call, mirror):
    release = threading.Event()
    hung = mirror(FakeWandb(**{call: release.wait}))
    assert drive(hung) < 1.0
    begin = time.perf_counter()
    hung.close(timeout=0.1)
    assert time.perf_counter() - begin < 2.0
    (sentence,) = hung.said
    assert "0.1" in sentence
    assert drive(hung) < 1.0
    release.set()
    hung._worker.join(5)
    assert not hung._worker.is_alive()
    assert len(hung.said) == 1


def test_interrupting_close_gives_up(mirror):
    release = threading.Event()
    hung = mirror(FakeWandb(init=release.wait))
    drive(hung)
    hung._worker.join = lambda timeout: fail(KeyboardInterrupt())()
    with pytest.raises(KeyboardInterrupt):
        hung.close()
    assert len(hung.said) == 1
    del hung._worker.join
    release.set()
    hung._worker.join(5)


@pytest.mark.parametrize(("steps", "eval_every", "mirrored"), [(2000, 1, 2001), (9000, 1, 1801)])
def test_long_runs_are_thinned_and_keep_their_ends(steps, eval_every, mirrored, mirror):
    wandb = FakeWandb()
    healthy = mirror(wandb)
    healthy.start(declare(steps=steps, eval_every=eval_every), "a")
    for begin in range(0, steps + 1, 100):
        rows = range(begin, min(begin + 100, steps + 1))
        healthy.log("a", [{"step": step, "x": 1.0} for step in rows])
    healthy.finish("a", "done", [])
    healthy.close()
    logged = [step for step, _ in wandb.runs[0].rows]
    assert len(logged) == mirrored
    assert (logged[0], logged[-1]) == (0, steps)
    assert logged == sorted(set(logged))


def test_the_last_row_of_a_run_cut_short_is_mirrored(mirror):
    wandb = FakeWandb()
    healthy = mirror(wandb)
    healthy.start(declare(steps=10_000), "a")
    healthy.log("a", [{"step": step} for step in range(8)])
    healthy.finish("a", "diverged", [])
    healthy.close()
    assert [step for step, _ in wandb.runs[0].rows] == [0, 5, 7]


def test_folders_are_in_the_workspace_and_the_environment_is_put_back(
    mirror, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_CACHE_DIR", "mine")
    monkeypatch.delenv("WANDB_DATA_DIR", raising=False)
    seen = {}
    healthy = mirror(FakeWandb(init=lambda: seen.update(os.environ)))
    before = dict(os.environ)
    drive(healthy, runs=1)
    healthy.close()
    assert seen["WANDB_CACHE_DIR"] == "mine"
    assert seen["WANDB_DATA_DIR"] == str(tmp_path / "w" / "wandb_cache")
    assert dict(os.environ) == before


@pytest.mark.parametrize("name", ["WANDB_CACHE_DIR", "WANDB_DATA_DIR"])
def test_a_folder_that_cannot_be_made_is_one_sentence(name, mirror, monkeypatch, tmp_path):
    """wandb's own process would complain of it on the terminal."""
    (tmp_path / "file").touch()
    monkeypatch.setenv(name, str(tmp_path / "file" / "x"))
    wandb = FakeWandb()
    broken = mirror(wandb)
    drive(broken)
    broken.close()
    (sentence,) = broken.said
    assert "Not a directory" in sentence
    assert str(tmp_path / "file" / "x") in sentence
    assert wandb.runs == []


def test_the_sentence_shows_no_key_and_no_details(mirror, monkeypatch):
    key = "0123456789abcdef"
    monkeypatch.setenv("WANDB_API_KEY", f" {key}\n")
    said = f"1 error for Settings\n[type=x, input_value='{key[:5]}', input_type=str]\nbad key {key}"
    broken = mirror(FakeWandb(setup=fail(ValueError(said))))
    drive(broken)
    broken.close()
    assert "(ValueError: 1 error for Settings bad key [key])" in broken.said[0]


def test_threads_of_wandb_end_without_a_traceback(mirror, monkeypatch):
    ended = []
    monkeypatch.setattr(threading, "excepthook", ended.append)
    healthy = mirror(FakeWandb())
    drive(healthy, runs=1)
    healthy.close()
    for name in ("wandb-ServiceFinalizer", "mine"):
        thread = threading.Thread(target=fail(ConnectionResetError("lost")), name=name)
        thread.start()
        thread.join()
    assert [arguments.thread.name for arguments in ended] == ["mine"]


def test_disabled_is_a_mirror_that_does_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(wandb_mirror, "_import_wandb", fail(AssertionError("imported")))
    settings = Settings(workspace=tmp_path / "w", wandb_enabled=False)
    nothing = wandb_mirror.open_mirror(settings, fail(AssertionError("reported")))
    drive(nothing)
    nothing.close()
    assert not (tmp_path / "w").exists()


def test_a_launch_with_nothing_to_run_imports_nothing(mirror):
    idle = mirror(FakeWandb())
    idle.close()
    assert idle._worker is None


def test_run_ids_are_ones_that_wandb_accepts():
    ids = {wandb_mirror.new_run_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(i) == 8 and i.isalnum() and i == i.lower() for i in ids)
