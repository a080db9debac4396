"""`python -m tools.reference`: compare the files of `tests/reference`, or write them again."""

from __future__ import annotations

import argparse
import functools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tools.reference import losses, models, newer_optimizers, optimizers
from tools.reference.groups import groups
from tools.reference.losses import Arrays

FOLDER = Path(__file__).parents[2] / "tests" / "reference"
GROUPS = "frequency_groups.json"
FILES: dict[str, Callable[[Arrays], Arrays]] = {
    "losses.npz": losses.recomputed,
    "optimizers_linear_softmax.npz": optimizers.recomputed,
    "newer_optimizers.npz": newer_optimizers.recomputed,
    **{
        f"model_{name}.npz": functools.partial(models.recomputed, model=model)
        for name, model in models.MODELS.items()
    },
}


def read(path: Path) -> Arrays:
    """The arrays of a file, by name."""
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def difference(found: Arrays, expected: Arrays) -> float:
    """The largest difference, in units of the largest entry of its array (at least 10^-3)."""
    worst = 0.0
    for name, array in expected.items():
        if array.dtype.kind != "f":
            worst = worst if np.array_equal(found[name], array) else np.inf
            continue
        # Some gradients are zero but for rounding.
        scale = max(np.nanmax(np.abs(array)), 1e-3)
        worst = max(worst, float(np.nanmax(np.abs(found[name] - array)) / scale))
        if not np.array_equal(np.isnan(found[name]), np.isnan(array)):
            worst = np.inf
    return worst


def regrouped(cases: list[dict[str, object]]) -> list[dict[str, object]]:
    """The cases of groups, from their counts."""
    return [case | {"groups": groups(case["class_counts"], case["n_splits"])} for case in cases]  # pyright: ignore[reportArgumentType]


def main() -> None:
    """Compare every file to what is computed from its inputs, and write that if asked to."""
    parser = argparse.ArgumentParser(prog="python -m tools.reference", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the files")
    parser.add_argument("--write", action="store_true", help="replace the files")
    args = parser.parse_args()
    for name, recomputed in FILES.items():
        data = read(args.folder / name)
        found = recomputed(data)
        print(f"{name}: largest difference {difference(found, data):.1e}")
        if args.write:
            np.savez_compressed(args.folder / name, allow_pickle=False, **found)
    path = args.folder / GROUPS
    cases = json.loads(path.read_text(encoding="utf-8"))
    print(f"{GROUPS}: {'the same' if regrouped(cases) == cases else 'different'}")
    if args.write:
        path.write_text(json.dumps(regrouped(cases)), encoding="utf-8")


if __name__ == "__main__":
    main()
