"""Files that are damaged, gone or exchanged: right rows or a refusal, never others under `done`."""

import json
import random
import shutil

import numpy as np
import pandas as pd
import pytest
from fault_runs import (
    assert_rows,
    folder_of,
    is_refused,
    pack,
    remedied,
    run_all,
    stop_after,
)
from rich.console import Console
from wording import is_told

from optexp_jax.cli.context import Context
from optexp_jax.cli.report import report
from optexp_jax.config import Settings
from optexp_jax.results.load import load_results

pytestmark = pytest.mark.usefixtures("quickly_compiled")

PAIR = pack()
VICTIM, OTHER = PAIR
SLOW = pytest.mark.slow
FLIPS = 6  # of bits, at random places of each file


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """A workspace where nothing happened."""
    workspace = tmp_path_factory.mktemp("truth")
    run_all(workspace, PAIR)
    return workspace


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A workspace where the runs were stopped twice, with two checkpoints."""
    workspace = tmp_path_factory.mktemp("interrupted")
    with pytest.MonkeyPatch.context() as patch:
        stop_after(4, workspace, PAIR, patch, checkpoint_seconds=0)
    return workspace


def copy(workspace, tmp_path):
    target = tmp_path / "copy"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(workspace, target, ignore=shutil.ignore_patterns("compiled"))
    return target


def files_of(workspace):
    """Files of the first run, and of the checkpoints, below the workspace."""
    group = folder_of(workspace, VICTIM).parent
    found = [p for p in sorted(group.rglob("*")) if p.is_file() and OTHER.id not in p.parts]
    return [p.relative_to(workspace) for p in found if p.name != ".lock"]


def flip(path, chance):
    content = bytearray(path.read_bytes())
    if content:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(content))


def empty(path, chance):
    path.write_bytes(b"")


def cut(path, chance):
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(max(1, len(content)))])


def remove(path, chance):
    path.unlink()


def exchange(path, chance):
    """What the other run has in its place; a checkpoint has the file of another leaf."""
    theirs = path.parent.parent / OTHER.id
    pool = theirs if VICTIM.id in path.parts else path.parent
    kind = path.name.partition("-")[0]
    found = [p for p in pool.iterdir() if p.is_file() and p.name.startswith(kind) and p != path]
    if found:
        shutil.copyfile(chance.choice(sorted(found)), path)


def change_type(path, chance):
    """A good file of its format, that holds something else."""
    if path.suffix == ".json":
        path.write_text(json.dumps({"status": "done", "step": "24", "files": [1]}))
    elif path.suffix == ".parquet":
        pd.DataFrame({"step": ["a", "b"], "tr_CrossEntropyLoss": ["c", "d"]}).to_parquet(path)
    elif path.suffix == ".npz":
        np.savez(path, step=np.array(["a"]), train=np.array(["b"]))
    else:
        path.write_bytes(b"{}")


DAMAGES = [*[flip] * FLIPS, empty, cut, remove, exchange, change_type]


def check(workspace, truth):
    """Rows are right or refused; the other run is not touched; the remedy helps."""
    refusal = is_refused(VICTIM, workspace)
    if refusal is None:
        assert_rows(VICTIM, workspace, truth, whole=False)
    assert "\n" not in (refusal or "")
    outcome = run_all(workspace, PAIR)
    sentences = set(outcome.reasons.values())
    if is_refused(VICTIM, workspace) is None and VICTIM not in outcome.failed:
        assert_rows(VICTIM, workspace, truth)
    if any("No checkpoint" in sentence for sentence in sentences):
        assert outcome.failed == PAIR
    else:
        assert OTHER not in outcome.failed
        assert_rows(OTHER, workspace, truth)
    for sentence in sentences:
        assert "\n" not in sentence
        remedied(workspace, sentence)
    if sentences:
        assert run_all(workspace, PAIR).failed == []
    for one in PAIR:
        assert_rows(one, workspace, truth)


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [flip, exchange, *(pytest.param(d, marks=SLOW) for d in (remove, empty, cut, change_type))],
)
def test_the_rows_of_a_finished_run(damage, truth, tmp_path):
    chance = random.Random(0)
    for name in files_of(truth):
        workspace = copy(truth, tmp_path)
        damage(workspace / name, chance)
        check(workspace, truth)


@pytest.mark.slow
def test_every_file_of_an_interrupted_run(truth, interrupted, tmp_path):
    chance = random.Random(1)
    for name in files_of(interrupted):
        workspace = copy(interrupted, tmp_path)
        damage = chance.choice(DAMAGES)
        damage(workspace / name, chance)
        try:
            check(workspace, truth)
        except Exception as error:
            raise AssertionError(f"{damage.__name__} of {name}") from error


@pytest.mark.slow
def test_one_emptied_part_fails_its_run_alone(truth, interrupted, tmp_path):
    workspace = copy(interrupted, tmp_path)
    part = next(folder_of(workspace, VICTIM).glob("metrics-0000000002-*"))
    part.write_bytes(b"")
    outcome = run_all(workspace, PAIR)
    assert outcome.failed == [VICTIM]
    assert_rows(OTHER, workspace, truth)
    sentence = outcome.reasons[VICTIM.run_key]
    part.unlink()  # which is not what the sentence says
    assert run_all(workspace, PAIR).failed == [VICTIM]
    remedied(workspace, sentence)
    assert run_all(workspace, PAIR).failed == []
    assert_rows(VICTIM, workspace, truth)


@pytest.mark.slow
def test_a_status_that_is_put_back_finds_its_checkpoint(truth, interrupted, tmp_path):
    workspace = copy(interrupted, tmp_path)
    path = folder_of(workspace, VICTIM) / "status.json"
    before = path.read_bytes()
    path.write_bytes(b"{")
    assert run_all(workspace, PAIR).failed == [VICTIM]
    assert_rows(OTHER, workspace, truth)
    path.write_bytes(before)
    checkpoint = folder_of(workspace, VICTIM).parent / "packs" / json.loads(before)["checkpoint"]
    assert checkpoint.is_dir()
    assert run_all(workspace, PAIR).failed == []
    assert_rows(VICTIM, workspace, truth)
    assert not checkpoint.exists()


@pytest.mark.slow
def test_runs_side_by_side_begin_again_where_one_that_ended_is_damaged(tmp_path, monkeypatch):
    stop_after(3, tmp_path, PAIR, monkeypatch, pack_mode="vmap")
    assert run_all(tmp_path, [OTHER]).failed == []
    (folder_of(tmp_path, OTHER) / "experiment.json").unlink()
    assert run_all(tmp_path, [VICTIM]).failed == []
    assert load_results(VICTIM, tmp_path).table["step"].tolist() == list(range(0, 25, 2))


def test_a_damaged_status_hides_no_other_run_of_a_report(truth, tmp_path, capsys):
    workspace = copy(truth, tmp_path)
    (folder_of(workspace, VICTIM) / "status.json").write_text('{"status": 7}')
    console = Console(width=200)
    context = Context(Settings(workspace, wandb_enabled=False), console, "python x.py")
    assert report(context, PAIR) == 0
    said = capsys.readouterr().out
    assert "damaged" in said
    assert "done" in said
    (line,) = (line for line in said.splitlines() if VICTIM.short_id in line)
    assert is_told("file-damaged", line, path=folder_of(workspace, VICTIM) / "status.json")
