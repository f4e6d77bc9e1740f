"""Finds dead links and anchors: in the Markdown as a forge shows it, and in the pages that were built of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from databricks_async.manual.tools import HOME, ROOT

FILES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / ".github").glob("*.md")),
    *sorted(HOME.rglob("*.md")),
]
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<(https?://[^>\s]+)>|\bsrc(?:set)?=\"([^\"]+)\"|\bhref=\"([^\"]+)\"")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*(:\d+)?")


def broken_in_markdown() -> Iterator[str]:
    """What leads nowhere, as `file: link: why`."""
    for file in FILES:
        text = _FENCE.sub("", file.read_text(encoding="utf-8"))
        for match in _LINK.finditer(text):
            link = next(group for group in match.groups() if group)
            why = _why_foreign(link) if _is_foreign(link) else _why_in_markdown(file, link)
            if why:
                yield f"{file.relative_to(ROOT)}: {link}: {why}"


def broken_in_pages(directory: Path) -> Iterator[str]:
    """The same of a built manual; also ids that a page gives twice."""
    for page in sorted(directory.rglob("*.html")):
        read = _read(page)
        where = page.relative_to(directory)
        yield from (f"{where}: the id {name!r} is there twice" for name in sorted(read.twice))
        for link in sorted(read.links):
            why = _why_foreign(link) if _is_foreign(link) else _why_in_page(page, link)
            if why:
                yield f"{where}: {link}: {why}"


def _is_foreign(link: str) -> bool:
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


def _why_foreign(link: str) -> str | None:
    """Addresses of others are judged by their form: nothing is fetched."""
    parts = urlsplit(link)
    if parts.scheme in ("data", "mailto"):
        return None
    if parts.scheme not in ("http", "https"):
        return "neither http nor https"
    if not _HOST.fullmatch(parts.netloc):
        return "no name of a host"
    if re.search(r"[\s<>\"{}|\\^`]", link):
        return "characters that no address has"
    return None


def _why_in_markdown(file: Path, link: str) -> str | None:
    path, _, anchor = link.partition("#")
    target = file.parent / unquote(path) if path else file
    if not target.exists():
        return "no such file"
    if anchor and anchor not in _anchors(target):
        return "no such heading"
    return None


@cache
def _anchors(file: Path) -> set[str]:
    """The anchors of a Markdown file: what forges make of its headings."""
    text = _FENCE.sub("", file.read_text(encoding="utf-8"))
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+?)\s*$", text, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        names = (slug if not number else f"{slug}-{number}" for number in range(100))
        found.add(next(name for name in names if name not in found))
    return found


def _why_in_page(page: Path, link: str) -> str | None:
    path, _, anchor = link.partition("#")
    target = page.parent / unquote(path) if path else page
    if not target.is_file():
        return "no such page"
    if anchor and unquote(anchor) not in _read(target).ids:
        return "no such place on the page"
    return None


class _Page(HTMLParser):
    """What a page links to, and the places on it."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.twice: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                (self.twice if value in self.ids else self.ids).add(value)
            elif name in ("href", "src", "srcset") and value:
                self.links.add(value)


@cache
def _read(page: Path) -> _Page:
    read = _Page()
    read.feed(page.read_text(encoding="utf-8"))
    return read
