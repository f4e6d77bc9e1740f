"""The parts of the chapters that are made from the code: `python -m databricks_async.manual.tools.tables` writes them.

A test compares what stands in the chapters with what the code says today.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from operator import attrgetter
from typing import Any

import attrs
from databricks.sdk.mixins.compute import ClustersExt
from databricks.sdk.mixins.jobs import JobsExt
from databricks.sdk.mixins.workspace import WorkspaceExt
from databricks.sdk.service.compute import LibrariesAPI
from databricks.sdk.service.iam import CurrentUserAPI

from databricks_async import Config, errors, pytest_plugin
from databricks_async.cli.output.exits import EXITS
from databricks_async.client import API_VERSIONS
from databricks_async.clusters import Clusters
from databricks_async.config import Arguments
from databricks_async.config.settings import FILE_NAMES
from databricks_async.current_user import CurrentUser
from databricks_async.documentation import field_docs
from databricks_async.jobs import Jobs
from databricks_async.libraries import Libraries
from databricks_async.manual.tools import HOME, ROOT, with_part
from databricks_async.manual.tools.advice import ADVICE, OTHERWISE
from databricks_async.service import RENAMED
from databricks_async.workspace import Workspace

SERVICES: dict[str, tuple[type[Any], type[Any]]] = {
    "clusters": (ClustersExt, Clusters),
    "jobs": (JobsExt, Jobs),
    "libraries": (LibrariesAPI, Libraries),
    "workspace": (WorkspaceExt, Workspace),
    "current_user": (CurrentUserAPI, CurrentUser),
}
_NOT_IN_PROFILES = {"profile", "config_file"}
"""These say which profile of which file, so neither is in one."""


def settings() -> Iterator[str]:
    """Every setting of `Config`."""
    yield from _head("argument and profile key", "type", "default", "environment", "meaning")
    docs = field_docs(Config)
    by_key = {name: [key] for key, name in FILE_NAMES.items()}
    for field in attrs.fields(Config):
        if not field.metadata:
            continue
        kind = str(Arguments.__annotations__[field.name]).removesuffix(" | None")
        kind = kind.replace("collections.abc.", "")
        env = ", ".join(f"`{name}`" for name in field.metadata["env"])
        name = f"`{field.name}`" + ("; not in a profile" if field.name in _NOT_IN_PROFILES else "")
        name += "".join(f"; in a profile also `{key}`" for key in by_key.get(field.name, []))
        secret = "; a secret" if field.metadata["secret"] else ""
        yield _row(name, f"`{kind}`{secret}", _default(field.default), env, docs[field.name])


def _default(value: object) -> str:
    if isinstance(value, int) and value >= 2**20:
        return f"{value // 2**20} MiB"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value!r}`"


def versions() -> Iterator[str]:
    """The versions of the REST API."""
    yield from _head("service", "version")
    for service, version in API_VERSIONS.items():
        yield _row(f"`{service}`", version)


def error_tree() -> Iterator[str]:
    """Every exception, in the order of its tree, with what it means and what to do about it."""
    yield from _head("exception", "when", "what to do")
    yield from _below(errors.DatabricksError, 0)


def _below(kind: type[Exception], depth: int) -> Iterator[str]:
    yield _row(
        "\N{EN DASH} " * depth + f"`{kind.__name__}`",
        _first_paragraph(kind),
        ADVICE.get(kind.__name__, OTHERWISE),
    )
    public = {getattr(errors, name) for name in errors.__all__ if name != "FailedTask"}
    for child in kind.__subclasses__():
        if child in public and child.__bases__[0] is kind:
            yield from _below(child, depth + 1)


def exits() -> Iterator[str]:
    """The exit codes of the command line."""
    yield from _head("code", "when")
    for row in EXITS:
        yield _row(str(row.code), row.when)


def fixtures() -> Iterator[str]:
    """The fixtures of the pytest plugin."""
    yield from _head("fixture", "what it is")
    for node in ast.parse(inspect.getsource(pytest_plugin)).body:
        if isinstance(node, ast.FunctionDef) and any("fixture" in ast.unparse(one) for one in node.decorator_list):
            yield _row(f"`{node.name}`", _paragraph(ast.get_docstring(node) or ""))


def benchmarks() -> Iterator[str]:
    """The programs that measure, with the first paragraph of each."""
    yield from _head("benchmark", "what it measures")
    for file in sorted((ROOT / "benchmarks").glob("[a-z]*.py")):
        text = file.read_text(encoding="utf-8")
        if 'if __name__ == "__main__":' in text and file.stem != "airflow_peer":
            yield _row(f"`{file.stem}`", _paragraph(ast.get_docstring(ast.parse(text)) or ""))


def methods() -> Iterator[str]:
    """The methods of the official SDK and ours, service by service."""
    for service, (official, ours) in SERVICES.items():
        yield from ("", f"### `w.{service}`", "")
        yield from _head("databricks-sdk", "here", "gives", "arguments that differ")
        theirs, own = methods_of(official), methods_of(ours)
        for name in theirs:
            renamed = name if name in own else RENAMED[name]
            differ = _differences(theirs[name], own[renamed]) if name in own else ""
            yield _row(f"`{name}`", *_call(renamed, own[renamed]), differ)


def additions() -> Iterator[str]:
    """The methods that the official SDK has not."""
    yield from _head("here only", "gives", "what it does")
    for service, (official, ours) in SERVICES.items():
        theirs = {RENAMED.get(name, name) for name in methods_of(official)}
        for name, method in methods_of(ours).items():
            if name not in theirs:
                yield _row(*_call(f"w.{service}.{name}", method), _first_sentence(method))


def _call(name: str, method: Any) -> tuple[str, str]:
    """How a method is called, and what that gives."""
    gives = str(inspect.signature(method).return_annotation)
    waits = "await " if inspect.iscoroutinefunction(inspect.unwrap(method)) else ""
    loops = "async for ... in " if gives.startswith(("Pager", "Watch", "Changes", "Stream", "Walk")) else ""
    return f"`{loops}{waits}{name}`", f"`{gives}`"


_INSTEAD = {
    "limit": "`page_size` or `max_items` for `limit`",
    "page_token": "no `page_token`: all pages are read",
    "recursive": "`walk` for `recursive`",
    "content": "`source` for `content`",
    "attributes": "no `attributes`",
    "excluded_attributes": "no `excluded_attributes`",
}
"""What takes the place of an argument that is missing here."""


def _differences(official: Any, ours: Any) -> str:
    return "; ".join(_INSTEAD[name] for name in missing_arguments(official, ours))


def missing_arguments(official: Any, ours: Any) -> list[str]:
    """The arguments of the official method that ours has not."""
    return [name for name in _arguments(official) if name not in _arguments(ours)]


def _arguments(method: Any) -> list[str]:
    """The names of a method's arguments, those of its keywords' type included."""
    names: list[str] = []
    for name, parameter in inspect.signature(method).parameters.items():
        keywords = re.fullmatch(r"Unpack\[([\w.]+)\]", str(parameter.annotation))
        if parameter.kind is not parameter.VAR_KEYWORD:
            names.append(name)
        elif keywords:
            module = inspect.getmodule(inspect.unwrap(method))
            names += _keyword_type(keywords.group(1), module).__annotations__
    return names


def _keyword_type(path: str, module: Any) -> Any:
    """A TypedDict by its name in a module, which may import it for type checkers only."""
    name = path.partition(".")[0]
    if hasattr(module, name):
        return attrgetter(path)(module)
    return getattr(import_module(_imports(module)[name]), name)


@cache
def _imports(module: Any) -> dict[str, str]:
    """The modules that a module imports names from, those for type checkers included."""
    nodes = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module for node in nodes if node.module for alias in node.names}


def methods_of(kind: type[Any]) -> dict[str, Any]:
    found = {name: one for name, one in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}
    return dict(sorted(found.items()))


def _head(*names: str) -> list[str]:
    return [_row(*names), "|" + "---|" * len(names)]


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _first_paragraph(kind: type[Any]) -> str:
    return _paragraph(inspect.getdoc(kind) or "")


def _paragraph(text: str) -> str:
    return " ".join(inspect.cleandoc(text).split("\n\n")[0].split())


def _first_sentence(thing: Any) -> str:
    return re.split(r"(?<=\.) ", _first_paragraph(thing))[0]


TABLES = {
    "configuration.md": {"settings": settings, "versions": versions},
    "errors.md": {"errors": error_tree},
    "command_line.md": {"exits": exits},
    "testing.md": {"fixtures": fixtures},
    "performance.md": {"benchmarks": benchmarks},
    "coming/databricks_sdk.md": {"methods": methods, "additions": additions},
}
"""Which part of which chapter is made by what."""


def with_tables(chapter: str, text: str) -> str:
    """A chapter with its parts as the code makes them today."""
    for name, make in TABLES[chapter].items():
        text = with_part(text, name, make())
    return text


def write(chapters: Iterable[str] = TABLES) -> None:
    for chapter in chapters:
        file = HOME / chapter
        file.write_text(with_tables(chapter, file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
