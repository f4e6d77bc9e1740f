"""The endpoints of the Workspace API that put content into objects and take it out: import and export."""

from __future__ import annotations

import base64
import binascii
from typing import Literal

from databricks_async.local.errors import invalid
from databricks_async.local.objects import archives, formats
from databricks_async.local.objects.archives import Entry
from databricks_async.local.objects.endpoints import own
from databricks_async.local.objects.notebooks import EXTENSIONS, Language, Notebook
from databricks_async.local.objects.permissions import access, allow
from databricks_async.local.objects.sizes import check_size
from databricks_async.local.objects.tree import Node, check_names, clean, in_the_way, kind_of, parent_missing, parent_of
from databricks_async.local.state import Endpoint, Json, State, User
from databricks_async.message import Response

Format = Literal["SOURCE", "HTML", "JUPYTER", "DBC", "R_MARKDOWN", "AUTO", "RAW"]


def import_(
    state: State,
    *,
    caller: User,
    upload: bytes | None,
    path: str,
    content: str | None = None,
    format: Format = "SOURCE",  # noqa: A002 (the field's own name)
    language: Language | None = None,
    overwrite: bool = False,
) -> Json:
    """Make an object, or several of an archive, of content in the body: base64 in JSON, or a multipart file."""
    path = clean(path)
    if upload is None:
        if content is None:
            raise invalid("Missing required field: content")
        data = check_size(_decode(content))
    else:
        data = upload
    if format == "DBC" or (format == "SOURCE" and language is None and archives.is_zip(data)):
        if format == "DBC" and overwrite:
            raise invalid("overwrite is not supported for the DBC format")
        entries = archives.from_dbc(data) if format == "DBC" else archives.from_zip(data)
        _unpack(state, caller, path, entries, overwrite)
    else:
        path, item = _read(path, data, format, language)
        _put(state, caller, path, item, overwrite)
    return {}


def _decode(content: str) -> bytes:
    try:
        # Some encoders break the text into lines.
        return base64.b64decode(content.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"The content is not valid base64: {error}") from None


def _read(path: str, data: bytes, format_: Format, language: Language | None) -> tuple[str, Notebook | bytes]:
    """Where the content goes, and whether as a notebook or as a file."""
    if format_ == "RAW":
        return path, data
    if format_ == "AUTO":
        directory, _, name = path.rpartition("/")
        detected = formats.detect(name, data)
        return (f"{directory}/{detected[0]}", detected[1]) if detected else (path, data)
    check_size(data)
    if format_ == "SOURCE":
        if language is None:
            raise invalid("The language must be set to import a single file in the SOURCE format")
        return path, Notebook(language, data)
    return path, formats.READERS[format_](data, language)


def _put(state: State, caller: User, path: str, item: Notebook | bytes, overwrite: bool) -> None:
    kind = kind_of(path, item)
    content, language, extras = (
        (item, None, None) if isinstance(item, bytes) else (check_size(item.source), item.language, item.extras)
    )
    node = state.tree.find(path)
    if node is None:
        _check_room(state, caller, path)
        node = state.tree.add(path, kind, state.now, content=content, language=language)
        node.extras = extras
        own(caller, node)
        return
    allow(caller, node, "CAN_EDIT", path)
    if not overwrite:
        raise in_the_way(path)
    if node.kind != kind:
        raise invalid(f"Requested node type [{kind}] is different from the existing node type [{node.kind}]")
    node.content, node.language, node.extras, node.modified_at = content, language, extras, state.now


def _check_room(state: State, caller: User, path: str) -> None:
    """Refuse a new object where the caller can make none."""
    directory = state.tree.nearest(path)
    if directory is not state.tree.find(parent_of(path)) or directory.kind != "DIRECTORY":
        allow(caller, directory, "CAN_READ", path)
        raise parent_missing(path)
    allow(caller, directory, "CAN_MANAGE", path)
    check_names(path)


def _unpack(state: State, caller: User, path: str, entries: list[Entry], overwrite: bool) -> None:
    top = state.tree.find(path)
    if top is None:
        _check_room(state, caller, path)
    else:
        allow(caller, top, "CAN_MANAGE", path)
        if not overwrite:
            raise in_the_way(path)
    for entry in entries:
        target = path + entry.path
        directory = target if entry.content is None else parent_of(target)
        nearest = state.tree.nearest(directory)
        if nearest.kind != "DIRECTORY":
            raise invalid(f"Requested node type [DIRECTORY] is different from the existing node type [{nearest.kind}]")
        for created in state.tree.add_directories(directory, state.now):
            own(caller, created)
        if entry.content is not None:
            _put(state, caller, target, entry.content, overwrite)


def export(
    state: State,
    *,
    caller: User,
    path: str,
    format: Format = "SOURCE",  # noqa: A002 (the field's own name)
    direct_download: bool = False,
) -> Json | Response:
    """An object's content, or an archive of a directory: base64 in JSON, or as it is."""
    node = access(state, caller, path, "CAN_READ")
    file_type, data = _write(node, format)
    if node.kind != "FILE" or not direct_download:
        check_size(data)
    if direct_download:
        return Response(200, {"content-type": "application/octet-stream"}, data)
    return {"content": base64.b64encode(data).decode(), "file_type": file_type}


def _write(node: Node, format_: Format) -> tuple[str, bytes]:
    """A file type and the content."""
    if node.kind in ("FILE", "DASHBOARD") and format_ in ("SOURCE", "AUTO", "RAW"):
        return node.name.rpartition(".")[2], node.content
    if node.kind == "DIRECTORY" and format_ in ("SOURCE", "AUTO"):
        return "zip", archives.to_zip(node, files=format_ == "AUTO")
    if node.kind in ("NOTEBOOK", "DIRECTORY") and format_ == "DBC":
        return "dbc", archives.to_dbc(node)
    if node.kind == "NOTEBOOK" and format_ in formats.WRITERS:
        file_type, write = formats.WRITERS[format_]
        return file_type, write(node.notebook, node.name)
    if node.kind == "NOTEBOOK":
        return EXTENSIONS[node.notebook.language].lstrip("."), node.notebook.exported()
    raise invalid(f"A {node.kind} can not be exported in the {format_} format")


ROUTES: dict[str, Endpoint] = {
    "POST /api/{v}/workspace/import": import_,
    "GET /api/{v}/workspace/export": export,
}
VERSIONS = ("2.0",)
