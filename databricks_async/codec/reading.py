"""The functions that read the objects of a model, generated from its fields.

Generated code costs a third of what cattrs' own hooks cost: see `benchmarks/conversion.py`. There are two kinds.

One reads any object. The function for a `TaskDependency`; `n` counts the keys that are known and not null:

    def read_TaskDependency(d):
        often(d); o = raw(); n = 2; at = ''
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
        o.unknown_fields = None if len(d) == n else unknown(d, known)
        o.__class__ = cls
        return o

The others each read the objects of one set of keys, made when such objects have come often, for they cost a third less:
the objects of a listing have few sets of keys. Which one is for an object is found by the number of its keys, and is
known to fit when it has found them all. Of the tasks that depend on a task and name no outcome:

    def read_TaskDependency_of_keys_1(d):
        try: v0 = d['task_key']
        except KeyError: return read_any(d)
        o = raw(); n = 1; at = ''
        o.outcome = None
        try:
            if v0.__class__ is str: o.task_key = v0
            elif v0 is None: o.task_key = None; n -= 1
            else: at = 'task_key'; o.task_key = read0(v0, kind0)
        except WrongShape as error: raise error.inside(at) from None
        o.unknown_fields = None if n == 1 else unknown(d, known)
        o.__class__ = cls
        return o
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias, cast, get_args, get_origin

import attrs

from databricks_async.codec.generated import Names, function, later
from databricks_async.codec.hooks import (
    Reader,
    expected,
    fields_of,
    hints_of,
    is_enum,
    may_be_absent,
    one_level_of,
    required,
    wire_name,
)
from databricks_async.codec.shape import SCALARS, WrongShape, read_text
from databricks_async.nesting import suspect

ReadDict: TypeAlias = Callable[[dict[str, Any]], Any]


class _Field(NamedTuple):
    number: int
    name: str
    wire: str
    hint: Any
    kind: Any
    """The type without its None."""
    is_deep: bool
    """Whether a value may be of any depth."""


def model_reader(cls: Any, hook_of: Callable[[Any], Reader]) -> Reader:
    """From a JSON object to a model; what the class does not know is kept."""
    hints = hints_of(cls)
    fields = [
        _Field(index, one.name, wire_name(one), hint, kind := required(hint), _is_deep(kind, cls))
        for index, one in enumerate(fields_of(cls))
        for hint in [hints[one.name]]
    ]
    known = frozenset(one.wire for one in fields)
    names: Names = {"cls": cls, "raw": _raw(cls), "WrongShape": WrongShape}
    names |= {"suspect": suspect, "look": _look, "unknown": _unknown, "known": known}
    for one in fields:
        _bind(names, one, hook_of)
    names["read_any"] = read_any = _reader_of_any(fields, names)
    readers = readers_by_length(cls)
    names["often"] = _often(cls, readers, lambda keys, nth: _reader_of_keys(keys, nth, fields, names))
    reader = readers.get

    def read(value: Any, _: Any = None) -> Any:
        if value.__class__ is not dict:
            value = one_level_of(value, cls)
        return (reader(len(value)) or read_any)(value)

    return read


@lru_cache(None)
def readers_by_length(cls: Any) -> dict[int, ReadDict]:
    """The readers of a model for objects whose keys come often, by the number of keys.

    Each reads any object. Filled while objects are read; the readers of other models look into it, to spare a call.
    """
    return {}


def _raw(cls: Any) -> type[Any]:
    """The class of an object while it is read: made and filled without the checks of `cls`, which cost the most."""
    unchecked = {"__slots__": (), "__setattr__": object.__setattr__, "__init__": object.__init__}
    raw: type[Any] = _unchecked(cast(Any, type(cls)))(cls.__name__, (cls,), unchecked)
    return raw


@lru_cache(None)
def _unchecked(metaclass: Any) -> Any:
    return type("Unchecked", (metaclass,), {"__call__": type.__call__})


def _reader_of_any(fields: list[_Field], names: Names) -> ReadDict:
    lines = [f" often(d); o = raw(); n = {len(fields)}; at = ''", " try:" if fields else " try: pass"]
    for one in fields:
        if not may_be_absent(one.hint):
            problem = f"expected {expected(one.hint)}, got nothing"
            lines += [f"  if {one.wire!r} not in d: at = {one.wire!r}; raise WrongShape({problem!r})"]
        lines += [f"  v = d.get({one.wire!r})", *_put(one, [*_if_null(one, "v"), *_if_plain(one, "v")], "v")]
    made: ReadDict = function(f"read_{names['cls'].__name__}", "d", [*lines, *_end("len(d) == n", {})], names)
    return made


_OFTEN: Final = 16
"""So many objects of the same keys are worth a function of their own, which costs as much as reading some hundred."""
_MAX_READERS: Final = 16
"""Functions a model: whatever the service sends, no more are made."""
_MAX_COUNTED: Final = 256
_MAX_KEPT: Final = 8192
"""Characters of keys, those that the model does not know included."""


def _often(
    cls: type[Any], readers: dict[int, ReadDict], make: Callable[[tuple[str, ...], int], ReadDict | None]
) -> Callable[[dict[str, Any]], None]:
    """Counts the objects that have no reader for their keys, and adds one when they have come often."""
    counts, by_keys = dict[int, int](), dict[frozenset[str], ReadDict]()

    def often(d: dict[str, Any]) -> None:
        if len(by_keys) == _MAX_READERS:
            return
        keys = tuple(d)
        of_keys = hash(keys)
        counts[of_keys] = count = counts.get(of_keys, 0) + 1
        if len(counts) > _MAX_COUNTED:
            counts.clear()
        if count == _OFTEN and frozenset(d) not in by_keys and (made := make(keys, len(by_keys) + 1)) is not None:
            by_keys[frozenset(d)] = made
            same = {one: read for one, read in by_keys.items() if len(one) == len(d)}
            readers[len(d)] = made if len(same) == 1 else _reader_of_either(cls, same)

    return often


def _reader_of_either(cls: type[Any], readers: dict[frozenset[str], ReadDict]) -> ReadDict:
    """For objects of as many keys: tells them apart by the keys that only some of them have."""
    names: Names = {"cls": cls}
    lines, ahead, keys = list[str](), list(readers), frozenset[str]()
    while ahead:
        keys = ahead.pop()
        name = f"read{len(ahead)}"
        names[name] = readers[keys]
        tests = [f"{key!r} in d" for key in _only_in(keys, ahead)]
        lines.append(f" if {' and '.join(tests)}: return {name}(d)" if tests else f" return {name}(d)")
    made: ReadDict = function(f"read_{cls.__name__}_of_{len(keys)}", "d", lines, names)
    return made


def _only_in(keys: frozenset[str], others: list[frozenset[str]]) -> list[str]:
    """A few of the keys, all of which none of the others has."""
    if not others:
        return []
    key = max(sorted(keys), key=lambda key: sum(key not in other for other in others))
    return [key, *_only_in(keys, [other for other in others if key in other])]


def _reader_of_keys(keys: tuple[str, ...], nth: int, fields: list[_Field], names: Names) -> ReadDict | None:
    if not all(type(key) is str for key in keys) or sum(map(len, keys)) > _MAX_KEPT:
        return None
    present = [one for one in fields if one.wire in keys]
    absent = [one for one in fields if one.wire not in keys]
    if not all(may_be_absent(one.hint) for one in absent):
        return None
    unknown = {key: f"u{index}" for index, key in enumerate(keys) if key not in names["known"]}
    values = {one.wire: f"v{one.number}" for one in present} | unknown
    lines = [f" o = raw(); n = {len(present)}; at = ''"]
    if keys:
        gets = "; ".join(f"{value} = d[{key!r}]" for key, value in values.items())
        lines = [f" try: {gets}", " except KeyError: return read_any(d)", *lines]
    lines += [f" {' = '.join(f'o.{one.name}' for one in absent)} = None"] if absent else []
    lines += [" try:" if present else " try: pass"]
    for one in present:
        value = values[one.wire]
        lines += _put(one, [*_if_plain(one, value), *_if_null(one, value)], value)
    name = f"read_{names['cls'].__name__}_of_keys_{nth}"
    made: ReadDict = function(name, "d", [*lines, *_end(f"n == {len(present)}", unknown)], names)
    return made


def _end(is_all_known: str, unknown: dict[str, str]) -> list[str]:
    """The last lines of a reader, which has put what it knows into `o`."""
    kept = f"{{{', '.join(f'{key!r}: {value}' for key, value in unknown.items())}}}" if unknown else "None"
    looks = [f" if {one}.__class__ is dict or {one}.__class__ is list: look({one})" for one in unknown.values()]
    return [
        " except WrongShape as error: raise error.inside(at) from None",
        f" o.unknown_fields = {kept} if {is_all_known} else unknown(d, known)",
        *looks,
        " o.__class__ = cls",
        " return o",
    ]


def _unknown(d: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The keys that the class does not know, and those that are null."""
    found = {name: value for name, value in d.items() if value is None or name not in known}
    for value in found.values():
        if value.__class__ is dict or value.__class__ is list:
            _look(value)
    return found


