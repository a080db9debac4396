"""What a GPU does with this library: one command, for the day one is there.

    python -m benchmarks.gpu --out results               ten minutes on one GPU
    python -m benchmarks.gpu --out results --tiny        the same programs, tiny, on any machine
    python -m benchmarks.gpu --only gpt2 --only steps/cnn    some sections, in this order

Every section runs in a process of its own and ends in its time; what it measured is kept. The next
one imports its libraries meanwhile. After --minutes no section begins, and those left are printed.
A folder keeps what was measured in it before, by the same card and versions.

- correctness: rows on this device against those of a CPU; the same run again, in packs of other
  sizes, resumed, and side by side.
- deterministic: the latter with --xla_gpu_deterministic_ops.
- sums: the two forms of the sums by class.
- gpt2/PRECISION: tokens per second and model-FLOP utilisation of GPT-2 small.
- steps/FAMILY: `benchmarks.steps`, and the estimated memory against the peak of the device.
- compiled/FAMILY: PyTorch with and without `torch.compile`.
- packs/FAMILY: milliseconds of a step and run, by pack mode and number of runs.
- precision: a GPT step by the precision of its matrix products.
"""

from __future__ import annotations

import argparse
import contextlib
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

_SMALL = ("linear", "softmax7", "softmax8", "softmax9")
_LARGE = ("cnn", "resnet18", "vit", "transformer1", "ptb", "gpt", "gpt2")
# Seconds that a section may take; what matters most comes first.
SECTIONS = {
    "correctness": 100,
    **{f"steps/{family}": 100 for family in (*_SMALL, *_LARGE)},
    "gpt2/bfloat16": 150,
    **{f"packs/{family}": 60 for family in ("transformer1", "softmax7", "linear")},
    "precision": 80,
    "deterministic": 60,
    "sums": 40,
    **{f"gpt2/{kind}": 150 for kind in ("tf32", "float32")},
    **{f"compiled/{family}": 60 for family in ("softmax7", "vit", "gpt")},
}
_LEAST = 15  # seconds in which a section measures something
_DETERMINISTIC = "--xla_gpu_deterministic_ops=true"


def measured(section: str, tiny: bool) -> Iterator[dict[str, Any]]:
    """The entries of a section, as they are measured, in this process."""
    from benchmarks import gpu_sections

    name, _, part = section.partition("/")
    if not sys.stdin.readline():  # wait for our turn, which never comes if our parent has ended
        return
    if name == "versions":
        yield versions()
    else:
        yield from getattr(gpu_sections, name)(tiny, *([part] if part else []))


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


def begun(name: str, tiny: bool, logs: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    """A process that imports what a section needs, and waits for a line to measure it."""
    command = [sys.executable, "-m", "benchmarks.gpu", "--section", name]
    if name == "deterministic":
        env = env | {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {_DETERMINISTIC}"}
    with (logs / f"{name.replace('/', '-')}.log").open("w", encoding="utf-8") as log:
        return subprocess.Popen(
            [*command, *(["--tiny"] if tiny else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
            env=os.environ | env,
        )


def entries_of(child: subprocess.Popen[str], name: str, seconds: float) -> list[dict[str, Any]]:
    """The entries of a section, from its process; those that it made in its time."""
    entries: list[dict[str, Any]] = []
    timer = threading.Timer(seconds, child.kill)
    timer.start()
    assert child.stdin is not None
    assert child.stdout is not None
    with contextlib.suppress(BrokenPipeError):  # of a child that failed: its code says so
        child.stdin.write("go\n")
        child.stdin.close()
    for line in child.stdout:
        if line.startswith("{"):
            entries.append(json.loads(line))
            print(f"  {line.rstrip()[:400]}", flush=True)
    code = child.wait()
    timer.cancel()
    if code:
        why = f"stopped after {seconds:.0f} s" if code < 0 else "failed, see its log"
        entries.append({"section": name, "ended": code, "why": why})
        print(f"  {name} ended early: {why}", flush=True)
    return entries


def with_earlier(result: dict[str, Any], folder: Path, tiny: bool) -> dict[str, Any]:
    """Add what was measured in a folder before to a result that has the versions only.

    Raises:
        SystemExit: those were of another card, other versions, or other sizes.
    """
    (found,) = result["versions"]
    found["tiny"] = tiny
    file = folder / "gpu.json"
    if not file.exists():
        return result
    earlier = json.loads(file.read_text(encoding="utf-8"))
    before = earlier.get("versions", [{}])[0]
    if changed := [key for key in found if before.get(key) != found[key] and key != "memory_limit"]:
        told = ", ".join(f"{key} {before.get(key)} and not {found[key]}" for key in changed)
        sys.exit(f"{file} was measured with {told}: take another folder.")
    return earlier | result


def chosen(only: list[str] | None) -> list[str]:
    """The sections asked for, in that order; all of a kind if only the kind is named."""
    if not only:
        return list(SECTIONS)
    found = [[name for name in SECTIONS if asked in (name, name.split("/")[0])] for asked in only]
    if unknown := [asked for asked, names in zip(only, found, strict=True) if not names]:
        sys.exit(f"No section {', '.join(unknown)}: take one of {', '.join(SECTIONS)}.")
    return [name for names in found for name in names]


def main() -> None:
    """Run the sections, and write one JSON and one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, default=Path("gpu-results"), help="folder")
    parser.add_argument("--only", action="append", help="a section, or all of a kind: steps")
    parser.add_argument("--tiny", action="store_true", help="tiny problems, on any machine")
    parser.add_argument("--minutes", type=float, default=10.0, help="of all sections, default: 10")
    parser.add_argument("--limit", type=float, default=1e9, help="most seconds of a section")
    parser.add_argument("--section", help=argparse.SUPPRESS)  # in a process of its own
    args = parser.parse_args()
    if args.section:
        for entry in measured(args.section, args.tiny):
            print(json.dumps(entry), flush=True)
        return
    logs = args.out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    env = {"JAX_COMPILATION_CACHE_DIR": tempfile.mkdtemp(prefix="compiled-")}
    deadline = time.monotonic() + 60 * args.minutes
    left = ["versions", *chosen(args.only)]
    result: dict[str, Any] = {}
    following = begun(left[0], args.tiny, logs, env)
    while left and (seconds := deadline - time.monotonic()) > _LEAST:
        child, name = following, left.pop(0)
        print(f"{name} ...", flush=True)
        start = time.monotonic()
        if left:
            following = begun(left[0], args.tiny, logs, env)
        limit = min(SECTIONS.get(name, 60), args.limit, seconds)
        result[name] = entries_of(child, name, limit)
        if name == "versions":
            result = with_earlier(result, args.out, args.tiny)
        print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
        (args.out / "gpu.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (args.out / "gpu.md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))
    if left:
        following.kill()
        tiny = " --tiny" if args.tiny else ""
        print(f"No time was left for: --out {args.out}{tiny} --only {' --only '.join(left)}")


if __name__ == "__main__":
    main()
