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

The others each read the objects of one set of keys, made when such objects have come often, for they cost a half less:
the objects of a listing have few sets of keys. Which one is for an object is found by the number of its keys, and is
known to fit when it has found them all. A word that is new, a null or anything else that is rare it leaves to the
first kind, before anything within the object is read. Its keys, as `k0`, are those of an object that came, which are
found without being compared: orjson uses the same text for a key again, which saves 4 % of a page of runs. Of the tasks
that depend on a task and name no outcome:

    def read_TaskDependency_of_keys_1(d):
        try: v0 = d[k0]
        except (KeyError, TypeError): return read_any(d)
        if not (v0.__class__ is str): return read_any(d)
        o = raw()
        o.outcome = None
        o.task_key = v0
        o.unknown_fields = None
        o.__class__ = cls
        return o
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, cast, get_args, get_origin

from databricks_async.codec.generated import Names, function
from databricks_async.codec.hooks import (
    Reader,
    expected,
    is_enum,
    may_be_absent,
    one_level_of,
)
from databricks_async.codec.read_field import (
    FieldToRead,
    ReadDict,
    bind,
    fields_to_read,
    is_made_of_scalars,
    is_model,
    is_plain,
    items_of,
    needs_hook,
    put,
    readers_by_length,
    within,
    words_of,
)
from databricks_async.codec.shape import SCALARS, WrongShape
from databricks_async.nesting import suspect


def model_reader(cls: Any, hook_of: Callable[[Any], Reader]) -> Reader:
    """From a JSON object to a model; what the class does not know is kept."""
    fields = fields_to_read(cls)
    names = _names(cls, fields, hook_of)
    names["read_any"] = read_any = _reader_of_any(fields, names)
    readers = readers_by_length(cls)
    readers.of_others = read_any
    names["often"] = _often(cls, readers, lambda d, nth: _reader_of_keys(d, nth, fields, names))

    def read(value: Any, _: Any = None) -> Any:
        if value.__class__ is not dict:
            value = one_level_of(value, cls)
        return readers.get(len(value), read_any)(value)

    return read


def large_answer_reader(cls: Any, hook_of: Callable[[Any], Reader]) -> Reader:
    """As `model_reader`, but empties the lists of the JSON object, each item of which is freed when it is read.

    Python's garbage collector then starts less often: a page of runs costs a tenth less.
    """
    fields = fields_to_read(cls)
    names = _names(cls, fields, hook_of) | {"often": lambda _: None}
    read = _reader_of_any(fields, names, empties_lists=True)
    return lambda value, _: read(value if value.__class__ is dict else one_level_of(value, cls))


def _names(cls: Any, fields: list[FieldToRead], hook_of: Callable[[Any], Reader]) -> Names:
    names: Names = {"cls": cls, "raw": _raw(cls), "WrongShape": WrongShape, "suspect": suspect, "look": _look}
    names |= {"unknown": _unknown, "known": frozenset(one.wire for one in fields)}
    for one in fields:
        bind(names, one, hook_of)
    return names


@lru_cache(None)
def _raw(cls: Any) -> type[Any]:
    """The class of an object while it is read: made and filled without the checks of `cls`, which cost the most."""
    unchecked = {"__slots__": (), "__setattr__": object.__setattr__, "__init__": object.__init__}
    raw: type[Any] = _unchecked(cast(Any, type(cls)))(cls.__name__, (cls,), unchecked)
    return raw


@lru_cache(None)
def _unchecked(metaclass: Any) -> Any:
    return type("Unchecked", (metaclass,), {"__call__": type.__call__})


def _reader_of_any(fields: list[FieldToRead], names: Names, *, empties_lists: bool = False) -> ReadDict:
    lines = [f" often(d); o = raw(); n = {len(fields)}; at = ''", " try:" if fields else " try: pass"]
    for one in fields:
        if not may_be_absent(one.hint):
            problem = f"expected {expected(one.hint)}, got nothing"
            lines += [f"  if {one.wire!r} not in d: at = {one.wire!r}; raise WrongShape({problem!r})"]
        lines += [f"  v = d.get({one.wire!r})", *put(one, empties_lists)]
    lines += [
        " except WrongShape as error: raise error.inside(at) from None",
        " o.unknown_fields = None if len(d) == n else unknown(d, known)",
        " o.__class__ = cls",
        " return o",
    ]
    name = f"read_{'large_' if empties_lists else ''}{names['cls'].__name__}"
    made: ReadDict = function(name, "d", lines, names)
    return made


