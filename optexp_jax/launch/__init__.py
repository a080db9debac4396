"""Old names of `cli`, `runner` and `schedulers`, which still work."""
