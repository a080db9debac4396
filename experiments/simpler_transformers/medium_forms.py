"""The medium form of the one-layer transformer: sign descent needs 1 / its rate steps."""

from __future__ import annotations

from experiments.small.medium import MOMENTUM, longer

_EIGHT = tuple(
    f"{kind}{momentum}"
    for kind in ("SGD", "Adam", "NormalizedGD", "SignDescent")
    for momentum in ("", MOMENTUM[0].removeprefix("SGD"))
)

FORMS = {
    "MLP_Frozen_split_by_class": longer(300, _EIGHT, eval_every=5),
    "TransformerEncoder_TinyPTB_FB_Width_EmbDim_1200_perclass_smaller": longer(
        300, _EIGHT, eval_every=5
    ),
}
