"""Archives: notebooks and whole directories as DBC and zip files, and back."""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator

import attrs

from databricks_async.local.errors import invalid
from databricks_async.local.objects.formats import detect, from_model, to_model
from databricks_async.local.objects.notebooks import EXTENSIONS, LANGUAGES, Notebook
from databricks_async.local.objects.sizes import MAX_UPLOAD_BYTES, too_large
from databricks_async.local.objects.tree import Node, check_names

_DBC_EXTENSIONS = {"PYTHON": ".python", "SCALA": ".scala", "SQL": ".sql", "R": ".r"}


@attrs.frozen
class Entry:
    """One object of an archive."""

    path: str
    """Below the place that the archive is unpacked to: empty for that place itself, else with a slash at its start."""
    content: Notebook | bytes | None
    """None is a directory."""


def is_zip(content: bytes) -> bool:
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def to_dbc(node: Node) -> bytes:
    """A notebook, or a directory with its notebooks but not its files."""

    def content(one: Node) -> tuple[str, bytes] | None:
        if one.kind != "NOTEBOOK":
            return None
        notebook = one.notebook
        return _DBC_EXTENSIONS[notebook.language], to_model(notebook, one.name)

    return _zip(node, content)


def to_zip(node: Node, *, files: bool) -> bytes:
    """A directory with its notebooks as source, and with its files if wanted."""

    def content(one: Node) -> tuple[str, bytes] | None:
        if one.kind != "NOTEBOOK":
            return ("", one.content) if files else None
        notebook = one.notebook
        return EXTENSIONS[notebook.language], notebook.exported()

    return _zip(node, content)


def _zip(top: Node, content: Callable[[Node], tuple[str, bytes] | None]) -> bytes:
    buffer = io.BytesIO()
    above = len(top.path) - len(top.name)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        # The notebook `a` and the file `a.py` are two objects here and one name in the archive.
        warnings.simplefilter("ignore", UserWarning)
        for node in top.and_descendants():
            name = node.path[above:]
            if node.kind == "DIRECTORY":
                if name:
                    archive.writestr(f"{name}/", b"")
                continue
            written = content(node)
            if written is not None:
                extension, data = written
                archive.writestr(name + extension, data)
    return buffer.getvalue()


def from_dbc(content: bytes) -> list[Entry]:
    """What is in an archive of the service's own format."""

    def read(name: str, data: bytes) -> tuple[str, Notebook] | None:
        stem, dot, extension = name.rpartition(".")
        if dot + extension in _DBC_EXTENSIONS.values():
            return stem, from_model(data, "DBC")
        return None

    return list(_unzip(content, "DBC", read))


def from_zip(content: bytes) -> list[Entry]:
    """What is in a zip file of sources: scripts are notebooks, whether or not they have the header line."""

    def read(name: str, data: bytes) -> tuple[str, Notebook | bytes] | None:
        stem, dot, extension = name.rpartition(".")
        language = LANGUAGES.get(dot + extension.lower())
        if language is not None and stem:
            return stem, Notebook(language, data)
        return detect(name, data) or (name, data)

    return list(_unzip(content, "SOURCE", read))


def _unzip(
    content: bytes, format_: str, read: Callable[[str, bytes], tuple[str, Notebook | bytes] | None]
) -> Iterator[Entry]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_UPLOAD_BYTES:
                raise too_large(MAX_UPLOAD_BYTES)
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise invalid(f"The content could not be read as {format_}: {error}") from None
    if not members:
        raise invalid("The archive is empty")
    tops = {name.partition("/")[0] for name, _ in members}
    # An archive of one notebook or of one directory is that object itself; any other is a directory of what it holds.
    one_object = len(tops) == 1 and (format_ == "DBC" or "/" in members[0][0])
    for name, data in members:
        found: tuple[str, Notebook | bytes | None] | None = (
            (name[:-1], None) if name.endswith("/") else read(name, data)
        )
        if found is None:
            continue
        path, item = "/" + found[0], found[1]
        check_names(path)
        if one_object:
            _, slash, below = path[1:].partition("/")
            path = slash + below
        yield Entry(path, item)
