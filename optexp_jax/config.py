"""Settings: the environment, read once by the command line into a frozen value and passed on."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import unicodedata
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from optexp_jax.errors import OptexpError

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_MODES = ("offline", "online")
# Categories of Unicode: control characters, ends of lines and paragraphs, bytes that are no text.
CONTROL = ("Cc", "Zl", "Zp", "Cs")


# What a block of `use_wandb_project` says instead of the environment.
_WANDB: ContextVar[Mapping[str, Any] | None] = ContextVar("wandb", default=None)


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a call: the workspace, wandb and the cluster.

    Args:
        workspace: folder for data sets, results and plots (`OPTEXP_WORKSPACE`).
        wandb_enabled: whether to log runs to wandb (`OPTEXP_WANDB_ENABLED`).
        wandb_mode: `offline` writes under the workspace, `online` sends (`OPTEXP_WANDB_MODE`).
        wandb_project: wandb project (`OPTEXP_WANDB_PROJECT`).
        wandb_entity: wandb user or team, None for the account's default (`OPTEXP_WANDB_ENTITY`).
        slurm_account: account to charge for jobs (`OPTEXP_SLURM_ACCOUNT`).
        slurm_mail: e-mail address for notifications (`OPTEXP_SLURM_NOTIFICATION_EMAIL`).
        slurm_profiles: file with profiles of resources (`OPTEXP_SLURM_PROFILES`).
        wandb_projects: pairs (group, project) for groups with their own wandb project.

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
    wandb_projects: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from the environment; unset and empty variables mean the default.

        Raises:
            OptexpError: a variable has a value that it cannot have.

        >>> Settings.from_env({"OPTEXP_WANDB_ENABLED": "no"}).wandb_enabled
        False
        """
        given = {k: v for k, v in (os.environ if environ is None else environ).items() if v}
        _require_text(given)
        found = cls(
            workspace=_path(given, "OPTEXP_WORKSPACE") or cls.workspace,
            wandb_enabled=_switch(given, "OPTEXP_WANDB_ENABLED", True),
            wandb_mode=_choice(given, "OPTEXP_WANDB_MODE", _MODES),
            wandb_project=given.get("OPTEXP_WANDB_PROJECT", "optexp"),
            wandb_entity=given.get("OPTEXP_WANDB_ENTITY"),
            slurm_account=given.get("OPTEXP_SLURM_ACCOUNT"),
            slurm_mail=given.get("OPTEXP_SLURM_NOTIFICATION_EMAIL"),
            slurm_profiles=_path(given, "OPTEXP_SLURM_PROFILES"),
        )
        return dataclasses.replace(found, **(_WANDB.get() or {}))

    def wandb_home(self, group: str) -> tuple[str, str | None]:
        """The wandb project and entity of a group of experiments.

        >>> Settings(wandb_projects=(("gpt", "large"),)).wandb_home("gpt")
        ('large', None)
        """
        return dict(self.wandb_projects).get(group, self.wandb_project), self.wandb_entity

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


@contextlib.contextmanager
def use_wandb_project(project: str, entity: str | None = None) -> Iterator[None]:
    """Log the runs of the block to a wandb project, instead of that of the environment.

    Args:
        project: name of the wandb project.
        entity: wandb user or team; None for the one in the environment.

    >>> with use_wandb_project("gpt2"):
    ...     Settings.from_env({"OPTEXP_WANDB_PROJECT": "other"}).wandb_project
    'gpt2'
    """
    chosen = {"wandb_project": project} | ({"wandb_entity": entity} if entity else {})
    token = _WANDB.set(chosen)
    try:
        yield
    finally:
        _WANDB.reset(token)


def control_character(text: str) -> str | None:
    """The first character of a text that is none to be seen; None where there is none.

    >>> control_character("two\\nlines"), control_character("one line, naïve")
    ('U+000A', None)
    """
    found = (c for c in text if unicodedata.category(c) in CONTROL)
    return next((f"U+{ord(c):04X}" for c in found), None)


def expanded(path: str | Path) -> Path:
    """A path with `~` and `~user` replaced by the home folder.

    Raises:
        OptexpError: the home folder is unknown.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise OptexpError(
            f"The home folder in {path} is unknown: write the full path instead of ~.",
            code="unknown-home-folder",
            path=path,
        ) from error


def _require_text(given: Mapping[str, str]) -> None:
    for name, value in given.items():
        found = control_character(value) if name.startswith("OPTEXP_") else None
        if found:
            raise OptexpError(
                f"{name} has the character {found}, which paths and scripts cannot have here: "
                "leave it out.",
                code="control-character",
                name=name,
                found=found,
            )


def _path(given: Mapping[str, str], name: str) -> Path | None:
    try:
        return expanded(given[name]) if name in given else None
    except OptexpError as error:
        raise OptexpError(
            f"{name}: {error}", code="unknown-home-folder", name=name, path=given[name]
        ) from error


def _switch(given: Mapping[str, str], name: str, default: bool) -> bool:
    value = given.get(name)
    if value is None:
        return default
    if value.lower() not in _TRUE + _FALSE:
        raise OptexpError(
            f"{name} is '{value}': set it to true or false.",
            code="not-a-switch",
            name=name,
            value=value,
        )
    return value.lower() in _TRUE


def _choice(given: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = given.get(name, choices[0]).lower()
    if value not in choices:
        raise OptexpError(
            f"{name} is '{given[name]}': set it to {' or '.join(choices)}.",
            code="not-a-choice",
            field=name,
            value=given[name],
            choices=choices,
        )
    return value
