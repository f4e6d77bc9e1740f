"""JSON <-> models: what a model is, and the one cattrs converter that reads and writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Self,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs
import orjson

from databricks_async.open_enum import OpenEnum
from databricks_async.shape import SCALARS, WrongShape, text, wrong

if TYPE_CHECKING:
    import cattrs

__all__ = [
    "SECRET",
    "SECRET_VALUES",
    "Model",
    "OpenEnum",
    "WrongShape",
    "build",
    "build_from_keywords",
    "converter",
    "decode",
    "encode",
    "to_dict",
]

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
                _refuse_unknown_keywords(cls, kwargs)
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


def build(cls: type[M], given: M | Mapping[str, Any], /) -> M:
    """The model of a request, from a model or from a plain mapping (which may hold models); checked.

    Wrong types and misspelt names are a `WrongShape` (a ValueError) that names the place. Other names that the class
    does not know are kept and sent: the service may be newer than this library.
    """
    model = cast(M, _reader(cls)(given, cls))
    _check(given, model)
    return model


def build_from_keywords(cls: type[M], keywords: Mapping[str, Any], /) -> M:
    """The same from the fields of the class as keywords, where None is absent. An unknown keyword is a TypeError."""
    _refuse_unknown_keywords(cls, keywords)
    given = {name: value for name, value in keywords.items() if value is not None}
    unknown_fields = given.pop("unknown_fields", {})
    wire_names = {field.name: _wire_name(field) for field in _fields(cls)}
    return build(cls, {**unknown_fields, **{wire_names[name]: value for name, value in given.items()}})


@cache
def converter() -> cattrs.Converter:
    """The one converter. Its hooks for a class are made when the class is first read or written."""
    import cattrs  # here, because most programs import models before they need it

    made = cattrs.Converter(detailed_validation=False)
    for kind, hook in SCALARS.items():
        made.register_structure_hook(kind, hook)
    made.register_structure_hook_factory(_is_optional, _optional_reader)
    made.register_structure_hook_factory(lambda kind: _is_made_of(kind, list), _list_reader)
    made.register_structure_hook_factory(lambda kind: _is_made_of(kind, dict), _map_reader)
    made.register_structure_hook_factory(lambda kind: _is_a(kind, OpenEnum), _word_reader)
    made.register_structure_hook_factory(lambda kind: _is_a(kind, Model), _model_reader)
    made.register_unstructure_hook_factory(lambda kind: _is_a(kind, Model), _model_writer)
    return made


Reader: TypeAlias = Callable[[Any, Any], Any]
Writer: TypeAlias = Callable[[Any], Any]


def _reader(kind: Any) -> Reader:
    return converter().get_structure_hook(kind)


def _writer(kind: Any) -> Writer:
    return converter().get_unstructure_hook(kind)


# --- Reading. The hooks test the class that JSON gives first; models, tuples and words come in requests only.


def _is_a(kind: Any, base: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, base)


def _is_made_of(kind: Any, container: object) -> bool:
    return get_origin(kind) is container


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind)


def _optional_reader(kind: Any) -> Reader:
    kind = _required(kind)
    read = _reader(kind)
    return lambda value, _: None if value is None else read(value, kind)


def _required(kind: Any) -> Any:
    """The type without its None."""
    return Union[tuple(one for one in get_args(kind) if one is not NoneType)] if _is_optional(kind) else kind  # noqa: UP007


def _word_reader(kind: type[OpenEnum]) -> Reader:
    return lambda value, _: kind(text(value))


def _list_reader(kind: Any) -> Reader:
    (item,) = get_args(kind)
    read = _reader(item)
    plain = item in SCALARS

    def read_list(value: Any, _: Any) -> list[Any]:
        if type(value) is not list and not isinstance(value, list | tuple):
            raise wrong("a list", value)
        if plain:
            for one in value:
                if type(one) is not item:
                    break
            else:
                return value  # type: ignore[return-value]
        try:
            return [read(one, item) for one in value]
        except WrongShape:
            for index, one in enumerate(value):
                _read_inside(index, read, one, item)
            raise

    return read_list


def _map_reader(kind: Any) -> Reader:
    item = get_args(kind)[1]
    read = _reader(item)
    plain = item in SCALARS

    def read_map(value: Any, _: Any) -> dict[str, Any]:
        if type(value) is not dict and not isinstance(value, Mapping):
            raise wrong("an object", value)
        if plain:
            for one in value.values():
                if type(one) is not item:
                    break
            else:
                return value  # type: ignore[return-value]
        try:
            return {name if type(name) is str else text(name): read(one, item) for name, one in value.items()}
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


def _fields(cls: type[Model]) -> list[attrs.Attribute[Any]]:
    return [field for field in attrs.fields(cls) if field.name != "unknown_fields"]


def _wire_name(field: attrs.Attribute[Any]) -> str:
    """The key in JSON: the field's own name, unless that is a word of Python."""
    name: str = field.metadata.get("wire", field.name)
    return name