def _look(value: Any) -> None:
    """Suspect a list or object that is unknown, unless it holds no others: asked here, to spare most calls."""
    for one in value.values() if value.__class__ is dict else value:
        if one.__class__ is dict or one.__class__ is list:
            suspect(value)
            break


# --- One field.


def _is_deep(kind: Any, cls: type[Any]) -> bool:
    item = get_args(kind)[-1] if get_origin(kind) in (list, dict) else kind
    return Any in (kind, item) or cls in _models_below(item)


@lru_cache(None)
def _models_below(kind: Any) -> set[type[Any]]:
    """The models that values of a type may hold, and their own."""
    found, ahead = set[type[Any]](), [kind]
    while ahead:
        one = required(ahead.pop())
        if get_args(one):
            ahead += get_args(one)
        elif _is_model(one) and one not in found:
            found.add(one)
            ahead += [hint for name, hint in hints_of(one).items() if name != "unknown_fields"]
    return found


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and attrs.has(kind)


def _bind(names: Names, one: _Field, hook_of: Callable[[Any], Reader]) -> None:
    """What the lines of a field use: `kind0` and `read0`; of a list also `item0` and `read_item0`."""
    index, kind = one.number, one.kind
    item: Any = get_args(kind)[0] if get_origin(kind) is list else kind
    names |= {f"kind{index}": kind, f"item{index}": item}
    if kind in SCALARS or is_enum(kind):
        names[f"read{index}"] = SCALARS.get(kind, read_text)
    else:
        later(names, f"read{index}", lambda: hook_of(kind))
    later(names, f"read_item{index}", lambda: hook_of(item))
    if is_enum(item):
        names[f"word{index}"] = {word.value: word for word in item}.get
    elif _is_model(item):
        names[f"reader{index}"] = readers_by_length(item).get


