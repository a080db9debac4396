"""The medium forms of the transformer on text: three times as long, for all three weights."""

from __future__ import annotations

from experiments.small.medium import longer

FORMS = {
    "TEnc_standard_training_PTB_per_class": longer(450, eval_every=5),
    "TEnc_standard_training_class_weighted_inverse_PTB_per_class": longer(450, eval_every=5),
    "TEnc_standard_training_class_weighted_PTB_per_class": longer(450, eval_every=5),
}
