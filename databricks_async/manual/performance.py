"""What was measured, and how to measure again.

.. include:: performance.md
"""