def _put(one: _Field, tests: list[str], v: str) -> list[str]:
    """The lines that put a value into the object: the first test that it meets does, or the hook of the type."""
    lines = [f"  {'elif' if position else 'if'} {test}" for position, test in enumerate(tests)]
    return [*lines, f"  {'else: ' if tests else ''}{_hook(one, v)}"]


def _hook(one: _Field, v: str) -> str:
    suspect = f"suspect({v}); " if one.is_deep else ""
    return f"at = {one.wire!r}; {suspect}o.{one.name} = read{one.number}({v}, kind{one.number})"


def _if_null(one: _Field, v: str) -> list[str]:
    return [f"{v} is None: o.{one.name} = None; n -= 1"] if may_be_absent(one.hint) else []


def _if_plain(one: _Field, v: str) -> list[str]:
    """What JSON gives, which needs no call, or only that of the reader for its keys."""
    index, kind, put = one.number, one.kind, f"o.{one.name} ="
    container = get_origin(kind)
    item: Any = get_args(kind)[-1] if container in (list, dict) else None
    if kind in SCALARS:
        return [f"{v}.__class__ is {kind.__name__}: {put} {v}"]
    if is_enum(kind):
        return [f"{v}.__class__ is str: {put} word{index}({v}) or kind{index}({v})"]
    if container in (list, dict) and item in SCALARS:
        return [
            f"{v}.__class__ is {container.__name__}:\n"
            f"   for x in {v if container is list else f'{v}.values()'}:\n"
            f"    if x.__class__ is not {item.__name__}: {_hook(one, v)}; break\n"
            f"   else: {put} {v}"
        ]
    if container is list and item is Any:
        return [f"{v}.__class__ is list: {put} {v}"]
    if one.is_deep:
        return []
    if _is_model(kind):
        return [
            f"{v}.__class__ is dict:\n"
            f"   at = {one.wire!r}; read = reader{index}(len({v}))\n"
            f"   {put} read{index}({v}, kind{index}) if read is None else read({v})"
        ]
    if container is list and (_is_model(item) or is_enum(item)):
        reader = f"read = reader{index}(len(x)) if x.__class__ is dict else None"
        if_model = f"read_item{index}(x, item{index}) if read is None else read(x)"
        if_word = f"word{index}(x) or item{index}(x) if x.__class__ is str else read_item{index}(x, item{index})"
        return [
            f"{v}.__class__ is list:\n"
            f"   at = {one.wire!r}; items = []\n"
            "   try:\n"
            f"    for x in {v}:\n"
            f"     {f'items.append({if_word})' if is_enum(item) else f'{reader}; items.append({if_model})'}\n"
            "   except WrongShape as error: raise error.inside(len(items)) from None\n"
            f"   {put} items"
        ]
    return []
