"""Every way in: what to set, and what its errors mean.

.. include:: authentication.md
"""
