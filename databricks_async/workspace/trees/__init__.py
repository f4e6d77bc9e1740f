"""Whole trees of a workspace: walked, exported, imported."""
