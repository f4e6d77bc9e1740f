"""Tests of what takes time or goes wrong.

.. include:: testing_time.md
"""
