"""What goes into a batch script is one line of it, is escaped, and holds no secret."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from errors import refuses

from optexp_jax.cli import cluster
from optexp_jax.errors import OptexpError
from optexp_jax.schedulers.manifest import Manifest
from optexp_jax.schedulers.resources import Resources
from optexp_jax.schedulers.slurm.script import script

RESOURCES = Resources(time="1:00:00", memory="1G")
# A line, a paragraph, a carriage return, what terminals obey, and what a file cannot hold.
BREAKS = ("\n", "\r", "\x00", "\x1b", "\x85", "\u2028", "\u2029", "\udcff")


def manifest(**fields):
    defaults = {
        "command": ("/usr/bin/python", "-m", "experiments.linreg", "--scale", "paper"),
        "folder": "/home/me",
        "workspace": "/home/me/workspace",
        "commit": None,
        "created": "2026-01-01T00:00:00+0000",
        "options": {},
        "processes": 1,
        "max_requeues": 1,
        "tasks": (((("g", "a"),),),),
    }
    return Manifest(**(defaults | fields))


def written(folder="/w/slurm/linreg", called_in="/home/me", environment=(), **fields):
    return script(manifest(folder=called_in, **fields), RESOURCES, Path(folder), dict(environment))


@pytest.mark.parametrize("mark", BREAKS, ids=ascii)
@pytest.mark.parametrize(
    ("word", "given"),
    [
        ("folder of the submission", lambda text: {"folder": f"/w{text}touch x/slurm/a"}),
        ("folder of the submission", lambda text: {"folder": f"/w/slurm/a{text}b"}),
        ("current folder", lambda text: {"called_in": f"/h{text}touch x"}),
        ("command", lambda text: {"command": ("python", f"my{text}touch x.py")}),
        ("time of the submission", lambda text: {"created": f"now{text}touch x"}),
        ("OPTEXP_WANDB_PROJECT", lambda text: {"environment": {"OPTEXP_WANDB_PROJECT": text}}),
        ("environment", lambda text: {"environment": {f"A{text}B": "1"}}),
    ],
)
def test_a_character_that_breaks_the_line_is_refused(word, given, mark):
    named = re.compile(re.escape(word))
    with refuses("control-character", name=named, found=f"U+{ord(mark):04X}") as refused:
        written(**given(mark))
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "fields",
    [{n: ("numpy\ntouch x",)} for n in ("modules", "setup")]
    + [{n: "long\n"} for n in ("gpu", "partition", "account", "qos", "constraint", "mail", "time")]
    + [{n: "16G\n"} for n in ("memory", "gpu_memory")]
    + [{"time": "١٢:00:00"}, {"memory": "²G"}, {"time": "1\n2"}, {"gpu": "a\u2028b"}],
    ids=str,
)
def test_resources_are_one_line_of_plain_digits(fields):
    with pytest.raises(OptexpError) as refused:
        Resources(**({"time": "1", "memory": "1G"} | fields))
    message = str(refused.value)
    assert next(iter(fields)) in message
    assert message.isprintable()


HARD = 'my work $HOME `id` "it\'s" #1 & more; (é)'


def test_hard_paths_reach_the_shell_as_they_are(tmp_path):
    """The script is run by a shell, with a program of ours in place of Python."""
    folder = tmp_path / HARD
    (folder / "logs").mkdir(parents=True)
    python = folder / "python"
    python.write_text('#!/bin/bash\nprintf "%s\\n" "$PWD" "$OPTEXP_WORKSPACE" "$@"\n')
    python.chmod(0o755)
    fields = {"folder": str(folder), "command": (str(python), str(folder / "my script.py"))}
    text = script(
        manifest(**fields), RESOURCES, folder / "slurm", {"OPTEXP_WORKSPACE": str(folder)}
    )
    done = subprocess.run(["bash", "-c", text], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines() == [
        str(folder), str(folder), "-m", "optexp_jax.schedulers.slurm.supervise",
        str(folder / "slurm" / "manifest.json"),
    ]  # fmt: skip


def test_hard_names_are_one_argument_of_the_directive():
    """SLURM reads quotes and backslashes of a directive as a shell does, without variables."""
    lines = [ln for ln in written(folder=f"/w/{HARD}/slurm/it's").splitlines() if "SBATCH" in ln]
    values = dict(shlex.split(ln.replace("$", "\\$"))[1].split("=", 1) for ln in lines if "=" in ln)
    assert values["--output"] == f"/w/{HARD}/slurm/it's/logs/task-%a.log".replace("$", "\\$")
    assert values["--job-name"] == "it's"


def test_a_backslash_would_keep_slurm_from_numbering_the_logs():
    with refuses("backslash-in-log-name"):
        written(folder="/w/a\\b/slurm/c")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python -m experiments.toy_models.balanced_x", "balanced_x"),
        ("python linreg.py", "linreg"),
        ("python 'my script.py'", "my_script"),
        ("python 'it\"s\n#SBATCH x;.py'", "it_s__SBATCH_x_"),
        ("python .py", "job"),
    ],
)
def test_the_name_of_an_array_is_a_plain_word(command, name):
    assert cluster.name_of(command) == name
