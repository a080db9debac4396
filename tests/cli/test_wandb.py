"""`--sync`, `--download` and `--clear-download`, as a person types them."""

import pytest
from wandb_runs import experiment_of, record, server

from optexp_jax import use_wandb_project
from optexp_jax.cli import main, package_main
from optexp_jax.config import Settings

__all__ = ["server"]
EXPERIMENTS = [experiment_of(seed=0), experiment_of(seed=1)]


@pytest.fixture
def called(monkeypatch, tmp_path, capsys):
    """Calls the command line in a workspace; returns the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)

    def call(workspace, *arguments, experiments=EXPERIMENTS, **options):
        monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / workspace))
        with pytest.raises(SystemExit) as ended:
            main(experiments, argv=arguments, **options)
        said = capsys.readouterr()
        return ended.value.code, said.out + said.err

    return call


@pytest.mark.slow
def test_from_one_workspace_to_another(called, server, tmp_path):
    for i, experiment in enumerate(EXPERIMENTS):
        record(tmp_path / "here", experiment, wandb_id=f"run{i}", seed=i)
    code, said = called("here", "--sync", wandb_project="mine")
    assert (code, said.splitlines()[-1]) == (0, "2 runs uploaded.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "home"]  # wandb logs
    assert not list((tmp_path / "here" / "wandb").iterdir())
    assert {found["project"] for found in server.runs.values()} == {"mine"}
    assert "2 runs are already on the server." in called("here", "--sync", wandb_project="mine")[1]

    code, said = called("there", "--download")
    assert "2 runs are not on the server" in said
    code, said = called("there", "--download", wandb_project="mine")
    assert (code, said.splitlines()[-1]) == (0, "2 runs downloaded.")
    assert "done" in called("there", "--report")[1]
    for workspace in ("here", "there"):
        assert called(workspace, "--plot", "--perclass")[0] == 0
    pictures = [tmp_path / w / "plots" / "a" / "per_class.png" for w in ("here", "there")]
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    # What was downloaded counts as done.
    assert called("there", "--local")[0] == 0
    assert not (tmp_path / "there" / "experiments").exists()

    code, said = called("there", "--clear-download")
    assert (code, said.split()[0]) == (0, "Removed")
    assert "missing" in called("there", "--report")[1]
    assert called("there", "--clear-download")[1] == "None of these runs were downloaded.\n"


@pytest.mark.slow
def test_a_server_that_refuses_ends_the_command_with_2(called, server, tmp_path):
    record(tmp_path / "here", EXPERIMENTS[0])
    server.fail("^Viewer$", 401)
    for option in ("--sync", "--download"):
        code, said = called("here", option)
        assert (code, said.splitlines()[-1].split()[0]) == (2, "error:")
        assert "Traceback" not in said


@pytest.mark.slow
def test_a_run_that_does_not_arrive_ends_the_command_with_1(called, server, tmp_path):
    record(tmp_path / "here", EXPERIMENTS[0])
    server.fail("file_stream", 400)
    code, said = called("here", "--sync")
    assert code == 1
    assert "0 runs uploaded." in said
    assert EXPERIMENTS[0].short_id in said


def test_nothing_is_asked_where_nothing_is_finished(called, tmp_path):
    assert called("here", "--sync") == (
        0,
        "2 runs are not finished here, so not uploaded.\nThere is nothing to upload.\n",
    )


def test_a_project_in_code_wins_and_in_its_block_only(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTEXP_WANDB_PROJECT", "of-the-environment")
    with use_wandb_project("mine", "team"):
        assert Settings.from_env().wandb_home("any") == ("mine", "team")
    assert Settings.from_env().wandb_home("any") == ("of-the-environment", None)


def test_every_group_of_a_package_has_its_own_project(monkeypatch):
    seen = []
    monkeypatch.setattr(
        package_main.wandb, "act", lambda context, *_: seen.append(context.settings) or 0
    )
    with pytest.raises(SystemExit) as ended:
        package_main.main("experiments", argv=["--sync"])
    assert ended.value.code == 0
    (settings,) = seen
    assert settings.wandb_home("gpt_test")[0] == "optexp-gpt2"
    assert settings.wandb_home("LinReg_HeavyTailedOneHot")[0] == "optexp"
