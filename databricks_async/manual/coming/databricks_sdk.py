"""From databricks-sdk: name by name, and what differs on purpose.

.. include:: databricks_sdk.md
"""
