"""What is kept secret, and how.

.. include:: security.md
"""
