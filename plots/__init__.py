"""What the paper draws and claims, from the runs in the workspace."""
