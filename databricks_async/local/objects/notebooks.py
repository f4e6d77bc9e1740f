"""Notebooks: a language, and the source text in which cells follow each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import attrs

from databricks_async.local.values import Json

Language = Literal["SCALA", "PYTHON", "SQL", "R"]

EXTENSIONS: dict[Language, str] = {"PYTHON": ".py", "SCALA": ".scala", "SQL": ".sql", "R": ".r"}
LANGUAGES: dict[str, Language] = {extension: language for language, extension in EXTENSIONS.items()}
_COMMENT: dict[Language, str] = {"PYTHON": "#", "SCALA": "//", "SQL": "--", "R": "#"}


@attrs.frozen
class Cell:
    """One cell, as a person sees it."""

    text: str
    """With `%md` and the like at its start, without their comment signs."""
    title: str = ""
    show_title: bool = True


@attrs.frozen
class Extras:
    """What Jupyter files and archives hold of a notebook beside its cells' texts: SOURCE has no place for it."""

    metadata: Json
    cells: tuple[Json, ...]
    """Of each cell, in the form of a Jupyter file without the text: its metadata, outputs, attachments."""


@attrs.frozen
class Notebook:
    """A notebook's content."""

    language: Language
    source: bytes = attrs.field(repr=False)
    """As it was imported, byte for byte; it need not have the header line."""
    extras: Extras | None = attrs.field(default=None, repr=False)

    def exported(self) -> bytes:
        """The source with the header line, which is added where it was imported without."""
        return self.source if has_header(self.source, self.language) else header(self.language) + b"\n" + self.source

    def cells(self) -> list[Cell]:
        """The cells, in their order."""
        return [parse_cell(piece, self.language) for piece in self.pieces()]

    def pieces(self) -> list[str]:
        """The source text of each cell."""
        text = self.source.decode("utf-8", "replace")
        if has_header(self.source, self.language):
            first, _, text = text.partition("\n")
            if first.endswith("\r"):
                text = text.replace("\r\n", "\n")
        if not text:
            return []
        comment = _COMMENT[self.language]
        between = re.compile(rf"\n{{0,2}}^{comment} COMMAND -{{10}}[ \t\r]*$\n{{0,2}}", re.MULTILINE)
        return between.split(text.removesuffix("\n"))


def from_cells(language: Language, cells: Iterable[Cell], extras: Extras | None = None) -> Notebook:
    """The notebook of which these are the cells."""
    return from_pieces(language, [write_cell(cell, language) for cell in cells], extras)


def from_pieces(language: Language, pieces: Sequence[str], extras: Extras | None = None) -> Notebook:
    """The notebook of which these are the source texts of the cells."""
    lines = [header(language).decode() + "\n"]
    if pieces:
        lines.append(f"\n\n{_COMMENT[language]} COMMAND ----------\n\n".join(pieces))
        lines.append("\n")
    return Notebook(language, "".join(lines).encode("utf-8", "replace"), extras)


def parse_cell(piece: str, language: Language) -> Cell:
    """The cell of this source text: `# DBTITLE 1,` is its title, which `# DBTITLE 0,` hides."""
    comment = _COMMENT[language]
    first, _, rest = piece.partition("\n")
    found = re.fullmatch(rf"{comment} DBTITLE ([01]),(.*)", first)
    if found is None:
        return Cell(_without_magic(piece, comment))
    return Cell(_without_magic(rest, comment), found[2], found[1] == "1")


def write_cell(cell: Cell, language: Language) -> str:
    """The source text of a cell, as the service writes it."""
    comment = _COMMENT[language]
    body = _with_magic(cell.text, comment)
    if not cell.title:
        return body
    title = " ".join(cell.title.splitlines())
    return f"{comment} DBTITLE {int(cell.show_title)},{title}\n{body}"


def header(language: Language) -> bytes:
    """The first line, by which a notebook is known from a script."""
    return f"{_COMMENT[language]} Databricks notebook source".encode()


def has_header(source: bytes, language: Language) -> bool:
    end = source.find(b"\n")
    return (source if end < 0 else source[:end]).rstrip() == header(language)


def _with_magic(cell: str, comment: str) -> str:
    # A cell in another language is not this language's code: every line of it becomes a comment.
    if not cell.startswith("%"):
        return cell
    return "\n".join(f"{comment} MAGIC {line}" if line else f"{comment} MAGIC" for line in cell.split("\n"))


def _without_magic(cell: str, comment: str) -> str:
    magic = f"{comment} MAGIC"
    lines = cell.strip("\n").split("\n")
    is_magic = all(line == magic or line.startswith(f"{magic} ") for line in lines)
    if not (is_magic and lines[0].startswith(f"{magic} %")):
        return cell
    return "\n".join(line[len(magic) + 1 :] for line in lines)
