"""Writes one profile of the configuration file; all else in it stays as it is, comments included."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress


def write_profile(path: str, name: str, values: Mapping[str, str]) -> None:
    """Replace a profile, or add it. The file is replaced in one step, and is for its owner alone."""
    if re.search(r"[\[\]\n\r]", name) or not name.strip():
        raise ValueError(f"{name!r} cannot be the name of a profile")
    for key, value in values.items():
        if "\n" in value or "\r" in value:
            raise ValueError(f"{key} has more than one line")
    section = f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
    text = _read(path)
    parts = re.split(r"(?m)^(?=[ \t]*\[)", text)
    kept, placed = list[str](), False
    for part in parts:
        if _name_of(part) != name:
            kept.append(part)
        elif not placed:
            kept.append(f"{section}\n" if part != parts[-1] else section)
            placed = True
    if not placed:
        if kept and kept[-1] and not kept[-1].endswith("\n"):
            kept[-1] += "\n"
        kept.append(f"\n{section}" if text.strip() else section)
    _replace(path, "".join(kept))


def _name_of(part: str) -> str:
    line = part.lstrip().partition("\n")[0].rstrip()
    return line[1:].rpartition("]")[0].strip() if line.startswith("[") else ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _replace(path: str, text: str) -> None:
    path = os.path.realpath(path)  # a link stays one
    descriptor, new = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".databrickscfg-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(new, path)
    except BaseException:
        with suppress(FileNotFoundError):  # it has taken its place already
            os.unlink(new)
        raise
