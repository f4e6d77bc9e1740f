"""Builds the manual: `python -W error -m databricks_async.manual.tools.build DIRECTORY`.

A warning, and a link that leads nowhere, is an error.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import shutil
import sys
import types
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs
import pdoc
import pdoc.doc
import pdoc.render
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

from databricks_async import DatabricksError, Model, __version__
from databricks_async.front_door import public_names
from databricks_async.manual.tools import CHAPTERS, HOME, PICTURES, RECIPES, title_of
from databricks_async.manual.tools.links import broken_in_markdown, broken_in_pages
from databricks_async.service import Service

MANUAL = "databricks_async.manual"
DOORS = [
    "databricks_async",
    "databricks_async.clusters",
    "databricks_async.jobs",
    "databricks_async.workspace",
    "databricks_async.libraries",
    "databricks_async.current_user",
    "databricks_async.errors",
    "databricks_async.events",
    "databricks_async.otel",
    "databricks_async.pictures",
    "databricks_async.local",
]
"""The modules whose names are public: the reference."""


@attrs.frozen
class Chapter:
    """A page of the manual in the list at its side."""

    module: str
    title: str

    @property
    def page(self) -> str:
        return f"{self.module.replace('.', '/')}.html"


def chapter_pages() -> Iterator[tuple[Chapter, pdoc.doc.Module]]:
    for name in CHAPTERS:
        chapter = f"{MANUAL}.{name.replace('/', '.')}"
        title = title_of((HOME / f"{name}.md").read_text(encoding="utf-8"))
        page = pdoc.doc.Module(import_module(chapter))
        page.docstring = page.docstring.partition("\n\n")[2]  # the text included below the module's own line
        yield Chapter(chapter, title), page
    for path in RECIPES:
        # Not imported: a recipe may need what is not installed here, and a page shows its text.
        name = f"{MANUAL}.recipes.{path.stem}"
        module = types.ModuleType(name, recipe_text(path))
        module.__all__ = []  # type: ignore[attr-defined]
        yield Chapter(name, title_of(module.__doc__ or "")), pdoc.doc.Module(module)


def recipe_text(path: Path) -> str:
    """A recipe as Markdown: its docstring, whose first line is the title, its code, and the files that go with it."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    text = ast.get_docstring(tree) or ""
    first, _, rest = text.partition("\n")
    code = "\n".join(source.splitlines()[tree.body[0].end_lineno or 0 :]).strip("\n")
    shown = [f"# {first.rstrip('.')}\n{rest}", f"`{path.name}`:", f"```python\n{code}\n```"]
    for file in sorted((path.parent / path.stem.removeprefix("on_")).glob("*")):
        content = file.read_text(encoding="utf-8").strip("\n")
        shown += [f"`{file.parent.name}/{file.name}`:", f"```{file.suffix[1:] or 'docker'}\n{content}\n```"]
    return "\n\n".join(shown) + "\n"


def reference_page(door: str) -> pdoc.doc.Module:
    """The page of a module that imports its names on first use."""
    module = import_module(door)
    for name in public_names(module):
        vars(module)[name] = getattr(module, name)
    page = pdoc.doc.Module(module)
    docs = dict(docs_of_aliases(door))
    for name, member in page.members.items():
        if isinstance(member, pdoc.doc.Class):
            show_whole(member)
        elif not member.docstring:
            member.docstring = docs.get(name, "")
    page.members = dict(sorted(page.members.items(), key=lambda item: _rank(item[1].obj)))
    return page


def _rank(thing: Any) -> int:
    """What a reader of a page looks for first: its service, what is done with it, errors, then models and words."""
    if not isinstance(thing, type):
        return 3
    if thing is DatabricksError:
        return -1
    if issubclass(thing, Service | DatabricksError):
        return 0
    return 2 if issubclass(thing, Model | str | dict) else 1


def show_whole(kind: pdoc.doc.Class) -> None:
    """Have a class show what it inherits from a class of this package, but for the few that are bases of many."""
    if attrs.has(kind.obj):
        # Its fields stand below it: no need for the docstring to list them as help() does, and the constructor too.
        own = next(
            (text for base in kind.obj.__mro__ if isinstance(text := vars(base).get("__doc__"), str)),
            "",
        )
        kind.docstring = inspect.cleandoc(own)
        kind.members.pop("__init__", None)
    for member in kind.members.values():
        module, qualname = member.taken_from
        if module.startswith("databricks_async.") and qualname.partition(".")[0] not in (
            "Model",
            "DatabricksError",
        ):
            member.taken_from = (member.modulename, member.qualname)


