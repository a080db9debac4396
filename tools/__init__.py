"""What makes committed files: step sizes of the pilot, pages of the docs, golden numbers."""
