"""The tree of exceptions, and what to do about each.

.. include:: errors.md
"""