_OFTEN: Final = 16
"""So many objects of the same keys are worth a function of their own, which costs as much as reading some hundred."""
_MAX_READERS: Final = 16
"""Functions a model: whatever the service sends, no more are made."""
_MAX_ON_THE_SPOT: Final = 8
"""Keys of an object that is read by the reader of what holds it."""
_MAX_COUNTED: Final = 256
_MAX_KEPT: Final = 8192
"""Characters of keys, those that the model does not know included."""


def _often(
    cls: type[Any], readers: dict[int, ReadDict], make: Callable[[dict[str, Any], int], ReadDict | None]
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
        if count == _OFTEN and frozenset(d) not in by_keys and (made := make(d, len(by_keys) + 1)) is not None:
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


def _reader_of_keys(d: dict[str, Any], nth: int, fields: list[FieldToRead], names: Names) -> ReadDict | None:
    keys = tuple(d)
    if not all(type(key) is str for key in keys) or sum(map(len, keys)) > _MAX_KEPT:
        return None
    present = [one for one in fields if one.wire in keys]
    absent = [one for one in fields if one.wire not in keys]
    if not all(may_be_absent(one.hint) for one in absent):
        return None
    unknown = {key: f"u{index}" for index, key in enumerate(keys) if key not in names["known"]}
    names |= _own_keys(present, d)
    gets = [f"v{one.number} = {_get(one, 'd')}" for one in present] + [
        f"{u} = d[{key!r}]" for key, u in unknown.items()
    ]
    lines = [f" try: {'; '.join(gets)}", " except (KeyError, TypeError): return read_any(d)"] if keys else []
    if tests := [test for one in present for test in _tests(one)]:
        lines += [f" if not ({' and '.join(tests)}): return read_any(d)"]
    for one in present:
        lines += _test_of_items(one, "return read_any(d)")
    lines += [" o = raw()"]
    lines += [f" {' = '.join(f'o.{one.name}' for one in absent)} = None"] if absent else []
    lines += [f" o.{one.name} = v{one.number}" for one in present if is_plain(one.kind)]
    holders = [f"  {line}" for one in present if not is_plain(one.kind) for line in _with_keys(one, d[one.wire], names)]
    if holders:
        lines += [" at = ''", " try:", *holders, " except WrongShape as error: raise error.inside(at) from None"]
    kept = f"{{{', '.join(f'{key!r}: {u}' for key, u in unknown.items())}}}" if unknown else "None"
    lines += [f" o.unknown_fields = {kept}"]
    for key, u in unknown.items():
        lines += _looks(u, d[key])
    name = f"read_{names['cls'].__name__}_of_keys_{nth}"
    made: ReadDict = function(name, "d", [*lines, " o.__class__ = cls", " return o"], names)
    return made


def _looks(u: str, like: Any) -> list[str]:
    """The lines that look into a value that is unknown; into an object, if `like` is one, without a call.

    That spares 1 % of a page of clusters, two of whose keys are unknown objects.
    """
    if like.__class__ is not dict:
        return [f" if {u}.__class__ is dict or {u}.__class__ is list: look({u})"]
    return [
        f" for x in {u}.values() if {u}.__class__ is dict else ({u},):",
        f"  if x.__class__ is dict or x.__class__ is list: look({u}); break",
    ]


def _own_keys(present: list[FieldToRead], d: dict[str, Any]) -> Names:
    """The keys that an object has, and not what equals them."""
    own = {key: key for key in d}
    return {f"k{one.number}": own[one.wire] for one in present}


def _get(one: FieldToRead, d: str) -> str:
    get = f"{d}[k{one.number}]"
    return f"words{one.number}[{get}]" if is_enum(one.kind) else get


def _tests(one: FieldToRead) -> list[str]:
    """What holds of nearly every value: others are left to the general reader."""
    v = f"v{one.number}"
    if is_enum(one.kind):
        return []
    if one.kind is float:
        return [f"({v}.__class__ is float or {v}.__class__ is int)"]
    kind = get_origin(one.kind) or one.kind
    if kind in SCALARS or (kind in (list, dict) and not needs_hook(one)):
        return [f"{v}.__class__ is {kind.__name__}"]
    return [f"{v} is not None" if needs_hook(one) else f"{v}.__class__ is dict"]


def _test_of_items(one: FieldToRead, otherwise: str) -> list[str]:
    if not is_made_of_scalars(one.kind):
        return []
    return [
        f" for y in {items_of(one, f'v{one.number}')}:",
        f"  if y.__class__ is not {get_args(one.kind)[-1].__name__}: {otherwise}",
    ]


def _with_keys(one: FieldToRead, like: Any, names: Names) -> list[str]:
    """As `within`, but small objects that have the keys of `like`, or of its items, are made on the spot.

    That spares their calls: reading pages of clusters and runs costs 3 to 6 % less.
    """
    v, number, is_list = f"v{one.number}", one.number, get_origin(one.kind) is list
    kind, x, likes = (get_args(one.kind)[0], "x", like) if is_list else (one.kind, v, [like])
    made = None if one.is_deep else _on_the_spot(number, kind, x, likes, [f"i = i{number}"], names)
    if made is None:
        return within(one, v)
    made = ["i = None", "try:", *(f" {line}" for line in made), "except (KeyError, TypeError): pass"]
    read = f"readers{number}[len({x})]({x}) if i is None else i"
    if not is_list:
        return [f"at = {one.wire!r}", *made, f"o.{one.name} = {read}"]
    return [
        f"at = {one.wire!r}; o.{one.name} = items = []",
        "try:",
        f" for x in {v}:",
        "  if x.__class__ is dict:",
        *(f"   {line}" for line in [*made, f"items.append({read})"]),
        f"  else: items.append(read_item{number}(x, item{number}))",
        "except WrongShape as error: raise error.inside(len(items)) from None",
    ]


def _on_the_spot(number: str, kind: Any, x: str, likes: list[Any], then: list[str], names: Names) -> list[str] | None:
    """The lines that make an object of `x`, if it has the keys that all of `likes` have and nothing rare, and go on."""
    if not is_model(kind) or not all(
        one.__class__ is dict and one.keys() == likes[0].keys() for one in likes or [None]
    ):
        return None
    like: dict[str, Any] = likes[0]
    fields = fields_to_read(kind, f"{number}_")
    present = [field for field in fields if field.wire in like]
    absent = [field for field in fields if field.wire not in like]
    if not len(present) == len(like) <= _MAX_ON_THE_SPOT or not all(may_be_absent(field.hint) for field in absent):
        return None
    names |= {f"raw{number}": _raw(kind), f"model{number}": kind} | _own_keys(present, like)
    names |= {f"words{field.number}": words_of(field.kind) for field in present if is_enum(field.kind)}
    i, plain = f"i{number}", [field for field in present if is_plain(field.kind)]
    then = [
        *(line[1:] for field in plain for line in _test_of_items(field, "raise TypeError")),
        f"{i} = raw{number}()",
        *([f"{' = '.join(f'{i}.{field.name}' for field in absent)} = None"] if absent else []),
        *(f"{i}.{field.name} = {'v' if field in plain else 'i'}{field.number}" for field in present),
        f"{i}.unknown_fields = None; {i}.__class__ = model{number}",
        *then,
    ]
    for field in present:
        if field not in plain:
            v, inner = f"v{field.number}", [one[field.wire] for one in likes]
            made = None if field.is_deep else _on_the_spot(field.number, field.kind, v, inner, then, names)
            if made is None:
                return None
            then = made
    # An object of one key often is one of several alternatives, and an exception costs more than to look.
    fits = f"len({x}) == {len(like)}" + (f" and k{present[0].number} in {x}" if len(like) == 1 else "")
    gets = [f" {'; '.join(f'v{field.number} = {_get(field, x)}' for field in present)}"] if present else []
    tests = " and ".join(test for field in present for test in _tests(field)) or "True"
    return [f"if {fits}:", *gets, f" if {tests}:", *(f"  {line}" for line in then)]


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
