"""Json: a decoded JSON object, as requests, answers and settings hold it."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
