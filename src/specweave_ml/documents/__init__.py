"""The documents of a project."""
