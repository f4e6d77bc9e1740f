"""What the fields of a model are, and the functions that read lists and maps."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from inspect import get_annotations
from operator import attrgetter
from types import CodeType, NoneType, UnionType
from typing import Any, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

import attrs

from databricks_async.codec.open_enum import OpenEnum
from databricks_async.codec.shape import SCALARS, WrongShape, read_text_item, wrong_type

Reader: TypeAlias = Callable[[Any, Any], Any]
"""Takes plain JSON and the type, as the structure hooks of cattrs do."""
Field: TypeAlias = "attrs.Attribute[Any]"

_PACKAGE = __name__.partition(".")[0]


def fields_of(cls: type[Any]) -> list[Field]:
    """The fields of a model that have a key of their own in JSON."""
    return [field for field in attrs.fields(cls) if field.name != "unknown_fields"]


@lru_cache(None)
def hints_of(cls: Any) -> dict[str, Any]:
    """The types of the fields of a model; what is a type variable in a generic base is what the class says it is."""
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        annotations, module = get_annotations(base), base.__module__
        if module.partition(".")[0] == _PACKAGE:  # all are text without names in quotes
            names = vars(sys.modules[module])
            hints |= {name: eval(_compiled(hint), names) for name, hint in annotations.items()}  # noqa: S307
        elif annotations:
            hints |= get_type_hints(base)
    for base in cls.__mro__:
        for generic in getattr(base, "__orig_bases__", ()):
            parameters = getattr(get_origin(generic), "__parameters__", ())
            meant = dict(zip(parameters, get_args(generic), strict=False))
            for name, hint in hints.items():
                if found := [one for one in getattr(hint, "__parameters__", ()) if one in meant]:
                    hints[name] = hint[tuple(meant[one] for one in found)]
    return hints


@lru_cache(None)
def _compiled(hint: str) -> CodeType:
    """Most fields have one of the same few annotations, and compiling takes longer than evaluating them."""
    return compile(hint, "<annotation>", "eval")


def wire_name(field: Field) -> str:
    """The key in JSON: the name of the field, unless that is a word of Python."""
    name: str = field.metadata.get("wire", field.name)
    return name


def is_made_of(kind: Any, container: object) -> bool:
    """Whether a type is, say, a `list[...]`."""
    return get_origin(kind) is container


def is_optional(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind)


def required(kind: Any) -> Any:
    """The type without its None."""
    if not is_optional(kind):
        return kind
    others = tuple(one for one in get_args(kind) if one is not NoneType)
    return others[0] if len(others) == 1 else Union[others]  # noqa: UP007 the types are not known here


def is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, OpenEnum)


def optional_reader(kind: Any, hook_of: Callable[[Any], Reader]) -> Reader:
    kind = required(kind)
    read = hook_of(kind)
    return lambda value, _: None if value is None else read(value, kind)


def list_reader(kind: Any, hook_of: Callable[[Any], Reader]) -> Reader:
    (item,) = get_args(kind)
    read = read_text_item if item is str else hook_of(item)

    def read_list(value: Any, _: Any) -> list[Any]:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray | memoryview):
            raise wrong_type("a list", value)
        try:
            return [read(one, item) for one in value]
        except WrongShape:
            for index, one in enumerate(value):
                _read_inside(index, read, one, item)
            raise

    return read_list


def map_reader(kind: Any, hook_of: Callable[[Any], Reader]) -> Reader:
    item = get_args(kind)[1]
    read = read_text_item if item is str else hook_of(item)

    def read_map(value: Any, _: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise wrong_type("an object", value)
        try:
            return {name: read(one, item) for name, one in value.items()}
        except WrongShape:
            for name, one in value.items():
                _read_inside(name, read, one, item)
            raise

    return read_map


def _read_inside(step: str | int, read: Reader, value: Any, kind: Any) -> None:
    try:
        read(value, kind)
    except WrongShape as error:
        raise error.inside(step) from None


def may_be_absent(hint: Any) -> bool:
    return hint is Any or is_optional(hint)


def expected(kind: Any) -> str:
    if is_made_of(kind, list):
        return "a list"
    if is_enum(kind):
        return "text"
    return {str: "text", int: "a whole number", float: "a number", bool: "true or false"}.get(kind, "an object")


@lru_cache(None)
def _names_of(cls: Hashable) -> list[tuple[str, str]]:
    """The fields of a model: their names, and their keys in JSON."""
    return [(field.name, wire_name(field)) for field in fields_of(cast("type[Any]", cls))]


@lru_cache(None)
def values_of(cls: Hashable) -> Callable[[Any], tuple[Any, ...]]:
    """A function from a model to the values by which it equals another one of its class."""
    names = [field.name for field in attrs.fields(cast("type[Any]", cls)) if field.eq]
    return attrgetter("__class__", *names)  # of one name alone it would return the value and no tuple


@lru_cache(None)
def holders_of(cls: Hashable) -> list[tuple[str, str]]:
    """Those whose values may hold models."""
    hints = hints_of(cls)
    return [(name, wire) for name, wire in _names_of(cls) if not _is_plain(required(hints[name]))]


@lru_cache(None)
def enums_of(cls: Hashable) -> list[tuple[str, str]]:
    """Those whose values are words."""
    hints = hints_of(cls)
    return [(name, wire) for name, wire in _names_of(cls) if is_enum(required(hints[name]))]


@lru_cache(None)
def mandatory_of(cls: Any) -> list[tuple[str, str, str]]:
    """The fields that a caller has to give though an answer may lack them: name, key in JSON, what is expected."""
    hints = hints_of(cls)
    fields = [field for field in fields_of(cls) if field.default is attrs.NOTHING and may_be_absent(hints[field.name])]
    return [(field.name, wire_name(field), expected(required(hints[field.name]))) for field in fields]


def _is_plain(kind: Any) -> bool:
    return kind in SCALARS or is_enum(kind) or (get_origin(kind) in (list, dict) and _is_plain(get_args(kind)[-1]))


def one_level(model: Any) -> dict[str, Any]:
    """A model as a JSON object whose values are still those of the model: what is None is left out."""
    given: dict[str, Any] = {}
    if model.unknown_fields is not None:
        if not isinstance(model.unknown_fields, Mapping):
            raise wrong_type("an object", model.unknown_fields).inside("unknown_fields")
        given = dict(model.unknown_fields)
    for name, wire in _names_of(model.__class__):
        if (value := getattr(model, name)) is not None:
            given[wire] = value
    return given


def one_level_of(value: Any, cls: type[Any]) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, cls):
        return one_level(value)  # its fields may have been set to anything
    if attrs.has(type(value)):
        raise WrongShape(f"expected {cls.__name__}, got {type(value).__name__}")
    if (given := given_as(value)) is not value:
        return dict(given)
    raise wrong_type("an object", value)


def given_as(value: Any) -> Any:
    """What was given, but a model of the official SDK as the mapping that its `as_dict()` returns."""
    if attrs.has(type(value)) or isinstance(value, type | Mapping):
        return value
    as_dict = getattr(value, "as_dict", None)
    made = as_dict() if callable(as_dict) else None
    return made if isinstance(made, Mapping) else value
