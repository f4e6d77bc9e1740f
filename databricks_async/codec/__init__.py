"""JSON <-> models: what a model is, and the one cattrs converter that reads and writes it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache, lru_cache, partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast

import attrs
import orjson

from databricks_async.codec import hooks
from databricks_async.codec.open_enum import OpenEnum
from databricks_async.codec.shape import SCALARS, WrongShape

if TYPE_CHECKING:
    import cattrs

__all__ = [
    "SECRET",
    "SECRET_VALUES",
    "Model",
    "OpenEnum",
    "WrongShape",
    "build",
    "converter",
    "decode",
    "encode",
    "to_dict",
]

log = logging.getLogger("databricks_async")

T = TypeVar("T")
M = TypeVar("M", bound="Model")

SECRET: Final = {"hidden": "all"}
"""Metadata of a field whose value is never shown."""
SECRET_VALUES: Final = {"hidden": "values"}
"""Metadata of a map whose keys may be shown, and whose values never are."""


class _Suggests(type):
    """Makes a misspelt keyword a TypeError that names the right one."""

    if not TYPE_CHECKING:  # a metaclass with a __call__ would hide the constructors from type checkers

        def __call__(cls, *args, **kwargs):
            try:
                return super().__call__(*args, **kwargs)
            except TypeError:
                if problem := _unknown_keyword(cls, kwargs):
                    raise TypeError(problem) from None
                raise


@attrs.define(kw_only=True, repr=False)
class Model(metaclass=_Suggests):
    """Base of everything that is sent and received. A field that is None is absent; empty lists and maps are values."""

    unknown_fields: dict[str, Any] | None = None
    """What was received and the class does not represent: keys it does not know, and known keys that were null.
    Written back when the object is sent."""

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Self:
        """Read a JSON object, as `as_dict` writes it. Raises `WrongShape` (a ValueError) that names the place."""
        return cast(Self, _reader(cls)(d, cls))

    def as_dict(self) -> dict[str, Any]:
        """The JSON object that the service reads: plain dicts, lists and words, without what is None."""
        plain: dict[str, Any] = to_dict(self)
        return plain

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(_shown(self))})"


def decode(body: bytes, cls: type[T]) -> T:
    """Read a JSON body as `cls`. Raises `WrongShape` when it is not JSON or has another shape."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # Not chained: the original carries the whole body, which may hold secrets.
        raise WrongShape(f"expected JSON, got {len(body)} bytes that are not ({error.msg})") from None
    return cast(T, _reader(cls)(value, cls))


def encode(value: Any) -> bytes:
    """Write a model, a mapping or anything plain as JSON. Raises `WrongShape` for what JSON cannot express."""
    plain = to_dict(value)
    try:
        return orjson.dumps(plain)
    except orjson.JSONEncodeError:
        # Whole numbers over 64 bits, and text that is not valid Unicode, are all that is left.
        import json

        return json.dumps(plain, allow_nan=False, separators=(",", ":")).encode()


