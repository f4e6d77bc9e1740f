"""Names that Tab completes: those that earlier commands saw, kept for ten minutes, and the profiles of the file."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Where: TypeAlias = tuple[str | None, str | None]
"""The profile and the host that were given as options."""

_KEPT_SECONDS = 600
_MAX_NAMES = 1000


def remember(kind: str, found: Iterable[tuple[object, object]], where: Where) -> None:
    """Keep ids and names for `completions`. Where they cannot be kept, Tab has fewer of them."""
    rows = [(str(item_id), str(name or "")) for item_id, name in found][:_MAX_NAMES]
    path = _file(kind, where)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(rows, file)
        new.replace(path)
    except OSError:
        return


def completions(kind: str, incomplete: str, where: Where) -> list[CompletionItem]:
    """The names and ids that begin so; of runs the ids."""
    from click.shell_completion import CompletionItem

    path = _file(kind, where)
    try:
        if time.time() - path.stat().st_mtime > _KEPT_SECONDS:
            return []
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    found = dict[str, str]()
    for item_id, name in rows:
        if name and kind != "run":
            found.setdefault(name, item_id)
        found.setdefault(item_id, name)
    return [CompletionItem(one, help=beside) for one, beside in found.items() if one.startswith(incomplete)]


def profile_completions(incomplete: str) -> list[CompletionItem]:
    """The sections of the configuration file."""
    from click.shell_completion import CompletionItem

    path = os.environ.get("DATABRICKS_CONFIG_FILE") or "~/.databrickscfg"
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8", errors="replace")
    except (OSError, RuntimeError):
        return []
    names = re.findall(r"^\[([^\]\n]+)\]", text, re.MULTILINE)
    return [CompletionItem(name) for name in names if name.startswith(incomplete) and not name.startswith("__")]


def _file(kind: str, where: Where) -> Path:
    """A file for each workspace, which is known by what chooses it: reading the configuration would take too long."""
    profile, host = where
    host = host or ("" if profile else os.environ.get("DATABRICKS_HOST", ""))
    profile = profile or os.environ.get("DATABRICKS_CONFIG_PROFILE", "")
    key = hashlib.sha256(f"{profile}\n{host}".encode()).hexdigest()[:16]
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base, "databricks-async", f"{kind}-{key}.json")
