"""`python -m tools.pilot` by its earlier name, `python -m experiments.small.pilot`."""

import runpy

if __name__ == "__main__":
    runpy.run_module("tools.pilot", run_name="__main__", alter_sys=True)
