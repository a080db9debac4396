"""`python -m optexp_jax.results` in a workspace of its own."""

import pytest

from optexp_jax.results.__main__ import main


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "ws"))
    return tmp_path / "ws"


@pytest.fixture
def call(workspace, capsys):
    """Exit code, output and error output of the command."""

    def command(*argv):
        try:
            code = main([str(argument) for argument in argv])
        except SystemExit as stopped:
            code = stopped.code
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return command