class _Code:
    """The text of a generated hook, and the names that it uses. `benchmarks/conversion.py` shows what that saves."""

    def __init__(self, head: str) -> None:
        self.lines = [head]
        self.names: dict[str, Any] = {}

    def add(self, *lines: str) -> None:
        self.lines.extend(lines)

    def later(self, name: str, get: Callable[[Any], Callable[..., Any]], kind: Any) -> None:
        """Bind a name to the hook of another type, which is made when it is first called: types may be recursive."""

        def first_call(*args: Any) -> Any:
            self.names[name] = hook = get(kind)
            return hook(*args)

        self.names[name] = first_call

    def function(self, title: str) -> Any:
        exec(compile("\n".join(self.lines), f"<{title}>", "exec"), self.names)  # noqa: S102 only names of our own fields
        return self.names["hook"]


def _model_reader(cls: type[Model]) -> Reader:
    fields, hints = _fields(cls), get_type_hints(cls)
    code = _Code("def hook(d, _=None):")
    code.names |= {"cls": cls, "new": object.__new__, "mapping": _mapping, "WrongShape": WrongShape}
    code.names |= {"unknown": _unknown, "known": frozenset(map(_wire_name, fields)), "met": {}}
    code.add(" if d.__class__ is not dict:")
    code.add("  if isinstance(d, cls): return d")
    code.add("  d = mapping(d, cls)")
    code.add(f" o = new(cls); get = d.get; n = {len(fields)}; at = ''")
    code.add(" try:")
    for index, field in enumerate(fields):
        hint, wire, kind, read = hints[field.name], repr(_wire_name(field)), f"kind{index}", f"read{index}"
        code.names[kind] = one = _required(hint)
        target = f"o.{field.name}"
        if _is_optional(hint):
            tests = [f"v is None: {target} = None; n -= 1"]
        elif field.default is attrs.NOTHING:
            tests = [f"v is None and {wire} not in d: at = {wire}; raise WrongShape({_missing(one)!r})"]
        else:
            tests = []
        if one in SCALARS:
            code.names[read] = SCALARS[one]
            tests.append(f"v.__class__ is {one.__name__}: {target} = v")
        elif _is_a(one, OpenEnum):
            code.names[read] = _word_reader(one)
            code.names[f"words{index}"] = one._value2member_map_.get
            tests.append(f"v.__class__ is str: {target} = words{index}(v) or {kind}(v)")
        else:
            code.later(read, _reader, one)
        code.add(f"  v = get({wire})")
        code.add(*(f"  {'elif' if position else 'if'} {test}" for position, test in enumerate(tests)))
        item = get_args(one)[-1] if get_origin(one) in (list, dict) else None
        if item in SCALARS:
            code.add(f"  elif v.__class__ is {get_origin(one).__name__}:")
            code.add(f"   for x in {'v' if get_origin(one) is list else 'v.values()'}:")
            code.add(f"    if x.__class__ is not {item.__name__}: at = {wire}; v = {read}(v, {kind}); break")
            code.add(f"   {target} = v")
        elif get_origin(one) is list and item is not Any:
            code.later(f"item{index}", _reader, item)
            code.names[f"itemkind{index}"] = item
            code.add(f"  elif v.__class__ is list:")
            code.add(f"   at = {wire}")
            code.add(f"   try: {target} = [item{index}(x, itemkind{index}) for x in v]")
            code.add(f"   except WrongShape: {target} = {read}(v, {kind})")
        code.add(f"  else: at = {wire}; {target} = {read}(v, {kind})")
    code.add(" except WrongShape as error:", "  raise error.inside(at) from None")
    code.add(" o.unknown_fields = None if len(d) == n else unknown(d, len(d) - n, known, met)")
    code.add(" return o")
    hook: Reader = code.function(f"reader of {cls.__name__}")
    return hook


