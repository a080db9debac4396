"""Define the resources of a job, and check them before anything is submitted."""

from __future__ import annotations

import dataclasses
import re
from typing import Literal

from optexp_jax.errors import OptexpError
from optexp_jax.schedulers.lines import one_line
from optexp_jax.schedulers.secret_lines import secret_in

_TIME = re.compile(r"[0-9]+-[0-9]+(:[0-9]+){0,2}|[0-9]+(:[0-9]+){0,2}")
_MEMORY = re.compile(r"([0-9]+)([KMGT]?)")
_UNITS = {"K": 2**10, "": 2**20, "M": 2**20, "G": 2**30, "T": 2**40}
_WORD = re.compile(r"[\w.,@%:/+&|=-]*")


@dataclasses.dataclass(frozen=True)
class Resources:
    """Hold the fields of a profile, which `profiles.toml` explains.

    Raises:
        OptexpError: the value of a field is impossible.

    >>> Resources(time="0-48:00", memory="16GM")
    Traceback (most recent call last):
    ...
    optexp_jax.errors.OptexpError: The memory '16GM' is not a size: write for example 8000M or 16G.
    """

    time: str
    memory: str
    cpus: int = 1
    gpu: str = ""
    gpus: int = 0
    gpu_memory: str = ""
    nodes: int = 1
    processes: int = 1
    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    mail: str = ""
    modules: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    container: str = ""
    pack: int | Literal["auto"] = "auto"
    per_gpu: int = 1
    devices_per_run: int = 1
    max_array: int = 1000
    max_concurrent: int = 0
    max_requeues: int = 10
    grace: int = 120

    def __post_init__(self) -> None:
        if not _TIME.fullmatch(self.time) or not re.search(r"[1-9]", self.time):
            raise OptexpError(
                f"SLURM cannot read the time {self.time!r}: write for example 12:00:00 or "
                "2-00:00:00.",
                code="not-a-time",
                value=self.time,
            )
        for name in ("memory", "gpu_memory"):
            value = getattr(self, name)
            if not _MEMORY.fullmatch(value) and (value or name == "memory"):
                raise OptexpError(
                    f"The {name} {value!r} is not a size: write for example 8000M or 16G.",
                    code="not-a-memory-size",
                    field=name,
                    value=value,
                )
        for name in ("gpu", "partition", "account", "qos", "constraint", "mail"):
            if not _WORD.fullmatch(getattr(self, name)):
                raise OptexpError(
                    f"The {name} must be one word, not {getattr(self, name)!r}.",
                    code="not-one-word",
                    field=name,
                    value=getattr(self, name),
                )
        for name in ("cpus", "nodes", "processes", "per_gpu", "devices_per_run", "max_array"):
            if getattr(self, name) < 1:
                raise OptexpError(
                    f"{name} must be at least 1, not {getattr(self, name)}.",
                    code="below-one",
                    field=name,
                    value=getattr(self, name),
                )
        if self.per_gpu > 1 and self.processes * self.nodes > 1:
            raise OptexpError(
                "Either several packs share a GPU (per_gpu), or several processes share a pack "
                "(nodes, processes): set one of the two to 1.",
                code="shared-both-ways",
                per_gpu=self.per_gpu,
                processes=self.processes,
                nodes=self.nodes,
            )
        self._require_lines()

    def _require_lines(self) -> None:
        """Check values that go into the script, or are called, unchanged."""
        one_line("container", self.container)
        for name, lines in (("modules", self.modules), ("setup", self.setup)):
            for number, line in enumerate(lines, 1):
                found = secret_in(one_line(f"entry {number} of {name}", line))
                if found:
                    raise OptexpError(
                        f"The {name} line {number} looks like a secret ({found}), which would be "
                        "written into scripts: set it in your environment before you submit.",
                        code="looks-like-secret",
                        name=name,
                        line=number,
                        found=found,
                    )

    @property
    def processes_in_all(self) -> int:
        """The number of processes that train one pack together."""
        return self.nodes * self.processes

    @property
    def device_bytes(self) -> int | None:
        """The memory of a device that packs share; None if the profile does not give it."""
        size = self.gpu_memory if self.gpus else self.memory
        match = _MEMORY.fullmatch(size)
        return int(match[1]) * _UNITS[match[2]] // self.per_gpu if match else None
