"""The parameters of requests about content, checked: the path, the format, the language."""

from __future__ import annotations

import os
from typing import Any

from databricks_async.codec import OpenEnum, check_word
from databricks_async.service import identifier
from databricks_async.workspace.models import ImportFormat, Language

_LANGUAGES = {
    ".py": Language.PYTHON,
    ".sql": Language.SQL,
    ".scala": Language.SCALA,
    ".r": Language.R,
}


def absolute(path: str, name: str = "path") -> str:
    """A path that can be sent: text that begins with a slash."""
    identifier(name, path)
    if not path.startswith("/"):
        raise ValueError(f"{name} must begin with '/': {path!r}")
    try:
        path.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} is not valid Unicode: {path!r}") from None
    return path


def optional_text(name: str, value: str | None, words: type[OpenEnum]) -> str | None:
    """A format or a language as it is sent: those of tomorrow too, but no misspelt ones of today."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    check_word(words, value or None, name)
    return str(value) if value else None


def boolean(name: str, value: bool) -> bool:
    """A flag that can be sent: a bool and nothing else, for `"false"` would count as true."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, not {type(value).__name__}")
    return value


def import_settings(
    path: str,
    source: object,
    format: ImportFormat | str | None,  # noqa: A002 (the field's own name)
    language: Language | str | None,
    overwrite: bool,
) -> dict[str, Any]:
    """The parameters of an import besides its content, checked; what is not given is left out.

    The language of a source is guessed from the extension of its path, or of the local file that it is read from.
    """
    settings: dict[str, Any] = {"path": absolute(path)}
    if form := optional_text("format", format, ImportFormat):
        settings["format"] = form
    chosen = optional_text("language", language, Language)
    if not chosen:
        chosen = language_of(path, form)
    if not chosen and isinstance(source, os.PathLike):
        chosen = language_of(os.fspath(source), form)
    if chosen:
        settings["language"] = chosen
    if boolean("overwrite", overwrite):
        settings["overwrite"] = True
    return settings


def language_of(name: str, format: ImportFormat | str | None = None) -> Language | None:  # noqa: A002 (the field's own name)
    """The language that a name's extension stands for; only sources have one."""
    if format not in (None, ImportFormat.SOURCE):
        return None
    name = name.lower()
    return next((language for extension, language in _LANGUAGES.items() if name.endswith(extension)), None)
