"""Optimizers as optax aliases and as frozen values; needs only jax and optax."""

from optexp_jax.optim.adam_mini import Adalayer, AdamMini
from optexp_jax.optim.aliases import (
    adagrad,
    block_normalized_gd,
    column_normalized_gd,
    normalized_gd,
    scaled_sign_descent,
    sign_descent,
)
from optexp_jax.optim.any_optax import Optax, OptaxSchedule
from optexp_jax.optim.base import (
    Appearance,
    Optimizer,
    appearance_of,
    built,
    has_rate,
    kind_of,
    momentum_of,
    with_rate,
)
from optexp_jax.optim.injection import at_rate, holds_rate, inject_only_rate, inject_rate
from optexp_jax.optim.learning_rate import LearningRate, lr_grid
from optexp_jax.optim.line_search import line_search_gd
from optexp_jax.optim.modifiers import DecayModifiers, Modifiers
from optexp_jax.optim.newer import Adafactor, Lion, Muon, ScheduleFreeAdamW, Signum
from optexp_jax.optim.partitioned import Partitioned
from optexp_jax.optim.roles import ROLES, role_of
from optexp_jax.optim.schedules import (
    Constant,
    Cosine,
    LinearWarmup,
    RateSchedule,
    WarmupStableDecay,
)
from optexp_jax.optim.soap import SOAP
from optexp_jax.optim.specs import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    ColumnNormalizedGD,
    LineSearchGD,
    NormalizedGD,
    ScaledSignDescent,
    SignDescent,
)
from optexp_jax.optim.transforms import (
    l1_norm,
    l2_norm,
    normalize_by_block_norm,
    normalize_by_column_norm,
    normalize_by_norm,
    scale_by_adagrad,
    scale_sign_by_l1_norm,
)

__all__ = [
    "ROLES",
    "SGD",
    "SOAP",
    "Adafactor",
    "Adagrad",
    "Adalayer",
    "Adam",
    "AdamMini",
    "AdamW",
    "Appearance",
    "ColumnNormalizedGD",
    "Constant",
    "Cosine",
    "DecayModifiers",
    "LearningRate",
    "LineSearchGD",
    "LinearWarmup",
    "Lion",
    "Modifiers",
    "Muon",
    "NormalizedGD",
    "Optax",
    "OptaxSchedule",
    "Optimizer",
    "Partitioned",
    "RateSchedule",
    "ScaledSignDescent",
    "ScheduleFreeAdamW",
    "SignDescent",
    "Signum",
    "WarmupStableDecay",
    "adagrad",
    "appearance_of",
    "at_rate",
    "block_normalized_gd",
    "built",
    "column_normalized_gd",
    "has_rate",
    "holds_rate",
    "inject_only_rate",
    "inject_rate",
    "kind_of",
    "l1_norm",
    "l2_norm",
    "line_search_gd",
    "lr_grid",
    "momentum_of",
    "normalize_by_block_norm",
    "normalize_by_column_norm",
    "normalize_by_norm",
    "normalized_gd",
    "role_of",
    "scale_by_adagrad",
    "scale_sign_by_l1_norm",
    "scaled_sign_descent",
    "sign_descent",
    "with_rate",
]
