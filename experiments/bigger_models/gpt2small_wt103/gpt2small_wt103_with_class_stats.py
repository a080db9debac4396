"""GPT2-Small on WikiText-103 for 5,000 steps at the best learning rates, with losses by class.

Figure: none; the first third of figure 1.
Command: python -m experiments.bigger_models.gpt2small_wt103.gpt2small_wt103_with_class_stats
         --local
Time: a day for each run on one H100, a third of what the paper gives for 15,000 steps.
Expected: Adam lowers the loss of all groups of words, SGD that of the frequent ones.
"""

from experiments.bigger_models.gpt2small_wt103 import gpt2small_wt103
from experiments.small import small
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {"SGD + momentum": -2, "Adam + momentum": "-9/2", "AdamW + momentum": -4}

experiments = at_best(
    gpt2small_wt103.experiments,
    exponents,
    group="GPT2Small_Wikitext103_Per_Class_Stats_5k_Steps",
    eval_every=100,
    per_class=True,
)
resources = "h100_24h"
wandb_project = "optexp-gpt2"

if __name__ == "__main__":
    main(experiments, resources, small, wandb_project=wandb_project)
