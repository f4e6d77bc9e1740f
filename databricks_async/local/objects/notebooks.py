"""Notebooks: a language, and the source text in which cells follow each other."""

from __future__ import annotations

import re
from typing import Literal

import attrs

Language = Literal["SCALA", "PYTHON", "SQL", "R"]

EXTENSIONS: dict[Language, str] = {"PYTHON": ".py", "SCALA": ".scala", "SQL": ".sql", "R": ".r"}
LANGUAGES: dict[str, Language] = {extension: language for language, extension in EXTENSIONS.items()}
_COMMENT: dict[Language, str] = {"PYTHON": "#", "SCALA": "//", "SQL": "--", "R": "#"}


@attrs.frozen
class Notebook:
    """A notebook's content."""

    language: Language
    source: bytes = attrs.field(repr=False)
    """As it was imported, byte for byte; it need not have the header line."""

    def exported(self) -> bytes:
        """The source with the header line, which is added where it was imported without."""
        return self.source if has_header(self.source, self.language) else header(self.language) + b"\n" + self.source

    def cells(self) -> list[str]:
        """The text of each cell, as a person sees it: `%md` and the like without their comment signs."""
        text = self.source.decode("utf-8", "replace")
        if has_header(self.source, self.language):
            first, _, text = text.partition("\n")
            if first.endswith("\r"):
                text = text.replace("\r\n", "\n")
        if not text:
            return []
        comment = _COMMENT[self.language]
        between = re.compile(rf"\n{{0,2}}^{comment} COMMAND -{{10}}[ \t\r]*$\n{{0,2}}", re.MULTILINE)
        return [_without_magic(cell, comment) for cell in between.split(text.removesuffix("\n"))]


def from_cells(language: Language, cells: list[str]) -> Notebook:
    """The notebook of which these are the cells."""
    comment = _COMMENT[language]
    lines = [header(language).decode() + "\n"]
    if cells:
        lines.append(f"\n\n{comment} COMMAND ----------\n\n".join(_with_magic(cell, comment) for cell in cells))
        lines.append("\n")
    return Notebook(language, "".join(lines).encode("utf-8", "replace"))


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
    if not all(line == magic or line.startswith(f"{magic} ") for line in lines):
        return cell
    return "\n".join(line[len(magic) + 1 :] for line in lines)
