"""Logging, tracing and metrics.

.. include:: observing.md
"""
