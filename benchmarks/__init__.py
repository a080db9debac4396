"""Programs that measure the speed of the library; not installed with it."""
