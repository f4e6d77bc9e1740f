"""Formats: notebooks as HTML, R Markdown and archive entries, and back; all formats by name."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable
from urllib.parse import quote, unquote

import orjson

from databricks_async.local.errors import invalid
from databricks_async.local.objects.jupyter import (
    CELL_KEY,
    MARKDOWN,
    cell_metadata,
    from_jupyter,
    language_named,
    to_jupyter,
    unreadable,
)
from databricks_async.local.objects.notebooks import (
    LANGUAGES,
    Cell,
    Extras,
    Language,
    Notebook,
    from_cells,
    has_header,
)
from databricks_async.local.values import Json

_MODEL = "__DATABRICKS_NOTEBOOK_MODEL"


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


def to_model(notebook: Notebook, name: str) -> bytes:
    """A notebook as archives and HTML pages hold it."""
    cells = notebook.cells()
    kept = notebook.extras.cells if notebook.extras else ()
    extras = kept if len(kept) == len(cells) else [{}] * len(cells)
    commands = [_command(cell, extras[index].get("metadata", {}), index) for index, cell in enumerate(cells)]
    model = {"version": "NotebookV1", "name": name, "language": notebook.language.lower(), "commands": commands}
    return orjson.dumps(model)


# How the metadata of a cell are called in a Jupyter file and in a command of an archive.
_COMMAND_NAMES = {
    "title": "commandTitle",
    "showTitle": "showCommandTitle",
    "nuid": "nuid",
    "inputWidgets": "inputWidgets",
    "cellMetadata": "metadata",
    "tableResultSettingsMap": "tableResultSettingsMap",
}


def _command(cell: Cell, metadata: Json, index: int) -> Json:
    ours = {**cell_metadata(cell, index), **metadata.get(CELL_KEY, {})}
    command: Json = {"version": "CommandV1", "position": float(index + 1), "command": cell.text}
    return command | {there: ours[here] for here, there in _COMMAND_NAMES.items()}


def _metadata(command: Json) -> Json:
    return {here: command[there] for here, there in _COMMAND_NAMES.items() if there in command}


def from_model(content: bytes, format_: str) -> Notebook:
    try:
        model = orjson.loads(content)
        language = language_named(model["language"])
        if language is None:
            raise ValueError(f"unknown language {model['language']!r}")
        commands = sorted(model["commands"], key=lambda command: command["position"])
        cells = [
            Cell("" + command["command"], str(command.get("commandTitle") or ""), bool(command.get("showCommandTitle")))
            for command in commands
        ]
        extras = tuple({"metadata": {CELL_KEY: _metadata(command)}} for command in commands)
    except (ValueError, LookupError, TypeError) as error:
        raise unreadable(format_, error) from None
    return from_cells(language, cells, Extras({}, extras))


def to_html(notebook: Notebook, name: str) -> bytes:
    """A page to look at, which also holds the notebook itself."""
    model = base64.b64encode(quote(to_model(notebook, name)).encode()).decode()
    cells = "".join(
        (f"<h4>{html.escape(cell.title)}</h4>\n" if cell.title and cell.show_title else "")
        + f"<pre>{html.escape(cell.text)}</pre>\n"
        for cell in notebook.cells()
    )
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
        raise unreadable("HTML", error) from None
    return from_model(model, "HTML")


def to_r_markdown(notebook: Notebook, name: str) -> bytes:
    parts = []
    for cell in notebook.cells():
        text = cell.text
        markdown = MARKDOWN.match(text)
        parts.append(text[markdown.end() :] if markdown else f"```{{{notebook.language.lower()}}}\n{text}\n```")
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
            cells.append(Cell(f"%md\n{prose.strip()}"))
        if chunk_language is not None:
            cells.append(Cell(code if chunk_language.upper() == ours else f"%{chunk_language}\n{code}"))
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
