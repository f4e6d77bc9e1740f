"""Pictures that are drawn in place, on a terminal and nowhere else.

The modules are `screen`, `progress`, `table`, `tree` and `keys`.
"""
