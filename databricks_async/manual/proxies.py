"""Proxies and certificates.

.. include:: proxies.md
"""
