#!/usr/bin/env bash
# What is measured on a GPU, in at most ten minutes, from a plain checkout, without a network:
#
#     benchmarks/on_gpu.sh [FOLDER] [--tiny] [--minutes N] [--only SECTION]...
#
# FOLDER (gpu-results) gets gpu.json, gpu.md and logs/ with a log of each section; what it has of
# other sections stays. --tiny tries the same programs on any machine.
set -euo pipefail
out=gpu-results
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
  out=$1
  shift
fi
case $out in /*) ;; *) out=$PWD/$out ;; esac
cd "$(dirname "$0")/.."
# Sections share the card with PyTorch, and come one after the other.
export XLA_PYTHON_CLIENT_PREALLOCATE=false OPTEXP_WANDB_ENABLED=false PYTHONUNBUFFERED=1
exec "${PYTHON:-python3}" -m benchmarks.gpu --out "$out" "$@"
