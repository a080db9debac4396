"""The programs of `examples/` run as a user runs them, in a workspace of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

EXAMPLES = Path(__file__).parents[1] / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.py"))
NOTEBOOK = EXAMPLES / "notebook.ipynb"
PLOTS = {"new_optimizer_on_text": ["--perclass"], "own_linen": ["--metric", "tr_Confidence"]}


def code_of(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_each_is_at_most_forty_lines():
    assert len(PROGRAMS) == 5
    for program in PROGRAMS:
        assert len(program.read_text(encoding="utf-8").splitlines()) <= 40
    assert len("\n".join(code_of(NOTEBOOK)).splitlines()) <= 40


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_runs_reports_and_draws(program, tmp_path):
    environment = os.environ | {"OPTEXP_WORKSPACE": str(tmp_path)}

    def call(*arguments):
        command = [sys.executable, str(program), *arguments]
        return subprocess.run(command, check=True, env=environment, capture_output=True, text=True)

    report = call("--local").stdout
    assert " * │" in report
    assert "missing" not in report
    assert "failed" not in report
    call("--plot", *PLOTS.get(program.stem, []))
    pictures = list((tmp_path / "plots").rglob("*.png"))
    assert pictures
    assert all(len(Image.open(picture).getcolors(1 << 20)) > 100 for picture in pictures)


@pytest.mark.slow
def test_the_notebook_runs_tabulates_and_draws(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, kernel_name="python3").execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    shown = {kind for out in outputs for kind in out.get("data", {})}
    assert {"text/html", "image/png"} <= shown
