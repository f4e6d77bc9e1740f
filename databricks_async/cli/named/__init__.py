"""Names of clusters, jobs and paths: which one an argument means, and which ones Tab offers.

The modules are `find` and `names`.
"""
