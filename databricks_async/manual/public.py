"""What is public, and what a minor version may change.

.. include:: public.md
"""
