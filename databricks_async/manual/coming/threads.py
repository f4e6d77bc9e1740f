"""From the official SDK in threads.

.. include:: threads.md
"""
