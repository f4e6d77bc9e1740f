"""The functions that read and write one type each; those of models are generated from their fields.

Generated code costs a third of what cattrs' own hooks cost: see `benchmarks/conversion.py`. Reading tests first for the
class that JSON gives; models, tuples and words come only in requests, where people build them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

import attrs

from databricks_async.open_enum import OpenEnum
from databricks_async.shape import SCALARS, WrongShape, text, wrong

Reader: TypeAlias = Callable[[Any, Any], Any]
"""Takes plain JSON and the type, as the structure hooks of cattrs do."""
Writer: TypeAlias = Callable[[Any], Any]
Field: TypeAlias = "attrs.Attribute[Any]"


def fields_of(cls: type[Any]) -> list[Field]:
    """The fields of a model that have a key of their own in JSON."""
    return [field for field in attrs.fields(cls) if field.name != "unknown_fields"]


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


def is_word(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, OpenEnum)


def word_reader(kind: type[OpenEnum]) -> Reader:
    return lambda value, _: kind(text(value))


def optional_reader(kind: Any, hook_of: Callable[[Any], Reader]) -> Reader:
    kind = required(kind)
    read = hook_of(kind)
    return lambda value, _: None if value is None else read(value, kind)


def list_reader(kind: Any, hook_of: Callable[[Any], Reader]) -> Reader:
    (item,) = get_args(kind)
    read = hook_of(item)

    def read_list(value: Any, _: Any) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise wrong("a list", value)
        try:
            return [read(one, item) for one in value]
        except WrongShape:
            for index, one in enumerate(value):
                _read_inside(index, read, one, item)
            raise

    return read_list


def map_reader(kind: Any, hook_of: Callable[[Any], Reader]) -> Reader:
    item = get_args(kind)[1]
    read = hook_of(item)

    def read_map(value: Any, _: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise wrong("an object", value)
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


class _Code:
    """The text of a generated function, and the names that it uses."""

    def __init__(self, head: str) -> None:
        self.lines = [head]
        self.names: dict[str, Any] = {"WrongShape": WrongShape}

    def add(self, *lines: str) -> None:
        self.lines.extend(lines)

    def later(self, name: str, hook_of: Callable[[Any], Callable[..., Any]], kind: Any) -> None:
        """Bind a name to the hook of another type, which is made when it is first called: types may be recursive."""

        def first_call(*args: Any) -> Any:
            self.names[name] = hook = hook_of(kind)
            return hook(*args)

        self.names[name] = first_call

    def function(self, title: str) -> Any:
        exec(compile("\n".join(self.lines), f"<{title}>", "exec"), self.names)  # noqa: S102 only names of our own fields
        return self.names["hook"]


def model_reader(cls: type[Any], hook_of: Callable[[Any], Reader]) -> Reader:
    """From a JSON object to a model. Unknown keys and nulls are found by counting, at next to no cost."""
    fields, hints = fields_of(cls), get_type_hints(cls)
    code = _Code("def hook(d, _=None):")
    code.names |= {"cls": cls, "new": object.__new__, "mapping": _mapping}
    code.names |= {"unknown": _unknown, "known": frozenset(map(wire_name, fields)), "met": []}
    code.add(" if d.__class__ is not dict:", "  if isinstance(d, cls): return d", "  d = mapping(d, cls)")
    code.add(f" o = new(cls); get = d.get; n = {len(fields)}; at = ''", " try:")
    for index, field in enumerate(fields):
        code.add(*_read_field(code, f"{index}", field, hints[field.name], hook_of))
    code.add(" except WrongShape as error: raise error.inside(at) from None")
    code.add(" o.unknown_fields = None if len(d) == n else unknown(d, len(d) - n, known, met)", " return o")
    hook: Reader = code.function(f"reader of {cls.__name__}")
    return hook


def _read_field(code: _Code, index: str, field: Field, hint: Any, hook_of: Callable[[Any], Reader]) -> list[str]:
    wire, target, kind = repr(wire_name(field)), f"o.{field.name}", required(hint)
    container: Any = get_origin(kind)
    item = get_args(kind)[-1] if container in (list, dict) else None
    code.names["kind" + index] = kind
    read = f"at = {wire}; {target} = read{index}(v, kind{index})"
    lines = [f"  v = get({wire})"]
    if hint is Any or is_optional(hint):
        lines += [f"  if v is None: {target} = None; n -= 1"]
    else:
        lines += [f"  if v is None and {wire} not in d: at = {wire}; raise WrongShape({_missing(kind)!r})"]
    if kind in SCALARS:
        code.names["read" + index] = SCALARS[kind]
        lines += [f"  elif v.__class__ is {kind.__name__}: {target} = v"]
    elif is_word(kind):
        code.names |= {"read" + index: word_reader(kind), "words" + index: {word.value: word for word in kind}.get}
        lines += [f"  elif v.__class__ is str: {target} = words{index}(v) or kind{index}(v)"]
    else:
        code.later("read" + index, hook_of, kind)
    if item in SCALARS:
        lines += [f"  elif v.__class__ is {container.__name__}:"]
        lines += [f"   for x in {'v' if container is list else 'v.values()'}:"]
        lines += [f"    if x.__class__ is not {item.__name__}: {read}; break"]
        lines += [f"   else: {target} = v"]
    elif container is list:
        code.later("item" + index, hook_of, item)
        code.names["itemkind" + index] = item
        lines += ["  elif v.__class__ is list:"]
        lines += [f"   try: {target} = [item{index}(x, itemkind{index}) for x in v]"]
        lines += [f"   except WrongShape: {read}"]  # which fails too, and says at which element
    return [*lines, f"  else: {read}"]


def _mapping(value: Any, cls: type[Any]) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if attrs.has(type(value)):
        raise WrongShape(f"expected {cls.__name__}, got {type(value).__name__}")
    raise wrong("an object", value)


def _missing(kind: Any) -> str:
    if is_made_of(kind, list):
        expected = "a list"
    elif is_word(kind):
        expected = "text"
    else:
        names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
        expected = names.get(kind, "an object")
    return f"expected {expected}, got nothing"


def _unknown(d: dict[str, Any], count: int, known: frozenset[str], met: list[str]) -> dict[str, Any]:
    """The keys that the class does not know, and those that are null: so many there are.

    The same few names come with every object of a list, so those that were met before are tried first.
    """
    found = {}
    for name in met:
        if name in d:
            found[name] = d[name]
    if len(found) != count:
        found = {name: value for name, value in d.items() if value is None or name not in known}
        if len(met) < _MOST_MET:
            met.extend(name for name in found if name not in known and name not in met)
    return found


_MOST_MET: Final = 32


def model_writer(cls: type[Any], hook_of: Callable[[Any], Writer], to_dict: Writer) -> Writer:
    """From a model to a JSON object: what is None is left out, what was received and is unknown is put back."""
    fields, hints = fields_of(cls), get_type_hints(cls)
    code = _Code("def hook(o):")
    code.names |= {"to_dict": to_dict, "texts": _texts}
    code.add(" at = 'unknown_fields'", " try:")
    code.add("  d = {} if o.unknown_fields is None else to_dict(o.unknown_fields)")
    for index, field in enumerate(fields):
        kind, wire = required(hints[field.name]), repr(wire_name(field))
        write, known, put = f"write{index}", f"kind{index}", f"at = {wire}; d[{wire}] ="
        code.names[known] = kind
        code.add(f"  v = o.{field.name}")
        if kind in (str, int, bool):
            code.add(f"  if v.__class__ is {kind.__name__}: d[{wire}] = v")
        elif is_word(kind):
            code.add(f"  if v.__class__ is {known}: d[{wire}] = v._value_")
        elif isinstance(kind, type) and attrs.has(kind):
            code.later(write, hook_of, kind)
            code.add(f"  if v.__class__ is {known}: {put} {write}(v)")
        elif kind == dict[str, str]:
            code.add(f"  if v.__class__ is dict: {put} texts(v) or to_dict(v)")
        else:
            code.add("  if v is None: pass")
        code.add(f"  elif v is not None: {put} to_dict(v)")
    code.add(" except WrongShape as error: raise error.inside(at) from None", " return d")
    hook: Writer = code.function(f"writer of {cls.__name__}")
    return hook


def _texts(value: dict[Any, Any]) -> dict[str, str] | None:
    """A copy, if there is text only."""
    for name, one in value.items():
        if one.__class__ is not str or name.__class__ is not str:
            return None
    return value.copy()
