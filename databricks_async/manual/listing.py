"""Listings: items, pages, limits.

.. include:: listing.md
"""
