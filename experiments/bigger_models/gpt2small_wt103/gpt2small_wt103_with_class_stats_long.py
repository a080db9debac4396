"""GPT2-Small on WikiText-103 for 15,000 steps at the best learning rates, with losses by class.

Parameters are kept at steps 0, 1, 5, 10, 50 and 100, for the gradients and Hessians of its last
layer.

Figure: 1, 8, 11, 28
Command: python -m experiments.bigger_models.gpt2small_wt103.gpt2small_wt103_with_class_stats_long
         --local
Time: 3 days for each run on one H100.
Expected: after 15,000 steps SGD has the rarest tenth of the text above its loss at the start, 10.8;
Adam has every tenth below it.
"""

from experiments.bigger_models.gpt2small_wt103.gpt2small_wt103_with_class_stats import (
    experiments as short,
)
from experiments.small import small
from optexp_jax.cli import main
from optexp_jax.grid import replace_all

experiments = replace_all(
    short,
    group="GPT2Small_Wikitext103_Per_Class_Stats_15k_Steps",
    steps=15_000,
    keep_steps=(0, 1, 5, 10, 50, 100),
)
resources = "h100_24h"
wandb_project = "optexp-gpt2"

if __name__ == "__main__":
    main(experiments, resources, small, wandb_project=wandb_project)
