"""Output that is closed, full, unread or without a character ends no command with a traceback."""

import contextlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from optexp_jax.cli.console import make_console
from optexp_jax.cli.guard import guarded
from optexp_jax.errors import OptexpError
from optexp_jax.runner.output import Output, safe_output, visible
from plots import claims
from plots.command import main as draw
from plots.make_all_plots import FIGURES

ROOT = Path(__file__).parents[2]
BRACKETS = "w[red]x[/nothing] :smile: [link=y]"


def told(text="done"):
    print(text)
    return 0


@pytest.fixture
def full(capsys):
    """Runs a command whose output is on a disk that is full; gives its code and error output."""

    def run(command):
        with open("/dev/full", "w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
            code = guarded(command)
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    "command",
    [
        told,
        lambda: told("x" * 100_000),
        lambda: make_console().print("a table") or 0,
        lambda: told() + 1,
        lambda: claims.check_claims(["--json", "--scale", "small", "--figure", "6"]),
    ],
)
def test_a_full_disk_below_the_output_is_one_sentence(full, command):
    code, said = full(command)
    assert code == 2
    assert said.startswith("error: ")
    assert "(No space left on device)" in said
    assert said.count("\n") == 1


def test_what_a_command_does_is_done_although_nothing_is_shown(full):
    done = []

    def work():
        for i in range(3):
            print("x" * 10_000, flush=True)
            done.append(i)
        return 0

    assert full(work)[0] == 2
    assert done == [0, 1, 2]


def test_other_ends_of_a_command_keep_their_code_and_sentence(full):
    def mistaken():
        print("x", flush=True)
        raise OptexpError("The name is wrong:\ntake another.")

    def interrupted():
        print("x", flush=True)
        raise KeyboardInterrupt

    code, said = full(mistaken)
    assert (code, said.splitlines()[0]) == (2, "error: The name is wrong:\\ntake another.")
    code, said = full(interrupted)
    assert code == 128 + signal.SIGINT
    assert said.count("\n") == 1


def test_help_that_cannot_be_written_is_told(full):
    code, said = full(lambda: claims.check_claims(["--help"]))
    assert code == 2
    assert "(No space left on device)" in said


def test_an_output_that_is_open_for_reading_only(monkeypatch, capsys):
    with os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert guarded(told) == 2
    assert "Bad file descriptor" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_ends_the_command_quietly(monkeypatch, capsys):
    reader, writer = os.pipe()
    os.close(reader)
    done = []
    with os.fdopen(writer, "w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        code = guarded(lambda: make_console().print("x" * 10_000) or done.append(1) or 0)
    assert (code, done, capsys.readouterr().err) == (128 + signal.SIGPIPE, [], "")


def test_closed_outputs_go_nowhere_and_are_put_back(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert guarded(told) == 0
    assert guarded(lambda: claims.check_claims(["--figure", "none"])) == 2
    assert sys.stdout is sys.stderr is None


def test_an_error_output_that_cannot_be_written_changes_no_code(monkeypatch):
    with open("/dev/full", "w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stderr", file)
        assert guarded(lambda: claims.check_claims(["--figure", "none"])) == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk", "utf-8"])
def test_what_an_encoding_lacks_is_a_question_mark(encoding, monkeypatch):
    written = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", written)
    shown = "2 ² ≈ 4 ■ \udcff\n"
    assert guarded(lambda: print(shown) or make_console().print(shown) or 0) == 0
    said = written.buffer.getvalue().decode(encoding)
    assert said.startswith("2 ")
    assert said.count("≈") == (2 if encoding in ("gbk", "utf-8") else 0)
    assert "?" in said
    assert guarded(lambda: claims.check_claims(["--scale", "small", "--figure", "6"])) == 0


def test_errors_of_files_are_one_sentence(capsys, tmp_path):
    (tmp_path / "file").touch()
    assert guarded(lambda: len((tmp_path / "file" / "x").read_text(encoding="utf-8"))) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {tmp_path}/file/x ")
    assert "(Not a directory)" in said
    assert said.count("\n") == 1


def test_paths_are_shown_as_they_are(tmp_path, monkeypatch, capsys):
    """Brackets are no markup, and names between colons no pictures."""
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / BRACKETS))
    with pytest.raises(SystemExit) as ended:
        draw("make_all_plots", FIGURES, ["--figure", "legends", "--format", "png"])
    assert ended.value.code == 0
    assert f"{BRACKETS}/plots/paper_paper/legends.png\n" in capsys.readouterr().out
    (tmp_path / BRACKETS / "tokenizers").touch()
    claims.check_claims(["--source", "paper", "--figure", "1"])
    assert BRACKETS in capsys.readouterr().out


