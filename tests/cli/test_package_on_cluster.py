"""All modules of a package are sent at once, each with its own profile, to stand-ins for SLURM."""

import re

import pytest
from slurm_standins import Slurm
from tiny_grids import descent, signs
from wording import is_told

from optexp_jax.cli import package_main
from optexp_jax.schedulers.manifest import Manifest
from optexp_jax.schedulers.profiles import read_profiles

EVERY = {e.run_key for module in (descent, signs) for e in module.experiments}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    found = Slurm(folder)
    monkeypatch.setenv("PATH", found.path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "ws"))
    return found


def call(capsys, *argv):
    with pytest.raises(SystemExit) as ended:
        package_main.main("tiny_grids", argv=list(argv))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def sent(tmp_path):
    """Name of every array -> its manifest and its script."""
    folders = {path.parent.name: path.parent for path in tmp_path.glob("ws/slurm/*/submitted.json")}
    return {
        name: (Manifest.read(folder / "manifest.json"), (folder / "job.sh").read_text())
        for name, folder in sorted(folders.items())
    }


def test_every_module_is_sent_with_its_own_profile(slurm, capsys, tmp_path):
    code, out, err = call(capsys, "--slurm")
    assert (code, err) == (0, "")
    assert len(slurm.calls("sbatch")) == 2
    arrays = sent(tmp_path)
    assert list(arrays) == ["descent", "signs"]
    assert {run for manifest, _ in arrays.values() for run in manifest.runs} == EVERY
    profiles = read_profiles(None)
    for module in (descent, signs):
        name = module.__name__.rpartition(".")[2]
        manifest, script = arrays[name]
        assert manifest.command[1:] == ("-m", f"tiny_grids.{name}", "--scale", "paper")
        assert f"--time={profiles[module.resources]['time']}" in script
    assert re.search(r"\b3\b", out.splitlines()[-3])  # runs in all


def test_what_is_on_its_way_is_not_sent_twice(slurm, capsys, tmp_path):
    call(capsys, "--slurm")
    names = list(sent(tmp_path))
    slurm.answer("squeue", f"1|0|PENDING|{names[0]}\n")  # the second array has gone
    _, out, _ = call(capsys, "--slurm")
    assert list(sent(tmp_path)) == ["descent", "signs", "signs-2"]
    assert re.search(r"\b1 runs\b.*\b2 are\b", out)


def test_a_dry_run_shows_every_module_and_sends_nothing(slurm, capsys, tmp_path):
    code, out, _ = call(capsys, "--slurm", "--dry-run", "--time", "7")
    assert code == 0
    rows = {
        row[0]: row[1:]
        for row in (re.findall(r"[\w.:-]+", line) for line in out.splitlines())
        if row
    }
    assert rows["tiny_grids.descent"] == ["two_cores", "7", "1", "2"]
    assert rows["tiny_grids.signs"] == ["p100_3h", "7", "1", "1"]
    assert not slurm.calls("sbatch")
    assert not (tmp_path / "ws").exists()


def test_all_is_cancelled_at_once(slurm, capsys, tmp_path):
    call(capsys, "--slurm")
    slurm.answer("squeue", "1|0|PENDING|descent\n2|0|RUNNING|signs\n")
    code, out, _ = call(capsys, "--cancel")
    assert code == 0
    assert "1_0, 2_0" in out
    assert {word for words in slurm.calls("scancel") for word in words} >= {"1_0", "2_0"}


def test_nothing_is_sent_if_one_module_cannot_be(slurm, capsys, monkeypatch, tmp_path):
    monkeypatch.delattr(signs, "resources")
    code, _, err = call(capsys, "--slurm")
    assert code == 2
    assert is_told("no-profile-named", err, module="tiny_grids.signs")
    assert not slurm.calls("sbatch")
    assert call(capsys, "--slurm", "--profile", "two_cores")[0] == 0


def test_runs_without_data_are_left_out(slurm, capsys, monkeypatch, tmp_path):
    absent = {signs.experiments[0]: "Its data are not here: place them."}
    monkeypatch.setattr(
        "optexp_jax.cli.cluster_all.missing_data",
        lambda runs, _: {e: absent[e] for e in runs if e in absent},
    )
    monkeypatch.setattr("optexp_jax.cli.cluster_all.prepare", lambda context, runs: 2)
    code, out, _ = call(capsys, "--slurm")
    assert code == 2
    assert list(sent(tmp_path)) == ["descent"]
    assert re.search(r"\b1 runs are left out", out)
