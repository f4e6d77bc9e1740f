"""Every setting: its type, default, environment variable and profile key.

.. include:: configuration.md
"""
