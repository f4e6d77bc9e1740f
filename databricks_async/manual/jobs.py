"""Jobs and their runs, one or hundreds.

.. include:: jobs.md
"""
