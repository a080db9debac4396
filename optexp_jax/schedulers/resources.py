"""What a job asks the cluster for, checked before anything is sent."""

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
    """A profile: the fields that `profiles.toml` explains.

    Raises:
        OptexpError: a field has a value that it cannot have.

    >>> Resources(time="0-48:00", memory="16GM")
    Traceback (most recent call last):
    ...
    optexp_jax.errors.OptexpError: The memory '16GM' is not a size: write 8000M or 16G.
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
                f"The time {self.time!r} is not one that SLURM reads: write 12:00:00 or "
                "2-00:00:00.",
                code="not-a-time",
                value=self.time,
            )
        for name in ("memory", "gpu_memory"):
            value = getattr(self, name)
            if not _MEMORY.fullmatch(value) and (value or name == "memory"):
                raise OptexpError(
                    f"The {name} {value!r} is not a size: write 8000M or 16G.",
                    code="not-a-memory-size",
                    field=name,
                    value=value,
                )
        for name in ("gpu", "partition", "account", "qos", "constraint", "mail"):
            if not _WORD.fullmatch(getattr(self, name)):
                raise OptexpError(
                    f"The {name} {getattr(self, name)!r} is not one word.",
                    code="not-one-word",
                    field=name,
                    value=getattr(self, name),
                )
        for name in ("cpus", "nodes", "processes", "per_gpu", "devices_per_run", "max_array"):
            if getattr(self, name) < 1:
                raise OptexpError(
                    f"{name} is {getattr(self, name)}: it is at least 1.",
                    code="below-one",
                    field=name,
                    value=getattr(self, name),
                )
        if self.per_gpu > 1 and self.processes * self.nodes > 1:
            raise OptexpError(
                "Packs share a GPU (per_gpu), or several processes share a pack (nodes, "
                "processes): set one of the two to 1.",
                code="shared-both-ways",
                per_gpu=self.per_gpu,
                processes=self.processes,
                nodes=self.nodes,
            )
        self._require_lines()

    def _require_lines(self) -> None:
        """Check what is written into the script as it is."""
        for name, lines in (("modules", self.modules), ("setup", self.setup)):
            for number, line in enumerate(lines, 1):
                found = secret_in(one_line(f"entry {number} of {name}", line))
                if found:
                    raise OptexpError(
                        f"The {name} line {number} looks like a secret ({found}), which would be "
                        "written into scripts: set it in the environment that you submit from.",
                        code="looks-like-secret",
                        name=name,
                        line=number,
                        found=found,
                    )

    @property
    def processes_in_all(self) -> int:
        """Processes that run one pack together."""
        return self.nodes * self.processes

    @property
    def device_bytes(self) -> int | None:
        """Memory of a device that packs share; None where the profile does not say."""
        size = self.gpu_memory if self.gpus else self.memory
        match = _MEMORY.fullmatch(size)
        return int(match[1]) * _UNITS[match[2]] // self.per_gpu if match else None
