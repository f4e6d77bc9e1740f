"""Listings: which clusters, jobs, runs and objects there are to show, and their columns.

The modules are `clusters`, `jobs` and `objects`.
"""
