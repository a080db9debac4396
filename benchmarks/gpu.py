"""What a GPU does with this library: one command, for the day one is there.

    python -m benchmarks.gpu --out results            ten to fifteen minutes on one GPU
    python -m benchmarks.gpu --out results --tiny     the same programs, tiny, on any machine

Every section runs in a process of its own and ends in its time; what it measured is kept.

- correctness: rows on this device against those of a CPU; the same run again, in packs of other
  sizes, resumed, and side by side.
- deterministic: the latter with --xla_gpu_deterministic_ops.
- sums: the two forms of the sums by class.
- steps: `benchmarks.steps`, all families.
- packs: milliseconds of a step and run, by pack mode and number of runs.
- precision: a GPT step by the precision of its matrix products.
- gpt2: tokens per second and model-FLOP utilisation of GPT-2 small.
- memory: the estimate of a pack against the peak of the device.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.report import markdown

# Seconds that a section may take.
SECTIONS = {
    "correctness": 100,
    "deterministic": 60,
    "sums": 40,
    "packs": 100,
    "precision": 60,
    "steps": 240,
    "memory": 60,
    "gpt2": 240,
}
_DETERMINISTIC = "--xla_gpu_deterministic_ops=true"


def measured(name: str, tiny: bool) -> Iterator[dict[str, Any]]:
    """The entries of a section, as they are measured, in this process."""
    from benchmarks import gpu_sections

    yield from getattr(gpu_sections, name)(tiny)


def versions() -> dict[str, Any]:
    """The card and the versions of what computes."""
    import flax
    import jax
    import jaxlib
    import numpy as np
    import optax

    found = {module.__name__: module.__version__ for module in (jax, jaxlib, flax, optax, np)}
    if find_spec("torch"):
        import torch  # pyright: ignore[reportMissingImports]

        found["torch"] = torch.__version__
    card = jax.devices()[0]
    limit = (card.memory_stats() or {}).get("bytes_limit")
    return {
        "device": card.device_kind,
        "platform": card.platform,
        "python": platform.python_version(),
        "memory_limit": limit,
        "cores": os.cpu_count(),
        **found,
    }


def in_process(name: str, seconds: float, tiny: bool, log: Path, **env: str) -> list[dict]:
    """The entries of a section, from a process of its own; those that it made in its time."""
    arguments = ["--section", name, *(["--tiny"] if tiny else [])]
    command = [sys.executable, "-m", "benchmarks.gpu", *arguments]
    entries: list[dict] = []
    with log.open("a", encoding="utf-8") as errors:
        child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            env=os.environ | env,
        )
        timer = threading.Timer(seconds, child.kill)
        timer.start()
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith("{"):
                entries.append(json.loads(line))
                print(f"  {line.rstrip()[:300]}", flush=True)
        code = child.wait()
        timer.cancel()
    if code:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        why = f"stopped after {seconds:.0f} s" if code < 0 else "".join(last)
        entries.append({"section": name, "ended": code, "why": why})
        print(f"  {name} ended early: {why}", flush=True)
    return entries


def main() -> None:
    """Run the sections, and write one JSON and one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, default=Path("gpu-results"), help="folder")
    parser.add_argument("--only", action="append", choices=list(SECTIONS), help="default: all")
    parser.add_argument("--tiny", action="store_true", help="tiny problems, on any machine")
    parser.add_argument("--limit", type=float, default=1e9, help="most seconds of a section")
    parser.add_argument("--section", help=argparse.SUPPRESS)  # in a process of its own
    args = parser.parse_args()
    if args.section:
        entries = [versions()] if args.section == "versions" else measured(args.section, args.tiny)
        for entry in entries:
            print(json.dumps(entry), flush=True)
        return
    args.out.mkdir(parents=True, exist_ok=True)
    cache = {"JAX_COMPILATION_CACHE_DIR": tempfile.mkdtemp(prefix="compiled-")}
    result: dict[str, Any] = {}
    for name, seconds in {"versions": 60, **SECTIONS}.items():
        if args.only and name not in (*args.only, "versions"):
            continue
        print(f"{name} ...", flush=True)
        began = time.monotonic()
        seconds = min(seconds, args.limit)
        env = dict(cache)
        if name == "deterministic":
            env["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_DETERMINISTIC}"
        result[name] = in_process(name, seconds, args.tiny, args.out / "log.txt", **env)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
        (args.out / "gpu.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (args.out / "gpu.md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))


if __name__ == "__main__":
    main()
