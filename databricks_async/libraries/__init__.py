"""The Libraries API."""
