"""The workspace: what runs recorded, kept as files."""
