"""Resources of jobs: what is read, what wins, and what is refused."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from errors import refuses

from optexp_jax.schedulers.profiles import read_profiles, resources_of
from optexp_jax.schedulers.resources import Resources


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder without a file of profiles."""
    monkeypatch.chdir(tmp_path)


def own_file(tmp_path, text):
    path = tmp_path / "profiles.toml"
    path.write_text(text)
    return path


def test_the_paper_s_profiles_are_those_of_its_runs(paper_profiles):
    profiles = read_profiles()
    for name, paper in paper_profiles.items():
        found = resources_of(name, profiles, {})
        assert (found.cpus, found.gpus, found.gpu) == (paper["cpus"], paper["n_gpu"], paper["gpu"])
        assert found.memory == paper["mem"]


def test_the_command_line_wins_over_the_user_s_file_over_the_package(tmp_path):
    text = '[defaults]\naccount = "mine"\ngpu = "rtx"\n[p100_4h]\ntime = "05:00:00"\n'
    profiles = read_profiles(own_file(tmp_path, text))
    found = resources_of("p100_4h", profiles, {"account": "other", "partition": None})
    assert found.time == "05:00:00"
    assert found.gpu == "rtx"
    assert found.account == "other"
    assert found.partition == ""
    assert found.memory == "16G"
    assert resources_of("v100_2h", profiles, {}).account == "mine"


def test_the_file_of_the_folder_is_found(tmp_path):
    (tmp_path / "slurm").mkdir()
    own_file(tmp_path / "slurm", '[mine]\ntime = "10"\nmemory = "1G"\n')
    assert resources_of("mine", read_profiles(), {}).time == "10"


@pytest.mark.parametrize("time", ["10", "10:30", "12:00:00", "2-0", "0-48:00", "1-02:03:04"])
@pytest.mark.parametrize("memory", ["500", "8000M", "16G", "1T"])
def test_what_slurm_reads_is_taken(time, memory):
    assert dataclasses.astuple(Resources(time, memory))[:2] == (time, memory)


@pytest.mark.parametrize(
    ("text", "code", "values"),
    [
        (
            '[a]\ntime = "1"\nmemory = "16GM"',
            "not-a-memory-size",
            {"field": "memory", "value": "16GM"},
        ),
        ('[a]\ntime = "tomorrow"\nmemory = "1G"', "not-a-time", {"value": "tomorrow"}),
        ('[a]\ntime = "00:00:00"\nmemory = "1G"', "not-a-time", {"value": "00:00:00"}),
        ('[a]\ntime = "1"', "profile-incomplete", {"profile": "a", "field": "memory"}),
        (
            '[a]\ntime = "1"\nmemory = "1G"\ncpu = 4',
            "unknown-profile-field",
            {"profile": "a", "field": "cpu", "known": re.compile("cpus")},
        ),
        (
            '[a]\ntime = "1"\nmemory = "1G"\ncpus = "4"',
            "profile-field-wrong",
            {"field": "cpus", "value": "4"},
        ),
        (
            '[a]\ntime = "1"\nmemory = "1G"\ncpus = true',
            "profile-field-wrong",
            {"field": "cpus", "value": True},
        ),
        (
            '[a]\ntime = "1"\nmemory = "1G"\ncpus = "auto"',
            "only-pack-can-be-auto",
            {"profile": "a"},
        ),
        ('[a]\ntime = "1"\nmemory = "1G"\ncpus = 0', "below-one", {"field": "cpus", "value": 0}),
        (
            '[a]\ntime = "1"\nmemory = "1G"\npartition = "a b; rm"',
            "not-one-word",
            {"field": "partition", "value": "a b; rm"},
        ),
        (
            '[a]\ntime = "1"\nmemory = "1G"\nper_gpu = 2\nnodes = 2',
            "shared-both-ways",
            {"per_gpu": 2, "nodes": 2},
        ),
        (
            '[a]\ntime = "1"\nmemory = "1G"\nsetup = ["export WANDB_API_KEY=hush"]',
            "looks-like-secret",
            {"name": "setup", "line": 1, "found": "WANDB_API_KEY"},
        ),
        ("time = 1", "outside-of-profile", {"key": "time"}),
        ("[a", "profiles-not-toml", {}),
        ("", "unknown-profile", {"name": "a"}),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(tmp_path, text, code, values):
    with refuses(code, **values) as refused:
        resources_of("a", read_profiles(own_file(tmp_path, text)), {})
    assert "hush" not in str(refused.value)
    assert "hush" not in repr(refused.value.values)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with refuses("profiles-unreadable", path=tmp_path / "nowhere.toml"):
        read_profiles(tmp_path / "nowhere.toml")


@pytest.fixture
def paper_profiles():
    """The resources of the paper's modules by our names, from its inventory."""
    return json.loads(Path(__file__).with_name("paper_profiles.json").read_text())
