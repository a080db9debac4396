"""`--scale small`: every group shrunk to minutes on two cores, with the same phenomenon.

What a family shrinks to is declared beside it, in its `small_forms`; `form` finds that.
`pilot.json` has the step sizes that `tools/pilot.py` found, `subsample` says which runs are left. A
small experiment has its own group, the paper's name plus `_small`.
"""

from experiments.small.subsample import planned, small

__all__ = ["planned", "small"]
