"""Reads `.databrickscfg` as the Databricks CLI and Terraform do: the rules of gopkg.in/ini.v1, which both use.

The last value of a key wins, sections of one name are one, keys before the first header are `DEFAULT`'s, values may
stand in quotes, a backslash at the end of a line joins the next one, `#` and `;` begin a comment. Two things are taken
as people mean them: a comment behind a value needs a blank before it, and a file in UTF-16 is read as such.
"""

from __future__ import annotations

import codecs
import logging
import os
import stat
from collections.abc import Iterator
from typing import TypeAlias

from databricks_async.errors import ConfigError
from databricks_async.secret import HiddenStr

log = logging.getLogger("databricks_async")

Sections: TypeAlias = dict[str, dict[str, str]]
"""The keys in lower case, with values whose repr is hidden."""

_ENCODINGS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_QUOTES = ('"""', "`", '"', "'")
_warned_of = set[str]()


def read_sections(path: str) -> Sections | None:
    """The sections of a configuration file; None if there is no such file.

    Raises `ConfigError` for one that cannot be read, with what is wrong and where, but never a line of it.
    """
    problem, sections = _read(path)
    # Raised here: in no frame of its traceback does a variable hold a line of the file.
    if problem:
        raise ConfigError(f"{path} {problem}")
    return sections


def warn_if_readable_by_others(path: str) -> None:
    """A warning in the log, once a file: what holds a secret is for its owner alone."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return  # the reading of it reports that
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO) and path not in _warned_of:
        _warned_of.add(path)
        log.warning("%s holds secrets and others may read it: chmod 600 %s", path, path)


def _read(path: str) -> tuple[str, Sections | None]:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return "", None
    except OSError as error:
        return f"cannot be read: {error.strerror}", None
    try:
        return "", _parsed(_decoded(data))
    except _Wrong as wrong:
        return f"is not a valid configuration file{wrong}", None


class _Wrong(ValueError):
    """What is wrong with a file, and in which line."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(f" (line {line}): {what}" if line else f": {what}")


def _decoded(data: bytes) -> str:
    mark, encoding = next((one for one in _ENCODINGS if data.startswith(one[0])), (b"", "utf-8"))
    data = data.removeprefix(mark)
    if not mark and 0 in data[:2]:
        # Without a mark, text that is mostly ASCII has a zero in every second byte of UTF-16.
        encoding = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
    try:
        # What is no text is said where it stands, and does not matter in a comment.
        return data.decode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError:
        raise _Wrong(f"it begins like {encoding.upper()} and is not: save it as UTF-8") from None


def _parsed(text: str) -> Sections:
    sections: Sections = {}
    section = "DEFAULT"
    lines = iter(enumerate(text.split("\n"), 1))
    for number, line in lines:
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            section, closed, _ = line[1:].rpartition("]")
            if not closed:
                raise _Wrong("a section without its closing bracket", number)
            section = section.strip()
            if not section:
                raise _Wrong("a section without a name", number)
            sections.setdefault(section, {})
            continue
        end = min((line.find(sign) for sign in "=:" if sign in line), default=-1)
        if end < 0:
            raise _Wrong("neither a section nor a key with '=' and a value", number)
        key = line[:end].strip().strip("\"'").lower()
        if not key:
            raise _Wrong("a value without a key", number)
        value = _value(line[end + 1 :].strip(), number, lines)
        if not _is_text(key + value):
            raise _Wrong("neither UTF-8 nor UTF-16 text: save it as UTF-8", number)
        sections.setdefault(section, {})[key] = HiddenStr(value)
    return sections


def _value(text: str, number: int, lines: Iterator[tuple[int, str]]) -> str:
    for quote in _QUOTES:
        if text.startswith(quote) and len(text) > len(quote):
            return _quoted(text[len(quote) :], quote, number, lines)
    while text.endswith("\\"):
        more = next(lines, (0, ""))[1].strip()
        text = text[:-1] + more
        if not more:
            break
    return _without_comment(text)


def _quoted(text: str, quote: str, number: int, lines: Iterator[tuple[int, str]]) -> str:
    end = text.find(quote)
    if end >= 0 and not _without_comment(text[end + len(quote) :]):
        return text[:end]
    if quote in ('"', "'"):
        return _without_comment(quote + text)  # a quotation mark that belongs to the value
    while quote not in text:
        _, line = next(lines, (0, None))
        if line is None:
            raise _Wrong(f"a value that begins with {quote} and has no end", number)
        text += "\n" + line
    return text.partition(quote)[0]


def _without_comment(text: str) -> str:
    text = f" {text}"  # the blank behind the sign of equality
    starts = [at for sign in (" #", " ;", "\t#", "\t;") if (at := text.find(sign)) >= 0]
    return text[: min(starts, default=len(text))].strip()


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
