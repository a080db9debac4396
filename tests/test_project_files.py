"""Files for people and services around the code say what is true of it."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from optexp_jax.version import VERSION
from tools import release

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
YAML = [*ROOT.glob(".github/**/*.yml"), ROOT / "CITATION.cff", ROOT / ".pre-commit-config.yaml"]


def sessions():
    """Names of nox sessions, with those of each Python."""
    text = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    names = set(re.findall(r"^def (\w+)\(session", text, re.MULTILINE))
    return names | {f"tests-{version}" for version in ("3.11", "3.12", "3.13")}


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_yaml_is_read(path):
    assert yaml.safe_load(path.read_text(encoding="utf-8"))


def test_versions_agree():
    assert PROJECT["version"] == VERSION


def test_locked_versions_are_those_that_are_allowed():
    dependencies = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["run"]]
    wanted = {r.name: r.specifier for r in map(Requirement, dependencies) if r.name != "optexp-jax"}
    for file in sorted((ROOT / "requirements").glob("*.txt")):
        lines = file.read_text(encoding="utf-8").splitlines()
        held = {r.name: r for line in lines if "==" in line for r in [Requirement(line)]}
        for name, specifier in wanted.items():
            (pinned,) = held[name].specifier
            assert pinned.version in specifier, (file.name, name)
            if file.name.startswith("lowest"):
                lower = next(s.version for s in specifier if s.operator == ">=")
                assert Version(pinned.version) == Version(lower), (file.name, name)


def test_workflows_run_sessions_that_exist():
    checks = yaml.safe_load((ROOT / ".github/workflows/checks.yml").read_text(encoding="utf-8"))
    asked = set(checks["jobs"]["check"]["strategy"]["matrix"]["session"])
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    asked |= set(re.findall(r"nox -s (\w+)", text))
    assert asked <= sessions()


def test_contributors_are_told_of_what_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name in re.findall(
        r"`((?:optexp_jax|optim|datasets|models|losses|tests|docs|plots)/[\w/.]+)`", text
    ):
        assert (ROOT / name).exists() or (ROOT / "optexp_jax" / name).exists(), name
    rooms = {
        path.name for path in (ROOT / "optexp_jax").iterdir() if (path / "__init__.py").exists()
    }
    assert not [room for room in rooms - {"launch"} if f"{room}/" not in text]


def test_both_citations_name_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    zenodo = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
    (identifier,) = citation["preferred-citation"]["identifiers"]
    assert identifier["value"] == zenodo["related_identifiers"][0]["identifier"]
    assert citation["license"] == zenodo["license"] == PROJECT["license"]


@pytest.mark.parametrize("name", ["Dockerfile", "optexp.def"])
def test_containers_install_an_extra_that_exists(name):
    text = (ROOT / "containers" / name).read_text(encoding="utf-8")
    assert re.findall(r"\[(run|\w+)\]'", text)[-1] in PROJECT["optional-dependencies"]
    version = re.search(r"python:(\d\.\d+)-slim", text)[1]
    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]


GOOD = (
    "# Changelog\n\n## 1.2.3 (2026-01-02)\n\nDo numbers change? **No.**\n\n## 1.2.2 (2025-01-01)\n"
)


@pytest.mark.parametrize(
    ("changelog", "tag", "found"),
    [
        (GOOD, None, []),
        (GOOD, "v1.2.3", []),
        (GOOD, "v1.2.4", ["tag"]),
        (GOOD.replace("2026-01-02", "unreleased"), None, ["heading"]),
        (GOOD.replace("Do numbers", "Do ids"), "v1.2.3", ["numbers change"]),
        ("# Changelog\n", None, ["heading", "numbers change"]),
    ],
)
def test_what_stands_against_a_release(tmp_path, changelog, tag, found):
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text(changelog)
    said = release.problems(tmp_path, tag)
    assert len(said) == len(found)
    assert all(word in sentence for word, sentence in zip(found, said, strict=True))
