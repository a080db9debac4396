"""Read profiles of resources from TOML files: the package's, overridden by the user's."""

from __future__ import annotations

import dataclasses
import importlib.resources
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from optexp_jax.config import expanded
from optexp_jax.errors import OptexpError
from optexp_jax.schedulers.resources import Resources

DEFAULTS = "defaults"
OWN_FILE = Path("slurm/profiles.toml")


def read_profiles(own: Path | None = None) -> dict[str, dict[str, Any]]:
    """Read the profiles of the package, overridden by the user's file; name -> fields.

    Args:
        own: the user's file; None for `slurm/profiles.toml` if it exists.

    Raises:
        OptexpError: the file does not exist, or is not a file of profiles.
    """
    package = importlib.resources.files("optexp_jax.schedulers") / "profiles.toml"
    profiles = _parsed(package.read_text(encoding="utf-8"), "profiles.toml of the package")
    if own is None and not OWN_FILE.is_file():
        return _flat(profiles, {})
    path = own or OWN_FILE
    try:
        text = expanded(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OptexpError(
            f"The file of profiles {path} cannot be read ({getattr(error, 'strerror', error)}): "
            "name another file with --profiles or OPTEXP_SLURM_PROFILES.",
            code="profiles-unreadable",
            path=path,
            why=getattr(error, "strerror", error),
        ) from error
    return _flat(profiles, _parsed(text, str(path)))


def _parsed(text: str, name: str) -> dict[str, dict[str, Any]]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OptexpError(
            f"The file of profiles {name} is not TOML: {error}.",
            code="profiles-not-toml",
            file=name,
            why=error,
        ) from error
    types = {f.name: str(f.type) for f in dataclasses.fields(Resources)}
    for profile, fields in document.items():
        if not isinstance(fields, dict):
            raise OptexpError(
                f"The file of profiles {name} has '{profile}' outside a [profile].",
                code="outside-of-profile",
                file=name,
                key=profile,
            )
        for key, value in fields.items():
            if key not in types:
                known = ", ".join(types)
                raise OptexpError(
                    f"[{profile}] of {name} has an unknown field '{key}': choose from {known}.",
                    code="unknown-profile-field",
                    file=name,
                    profile=profile,
                    field=key,
                    known=known,
                )
            if not _FITS[types[key].partition("[")[0].partition(" ")[0]](value):
                raise OptexpError(
                    f"[{profile}] of {name}: {key} cannot be {value!r}.",
                    code="profile-field-wrong",
                    file=name,
                    profile=profile,
                    field=key,
                    value=value,
                )
    return document


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: _is_number(value) or value == "auto",
    "tuple": lambda value: isinstance(value, list) and all(isinstance(v, str) for v in value),
}


def _flat(package: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Merge each profile: package defaults, package profile, user defaults, user profile."""
    names = [n for n in dict.fromkeys((*package, *own)) if n != DEFAULTS]
    layers = lambda n: (package.get(DEFAULTS), package.get(n), own.get(DEFAULTS), own.get(n))  # noqa: E731
    return {n: {k: v for layer in layers(n) for k, v in (layer or {}).items()} for n in names}


def resources_of(
    name: str, profiles: Mapping[str, Mapping[str, Any]], changes: Mapping[str, Any]
) -> Resources:
    """Return the resources of a profile, with some fields changed.

    Args:
        name: of the profile.
        profiles: of `read_profiles`.
        changes: fields from the environment and the command line; None means unchanged.

    Raises:
        OptexpError: the profile is unknown, lacks time or memory, or has an impossible value.
    """
    if name not in profiles:
        raise OptexpError(
            f"There is no profile '{name}': choose from {', '.join(profiles)}.",
            code="unknown-profile",
            name=name,
            known=tuple(profiles),
        )
    fields = dict(profiles[name]) | {k: v for k, v in changes.items() if v is not None}
    for needed in ("time", "memory"):
        if needed not in fields:
            raise OptexpError(
                f"The profile '{name}' has no {needed}: add {needed} = \"...\".",
                code="profile-incomplete",
                profile=name,
                field=needed,
            )
    if fields.get("pack") != "auto" and "auto" in fields.values():
        raise OptexpError(
            f"Only pack may be auto in the profile '{name}'.",
            code="only-pack-can-be-auto",
            profile=name,
        )
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    return Resources(**values)
