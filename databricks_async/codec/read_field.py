"""One field of a model: the lines of generated code that read its value, and the names that they use."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, get_args, get_origin

import attrs

from databricks_async.codec.generated import Names, later
from databricks_async.codec.hooks import Reader, fields_of, hints_of, is_enum, may_be_absent, required, wire_name
from databricks_async.codec.shape import SCALARS, read_text

ReadDict: TypeAlias = Callable[[dict[str, Any]], Any]


class FieldToRead(NamedTuple):
    number: str
    """Of its variables and names in the generated code."""
    name: str
    wire: str
    hint: Any
    kind: Any
    """The type without its None."""
    is_deep: bool
    """Whether a value may be of any depth."""


def fields_to_read(cls: Any, prefix: str = "") -> list[FieldToRead]:
    hints = hints_of(cls)
    return [
        FieldToRead(f"{prefix}{index}", one.name, wire_name(one), hint, kind := required(hint), _is_deep(kind, cls))
        for index, one in enumerate(fields_of(cls))
        for hint in [hints[one.name]]
    ]


class _Readers(dict[int, ReadDict]):
    of_others: ReadDict | None = None
    """For numbers of keys that are not in it."""

    def __missing__(self, _: int) -> ReadDict | None:
        return self.of_others


@lru_cache(None)
def readers_by_length(cls: Any) -> _Readers:
    """The readers of a model for objects whose keys come often, by the number of keys.

    Each reads any object. Filled while objects are read; the readers of other models look into it, to spare a call.
    """
    return _Readers()


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
        elif is_model(one) and one not in found:
            found.add(one)
            ahead += [hint for name, hint in hints_of(one).items() if name != "unknown_fields"]
    return found


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and attrs.has(kind)


def bind(names: Names, one: FieldToRead, hook_of: Callable[[Any], Reader]) -> None:
    """What the lines of a field use: `kind0` and `read0`; of a list also `item0` and `read_item0`."""
    index, kind = one.number, one.kind
    item: Any = get_args(kind)[0] if get_origin(kind) is list else kind
    names |= {f"k{index}": one.wire, f"kind{index}": kind, f"item{index}": item}
    if kind in SCALARS or is_enum(kind):
        names[f"read{index}"] = SCALARS.get(kind, read_text)
    else:
        later(names, f"read{index}", lambda: hook_of(kind))
    later(names, f"read_item{index}", lambda: hook_of(item))
    if is_enum(item):
        names[f"words{index}"] = words = words_of(item)
        names[f"word{index}"] = words.get
    elif is_model(item):
        names[f"readers{index}"] = readers = readers_by_length(item)
        readers.of_others = readers.of_others or (lambda d: hook_of(item)(d, item))


@lru_cache(None)
def words_of(kind: Any) -> dict[str, Any]:
    return {word.value: word for word in kind}


def is_made_of_scalars(kind: Any) -> bool:
    return get_origin(kind) in (list, dict) and get_args(kind)[-1] in SCALARS


def is_plain(kind: Any) -> bool:
    """Whether a value is taken as it is, or is a word."""
    return kind in SCALARS or is_enum(kind) or is_made_of_scalars(kind)


def needs_hook(one: FieldToRead) -> bool:
    item = get_args(one.kind)[0] if get_origin(one.kind) is list else one.kind
    return one.is_deep or not (is_plain(one.kind) or is_model(item) or is_enum(item))


def items_of(one: FieldToRead, v: str) -> str:
    return v if get_origin(one.kind) is list else f"{v}.values()"


def put(one: FieldToRead, empties_lists: bool) -> list[str]:
    """The lines of the general reader that put `v` into the object: the first test that it meets does, or the hook."""
    put = f"o.{one.name} ="
    tests = [f"v is None: {put} None; n -= 1"] if may_be_absent(one.hint) else []
    kind = get_origin(one.kind) or one.kind
    if one.kind in SCALARS:
        tests += [f"v.__class__ is {kind.__name__}: {put} v"]
    elif is_enum(kind):
        tests += [f"v.__class__ is str: {put} word{one.number}(v) or kind{one.number}(v)"]
    elif is_made_of_scalars(one.kind):
        tests += [
            f"v.__class__ is {kind.__name__}:\n"
            f"   for x in {items_of(one, 'v')}:\n"
            f"    if x.__class__ is not {get_args(one.kind)[-1].__name__}: {_hook(one, 'v')}; break\n"
            f"   else: {put} v"
        ]
    elif not needs_hook(one):
        tests += [
            "\n   ".join([f"v.__class__ is {'list' if kind is list else 'dict'}:", *within(one, "v", empties_lists)])
        ]
    lines = [f"  {'elif' if position else 'if'} {test}" for position, test in enumerate(tests)]
    return [*lines, f"  {'else: ' if tests else ''}{_hook(one, 'v')}"]


def _hook(one: FieldToRead, v: str) -> str:
    suspect = f"suspect({v}); " if one.is_deep else ""
    return f"at = {one.wire!r}; {suspect}o.{one.name} = read{one.number}({v}, kind{one.number})"


def within(one: FieldToRead, v: str, empties_list: bool = False) -> list[str]:
    """The lines that put a list or an object that holds more than scalars, whose class was tested."""
    index = one.number
    if needs_hook(one):
        return [_hook(one, v)]
    if is_model(one.kind):
        return [f"at = {one.wire!r}; o.{one.name} = readers{index}[len({v})]({v})"]
    item = f"read_item{index}(x, item{index})"
    if is_enum(get_args(one.kind)[0]):
        item = f"word{index}(x) or item{index}(x) if x.__class__ is str else {item}"
    else:
        item = f"readers{index}[len(x)](x) if x.__class__ is dict else {item}"
    loop = [f" {v}.reverse()", f" while {v}: x = {v}.pop(); items.append({item})"]
    return [
        f"at = {one.wire!r}; o.{one.name} = items = []",
        "try:",
        *(loop if empties_list else [f" for x in {v}: items.append({item})"]),
        "except WrongShape as error: raise error.inside(len(items)) from None",
    ]