def test_a_sentence_is_one_line():
    assert visible("a\nb\x1b[2J\u2028\udcff é") == "a\\nb\\x1b[2J\\u2028\\udcff é"


def test_output_is_a_stream_like_the_one_below():
    below = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    output = Output(below)
    assert (output.encoding, output.isatty(), output.write("abc")) == ("utf-8", False, 3)
    assert output.buffer is below.buffer


def test_the_block_gives_the_streams_back():
    before = sys.stdout, sys.stderr
    with pytest.raises(OptexpError), safe_output():
        raise OptexpError("no")
    assert (sys.stdout, sys.stderr) == before


LIGHT = (
    "import sys\n"
    "from optexp_jax.runner.output import code_of, safe_output\n"
    "with safe_output() as out:\n"
    "    print('x' * 300_000)\n"
    "    opened = open('/dev/zero', 'rb')\n"
    "    assert opened.fileno() > 2\n"
    "    code = code_of(out, 0)\n"
    "sys.exit(code)\n"
)


@pytest.mark.parametrize(
    ("redirection", "code", "errors"),
    [
        ("<&- >&-", 0, 0),
        ("<&- >&- 2>&-", 0, 0),
        (">/dev/full", 2, 1),
        (">/dev/full 2>/dev/full", 2, 0),
        (">/dev/full 2>&-", 2, 0),
        ("</dev/null 1</dev/null", 2, 1),
        ("| head -c 1", 141, 0),
    ],
)
def test_nothing_is_said_as_the_process_exits(redirection, code, errors):
    line = f'set -o pipefail; {sys.executable} -c "$SCRIPT" {redirection}'
    done = subprocess.run(
        ["bash", "-c", line], env=os.environ | {"SCRIPT": LIGHT}, capture_output=True, cwd=ROOT
    )
    assert done.returncode == code
    assert done.stderr.count(b"\n") == errors


# What notebooks, clusters and old terminals set, all at once.
ODD = {
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "LC_ALL": "C",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "COLUMNS": "²",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PYTHONWARNINGS": "error",
}


def called(*arguments, folder, workspace, **environment):
    odd = {k: v for k, v in os.environ.items() if k != "HOME"} | ODD | environment
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=odd | {"OPTEXP_WORKSPACE": str(workspace), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=600,
    )
    assert done.stderr == b""
    return done.returncode, done.stdout.decode("ascii")


@pytest.mark.slow
def test_an_odd_environment(tmp_path):
    workspace = tmp_path / BRACKETS
    code, out = called("plots.make_all_plots", "--figure=legends", folder="/", workspace=workspace)
    assert code == 0
    assert f"{workspace}/plots/paper_paper/legends.pdf" in out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("experiments --list --scale small", "linreg_perclass"),
        ("experiments.linreg_perclass --report", "missing"),
        ("optexp_jax.datasets describe Shakespeare", "Figure: "),
        ("plots.claims --scale small --figure 6", "without data"),
        ("experiments.linreg_perclass --slurm --dry-run", "#SBATCH"),
    ],
)
def test_every_command_in_an_odd_environment(arguments, words, tmp_path):
    code, out = called(*arguments.split(), folder=tmp_path, workspace=tmp_path / BRACKETS)
    assert code == 0
    assert words in out
