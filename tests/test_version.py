"""The version that a program reads is the one that was installed."""

from importlib.metadata import version

from databricks_async import __version__


def test_the_version_is_that_of_the_distribution():
    assert __version__ == version("databricks-async")
