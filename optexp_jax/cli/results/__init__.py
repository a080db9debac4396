"""`python -m optexp_jax.results`: what a workspace holds, moved, checked and cleaned."""
