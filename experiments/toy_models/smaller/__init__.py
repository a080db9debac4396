"""The small linear problem, m = 7: long runs, and other inputs."""
