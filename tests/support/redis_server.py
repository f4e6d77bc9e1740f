"""The Redis server that tests start; and what is missing where there is none."""

from __future__ import annotations

import os
import shutil

MISSING = "no Redis is installed: apt-get install redis-server"
REQUIRED = "REQUIRE_REDIS"
"""The variable that makes a missing server a failure; `.ci/run` sets it."""


def find() -> str | None:
    """The program of the server."""
    return shutil.which("redis-server")


def is_required() -> bool:
    return bool(os.environ.get(REQUIRED))
