"""Prints, as constraints for pip, the lowest version that pyproject.toml allows of each direct dependency."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
for requirement in [
    *project["dependencies"],
    *(one for name in ("test", "azure", "cli", "login", "otel", "redis") for one in extras[name]),
]:
    found = re.match(r"([\w.-]+)(?:\[\w+\])?>=([\w.]+)[^;]*(;.*)?", requirement)
    if found:
        print(f"{found[1]}=={found[2]}{found[3] or ''}")
