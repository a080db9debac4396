"""Is this checkout ready for a release? `python -m tools.release [--check TAG]` says.

It changes nothing and sends nothing; `docs/releasing.md` has the steps.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def problems(root: Path, tag: str | None = None) -> list[str]:
    """What stands against a release, one sentence each.

    Args:
        root: of the checkout.
        tag: that is to be released, None for that of the version of the code.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["version"]
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(r"^## (.*)$", changelog, re.MULTILINE)
    newest = heading[1] if heading else ""
    found = []
    if not _VERSION.fullmatch(version):
        found.append(f"The version {version} is not of the form 1.2.3: mend pyproject.toml.")
    if tag is not None and tag != f"v{version}":
        found.append(f"The tag {tag} is not v{version}: tag the version of pyproject.toml.")
    if not re.fullmatch(rf"{re.escape(version)} \(\d{{4}}-\d{{2}}-\d{{2}}\)", newest):
        found.append(
            f"The newest heading of CHANGELOG.md is '{newest}': write '{version} (YYYY-MM-DD)'."
        )
    section = changelog[heading.end() :] if heading else ""
    if "Do numbers change?" not in section.partition("\n## ")[0]:
        found.append(f"CHANGELOG.md does not say for {version} whether numbers change: add it.")
    return found


def changed_files(root: Path) -> list[str]:
    """Files that differ from the last commit."""
    command = ["git", "-C", str(root), "status", "--porcelain"]
    return subprocess.run(
        command, check=True, capture_output=True, encoding="utf-8"
    ).stdout.splitlines()


def main() -> None:
    """Print what is missing; exit code 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", metavar="TAG", help="the tag that is to be released")
    args = parser.parse_args()
    found = problems(ROOT, args.check)
    if changed_files(ROOT):
        found.append("Some files are not committed: commit them first.")
    print("\n".join(found or ["Ready: build it with `nox -s release`, then tag it."]))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
