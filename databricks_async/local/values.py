"""What all parts of the local workspace share and that imports nothing: decoded JSON, and the workspace's id."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A decoded JSON object, as requests, answers and settings hold it."""

WORKSPACE_ID = "1234567890123456"
