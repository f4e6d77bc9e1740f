"""Tests of one's own against the local workspace.

.. include:: testing.md
"""
