"""The command line.

.. include:: command_line.md
"""
