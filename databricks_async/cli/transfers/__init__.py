"""Transfers: notebooks, files and whole trees between the workspace and this machine.

The modules are `trees`, `single`, `plan` and `summary`.
"""
