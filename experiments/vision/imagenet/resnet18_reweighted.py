"""ResNet-18 on Heavy-Tailed ImageNet with weights 1/π and 1/√π, one group each.

Figure: 25
Command: python -m experiments.vision.imagenet.resnet18_reweighted --local
Time: not measured.
Expected: 1/√π lowers the unweighted loss of SGD; 1/π can raise it.
"""

from experiments.small import small
from experiments.vision.imagenet import resnet18_heavy_tailed
from optexp_jax.cli import main
from optexp_jax.grid import replace_all, replace_in_problem
from optexp_jax.losses import CrossEntropy, Weighted

experiments = [
    experiment
    for power, name in [(1.0, "inverse"), (0.5, "sqrt")]
    for experiment in replace_all(
        replace_in_problem(resnet18_heavy_tailed.experiments, loss=Weighted(CrossEntropy(), power)),
        group=f"ResNet18_HeavyTailedImageNet_reweighted_{name}",
        keep_steps=(),
    )
]
resources = "images_24h"

if __name__ == "__main__":
    main(experiments, resources, small)