def docs_of_aliases(door: str) -> Iterator[tuple[str, str]]:
    """The text below each type alias of the modules from which a door takes its names."""
    tree = ast.parse(inspect.getsource(import_module(door)))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("databricks_async"):
            yield from pdoc.doc.Module(import_module(node.module))._var_docstrings.items()


def below_title(contents: str) -> str:
    """A table of contents without the page's title, which the list at the side shows already."""
    inner = re.fullmatch(r"\s*<ul>\s*<li>.*?</a>\s*(<ul>.*</ul>)?\s*</li>\s*</ul>\s*", contents, re.DOTALL)
    return (inner.group(1) or "") if inner else contents


def with_pages_for_files(html: str) -> str:
    """Links to chapters and recipes lead to files in the repository, and to pages here."""
    html = re.sub(r'(href="(?!\w+:)[^"#]*)\.md(#[^"]*)?"', r'\1.html\2"', html)
    return re.sub(r'(href="(?!\w+:)[^"#]*)\.py"', r'\1.html"', html)


def with_readable_types(html: str) -> str:
    """The types of keywords as they are written, where pdoc shows how Python shows them."""
    name = r"(<a href=\"[^\"]*\">\w+</a>|\w+)"
    html = re.sub(
        rf"\*(?:</span><span[^>]*>)?&lt;class (?:</span><span[^>]*>)?&#(?:x27|39);{name}&#(?:x27|39);&gt;",
        r"Unpack[\1]",
        html,
    )
    return html.replace('<span class="n">NoneType</span>', '<span class="kc">None</span>')


def with_breakable_names(html: str) -> str:
    """In tables a long name may break behind an underscore or a dot, and nowhere else."""

    def broken(cell: re.Match[str]) -> str:
        return re.sub(r">[^<]+", lambda text: re.sub(r"(?<=[A-Za-z])([_.])(?=[A-Za-z])", r"\1<wbr>", text[0]), cell[0])

    return re.sub(r"<td>.*?</td>", broken, html, flags=re.DOTALL)


def build(directory: Path) -> None:
    chapters = [*chapter_pages()]
    pages = {page.modulename: page for page in [*(page for _, page in chapters), *map(reference_page, DOORS)]}
    titles = {chapter.module: chapter.title for chapter, _ in chapters}
    pdoc.render.configure(
        template_directory=Path(__file__).parent / "template",
        show_source=False,
        include_undocumented=False,
    )
    env = pdoc.render.env
    env.filters["below_title"] = below_title
    env.globals |= {
        "chapters": [chapter for chapter, _ in chapters],
        "doors": DOORS,
        "title_of": lambda page: titles.get(page.modulename, page.modulename),
        "version": __version__,
        "dark_code": HtmlFormatter(style="github-dark").get_style_defs(".pdoc-code"),
    }
    shutil.rmtree(directory, ignore_errors=True)
    os.environ["PDOC_EMBED_IMAGES"] = "0"  # they are files beside the pages
    if PICTURES.exists():
        shutil.copytree(PICTURES, directory / "databricks_async" / "manual" / PICTURES.name)
    for name, page in pages.items():
        file = directory / f"{name.replace('.', '/')}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        html = pdoc.render.html_module(page, pages)
        file.write_text(with_breakable_names(with_readable_types(with_pages_for_files(html))), encoding="utf-8")
    (directory / "search.js").write_text(pdoc.render.search_index(pages), encoding="utf-8")
    start = '<!doctype html><title>databricks-async</title><meta http-equiv="refresh" content="0; url={}"/>'
    (directory / "index.html").write_text(start.format("databricks_async/manual/index.html"), encoding="utf-8")


def main(arguments: list[str]) -> Any:
    if len(arguments) != 1:
        return __doc__
    warnings.simplefilter("error")
    directory = Path(arguments[0])
    build(directory)
    broken = [*broken_in_markdown(), *broken_in_pages(directory)]
    print(f"{len(CHAPTERS)} chapters, {len(RECIPES)} recipes, {len(DOORS)} pages of reference in {directory}")
    return "\n".join(broken) if broken else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
