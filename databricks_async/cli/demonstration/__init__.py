"""What `databricks-async demo` shows: clusters on a bad day, then a job of dependent tasks.

The modules are `clusters` and `jobs`.
"""
