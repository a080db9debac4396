"""What `benchmarks.steps` and `benchmarks/on_gpu.sh` write for programs that read it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.steps import measure

ROOT = Path(__file__).parents[2]
FIELDS = {
    "family", "ours_ms", "lean_ms", "torch_ms", "torch_compile_ms",
    "ours_over_lean", "torch_over_ours", "rounds", "device",
}  # fmt: skip


@pytest.mark.slow
def test_an_entry_has_the_fields_that_are_promised():
    entry = measure("softmax7", "tiny", ["ours", "lean"], seconds=0.01, rounds=2)
    assert set(entry) >= FIELDS
    assert entry["torch_ms"] is entry["torch_compile_ms"] is entry["torch_over_ours"] is None
    assert entry["ours_ms"] > 0 < entry["lean_ms"]
    assert entry["loss"]["ours"] == pytest.approx(entry["loss"]["lean"], rel=1e-5)


@pytest.mark.slow
def test_what_measures_a_gpu_runs_on_any_machine(tmp_path):
    command = ["benchmarks/on_gpu.sh", str(tmp_path), "--tiny"]
    env = os.environ | {"PYTHON": sys.executable}
    for section in ("sums", "steps/softmax7"):
        subprocess.run([*command, "--only", section], cwd=ROOT, env=env, check=True)
    result = json.loads((tmp_path / "gpu.json").read_text())
    assert set(result) == {"versions", "sums", "steps/softmax7"}
    assert not any("ended" in entry for entries in result.values() for entry in entries)
    assert (tmp_path / "gpu.md").read_text()
