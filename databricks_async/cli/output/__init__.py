"""What commands write: tables and lines, JSON and CSV, signs and times, errors and exit codes.

The modules are `streams`, `times`, `states`, `columns`, `tables`, `writer`, `errors` and `exits`.
"""
