"""How experiments are run: one value, from which the command line is built."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from optexp_jax.training.pack_size import Auto

Kind = Literal["flag", "number", "number or auto", "seconds"]


@dataclasses.dataclass(frozen=True)
class CommandLineOption:
    """How a field of `RunOptions` is written on a command line.

    Args:
        spellings: such as `--pack`; all mean the same.
        kind: of its value.
        text: what `--help` says.
        metavar: what `--help` shows in place of the value.
    """

    spellings: tuple[str, ...]
    kind: Kind
    text: str
    metavar: str | None = None


def _option(*spellings: str, kind: Kind, text: str, metavar: str | None = None) -> dict[str, Any]:
    return {"option": CommandLineOption(spellings, kind, text, metavar)}


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """How experiments are run; nothing here changes what they are.

    A field with a `CommandLineOption` is an option of every command that runs experiments, and all
    of them are what the manifest of a task holds: a new one is added here, and nowhere else.

    Args:
        force: run also what is done, from the start.
        pack: most runs of a pack, `auto` for what the memory of the device takes.
        micro_batch: examples per forward and backward pass, None for a whole batch, `auto` for
            that or else what the memory takes.
        devices: that share the batches of each run.
        checkpoint_seconds: time between checkpoints.
        pack_mode: `map` or `vmap`, see `training.Pack`; a resumed run keeps its mode.
    """

    force: bool = dataclasses.field(
        default=False,
        metadata=_option(
            "-f", "--force", "--force-rerun", kind="flag", text="run also what is done"
        ),
    )
    pack: int | Auto = dataclasses.field(
        default="auto",
        metadata=_option(
            "--pack",
            kind="number or auto",
            metavar="auto|K",
            text="most runs that share a program and its data; auto: what the device's memory "
            "takes",
        ),
    )
    micro_batch: int | Auto | None = dataclasses.field(
        default="auto",
        metadata=_option(
            "--micro-batch",
            kind="number or auto",
            metavar="auto|B",
            text="examples per forward and backward pass; auto: a whole batch, or what the "
            "device's memory takes; changes results by rounding only",
        ),
    )
    devices: int = dataclasses.field(
        default=1,
        metadata=_option(
            "--devices-per-run",
            kind="number",
            metavar="D",
            text="devices that share the batches of each run, 1 or what the profile says; changes "
            "results by rounding only, and the random numbers of dropout",
        ),
    )
    checkpoint_seconds: float = dataclasses.field(
        default=10.0,
        metadata=_option(
            "--checkpoint-every",
            kind="seconds",
            metavar="SECONDS",
            text="time between checkpoints (10)",
        ),
    )
    pack_mode: str = "map"


def command_line_options() -> dict[str, CommandLineOption]:
    """The fields of `RunOptions` that a command line has -> how they are written."""
    fields = dataclasses.fields(RunOptions)
    return {f.name: f.metadata["option"] for f in fields if "option" in f.metadata}
