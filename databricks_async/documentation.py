"""What `help()` shows of models and settings: the line of meaning below each field, read from the source when asked."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import attrs


def document(cls: type[Any]) -> str | None:
    """The docstring of a class, followed by its fields."""
    text: str | None = vars(cls).get("__doc__")
    if text is None or not attrs.has(cls):
        return text
    docs = field_docs(cls)
    lines = [inspect.cleandoc(text), "", "Fields:", ""]
    for field in attrs.fields(cls):
        if not field.name.startswith("_"):
            lines += [f"    {field.name}: {getattr(field.type, '__name__', field.type)}"]
            lines += [f"        {docs[field.name]}"] if field.name in docs else []
    return "\n".join(lines)


class Documented(type):
    """The class of classes whose docstring shows their fields."""

    if not TYPE_CHECKING:
        __doc__ = property(document)  # of each such class, and not of this one


def field_docs(cls: type[Any]) -> dict[str, str]:
    """The line of meaning of each field, inherited ones included. Empty where the source is not there."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        found |= _docs_in(base.__module__).get(base.__qualname__, {})
    return found


@lru_cache(None)
def _docs_in(module: str) -> dict[str, dict[str, str]]:
    """The text below each annotated name of the classes of a module."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):
        return {}
    return {node.name: _docs_below(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _docs_below(cls: ast.ClassDef) -> dict[str, str]:
    docs = {}
    for field, below in zip(cls.body, cls.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = below.value.value if isinstance(below.value, ast.Constant) else None
            if isinstance(text, str):
                docs[field.target.id] = " ".join(text.split())
    return docs


class KeywordSignature:
    """The signature of a class whose last parameter takes the keywords of a TypedDict: each by its name."""

    def __init__(self, keywords: Any) -> None:
        self._keywords = keywords

    def __get__(self, instance: object, cls: type[Any]) -> inspect.Signature:
        signature = inspect.signature(cls.__init__)
        parameters = [*signature.parameters.values()][1:-1]
        for name, kind in self._keywords.__annotations__.items():
            annotation = getattr(kind, "__forward_arg__", kind)
            parameters += [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)]
        return signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)
