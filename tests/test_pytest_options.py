"""How the tests are run: in two processes, unless someone wants to look into one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"


@pytest.fixture
def project(tmp_path):
    """A folder with our conftest and two files of tests, of which the second fails."""
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_a.py").write_text("def test_a():\n    pass\n")
    (tmp_path / "test_b.py").write_text("def test_b():\n    assert 'b' == 'a'\n")
    return tmp_path


def pytest_in(project, *arguments, plugin="xdist.plugin"):
    """What pytest says there, given the end of the debugger; other plugins would take seconds."""
    command = [sys.executable, "-m", "pytest", "-p", plugin, *arguments]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=project, env=environment, input="q\n", capture_output=True, text=True
    )
    return done.stdout + done.stderr


@pytest.mark.slow
def test_plain_pytest_uses_two_processes(project):
    said = pytest_in(project)
    assert "2 workers" in said
    assert "1 failed, 1 passed" in said


@pytest.mark.parametrize("arguments", [["-s"], ["test_a.py", "test_b.py"]])
def test_files_and_output_that_is_shown_need_one(project, arguments):
    said = pytest_in(project, *arguments)
    assert "workers" not in said
    assert "1 failed, 1 passed" in said


def test_xdist_is_not_needed(project):
    assert "1 failed, 1 passed" in pytest_in(project, plugin="no:xdist")


def test_the_debugger_stops_at_a_failure(project):
    said = pytest_in(project, "--pdb")
    assert "(Pdb)" in said
    assert "test_b.py(2)test_b()" in said


@pytest.mark.slow
def test_a_number_that_was_chosen_is_kept(project):
    assert "1 worker " in pytest_in(project, "-n", "1")
