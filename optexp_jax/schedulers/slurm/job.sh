#!/bin/bash
@{directives}

# Written by optexp-jax on @{created}:
#   @{command}
# What task N runs is line N of "tasks" in manifest.json beside this script.

set -eo pipefail
cd @{folder}
@{environment}
@{setup}
# SLURM's signals reach this process, which passes them on to those that train.
exec @{python} -m optexp_jax.schedulers.slurm.supervise @{manifest}
