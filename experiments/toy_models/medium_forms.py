"""The medium forms of softmax regression: long enough for penalties and weights to show."""

from __future__ import annotations

from experiments.small.medium import longer

_PENALTIES = ("1e-06", "1e-05", "0.0001", "0.001")

FORMS = {
    "LogReg_BalancedXImbalancedY_PerClass": longer(1000, eval_every=5),
    "LogReg_ClassWeighted_BalancedXImbalancedY_PerClass": longer(1000, eval_every=5),
    "LogReg_ClassWeighted_BalancedXImbalancedY_sqrt_perclass": longer(1000, eval_every=5),
    **{
        f"LogReg_BalancedXImbalancedY_L2={penalty}": longer(1000, eval_every=5)
        for penalty in _PENALTIES
    },
}
