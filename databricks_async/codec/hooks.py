"""The functions that read and write one type each; those of models are generated from their fields.

Generated code costs a third of what cattrs' own hooks cost: see `benchmarks/conversion.py`. Reading tests first for the
class that JSON gives: models, tuples and enums come only in requests.

The function that reads a `TaskDependency`; `n` counts the keys that are known and not null:

    def read_TaskDependency(d, _=None):
        if d.__class__ is not dict: d = mapping(d, cls)
        o = new(raw); n = 2; at = ''
        try:
            v = d.get('task_key')
            if v is None: o.task_key = None; n -= 1
            elif v.__class__ is str: o.task_key = v
            else: at = 'task_key'; o.task_key = read0(v, kind0)
            v = d.get('outcome')
            if v is None: o.outcome = None; n -= 1
            elif v.__class__ is str: o.outcome = v
            else: at = 'outcome'; o.outcome = read1(v, kind1)
        except WrongShape as error: raise error.inside(at) from None
        o.unknown_fields = None if len(d) == n else unknown(d, len(d) - n, known, met)
        o.__class__ = cls
        return o
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from types import NoneType, UnionType, new_class
from typing import Any, Final, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

import attrs

from databricks_async.codec.open_enum import OpenEnum
from databricks_async.codec.shape import SCALARS, WrongShape, read_text, read_text_item, wrong_type
from databricks_async.nesting import suspect

Reader: TypeAlias = Callable[[Any, Any], Any]
"""Takes plain JSON and the type, as the structure hooks of cattrs do."""
Writer: TypeAlias = Callable[[Any], Any]
Field: TypeAlias = "attrs.Attribute[Any]"


def fields_of(cls: type[Any]) -> list[Field]:
    """The fields of a model that have a key of their own in JSON."""
    return [field for field in attrs.fields(cls) if field.name != "unknown_fields"]


def hints_of(cls: Any) -> dict[str, Any]:
    """The types of the fields of a model; what is a type variable in a generic base is what the class says it is."""
    hints = get_type_hints(cls)
    for base in cls.__mro__:
        for generic in getattr(base, "__orig_bases__", ()):
            parameters = getattr(get_origin(generic), "__parameters__", ())
            meant = dict(zip(parameters, get_args(generic), strict=False))
            for name, hint in hints.items():
                if found := [one for one in getattr(hint, "__parameters__", ()) if one in meant]:
                    hints[name] = hint[tuple(meant[one] for one in found)]
    return hints


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
    return Union[tuple(one for one in get_args(kind) if one is not NoneType)]  # noqa: UP007 the types are not known here


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


Names: TypeAlias = dict[str, Any]
"""The globals of a generated function."""


def _function(name: str, head: str, lines: list[str], names: Names) -> Any:
    """Compile a function. Tracebacks and debuggers find its source in `linecache`."""
    cls = names["cls"]
    text = re.sub(r"^ +", lambda indent: indent[0] * 4, "\n".join([f"def {name}({head}):", *lines, ""]), flags=re.M)
    filename = f"<generated {name} of {cls.__module__}.{cls.__qualname__}>"
    exec(compile(text, filename, "exec"), names)  # noqa: S102 made of our own field names only
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    return names[name]


def _later(names: Names, name: str, make: Callable[[], Callable[..., Any]]) -> None:
    """Bind a name to a function that is made when first called: few types are ever used, and types may be recursive."""

    def first_call(*args: Any) -> Any:
        names[name] = made = make()
        return made(*args)

    names[name] = first_call


def model_reader(cls: type[Any], hook_of: Callable[[Any], Reader]) -> Reader:
    """From a JSON object to a model. Unknown keys and nulls are found by counting, at next to no cost."""
    fields, hints = fields_of(cls), hints_of(cls)
    names: Names = {"cls": cls, "raw": _raw(cls), "new": object.__new__, "mapping": _mapping, "WrongShape": WrongShape}
    names |= {"suspect": suspect, "unknown": _unknown, "known": frozenset(map(wire_name, fields)), "met": []}
    reads = [_read_field(names, str(index), field, hints[field.name], hook_of) for index, field in enumerate(fields)]
    lines = [" if d.__class__ is not dict: d = mapping(d, cls)"]
    if len(fields) >= _VERY_MANY:
        names["repeated"] = repeated = dict[tuple[str, ...], Reader]()
        names["often"] = _often(repeated, lambda keys: _repeated_reader(keys, fields, reads, hints, names))
        lines += [" f = repeated.get(tuple(d)) or often(d)", " if f is not None: return f(d)"]
    if len(fields) >= _MANY:
        _later(names, "sparse", lambda: _sparse_reader(fields, reads, hints, names))
        lines += [f" if len(d) <= {len(fields) // _SPARSE}: return sparse(d)"]
    lines += [f" o = new(raw); n = {len(fields)}; at = ''", " try:" if fields else " try: pass"]
    for field, read in zip(fields, reads, strict=True):
        if not _may_be_absent(hints[field.name]):
            lines += [_refuse_absent(field, hints[field.name])]
        lines += [f"  v = d.get({wire_name(field)!r})", *read]
    hook: Reader = _function(f"read_{cls.__name__}", "d, _=None", [*lines, *_end()], names)
    return hook


_MANY: Final = 7
_VERY_MANY: Final = 20
_SPARSE: Final = 4


def _end(met: str = "met") -> list[str]:
    """The last lines of a reader, which has put what it knows into `o`."""
    return [
        " except WrongShape as error: raise error.inside(at) from None",
        f" o.unknown_fields = None if len(d) == n else unknown(d, len(d) - n, known, {met})",
        " o.__class__ = cls",
        " return o",
    ]


def _raw(cls: type[Any]) -> type[Any]:
    """The class of an object while it is read: its fields are set without the checks of `cls`, which cost the most."""
    unchecked = {"__slots__": (), "__setattr__": object.__setattr__}
    return new_class(cls.__name__, (cls,), exec_body=lambda body: body.update(unchecked))


def _sparse_reader(fields: list[Field], reads: list[list[str]], hints: dict[str, Any], names: Names) -> Any:
    """For objects with few of many fields: goes over the keys, which costs more for each of them and less in all."""
    names["puts"] = {
        wire_name(field): _function(f"read_{field.name}", "d, o, v", ["  n = 1", *read, "  return n"], names)
        for field, read in zip(fields, reads, strict=True)
    }
    lines = [f" o = new(raw); {' = '.join(f'o.{field.name}' for field in fields)} = None; n = 0; at = ''", " try:"]
    lines += [_refuse_absent(field, hints[field.name]) for field in fields if not _may_be_absent(hints[field.name])]
    lines += ["  for at, v in d.items():", "   put = puts.get(at)", "   if put is not None: n += put(d, o, v)"]
    return _function("read_sparse", "d", [*lines, *_end()], names)


_OFTEN: Final = 16
"""So many objects of the same keys are worth a function of their own, which costs as much as reading some hundred."""
_MAX_REPEATED: Final = 8
"""Functions a model: whatever the service sends, no more are made."""
_MAX_COUNTED: Final = 256


def _often(
    repeated: dict[tuple[str, ...], Reader], make: Callable[[tuple[str, ...]], Reader | None]
) -> Callable[[dict[str, Any]], Reader | None]:
    """Counts objects by their keys. Returns the reader for those whose keys have come often, and puts it into a dict.

    The objects of a listing have few sets of keys: theirs are read without asking for the many fields that are absent.
    """
    counts = dict[int, int]()

    def often(d: dict[str, Any]) -> Reader | None:
        if len(repeated) >= _MAX_REPEATED:
            return None
        keys = tuple(d)
        of_keys = hash(keys)
        counts[of_keys] = count = counts.get(of_keys, 0) + 1
        if count != _OFTEN:
            if len(counts) > _MAX_COUNTED:
                counts.clear()
            return None
        if (made := make(keys)) is not None:
            repeated[keys] = made
        return made

    return often


def _repeated_reader(
    keys: tuple[str, ...], fields: list[Field], reads: list[list[str]], hints: dict[str, Any], names: Names
) -> Reader | None:
    absent = [field for field in fields if wire_name(field) not in keys]
    if len("".join(keys)) > _MAX_KEPT or not all(_may_be_absent(hints[field.name]) for field in absent):
        return None
    lines = [f" o = new(raw); n = {len(fields) - len(absent)}; at = ''"]
    lines += [f" {' = '.join(f'o.{field.name}' for field in absent)} = None"] if absent else []
    lines += [" try:" if len(absent) < len(fields) else " try: pass"]
    for field, read in zip(fields, reads, strict=True):
        if field not in absent:
            lines += [f"  v = d[{wire_name(field)!r}]", *read]
    # The rest is named already; what is null is known only when it is read.
    rest = f"rest{len(names)}"
    names[rest] = tuple(key for key in keys if key not in names["known"])
    made: Reader = _function(f"read_{names['cls'].__name__}_{rest}", "d, _=None", [*lines, *_end(rest)], names)
    return made


_MAX_KEPT: Final = 8192
"""Characters of keys, those that the model does not know included."""


def _holds(kind: Any, cls: type[Any]) -> bool:
    """Whether values of a type may hold, at whatever depth, models of that class."""
    return cls in _models_below(kind)


@lru_cache(None)
def _models_below(kind: Any) -> set[type[Any]]:
    """The models that values of a type may hold, and their own."""
    found, ahead = set[type[Any]](), [kind]
    while ahead:
        one = required(ahead.pop())
        if get_args(one):
            ahead += get_args(one)
        elif isinstance(one, type) and attrs.has(one) and one not in found:
            found.add(one)
            ahead += [hint for name, hint in hints_of(one).items() if name != "unknown_fields"]
    return found


def _may_be_absent(hint: Any) -> bool:
    return hint is Any or is_optional(hint)


def _refuse_absent(field: Field, kind: Any) -> str:
    wire = repr(wire_name(field))
    return f"  if {wire} not in d: at = {wire}; raise WrongShape('expected {_expected(kind)}, got nothing')"


def _expected(kind: Any) -> str:
    if is_made_of(kind, list):
        return "a list"
    if is_enum(kind):
        return "text"
    return {str: "text", int: "a whole number", float: "a number", bool: "true or false"}.get(kind, "an object")


def _read_field(names: Names, index: str, field: Field, hint: Any, hook_of: Callable[[Any], Reader]) -> list[str]:
    """The lines that put the value `v` into the object `o`, and take nulls from the count `n`."""
    kind, target = required(hint), f"o.{field.name}"
    container = get_origin(kind)
    item: Any = get_args(kind)[-1] if container in (list, dict) else None
    read = f"at = {wire_name(field)!r}; {target} = read{index}(v, kind{index})"
    if Any in (kind, item) or _holds(item or kind, names["cls"]):
        read = f"suspect(v); {read}"
    names["kind" + index] = kind
    tests = []
    if _may_be_absent(hint):
        tests += [f"v is None: {target} = None; n -= 1"]
    if kind in SCALARS:
        names["read" + index] = SCALARS[kind]
        tests += [f"v.__class__ is {kind.__name__}: {target} = v"]
    elif is_enum(kind):
        names |= {"read" + index: read_text, "words" + index: {word.value: word for word in kind}.get}
        tests += [f"v.__class__ is str: {target} = words{index}(v) or kind{index}(v)"]
    else:
        _later(names, "read" + index, lambda: hook_of(kind))
    if item in SCALARS:
        values = "v" if container is list else "v.values()"
        tests += [
            f"v.__class__ is {'list' if container is list else 'dict'}:\n"
            f"   for x in {values}:\n"
            f"    if x.__class__ is not {item.__name__}: {read}; break\n"
            f"   else: {target} = v"
        ]
    elif container is list:
        names["kind_of_item" + index] = item
        _later(names, "read_item" + index, lambda: hook_of(item))
        tests += [
            "v.__class__ is list:\n"
            f"   try: {target} = [read_item{index}(x, kind_of_item{index}) for x in v]\n"
            f"   except WrongShape: {read}"  # which fails too, and says at which element
        ]
    if not tests:
        return [f"  {read}"]
    return [*(f"  {'elif' if position else 'if'} {test}" for position, test in enumerate(tests)), f"  else: {read}"]


@lru_cache(None)
def _names_of(cls: Hashable) -> list[tuple[str, str]]:
    """The fields of a model: their names, and their keys in JSON."""
    return [(field.name, wire_name(field)) for field in fields_of(cast("type[Any]", cls))]


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
    fields = [field for field in fields_of(cls) if field.default is attrs.NOTHING and _may_be_absent(hints[field.name])]
    return [(field.name, wire_name(field), _expected(required(hints[field.name]))) for field in fields]


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


def _mapping(value: Any, cls: type[Any]) -> dict[str, Any]:
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


def _unknown(d: dict[str, Any], count: int, known: frozenset[str], met: Sequence[str]) -> dict[str, Any]:
    """The keys that the class does not know, and those that are null: so many there are.

    The same few names come with every object of a list, so those that were met before are tried first.
    """
    found: dict[str, Any] = {}
    for name in met:
        if name in d:
            found[name] = d[name]
    if len(found) != count:
        found = {name: value for name, value in d.items() if value is None or name not in known}
        if isinstance(met, list) and len(met) < _MAX_MET:
            met.extend(name for name in found if name not in known and name not in met)
    for value in found.values():
        if value.__class__ is dict or value.__class__ is list:
            for one in value.values() if value.__class__ is dict else value:
                if one.__class__ is dict or one.__class__ is list:  # asked here, too, to spare most calls
                    suspect(value)
                    break
    return found


_MAX_MET: Final = 32


def model_writer(cls: type[Any], hook_of: Callable[[Any], Writer], to_dict: Writer) -> Writer:
    """From a model to a JSON object: what is None is left out, what was received and is unknown is put back."""
    hints = hints_of(cls)
    names: Names = {"cls": cls, "to_dict": to_dict, "texts": _texts, "WrongShape": WrongShape}
    lines = [" at = 'unknown_fields'", " try:"]
    lines += ["  d = {} if o.unknown_fields is None else to_dict(o.unknown_fields)"]
    for index, field in enumerate(fields_of(cls)):
        lines += _write_field(names, str(index), field, required(hints[field.name]), hook_of)
    lines += [" except WrongShape as error: raise error.inside(at) from None", " return d"]
    hook: Writer = _function(f"write_{cls.__name__}", "o", lines, names)
    return hook


def _write_field(names: Names, index: str, field: Field, kind: Any, hook_of: Callable[[Any], Writer]) -> list[str]:
    wire = repr(wire_name(field))
    write = f"at = {wire}; d[{wire}] ="
    names["kind" + index] = kind
    if kind in (str, int, bool):
        fast = f"v.__class__ is {kind.__name__}: d[{wire}] = v"
    elif is_enum(kind):
        fast = f"v.__class__ is kind{index}: d[{wire}] = v._value_"
    elif isinstance(kind, type) and attrs.has(kind):
        _later(names, "write" + index, lambda: hook_of(kind))
        fast = f"v.__class__ is kind{index}: {write} write{index}(v)"
    elif kind == dict[str, str]:
        fast = f"v.__class__ is dict: {write} texts(v) or to_dict(v)"
    else:
        return [f"  v = o.{field.name}", f"  if v is not None: {write} to_dict(v)"]
    return [f"  v = o.{field.name}", f"  if {fast}", f"  elif v is not None: {write} to_dict(v)"]


def _texts(value: dict[Any, Any]) -> dict[str, str] | None:
    """A copy, if there is text only."""
    for name, one in value.items():
        if one.__class__ is not str or name.__class__ is not str:
            return None
    return value.copy()
