"""Find secrets in lines of shell, since others may read scripts and logs."""

from __future__ import annotations

import re
from collections.abc import Iterator

# A value that quotes end, or a blank.
_BARE = r"(?:\$\([^)]*\)|\$\{[^}]*\}|`[^`]*`|[^\s;&|<>(){}'\"`,])+"
_VALUE = rf"""(?P<value>"(?:\$\([^)]*\)|[^"])*"|'[^']*'|{_BARE})"""
# A variable, what a command prints, a file; an empty value.
_FROM = r"(?:\$\w+|\$\{\w+(?::?[-=?+])?\}|\$\(.*\)|`.*`)"
_ELSEWHERE = re.compile(rf"{_FROM}?|{_FROM}?/[\w./-]*|(?:~|\.\.?)/[\w./-]*|/\w[\w.-]*/[\w./-]*")
_PLAIN = re.compile(r"[0-9]{1,3}|true|false|yes|no|none", re.IGNORECASE)

# Matches may overlap, as a value may be a command of its own.
_NAMED = re.compile(
    rf"""(?=(?<![\w$-])(?<!\$\{{)(?P<name>[a-z_][\w-]*)["']?\s*[:=]\s*{_VALUE})""", re.IGNORECASE
)
_OPTION = re.compile(rf"(?=(?<![\w-])(?P<name>--?[a-z][\w-]*)(?:\s+(?!-)|\s*=\s*){_VALUE})", re.I)
_SETENV = re.compile(rf"\bsetenv\s+(?P<name>\w+)\s+{_VALUE}")
_NAME = re.compile(
    r"SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|TOKEN(?!IZ|S)|KEY\d*(?![A-Z\d])|PWD|"
    r"(?<![A-Z])PASS\d*(?![A-Z\d])"
)
_NO_SECRET = re.compile(r"(FILE|PATH|DIR|STDIN|COMMAND|CMD|SIZE|LENGTH)$")

_OTHERS = {
    "a header": re.compile(
        rf"""\bauthorization["']?\s*[:=]\s*["']?(?:\w+\s+)?(?P<value>{_BARE})""", re.IGNORECASE
    ),
    "curl": re.compile(rf"""\bcurl\b.*?\s(?:-\w*?u|--[\w-]*user)[\s=]*["']?[^\s"':]*:{_VALUE}"""),
    "an address": re.compile(r"""://[^\s/:@'"]*:(?P<value>[^\s/@'"]+)@"""),
    "sshpass": re.compile(rf"\bsshpass\s+-p\s*{_VALUE}"),
    "login": re.compile(rf"\blogin\b[^;&|]*<<<\s*{_VALUE}"),
    "what is piped": re.compile(
        rf"\b(?:echo|printf)\s+(?:-\w+\s+)*{_VALUE}\s*\|.*(?:\blogin\b|--[\w-]*stdin|\bsudo\s+-S)"
    ),
    "a token": re.compile(
        r"(?<![a-zA-Z0-9])(?P<value>(?:gh[oprsu]|github_pat|wandb_v1)_\w{16,}|hf_[a-zA-Z0-9]{16,}|"
        r"(?:sk|glpat|xox[abprs])-[\w-]{16,}|AKIA[0-9A-Z]{16}|eyJ[\w-]+\.eyJ[\w.-]+)"
    ),
    "a private key": re.compile(r"(?P<value>BEGIN [A-Z ]*PRIVATE KEY)"),
}
_WANDB = re.compile(r"\bwandb\s+login\b(?P<rest>(?:[^;&|#]|(?<=\S)#)*)")
_NO_KEY = re.compile(r"--host[\s=]+\S+|(?<!\S)-\S+|<\s*[^\s<]+|>+\s*\S+")


def secret_in(line: str) -> str | None:
    """Name what looks like a secret in a shell line, without its value; None for no secret.

    A variable, a file, and what a command prints are no secrets.

    >>> secret_in("export WANDB_API_KEY=0123abcd"), secret_in("wandb login 0123abcd")
    ('WANDB_API_KEY', 'wandb login')
    >>> secret_in("export WANDB_API_KEY=$(cat ~/.wandb_key)")
    """
    return next(_secrets(line), None)


def _secrets(line: str) -> Iterator[str]:
    for pattern in (_NAMED, _OPTION, _SETENV):
        for match in pattern.finditer(line):
            if _names_a_secret(match["name"]) and _is_literal(match["value"]):
                yield match["name"]
    for what, pattern in _OTHERS.items():
        if any(_is_literal(match["value"]) for match in pattern.finditer(line)):
            yield what
    for match in _WANDB.finditer(line):
        if any(map(_is_literal, _NO_KEY.sub(" ", match["rest"]).split())):
            yield "wandb login"


def _names_a_secret(name: str) -> bool:
    """Check whether the name of a variable, field or option is that of a secret."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper().strip("-")
    return bool(_NAME.search(words)) and not _NO_SECRET.search(words)


def _is_literal(value: str) -> bool:
    """Check whether the line itself contains the value."""
    bare = value.strip("\"'")
    return not (_ELSEWHERE.fullmatch(bare) or _PLAIN.fullmatch(bare))
