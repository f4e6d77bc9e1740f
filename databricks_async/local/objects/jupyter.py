"""Jupyter: notebooks as .ipynb files, with the metadata that Databricks keeps in them, and back.

The form is that of files which Databricks exported into public repositories: `application/vnd.databricks.v1+cell` in
the metadata of each cell, `application/vnd.databricks.v1+notebook` in those of the notebook, keys in order.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

import attrs
import orjson

from databricks_async.local.errors import ApiError, invalid
from databricks_async.local.objects.notebooks import (
    EXTENSIONS,
    Cell,
    Extras,
    Language,
    Notebook,
    from_pieces,
    parse_cell,
    write_cell,
)
from databricks_async.local.values import Json

NOTEBOOK_KEY = "application/vnd.databricks.v1+notebook"
CELL_KEY = "application/vnd.databricks.v1+cell"
MARKDOWN = re.compile(r"%md(?:-sandbox)?(?:[ \t]*\n|[ \t]+|$)")
"""What a cell begins with that is Markdown."""


def to_jupyter(notebook: Notebook, name: str) -> bytes:
    """A file of nbformat 4, with outputs where the notebook was imported with some."""
    extras = notebook.extras or Extras({}, ())
    pieces = notebook.pieces()
    kept: Sequence[Json] = extras.cells if len(extras.cells) == len(pieces) else [{}] * len(pieces)
    cells = [_write(piece, kept[index], index, notebook) for index, piece in enumerate(pieces)]
    language = notebook.language.lower()
    ours = {**_NOTEBOOK_METADATA, **extras.metadata.get(NOTEBOOK_KEY, {}), "language": language, "notebookName": name}
    if not notebook.source.endswith(b"\n"):
        ours[_NO_NEWLINE] = True
    content = {
        "cells": cells,
        "metadata": {**extras.metadata, NOTEBOOK_KEY: ours, "language_info": {"name": language}},
        "nbformat": 4,
        "nbformat_minor": 1 if any("attachments" in cell for cell in cells) else 0,
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


# Not of the service: how a SOURCE is written that is not written as the service does, so that it comes back as it was.
_NO_NEWLINE, _EXACT = "noNewlineAtEnd", "source"
_NOTEBOOK_METADATA: Json = {
    "computePreferences": None,
    "dashboards": [],
    "environmentMetadata": None,
    "inputWidgetPreferences": None,
    "notebookMetadata": {"pythonIndentUnit": 4},
    "widgets": {},
}


def _write(piece: str, extra: Json, index: int, notebook: Notebook) -> Json:
    cell = parse_cell(piece, notebook.language)
    metadata = extra.get("metadata", {})
    ours = {**cell_metadata(cell, index), **metadata.get(CELL_KEY, {})}
    if write_cell(_plain(cell), notebook.language) != piece:
        ours[_EXACT] = piece  # such as `%md Title` on one line, or `# MAGIC ` with a space at its end
    metadata = {**metadata, CELL_KEY: ours}
    markdown = MARKDOWN.match(cell.text)
    if markdown:
        text = cell.text[markdown.end() :]
        kind: Json = {"cell_type": "raw" if extra.get("cell_type") == "raw" else "markdown"}
    else:
        text = cell.text
        kind = {
            "cell_type": "code",
            "execution_count": extra.get("execution_count", 0),
            "outputs": extra.get("outputs", []),
        }
    if "attachments" in extra:
        kind["attachments"] = extra["attachments"]
    return {**kind, "metadata": metadata, "source": text.splitlines(keepends=True)}


def cell_metadata(cell: Cell, index: int) -> Json:
    """The metadata that Databricks gives to a new cell; its id follows from the cell: every export has the same."""
    return {
        "cellMetadata": {},
        "inputWidgets": {},
        "nuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{index} {cell.title} {cell.text}")),
        "showTitle": bool(cell.title) and cell.show_title,
        "tableResultSettingsMap": {},
        "title": cell.title,
    }


def from_jupyter(content: bytes, language: Language | None) -> Notebook:
    """The cells and their language, with all metadata and outputs."""
    try:
        read = orjson.loads(content)
        if read["nbformat"] < 4:
            raise ValueError(f"nbformat {read['nbformat']} is too old")
        metadata: Json = dict(read.get("metadata", {}))
        names = [
            metadata.get(NOTEBOOK_KEY, {}).get("language"),
            metadata.get("language_info", {}).get("name"),
            metadata.get("kernelspec", {}).get("language"),
        ]
        known: list[Language] = [found for name in names if (found := language_named(name))]
        found_language = known[0] if known else language or "PYTHON"
        cells = [_read(cell, found_language) for cell in read["cells"]]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise unreadable("JUPYTER", error) from None
    ours = metadata[NOTEBOOK_KEY] = dict(metadata.get(NOTEBOOK_KEY, {}))
    no_newline = ours.pop(_NO_NEWLINE, False)
    extras = Extras(metadata, tuple(extra for _, extra in cells))
    notebook = from_pieces(found_language, [piece for piece, _ in cells], extras)
    return attrs.evolve(notebook, source=notebook.source.removesuffix(b"\n")) if no_newline else notebook


def _read(given: Json, language: Language) -> tuple[str, Json]:
    """The source text of a cell, and all else that it has."""
    text = given["source"] if isinstance(given["source"], str) else "".join(given["source"])
    extra = {name: value for name, value in given.items() if name not in ("source", "id")}
    extra["metadata"] = metadata = dict(given.get("metadata", {}))
    ours = metadata[CELL_KEY] = dict(metadata.get(CELL_KEY, {}))
    exact = ours.pop(_EXACT, None)
    if not ours:
        del metadata[CELL_KEY]
    title = str(ours.get("title") or "")
    cell = Cell(text, title, bool(ours.get("showTitle", True)))
    if given["cell_type"] != "code":
        cell = attrs.evolve(cell, text=f"%md\n{text}")
    return (exact if isinstance(exact, str) and _same(exact, cell, language) else write_cell(cell, language)), extra


def _same(piece: str, cell: Cell, language: Language) -> bool:
    """Whether a source text is that of the cell, but for the way in which it is written."""
    return _plain(parse_cell(piece, language)) == _plain(cell)


def _plain(cell: Cell) -> Cell:
    """The cell without what a Jupyter file does not hold: how its `%md` is written, whether no title shows."""
    markdown = MARKDOWN.match(cell.text)
    text = f"%md\n{cell.text[markdown.end() :]}" if markdown else cell.text
    return Cell(text, cell.title, bool(cell.title) and cell.show_title)


def language_named(name: object) -> Language | None:
    """The language of this name, in whatever case; None for another."""
    return next((language for language in EXTENSIONS if isinstance(name, str) and name.upper() == language), None)


def unreadable(format_: str, error: Exception) -> ApiError:
    return invalid(f"The content could not be read as {format_}: {error}")
