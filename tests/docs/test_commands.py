"""Every command line that the docs name is one that the programs take."""

import functools
import importlib.util
import re
import subprocess
import sys

import pytest
from doc_pages import ROOT, name_of, pages

EVERY = [*pages(), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md"]
# From the start of a line of code, or within back quotes, up to a comment or the next command.
COMMAND = re.compile(
    r"(?:^(?:    )?(?:\$ )?|`|&& )(?:python -m ([\w.]+)|(optexp))((?: (?! )[^`\n#|&;>]+)?)",
    re.MULTILINE,
)
OTHERS = {"pip", "pytest", "sphinx", "build", "jupyter"}  # programs of other projects
PLACEHOLDERS = {"my_package", "experiments."}
# All modules of experiments share one command line.
ALIKE = {"experiments": "experiments", "experiments.": "experiments.linreg"}


def commands(text):
    """(module, its arguments) of each command line of a page."""
    found = []
    for module, script, rest in COMMAND.findall(text):
        arguments = re.split(r" {3,}", rest)[0].split()  # what follows explains
        if script and arguments[:1] not in (["results"], ["datasets"]):
            continue  # the word alone
        found.append((module or f"optexp_jax.{arguments.pop(0)}", arguments))
    return [(m, a) for m, a in found if m.split(".")[0] not in OTHERS and m not in PLACEHOLDERS]


NAMED = sorted({(m, *a) for path in EVERY for m, a in commands(path.read_text("utf-8"))})
MODULES = sorted({command[0] for command in NAMED})


@functools.cache
def help_of(*command):
    """What a program says of itself."""
    done = subprocess.run(
        [sys.executable, "-m", *command, "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def asked(module, arguments):
    """The program, with its subcommand, whose help names the options."""
    of_packages = ("experiments.small", "experiments.beyond")
    inside = module.startswith("experiments.") and module not in of_packages
    program = ALIKE["experiments."] if inside else module
    has_commands = module in ("optexp_jax.results", "optexp_jax.datasets")
    words = [a for a in arguments if a.isalpha() and a.islower()] if has_commands else []
    return (program, *words[:1])


def options(arguments):
    """The options of a command line, without their values."""
    return [a.split("=")[0].strip("[]'\",.:()") for a in arguments if a.startswith(("--", "[--"))]


def takes(text, option):
    """Whether a help names an option."""
    return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text) is not None


def test_command_lines_are_found():
    lines = ["    python -m a.b list X --c 1   explained", "    $ optexp results list GROUP"]
    assert commands("\n".join([*lines, "`python -m c --d`"])) == [
        ("a.b", ["list", "X", "--c", "1"]),
        ("optexp_jax.results", ["list", "GROUP"]),
        ("c", ["--d"]),
    ]
    assert len(NAMED) > 60


@pytest.mark.parametrize("module", MODULES)
def test_a_module_exists(module):
    assert importlib.util.find_spec(module.rstrip(".")) is not None


@pytest.mark.slow
def test_options_exist():
    unknown = [
        (command, option)
        for command in NAMED
        for option in options(command[1:])
        if not takes(help_of(*asked(command[0], command[1:])), option)
    ]
    assert not unknown
    assert not takes(help_of("experiments.linreg"), "--plo")


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_has_one_title(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    titles = re.findall(r"^# ", text, re.MULTILINE)
    assert len(titles) == (0 if "{include}" in page.read_text("utf-8")[:20] else 1)
