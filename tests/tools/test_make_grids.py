"""Grids, requests and hashes of the paper's code, from an inventory of it."""

import json

from tools.make_grids import grids_text, profiles_text, release_ids_text

SQRT = "toy_models.balanced_x_class_weighted_sqrt_perclass"
INVENTORY = [
    {
        "module": SQRT,
        "slurm": {"time": "0-3:00", "mem": "8000M", "cpus": 1, "gpu": "v100l", "n_gpu": 1},
        "parts": [
            {
                "group": "g",
                "epochs": 500,
                "problem": {
                    "loss": {"name": "WeightedCrossEntropy", "weights": "1/sqrt(class count)"},
                    "per_class_stats": False,
                    "model": {"class": "MLP"},
                    "dataset": {"name": "balanced_x_imbalanced_y", "class": "Any"},
                },
                "grid": [{"optimizer": "Adam", "beta1": 0.9,
                          "seeds_by_learning_rate": {"10^-4": [0, 1]}}],
            }
        ],
    }
]  # fmt: skip


def test_a_part_is_put_into_our_words_and_repaired():
    ((name, (part,)),) = json.loads(grids_text(INVENTORY)).items()
    assert name == SQRT
    assert part == {
        "group": "g", "epochs": 500, "steps": None, "eval_every": 1, "per_class": True,
        "model": "Linear", "dataset": "RandomHeavyTailedLabels", "power": 0.5,
        "grid": [{"optimizer": "Adam", "momentum": 0.9, "seeds": {"10^-4": [0, 1]}}],
    }  # fmt: skip


def test_a_request_is_named_by_its_gpu_and_its_hours():
    assert json.loads(profiles_text(INVENTORY)) == {"v100_3h": INVENTORY[0]["slurm"]}


def test_hashes_are_sorted_and_named_by_group():
    table = (
        "release_id,module,group,optimizer,learning_rate,momentum_or_beta1,seed\n"
        "cc,b,h,SGD,10^0,0.0,0\n"
        "aa,vision.barcoded.mnist_and_barcoded_reweighted,any,SGD,10^0,0.9,1\n"
    )
    assert release_ids_text(table).splitlines() == [
        "group,optimizer,learning_rate,momentum,seed,release_id",
        "SimpleCNN_MNISTBarcoded_FB_normalized_v2_reweighted,SGD,10^0,0.9,1,aa",
        "h,SGD,10^0,0,0,cc",
    ]
