"""From the installation to the first calls.

.. include:: first_steps.md
"""
