"""From the hook of Airflow's Databricks provider.

.. include:: airflow.md
"""
