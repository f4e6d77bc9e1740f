"""Formats: notebooks as Jupyter, HTML, R Markdown and archive entries, and back."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import orjson

from databricks_async.local.errors import ApiError, invalid
from databricks_async.local.objects.notebooks import EXTENSIONS, LANGUAGES, Language, Notebook, from_cells, has_header

_MODEL = "__DATABRICKS_NOTEBOOK_MODEL"
_OUR_METADATA = "application/vnd.databricks.v1+notebook"
_MARKDOWN = re.compile(r"%md(?:-sandbox)?(?:[ \t]*\n|[ \t]+|$)")


def detect(name: str, content: bytes) -> tuple[str, Notebook] | None:
    """What AUTO takes for a notebook: its name, without the extension, and the notebook. None is a file."""
    stem, dot, extension = name.rpartition(".")
    extension = dot + extension.lower()
    if not stem:
        return None
    if extension == ".ipynb":
        return stem, from_jupyter(content, None)
    language = LANGUAGES.get(extension)
    if language is not None and has_header(content, language):
        return stem, Notebook(language, content)
    return None


def to_jupyter(notebook: Notebook, name: str) -> bytes:
    language = notebook.language.lower()
    content = {
        "cells": [_jupyter_cell(cell) for cell in notebook.cells()],
        "metadata": {
            _OUR_METADATA: {"language": language, "notebookName": name},
            "language_info": {"name": language},
        },
        "nbformat": 4,
        "nbformat_minor": 0,
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)


def _jupyter_cell(text: str) -> dict[str, Any]:
    markdown = _MARKDOWN.match(text)
    if markdown:
        return {"cell_type": "markdown", "metadata": {}, "source": text[markdown.end() :].splitlines(keepends=True)}
    source = text.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def from_jupyter(content: bytes, language: Language | None) -> Notebook:
    """Cells and language; what the cells put out is not kept."""
    try:
        read = orjson.loads(content)
        if read["nbformat"] < 4:
            raise ValueError(f"nbformat {read['nbformat']} is too old")
        metadata = read.get("metadata", {})
        names = [
            metadata.get(_OUR_METADATA, {}).get("language"),
            metadata.get("language_info", {}).get("name"),
            metadata.get("kernelspec", {}).get("language"),
        ]
        known: list[Language] = [found for name in names if (found := _language(name))]
        cells = []
        for cell in read["cells"]:
            text = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
            cells.append(text if cell["cell_type"] == "code" else f"%md\n{text}")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _unreadable("JUPYTER", error) from None
    return from_cells(known[0] if known else language or "PYTHON", cells)


def to_model(notebook: Notebook, name: str) -> bytes:
    """A notebook as archives and HTML pages hold it."""
    commands = [
        {"version": "CommandV1", "position": float(position), "command": cell}
        for position, cell in enumerate(notebook.cells(), 1)
    ]
    model = {"version": "NotebookV1", "name": name, "language": notebook.language.lower(), "commands": commands}
    return orjson.dumps(model)


def from_model(content: bytes, format_: str) -> Notebook:
    try:
        model = orjson.loads(content)
        language = _language(model["language"])
        if language is None:
            raise ValueError(f"unknown language {model['language']!r}")
        commands = sorted(model["commands"], key=lambda command: command["position"])
        cells = ["" + command["command"] for command in commands]
    except (ValueError, LookupError, TypeError) as error:
        raise _unreadable(format_, error) from None
    return from_cells(language, cells)


def to_html(notebook: Notebook, name: str) -> bytes:
    """A page to look at, which also holds the notebook itself."""
    model = base64.b64encode(quote(to_model(notebook, name)).encode()).decode()
    cells = "".join(f"<pre>{html.escape(cell)}</pre>\n" for cell in notebook.cells())
    page = (
        f'<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8"/>\n<title>{html.escape(name)} - Databricks</title>\n'
        f"</head>\n<body>\n{cells}<script>{_MODEL} = '{model}'</script>\n</body>\n</html>\n"
    )
    return page.encode("utf-8", "replace")


def from_html(content: bytes, language: Language | None) -> Notebook:
    found = re.search(rb"%b = '([A-Za-z0-9+/=]*)'" % _MODEL.encode(), content)
    if found is None:
        raise invalid("The content could not be read as HTML: it holds no notebook.")
    try:
        model = unquote(base64.b64decode(found[1]).decode("ascii")).encode()
    except ValueError as error:
        raise _unreadable("HTML", error) from None
    return from_model(model, "HTML")


def to_r_markdown(notebook: Notebook, name: str) -> bytes:
    parts = []
    for cell in notebook.cells():
        markdown = _MARKDOWN.match(cell)
        parts.append(cell[markdown.end() :] if markdown else f"```{{{notebook.language.lower()}}}\n{cell}\n```")
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


def from_r_markdown(content: bytes, language: Language | None) -> Notebook:
    """Chunks become cells, and the text between them `%md` cells."""
    ours = language or "R"
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    cells = []
    # Three items each time: text, a chunk's language and its code; then the rest of the text.
    pieces = re.split(r"^```\{(\w+)[^}\n]*\}\n(.*?)\n?```[ \t]*$", text, flags=re.MULTILINE | re.DOTALL)
    for prose, chunk_language, code in zip(pieces[::3], [*pieces[1::3], None], [*pieces[2::3], ""], strict=True):
        if prose.strip():
            cells.append(f"%md\n{prose.strip()}")
        if chunk_language is not None:
            cells.append(code if chunk_language.upper() == ours else f"%{chunk_language}\n{code}")
    return from_cells(ours, cells)


WRITERS: dict[str, tuple[str, Callable[[Notebook, str], bytes]]] = {
    "HTML": ("html", to_html),
    "JUPYTER": ("ipynb", to_jupyter),
    "R_MARKDOWN": ("Rmd", to_r_markdown),
}
"""The formats of single notebooks beside SOURCE: file type, and what writes it."""
READERS: dict[str, Callable[[bytes, Language | None], Notebook]] = {
    "HTML": from_html,
    "JUPYTER": from_jupyter,
    "R_MARKDOWN": from_r_markdown,
}


def _language(name: object) -> Language | None:
    return next((language for language in EXTENSIONS if isinstance(name, str) and name.upper() == language), None)


def _unreadable(format_: str, error: Exception) -> ApiError:
    return invalid(f"The content could not be read as {format_}: {error}")
