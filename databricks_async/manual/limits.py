"""Rate limits, retries, and what is never sent twice.

.. include:: limits.md
"""
