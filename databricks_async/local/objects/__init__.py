"""Notebooks, files and folders of the local workspace."""