def to_dict(value: Any) -> Any:
    """The plain form of a value: models become dicts without what is None, also inside mappings and lists."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if isinstance(value, Model):
        return _writer(kind)(value)
    if kind is float:
        if isfinite(value):
            return value
        raise WrongShape(f"expected a number that JSON knows, got {value}")
    if isinstance(value, Enum):
        return to_dict(value.value)
    if isinstance(value, Mapping):
        return {_key(name): _inside(name, item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
        return [_inside(index, item) for index, item in enumerate(value)]
    for plain in (str, int, float):
        if isinstance(value, plain):
            return to_dict(plain(value))
    raise WrongShape(f"expected something that JSON knows, got a {kind.__name__}")


def build(cls: type[M], given: M | Mapping[str, Any] | None = None, /, **keywords: Any) -> M:
    """The model of a request, from a model, a plain mapping (which may hold models) or its fields as keywords; checked.

    Wrong types and misspelt names are a `WrongShape` (a ValueError) that names the place, misspelt keywords a
    TypeError. Other names that the class does not know are kept and sent, with a line in the log if they were typed
    into a mapping: the service may be newer than this library. A keyword that is None is absent; a null in a mapping
    is sent.
    """
    if given is None:
        given = _from_keywords(cls, keywords)
    elif keywords:
        raise TypeError(f"give a {cls.__name__}, a mapping or keywords, not two of them")
    typed = not isinstance(given, cls)
    if isinstance(given, cls):
        given = given.as_dict()  # its fields may have been set to anything
    model = cast(M, _reader(cls)(given, cls))
    _check(given, model, typed)
    return model


@cache
def converter() -> cattrs.Converter:
    """The one converter. Its hooks for a class are made when the class is first read or written."""
    import cattrs  # here, because most programs import models before they need it

    made = cattrs.Converter(detailed_validation=False)
    for kind, hook in SCALARS.items():
        made.register_structure_hook(kind, hook)  # the one of text is asked for words too: they are subclasses
    made.register_structure_hook_factory(hooks.is_optional, partial(hooks.optional_reader, hook_of=_reader))
    made.register_structure_hook_factory(
        partial(hooks.is_made_of, container=list), partial(hooks.list_reader, hook_of=_reader)
    )
    made.register_structure_hook_factory(
        partial(hooks.is_made_of, container=dict), partial(hooks.map_reader, hook_of=_reader)
    )
    made.register_structure_hook_factory(_is_model, partial(hooks.model_reader, hook_of=_reader))
    made.register_unstructure_hook_factory(_is_model, partial(hooks.model_writer, hook_of=_writer, to_dict=to_dict))
    return made


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Model)


def _reader(kind: Any) -> hooks.Reader:
    return converter().get_structure_hook(kind)


def _writer(kind: Any) -> hooks.Writer:
    return converter().get_unstructure_hook(kind)


def _inside(step: str | int, value: Any) -> Any:
    try:
        return to_dict(value)
    except WrongShape as error:
        raise error.inside(step) from None


def _key(name: Any) -> str:
    if isinstance(name, str):
        return name if type(name) is str else str(name)
    raise WrongShape(f"expected names that are text, got a {type(name).__name__}")


# --- What people type.


def _unknown_keyword(cls: type[Any], keywords: Mapping[str, Any]) -> str | None:
    from difflib import get_close_matches  # here, because only mistakes need it

    names = [field.name for field in attrs.fields(cls)]
    for name in keywords:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            return f"{cls.__name__} has no field {name!r}" + (f": did you mean {near[0]!r}?" if near else "")
    return None


def _from_keywords(cls: type[Model], keywords: Mapping[str, Any]) -> dict[str, Any]:
    if problem := _unknown_keyword(cls, keywords):
        raise TypeError(problem)
    given: dict[str, Any] = dict(keywords.get("unknown_fields") or {})
    for field in hooks.fields_of(cls):
        if (value := keywords.get(field.name)) is not None:
            given[hooks.wire_name(field)] = value
    return given


def _check(given: Any, made: Any, typed: bool) -> None:
    """Refuse misspelt names in what was given as a mapping, and let the models that were made check themselves.

    Of other unknown names that a person `typed` is told in the log.
    """
    if isinstance(made, Model):
        missing = []
        for field in hooks.fields_of(type(made)):
            value = getattr(made, field.name)
            if value is None:
                missing.append(hooks.wire_name(field))
            elif isinstance(value, Model | list | dict):
                source = given[hooks.wire_name(field)] if isinstance(given, Mapping) else value
                _check_inside(hooks.wire_name(field), source, value, typed and not isinstance(source, Model))
        if isinstance(given, Mapping):
            for name in made.unknown_fields or ():
                meant = next((field for field in missing if _is_slip(name, field)), None)
                if meant and name not in missing:  # a name that is right was given as null
                    raise WrongShape(f"{type(made).__name__} has no field {name!r}: did you mean {meant!r}?")
                if typed and name not in missing:
                    _tell_unknown(type(made), name)
        getattr(made, "__attrs_post_init__", lambda: None)()
    elif isinstance(made, list):
        for index, one in enumerate(made):
            _check_inside(index, given[index], one, typed and not isinstance(given[index], Model))
    elif isinstance(made, dict):
        for name, one in made.items():
            _check_inside(name, given[name], one, typed and not isinstance(given[name], Model))


@lru_cache(256)
def _tell_unknown(cls: type[Model], name: str) -> None:
    """Once for each name: whoever sends it knows better, or made a mistake that looks like nothing else."""
    from difflib import get_close_matches  # here, because only mistakes need it

    near = get_close_matches(name, [hooks.wire_name(field) for field in hooks.fields_of(cls)], n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    log.warning("%s has no field %r%s: it is sent as it is", cls.__name__, name, hint)


def _is_slip(typed: str, name: str) -> bool:
    """Whether they differ by one letter, by two letters swapped, or only in how words are joined.

    Looser rules would refuse names of the service itself: min_workers for max_workers, driver_... for worker_...
    """
    typed, name = (re.sub(r"[\W_]", "", one).lower() for one in (typed, name))
    while typed and name and typed[0] == name[0]:
        typed, name = typed[1:], name[1:]
    while typed and name and typed[-1] == name[-1]:
        typed, name = typed[:-1], name[:-1]
    return max(len(typed), len(name)) < 2 or (len(typed) == 2 and typed == name[::-1])


def _check_inside(step: str | int, given: Any, made: Any, typed: bool) -> None:
    try:
        _check(given, made, typed)
    except WrongShape as error:
        raise error.inside(step) from None


# --- What people see.


def _shown(model: Model) -> Iterator[str]:
    (unknown_fields, *fields) = attrs.fields(type(model))
    for field in (*fields, unknown_fields):
        value = getattr(model, field.name)
        if value is None:
            continue
        hidden = "values" if field is unknown_fields else field.metadata.get("hidden")
        if hidden == "values" and isinstance(value, Mapping):
            value = dict.fromkeys(value, "***")
        elif hidden:
            value = "***"
        yield f"{field.name}={value!r}"
