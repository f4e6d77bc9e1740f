"""The `User-Agent` that a configuration sends: the product, this library, and what both run on."""

from __future__ import annotations

import sys

from databricks_async.config.settings import Config
from databricks_async.version import __version__

_NO_VERSION = "0.0.0"
_PYTHON = ".".join(map(str, sys.version_info[:3]))


def user_agent(config: Config) -> str:
    """The order and the names of the parts are the official SDK's."""
    parts = [f"databricks-async/{__version__}", f"python/{_PYTHON}", f"os/{sys.platform}"]
    if config.product:
        parts.insert(0, f"{config.product}/{config.product_version or _NO_VERSION}")
    if config.sdk_upstream and config.sdk_upstream_version:
        parts += [f"upstream/{config.sdk_upstream}", f"upstream-version/{config.sdk_upstream_version}"]
    return " ".join(parts)
