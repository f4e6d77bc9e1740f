"""The page that the manual begins with.

.. include:: index.md
"""
