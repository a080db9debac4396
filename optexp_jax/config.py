"""Settings: the environment, read once by the command line into a frozen value and passed on."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from optexp_jax.errors import OptexpError

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_MODES = ("offline", "online")


@dataclasses.dataclass(frozen=True)
class Settings:
    """Where results go and whether wandb mirrors them.

    Args:
        workspace: folder of data sets, results and plots (`OPTEXP_WORKSPACE`).
        wandb_enabled: whether runs are mirrored to wandb (`OPTEXP_WANDB_ENABLED`).
        wandb_mode: `offline` writes under the workspace, `online` sends (`OPTEXP_WANDB_MODE`).
        wandb_project: wandb project (`OPTEXP_WANDB_PROJECT`).
        wandb_entity: wandb user or team, None for the account's default (`OPTEXP_WANDB_ENTITY`).
        slurm_account: who pays for jobs (`OPTEXP_SLURM_ACCOUNT`).
        slurm_mail: who is told how jobs end (`OPTEXP_SLURM_NOTIFICATION_EMAIL`).
        slurm_profiles: file of resources (`OPTEXP_SLURM_PROFILES`).

    >>> Settings().workspace
    PosixPath('workspace')
    """

    workspace: Path = Path("workspace")
    wandb_enabled: bool = True
    wandb_mode: str = "offline"
    wandb_project: str = "optexp"
    wandb_entity: str | None = None
    slurm_account: str | None = None
    slurm_mail: str | None = None
    slurm_profiles: Path | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings that the environment names; unset and empty variables mean the default.

        Raises:
            OptexpError: a variable has a value that it cannot have.

        >>> Settings.from_env({"OPTEXP_WANDB_ENABLED": "no"}).wandb_enabled
        False
        """
        given = {k: v for k, v in (os.environ if environ is None else environ).items() if v}
        profiles = given.get("OPTEXP_SLURM_PROFILES")
        return cls(
            workspace=Path(given.get("OPTEXP_WORKSPACE", "workspace")).expanduser(),
            wandb_enabled=_switch(given, "OPTEXP_WANDB_ENABLED", True),
            wandb_mode=_choice(given, "OPTEXP_WANDB_MODE", _MODES),
            wandb_project=given.get("OPTEXP_WANDB_PROJECT", "optexp"),
            wandb_entity=given.get("OPTEXP_WANDB_ENTITY"),
            slurm_account=given.get("OPTEXP_SLURM_ACCOUNT"),
            slurm_mail=given.get("OPTEXP_SLURM_NOTIFICATION_EMAIL"),
            slurm_profiles=Path(profiles).expanduser() if profiles else None,
        )

    def as_environment(self) -> dict[str, str]:
        """The variables that give these settings to a process elsewhere.

        >>> Settings(Path("/scratch"), wandb_enabled=False).as_environment()
        {'OPTEXP_WORKSPACE': '/scratch', 'OPTEXP_WANDB_ENABLED': 'false'}
        """
        found = {"OPTEXP_WORKSPACE": str(self.workspace.absolute())}
        if not self.wandb_enabled:
            return found | {"OPTEXP_WANDB_ENABLED": "false"}
        found |= {"OPTEXP_WANDB_MODE": self.wandb_mode, "OPTEXP_WANDB_PROJECT": self.wandb_project}
        return found | ({"OPTEXP_WANDB_ENTITY": self.wandb_entity} if self.wandb_entity else {})


def _switch(given: Mapping[str, str], name: str, default: bool) -> bool:
    value = given.get(name)
    if value is None:
        return default
    if value.lower() not in _TRUE + _FALSE:
        raise OptexpError(f"{name} is '{value}': set it to true or false.")
    return value.lower() in _TRUE


def _choice(given: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = given.get(name, choices[0]).lower()
    if value not in choices:
        raise OptexpError(f"{name} is '{given[name]}': set it to {' or '.join(choices)}.")
    return value
