"""Pictures that are drawn in place, on a terminal and nowhere else.

The modules are `console`, `screen`, `keys`, `progress`, `events`, `bars`, `tree`, `timeline`, `boards`,
`watching` and `outcome`.
"""
