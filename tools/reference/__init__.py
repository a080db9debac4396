"""The reference numbers of `tests/reference`, again, in plain PyTorch and without this library.

The committed files were measured once by running the paper's own code (commit f67a9fa) in float64.
Each module here takes the inputs that a file holds (data, parameters, settings) and computes all
else in it, by the definitions of the paper and nothing of ours: a change of a file's inputs is
followed by `--write`, and a test compares what it gives to what the paper's code gave.

Command: python -m tools.reference [--write] [--folder FOLDER] (needs PyTorch: the extra `bench`)
"""
