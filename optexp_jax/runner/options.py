"""Options of running experiments, as one value from which the command line is built."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from optexp_jax.errors import OptexpError
from optexp_jax.training.modes import MODES, SHARDS, Auto

Kind = Literal["flag", "number", "number or auto", "seconds or auto", "choice"]


@dataclasses.dataclass(frozen=True)
class CommandLineOption:
    """The command line option of a field of `RunOptions`.

    Args:
        spellings: names such as `--pack`, which all mean the same.
        kind: kind of the value.
        text: description in `--help`.
        metavar: name of the value in `--help`.
        choices: allowed values of a choice.
    """

    spellings: tuple[str, ...]
    kind: Kind
    text: str
    metavar: str | None = None
    choices: tuple[str, ...] = ()


def _option(*spellings: str, kind: Kind, text: str, **more: Any) -> dict[str, Any]:
    return {"option": CommandLineOption(spellings, kind, text, **more)}


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """How to run experiments; no option changes the identity of an experiment.

    Every command that runs experiments has an option for each field with a `CommandLineOption`, and
    the manifest of a cluster task holds them all. So add a new option only here.

    Args:
        force: whether to run finished experiments again, from the first step.
        pack: most runs that train in one program; `auto` for as many as fit into memory.
        micro_batch: examples per forward and backward pass; None for a whole batch, `auto` for
            a whole batch or as many examples as fit into memory.
        devices: number of devices that share the batches of each run.
        shard: what these devices share: batches only (`data`), or also parameters, gradients and
            optimizer states (`fsdp`). A resumed run keeps `fsdp`.
        remat: whether the backward pass computes blocks of models again. A resumed run keeps it.
        checkpoint_seconds: seconds between checkpoints; `auto` for at most 2 % of the time.
        pack_mode: `map` or `vmap`, see `training.pack.Pack`; `auto` for the faster one on the
            device. A resumed run keeps its mode.

    Raises:
        OptexpError: `fsdp` is set, but each run has one device.
    """

    force: bool = dataclasses.field(
        default=False,
        metadata=_option(
            "-f",
            "--force",
            "--force-rerun",
            kind="flag",
            text="also run finished experiments again, from the first step",
        ),
    )
    pack: int | Auto = dataclasses.field(
        default="auto",
        metadata=_option(
            "--pack",
            kind="number or auto",
            metavar="auto|K",
            text="train at most K runs in one program; auto (default): as many as fit into memory",
        ),
    )
    micro_batch: int | Auto | None = dataclasses.field(
        default="auto",
        metadata=_option(
            "--micro-batch",
            kind="number or auto",
            metavar="auto|B",
            text="examples per forward and backward pass; auto (default): the whole batch, or as "
            "many as fit into memory. Changes results only by rounding",
        ),
    )
    devices: int = dataclasses.field(
        default=1,
        metadata=_option(
            "--devices-per-run",
            kind="number",
            metavar="D",
            text="number of devices that share the batches of each run (default: 1, or as in the "
            "profile). Changes results by rounding only",
        ),
    )
    shard: str = dataclasses.field(
        default="data",
        metadata=_option(
            "--shard",
            kind="choice",
            choices=SHARDS,
            text="what the devices of a run share: its batches (data, the default), or also "
            "parameters, gradients and optimizer states (fsdp). Changes results by rounding only",
        ),
    )
    remat: bool = dataclasses.field(
        default=False,
        metadata=_option(
            "--remat",
            kind="flag",
            text="compute the blocks of transformers again in the backward pass: less memory, "
            "a third more FLOPs",
        ),
    )
    checkpoint_seconds: float | Auto = dataclasses.field(
        default="auto",
        metadata=_option(
            "--checkpoint-every",
            kind="seconds or auto",
            metavar="auto|SECONDS",
            text="time between checkpoints; auto (default): at least 10 s, and so that they take "
            "at most 2%% of the time",
        ),
    )
    pack_mode: str = dataclasses.field(
        default="auto",
        metadata=_option(
            "--pack-mode",
            kind="choice",
            choices=("auto", *MODES),
            text="train the runs of a program one after the other (map) or side by side (vmap, "
            "equal to about 1e-6); auto (default): side by side on a GPU, unless they have "
            "convolutions",
        ),
    )

    def __post_init__(self) -> None:
        if self.shard == "fsdp" and self.devices == 1:
            raise OptexpError(
                "--shard fsdp divides the states of a run among its devices: add --devices-per-run "
                "D, or leave out --shard fsdp.",
                code="nothing-to-shard",
            )

    @property
    def of_packs(self) -> dict[str, Any]:
        """Fields of `training.pack.Pack` on devices and memory."""
        return {"devices": self.devices, "shard": self.shard, "remat": self.remat}


def command_line_options() -> dict[str, CommandLineOption]:
    """Return field of `RunOptions` -> its command line option."""
    fields = dataclasses.fields(RunOptions)
    return {f.name: f.metadata["option"] for f in fields if "option" in f.metadata}