def _unknown(d: dict[str, Any], count: int, known: frozenset[str], met: dict[str, None]) -> dict[str, Any]:
    """The keys that the class does not know, and those that are null: so many there are.

    The same few names come with every object of a list, so those that were met before are tried first.
    """
    found = {}
    for name in met:
        if name in d:
            found[name] = d[name]
    if len(found) != count:
        found = {name: value for name, value in d.items() if value is None or name not in known}
        met.update(dict.fromkeys([name for name in found if name not in known][: _MOST_MET - len(met)]))
    return found


_MOST_MET: Final = 32


def _missing(kind: Any) -> str:
    if get_origin(kind) is list:
        expected = "a list"
    elif _is_a(kind, str):
        expected = "text"
    else:
        expected = {int: "a whole number", float: "a number", bool: "true or false"}.get(kind, "an object")
    return f"expected {expected}, got nothing"


def _mapping(value: Any, cls: type[Model]) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Model):
        raise WrongShape(f"expected {cls.__name__}, got {type(value).__name__}")
    raise wrong("an object", value)


# --- Writing.


def _model_writer(cls: type[Model]) -> Writer:
    fields, hints = _fields(cls), get_type_hints(cls)
    code = _Code("def hook(o):")
    code.names |= {"to_dict": to_dict, "texts": _texts, "WrongShape": WrongShape}
    code.add(" at = 'unknown_fields'")
    code.add(" try:")
    code.add("  d = {} if o.unknown_fields is None else to_dict(o.unknown_fields)")
    for index, field in enumerate(fields):
        kind, wire = _required(hints[field.name]), repr(_wire_name(field))
        code.add(f"  v = o.{field.name}")
        otherwise = f"v is not None: at = {wire}; d[{wire}] ="
        if kind in (str, int, bool):
            code.add(f"  if type(v) is {kind.__name__}: d[{wire}] = v", f"  elif {otherwise} to_dict(v)")
        elif _is_a(kind, OpenEnum):
            code.names[f"kind{index}"] = kind
            code.add(f"  if type(v) is kind{index}: d[{wire}] = v._value_", f"  elif {otherwise} to_dict(v)")
        elif _is_a(kind, Model):
            code.names[f"kind{index}"] = kind
            code.later(f"write{index}", _writer, kind)
            code.add(f"  if type(v) is kind{index}: at = {wire}; d[{wire}] = write{index}(v)")
            code.add(f"  elif {otherwise} to_dict(v)")
        else:
            code.add(f"  if {otherwise} {'texts' if kind == dict[str, str] else 'to_dict'}(v)")
    code.add(" except WrongShape as error:", "  raise error.inside(at) from None")
    code.add(" return d")
    hook: Writer = code.function(f"writer of {cls.__name__}")
    return hook


def _texts(value: Any) -> Any:
    if type(value) is dict:
        for name, text in value.items():
            if type(text) is not str or type(name) is not str:
                return to_dict(value)
        return value.copy()
    return to_dict(value)


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


def _refuse_unknown_keywords(cls: type[Any], keywords: Mapping[str, Any]) -> None:
    names = [field.name for field in attrs.fields(cls)]
    for name in keywords:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            raise TypeError(f"{cls.__name__} has no field {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))


def _check(given: Any, made: Any) -> None:
    """Refuse misspelt names in what was given as a mapping, and let the models that were made check themselves."""
    if isinstance(made, Model):
        missing = []
        for field in _fields(type(made)):
            value = getattr(made, field.name)
            if value is None:
                missing.append(_wire_name(field))
            elif isinstance(value, Model | list | dict):
                source = given[_wire_name(field)] if isinstance(given, Mapping) else value
                _check_inside(_wire_name(field), source, value)
        if isinstance(given, Mapping):
            for name in made.unknown_fields or ():
                near = () if name in given and name in missing else get_close_matches(name, missing, n=1, cutoff=0.85)
                if near:
                    raise WrongShape(f"{type(made).__name__} has no field {name!r}: did you mean {near[0]!r}?")
        getattr(made, "__attrs_post_init__", lambda: None)()
    elif isinstance(made, list):
        for index, one in enumerate(made):
            _check_inside(index, given[index], one)
    elif isinstance(made, dict):
        for name, one in made.items():
            _check_inside(name, given[name], one)


def _check_inside(step: str | int, given: Any, made: Any) -> None:
    try:
        _check(given, made)
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
