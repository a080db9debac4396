"""Write what the tests know of the paper's experiments, from an inventory of the paper's code.

The inventory lists the modules of that code as its own Python objects have them: for each its
SLURM request and its parts, which are a group, a length, a problem and a grid of learning rates and
seeds; a table beside it has the hash that the code gives to each run. Here both are put into the
words of this library.

Command: python -m tools.make_grids INVENTORY.json [RELEASE_IDS.csv]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GRIDS = ROOT / "tests" / "reference" / "grids.json"
PROFILES = ROOT / "tests" / "schedulers" / "paper_profiles.json"
RELEASE_IDS = ROOT / "optexp_jax" / "results" / "release_ids.csv.gz"

Json = dict[str, Any]
_MODELS = {
    "MLP": "Linear",  # without hidden layers
    "SimpleMNISTCNN": "CNN",
    "TransformerModel": "Transformer",
    "FreezableTransformerModel": "Transformer",
    "GPTModel": "GPT",
}
_DATASETS = {"MNISTBarcodeOnly": "BarcodedMNIST", "MNISTAndBarcode": "BarcodedMNIST"}
_POWERS = {"1/class count": 1.0, "1/sqrt(class count)": 0.5}
_COLUMNS = ("group", "optimizer", "learning_rate", "momentum_or_beta1", "seed", "release_id")
# Mistakes of the paper's code that are repaired here (docs/differences.md): a group that records no
# losses by class, and one with the name of another.
_REPAIRED: dict[str, Json] = {
    "toy_models.balanced_x_class_weighted_sqrt_perclass": {"per_class": True},
    "vision.barcoded.mnist_and_barcoded_reweighted": {
        "group": "SimpleCNN_MNISTBarcoded_FB_normalized_v2_reweighted"
    },
}


def part_of(part: Json, module: str) -> Json:
    """A part of a module: what its runs have in common, and their grid."""
    problem = part["problem"]
    found = {
        "group": part["group"],
        "epochs": part["epochs"],
        "steps": part.get("steps"),
        "eval_every": part.get("eval_every", 1),
        "per_class": problem["per_class_stats"],
        "model": _MODELS[problem["model"]["class"]],
        "dataset": _dataset(problem["dataset"]),
        "power": _POWERS.get(problem["loss"].get("weights")),
        "grid": [_grid(entry) for entry in part["grid"]],
    }
    return found | _REPAIRED.get(module, {})


def _dataset(dataset: Json) -> str:
    if dataset["name"].startswith("balanced_x_imbalanced_y"):
        return "RandomHeavyTailedLabels"
    return _DATASETS.get(dataset["class"]) or dataset["name"]


def _grid(entry: Json) -> Json:
    return {
        "optimizer": entry["optimizer"],
        "momentum": entry.get("momentum", entry.get("beta1", 0.0)),
        "seeds": entry["seeds_by_learning_rate"],
    }


def profile_of(slurm: Json) -> tuple[str, Json]:
    """A request under the name that it has here, such as `p100_12h`."""
    hours = int(slurm["time"].removeprefix("0-").partition(":")[0])
    return f"{slurm['gpu'].removesuffix('l')}_{hours}h", slurm


def grids_text(inventory: list[Json]) -> str:
    """The file of grids, a part in a line."""
    modules = []
    for module in inventory:
        name = module["module"]
        parts = [json.dumps(part_of(p, name), separators=(",", ":")) for p in module["parts"]]
        modules.append(f'"{name}": [\n ' + ",\n ".join(parts) + "]")
    return "{\n" + ",\n".join(modules) + "\n}\n"


def profiles_text(inventory: list[Json]) -> str:
    """The file of requests, by name."""
    profiles = dict(profile_of(module["slurm"]) for module in inventory)
    return json.dumps(profiles, indent=1, sort_keys=True)


def release_ids_text(table: str) -> str:
    """The table of hashes by group and not by module, sorted."""
    rows = [row | _REPAIRED.get(row["module"], {}) for row in csv.DictReader(io.StringIO(table))]
    new = io.StringIO(newline="")
    writer = csv.writer(new, lineterminator="\n")
    writer.writerow([name.removesuffix("_or_beta1") for name in _COLUMNS])
    writer.writerows(sorted(_cells(row) for row in rows))
    return new.getvalue()


def _cells(row: dict[str, str]) -> list[str]:
    return [f"{float(row[n]):g}" if n.startswith("momentum") else row[n] for n in _COLUMNS]


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_grids", description=__doc__)
    parser.add_argument("inventory", type=Path)
    parser.add_argument("release_ids", type=Path, nargs="?")
    args = parser.parse_args()
    inventory = json.loads(args.inventory.read_text(encoding="utf-8"))
    GRIDS.write_text(grids_text(inventory), encoding="utf-8")
    PROFILES.write_text(profiles_text(inventory), encoding="utf-8")
    if args.release_ids:
        table = release_ids_text(args.release_ids.read_text(encoding="utf-8"))
        RELEASE_IDS.write_bytes(gzip.compress(table.encode(), mtime=0))


if __name__ == "__main__":
    main()
