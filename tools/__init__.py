"""What makes committed files: learning rates of the pilot, pages of the docs, golden numbers."""
