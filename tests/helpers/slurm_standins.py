"""Programs that stand in for SLURM's, on the path of a test; each call is written down."""

import json
import os
import stat
import sys
from pathlib import Path

SCRIPT = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
name = pathlib.Path(sys.argv[0]).name
with open(folder / "calls.jsonl", "a") as log:
    log.write(json.dumps([name, *sys.argv[1:]]) + "\\n")
answer = json.loads((folder / "answers.json").read_text()).get(name, ["", "", 0])
if name == "sbatch" and answer[0] == "count":
    answer[0] = str(sum(1 for line in open(folder / "calls.jsonl") if '"sbatch"' in line))
sys.stdout.write(answer[0])
sys.stderr.write(answer[1])
sys.exit(answer[2])
"""
NAMES = ("sbatch", "squeue", "sacct", "scontrol", "scancel")


class Slurm:
    """A folder of programs.

    Args:
        folder: for them, and for what they were called with.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in NAMES:
            path = folder / name
            path.write_text(SCRIPT.format(python=sys.executable, folder=str(folder)))
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        (folder / "calls.jsonl").touch()
        self._answers = {
            "sbatch": ["count", "", 0],
            "scontrol": ["MaxArraySize            = 1001\n", "", 0],
            "sacct": ["", "error: Slurm accounting storage is disabled\n", 1],
        }
        self._write()

    def answer(self, name: str, out: str = "", error: str = "", code: int = 0) -> None:
        """What a program answers from now on."""
        self._answers[name] = [out, error, code]
        self._write()

    def remove(self, name: str) -> None:
        """Take a program away."""
        (self.folder / name).unlink()

    def calls(self, name: str) -> list[list[str]]:
        """The arguments of every call of a program."""
        lines = (self.folder / "calls.jsonl").read_text().splitlines()
        return [call[1:] for call in map(json.loads, lines) if call[0] == name]

    @property
    def path(self) -> str:
        """A value of PATH that finds these programs, and no other SLURM."""
        return os.pathsep.join([str(self.folder), str(Path(sys.executable).parent)])

    def _write(self) -> None:
        (self.folder / "answers.json").write_text(json.dumps(self._answers))
