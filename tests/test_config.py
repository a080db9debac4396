"""Settings come from the environment once; a wrong value is a sentence."""

import dataclasses
from pathlib import Path

import pytest
from errors import refuses

from optexp_jax.config import Settings


def test_defaults():
    assert Settings.from_env({}) == Settings() == Settings(
        workspace=Path("workspace"),
        wandb_enabled=True,
        wandb_mode="offline",
        wandb_project="optexp",
        wandb_entity=None,
        slurm_account=None,
        slurm_mail=None,
        slurm_profiles=None,
    )  # fmt: skip


def test_every_variable():
    environ = {
        "OPTEXP_WORKSPACE": "/data/runs",
        "OPTEXP_WANDB_ENABLED": "false",
        "OPTEXP_WANDB_MODE": "online",
        "OPTEXP_WANDB_PROJECT": "imbalance",
        "OPTEXP_WANDB_ENTITY": "team",
        "OPTEXP_SLURM_ACCOUNT": "def-group",
        "OPTEXP_SLURM_NOTIFICATION_EMAIL": "me@example.org",
        "OPTEXP_SLURM_PROFILES": "/etc/profiles.toml",
        "HOME": "/home/someone",
    }
    slurm = ("def-group", "me@example.org", Path("/etc/profiles.toml"))
    assert Settings.from_env(environ) == Settings(
        Path("/data/runs"), False, "online", "imbalance", "team", *slurm
    )
    # `wandb_projects` comes from modules.
    assert len(environ) - 1 == len(dataclasses.fields(Settings)) - 1


def test_an_empty_variable_is_an_unset_one():
    names = ["WORKSPACE", "WANDB_ENABLED", "WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY"]
    assert Settings.from_env({f"OPTEXP_{name}": "" for name in names}) == Settings()


def test_the_environment_of_the_process_is_read_when_asked(monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", "elsewhere")
    assert Settings.from_env().workspace == Path("elsewhere")
    monkeypatch.delenv("OPTEXP_WORKSPACE")
    assert Settings.from_env().workspace == Path("workspace")


def test_a_workspace_in_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert Settings.from_env({"OPTEXP_WORKSPACE": "~/runs"}).workspace == Path("/home/someone/runs")


@pytest.mark.parametrize(
    ("text", "value"),
    [(t, True) for t in ("1", "true", "TRUE", "yes", "on")]
    + [(t, False) for t in ("0", "false", "False", "no", "off")],
)
def test_switches(text, value):
    assert Settings.from_env({"OPTEXP_WANDB_ENABLED": text}).wandb_enabled is value


@pytest.mark.parametrize("mode", ["offline", "online", "ONLINE"])
def test_modes(mode):
    assert Settings.from_env({"OPTEXP_WANDB_MODE": mode}).wandb_mode == mode.lower()


@pytest.mark.parametrize(
    ("name", "value", "code", "named"),
    [
        ("OPTEXP_WANDB_ENABLED", "maybe", "not-a-switch", "name"),
        ("OPTEXP_WANDB_ENABLED", "2", "not-a-switch", "name"),
        ("OPTEXP_WANDB_MODE", "Dryrun", "not-a-choice", "field"),
    ],
)
def test_wrong_values_are_named_with_their_variable(name, value, code, named):
    with refuses(code, value=value, **{named: name}):
        Settings.from_env({name: value})


@pytest.mark.parametrize("name", ["OPTEXP_WORKSPACE", "OPTEXP_SLURM_PROFILES"])
def test_a_home_folder_that_nobody_knows_is_one_sentence(name):
    with refuses("unknown-home-folder", name=name, path="~nosuchuser/x"):
        Settings.from_env({name: "~nosuchuser/x"})


@pytest.mark.parametrize(
    "name", ["OPTEXP_WORKSPACE", "OPTEXP_WANDB_PROJECT", "OPTEXP_WANDB_ENTITY"]
)
@pytest.mark.parametrize("mark", ["\n", "\r", "\t", "\x00", "\x1b", "\x85", "\u2028", "\udcff"])
def test_a_value_is_text_of_one_line(name, mark):
    with refuses("control-character", name=name, found=f"U+{ord(mark):04X}") as refused:
        Settings.from_env({name: f"/data{mark}runs"})
    assert str(refused.value).isprintable()


def test_other_letters_and_the_variables_of_others_are_taken():
    given = {"OPTEXP_WORKSPACE": "/data/données 数据", "PS1": "\x1b[0m"}
    assert Settings.from_env(given).workspace == Path("/data/données 数据")


def test_settings_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().workspace = Path("elsewhere")
