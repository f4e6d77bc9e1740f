"""Functions whose source is made of the fields of a model."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

Names: TypeAlias = dict[str, Any]
"""The globals of generated functions; `cls` is the model that they are for."""


def function(name: str, head: str, lines: Iterable[str], names: Names) -> Any:
    """Compile a function; one space in a line is one level. Tracebacks and debuggers find its source in `linecache`."""
    cls = names["cls"]
    bare = "\n".join([f"def {name}({head}):", *lines, ""]).split("\n")
    text = "\n".join("   " * (len(line) - len(line.lstrip(" "))) + line for line in bare)
    filename = f"<generated {name} of {cls.__module__}.{cls.__qualname__}>"
    exec(compile(text, filename, "exec"), names)  # noqa: S102 made of our own field names, and of the repr of keys
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    return names[name]


def later(names: Names, name: str, make: Callable[[], Callable[..., Any]]) -> None:
    """Bind a name to a function that is made when first called: few types are ever used, and types may be recursive."""

    def first_call(*args: Any) -> Any:
        names[name] = made = make()
        return made(*args)

    names[name] = first_call
