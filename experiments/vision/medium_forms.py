"""The medium forms of the CNN on digits, and of transformers and ResNets on generated images.

In as many steps as these GD fits what it fits at all; the small form ends before.
"""

from __future__ import annotations

from experiments.small.medium import longer

FORMS = {
    "SimpleCNN_MNIST_FB_Base": longer(300, eval_every=5),
    **{
        f"ResNet18{kind}": longer(300, eval_every=10)
        for kind in (
            "_HeavyTailedImageNet",
            "_HeavyTailedImageNet_reweighted_inverse",
            "_HeavyTailedImageNet_reweighted_sqrt",
            "_SmallImageNet",
            "LayerNorm_HeavyTailedImageNet",
            "LayerNorm_SmallImageNet",
        )
    },
    "SimpleViT_HeavyTailedImageNet": longer(300, eval_every=10),
    "SimpleViT_ImageNet": longer(300, eval_every=10),
    "SimpleViT_SmallImageNet": longer(300, eval_every=10),
}
