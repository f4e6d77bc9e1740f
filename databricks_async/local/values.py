"""What all parts of the local workspace share and that imports nothing: decoded JSON, and the workspace's id."""

from __future__ import annotations

import ipaddress
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A decoded JSON object, as requests, answers and settings hold it."""

WORKSPACE_ID = "1234567890123456"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
