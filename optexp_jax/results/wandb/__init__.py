"""wandb as a mirror of what the workspace holds."""
