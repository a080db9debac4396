"""The old names of what is in `cli`, `runner` and `schedulers` now; they go on working."""
