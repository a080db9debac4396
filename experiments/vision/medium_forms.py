"""The medium forms of the CNN on digits, and of vision transformers on generated images.

In as many steps as these GD fits what it fits at all; the small form ends before.
"""

from __future__ import annotations

from experiments.small.medium import longer

FORMS = {
    "SimpleCNN_MNIST_FB_Base": longer(300, eval_every=5),
    "SimpleViT_HeavyTailedImageNet": longer(300, eval_every=10),
    "SimpleViT_ImageNet": longer(300, eval_every=10),
    "SimpleViT_SmallImageNet": longer(300, eval_every=10),
}
