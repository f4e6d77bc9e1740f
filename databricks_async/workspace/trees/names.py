"""How an object of the workspace is called on this machine, and what a file of this machine is in the workspace."""

from __future__ import annotations

import os
import re
from pathlib import PurePath

import attrs

from databricks_async.workspace.models import ExportFormat, ImportFormat, Language, ObjectInfo, ObjectType

_EXTENSIONS = {Language.PYTHON: ".py", Language.SQL: ".sql", Language.SCALA: ".scala", Language.R: ".r"}
_LANGUAGES = {extension: language for language, extension in _EXTENSIONS.items()}
_COMMENTS = {Language.PYTHON: "#", Language.SQL: "--", Language.SCALA: "//", Language.R: "#"}
_NOTEBOOK = ".ipynb"
_DASHBOARD = ".lvdash.json"
_PREFIX = "/Workspace"
_ON_WINDOWS = os.name == "nt"
# "Naming Files, Paths, and Namespaces" in Windows' manual.
_DEVICE = re.compile(r"(con|conin\$|conout\$|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\.|$)", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]')


@attrs.frozen
class InWorkspace:
    """What a file of this machine is in the workspace."""

    name: str
    kind: ObjectType
    format: ImportFormat
    language: Language | None = None


def name_in(folder: str, path: str) -> str | None:
    """The name of an object that a folder lists; None if it does not lie directly in there."""
    for plain in (str, _unprefixed):
        parent, slash, name = plain(path).rpartition("/")
        if slash and parent == plain(folder).rstrip("/") and name not in ("", ".", ".."):
            return name
    return None


def same_path(one: str, other: str) -> bool:
    return _unprefixed(one) == _unprefixed(other)


def below(root: str, path: str) -> str:
    """The path of an object as seen from a folder above it; its name, if the two are one."""
    for plain in (str, _unprefixed):
        start = plain(root).rstrip("/") + "/"
        if plain(path).startswith(start):
            return plain(path)[len(start) :]
    return path.rpartition("/")[2]


def _unprefixed(path: str) -> str:
    # The service knows all its paths with this and without, and may answer in the other way than it was asked.
    return path[len(_PREFIX) :] if path == _PREFIX or path.startswith(_PREFIX + "/") else path


def local_name(info: ObjectInfo, name: str, notebooks: ExportFormat) -> str:
    """The file or folder name for an object. Raises `ValueError` if there is none on this machine."""
    if info.object_type == ObjectType.NOTEBOOK:
        if notebooks == ExportFormat.JUPYTER:
            name += _NOTEBOOK
        elif info.language is not None and info.language in _EXTENSIONS:
            name += _EXTENSIONS[info.language]
        else:
            raise ValueError(f"a notebook in the language {info.language} has no source file")
    elif info.object_type == ObjectType.DASHBOARD and not name.endswith(_DASHBOARD):
        name += _DASHBOARD  # by which it is known as one when it is brought back
    if PurePath(name).name != name or name == ".." or "\0" in name or (_ON_WINDOWS and is_reserved(name)):
        raise ValueError(f"{name!r} cannot be the name of a file on this machine")
    return name


def is_reserved(name: str) -> bool:
    """Whether Windows takes a name for a device, or would store it under another one."""
    return bool(_DEVICE.match(name) or _NOT_IN_NAMES.search(name)) or name.endswith((" ", "."))


def may_be_notebook(name: str) -> bool:
    """Whether the first line of a file of this name decides what it is."""
    return os.path.splitext(name)[1].lower() in _LANGUAGES


def in_workspace(name: str, first_line: bytes = b"") -> InWorkspace:
    """What a local file becomes: a notebook if its extension and its first line say so."""
    if name.endswith(_DASHBOARD):
        # The service tells what it is by its name: "Manage dashboards with Workspace APIs" in its manual.
        return InWorkspace(name, ObjectType.DASHBOARD, ImportFormat.AUTO)
    stem, extension = os.path.splitext(name)
    if extension.lower() == _NOTEBOOK:
        return InWorkspace(stem, ObjectType.NOTEBOOK, ImportFormat.JUPYTER)
    language = _LANGUAGES.get(extension.lower())
    if language is not None:
        header = f"{_COMMENTS[language]} Databricks notebook source"
        if first_line.rstrip().decode(errors="replace") == header:
            return InWorkspace(stem, ObjectType.NOTEBOOK, ImportFormat.SOURCE, language)
    return InWorkspace(name, ObjectType.FILE, ImportFormat.RAW)
