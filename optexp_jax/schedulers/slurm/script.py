"""Write the batch script of an array from the template `job.sh`."""

from __future__ import annotations

import importlib.resources
import re
import shlex
import string
from collections.abc import Mapping
from pathlib import Path

from optexp_jax.errors import OptexpError
from optexp_jax.schedulers.lines import one_line
from optexp_jax.schedulers.manifest import Manifest
from optexp_jax.schedulers.resources import Resources

_PLAIN = re.compile(r"[\w.+-]+")


class _Template(string.Template):
    delimiter = "@"


def script(
    manifest: Manifest, resources: Resources, folder: Path, environment: Mapping[str, str]
) -> str:
    """Return the text of the script.

    Args:
        manifest: of the array.
        resources: of each task.
        folder: of the submission, with the script, the manifest and the logs.
        environment: variables that tasks need, none of them secret.

    Raises:
        OptexpError: a value has a character that would break a line of the script.
    """
    one_line("folder of the submission", str(folder))
    exports = [
        f"export {one_line('name in the environment', k)}={shlex.quote(one_line(k, v))}"
        for k, v in environment.items()
    ]
    package = importlib.resources.files("optexp_jax.schedulers.slurm")
    template = _Template((package / "job.sh").read_text(encoding="utf-8"))
    modules = [f"module load {shlex.join(resources.modules)}"] if resources.modules else []
    return template.substitute(
        directives="\n".join(f"#SBATCH {d}" for d in _directives(manifest, resources, folder)),
        created=one_line("time of the submission", manifest.created),
        command=one_line("command", shlex.join(manifest.command)),
        folder=shlex.quote(one_line("current folder", manifest.folder)),
        environment="\n".join(exports),
        setup="\n".join([*modules, *resources.setup]),
        python=shlex.quote(manifest.command[0]),
        manifest=shlex.quote(str(folder / "manifest.json")),
    )


def _directives(manifest: Manifest, resources: Resources, folder: Path) -> list[str]:
    last = len(manifest.tasks) - 1
    at_once = f"%{resources.max_concurrent}" if resources.max_concurrent else ""
    log = str(folder / "logs" / "task-").replace("%", "%%") + "%a.log"
    name = folder.name if _PLAIN.fullmatch(folder.name) else quoted("name", folder.name)
    optional = {
        "partition": resources.partition,
        "account": resources.account,
        "qos": resources.qos,
        "constraint": resources.constraint,
        "mail-user": resources.mail,
        "mail-type": "END,FAIL" if resources.mail else "",
    }
    kind = f"{resources.gpu}:" if resources.gpu else ""
    return [
        f"--job-name={name}",
        f"--array=0-{last}{at_once}",
        f"--time={resources.time}",
        f"--mem={resources.memory}",
        f"--nodes={resources.nodes}",
        f"--ntasks-per-node={resources.processes}",
        f"--cpus-per-task={resources.cpus * resources.per_gpu}",
        *([f"--gres=gpu:{kind}{resources.gpus}"] if resources.gpus else []),
        *(f"--{name}={value}" for name, value in optional.items() if value),
        f"--output={quoted('folder of the submission', log)}",
        "--open-mode=append",
        "--requeue",
        f"--signal=B:USR1@{resources.grace}",
    ]


def quoted(name: str, text: str) -> str:
    """Quote a text as the value of a SLURM directive, with a backslash before inner quotes.

    Raises:
        OptexpError: the text has a backslash; SLURM would then omit the number in names of logs.

    >>> print(quoted("folder", 'my "work"'))
    "my \\"work\\""
    """
    if "\\" in text:
        raise OptexpError(
            f"The {name} contains a backslash, which SLURM does not accept in names of logs: "
            "rename it, or set OPTEXP_WORKSPACE to another folder.",
            code="backslash-in-log-name",
            name=name,
        )
    return '"' + text.replace('"', '\\"') + '"'
