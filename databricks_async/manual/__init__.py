"""The manual: a page for each chapter, and the tools that build and check it.

It is in the repository, and not in the wheel. Each module here is a page, whose docstring
includes the Markdown of the same name. `python -m databricks_async.manual.tools.build
build/manual` makes web pages of them and of the public names.
"""
