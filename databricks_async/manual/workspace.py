"""Notebooks, files and whole trees.

.. include:: workspace.md
"""
