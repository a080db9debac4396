"""Names of the ways to train the runs of a pack. Needs no JAX, since `--help` shows them."""

from typing import Literal

MODES = ("map", "vmap")  # one run after the other, or side by side
SHARDS = ("data", "fsdp")  # what the devices of a run share
Auto = Literal["auto"]
