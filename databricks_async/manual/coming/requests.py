"""From calls written with requests.

.. include:: requests.md
"""
