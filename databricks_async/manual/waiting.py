"""Waits, watches and streams of events.

.. include:: waiting.md
"""
