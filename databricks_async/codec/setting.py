"""What a field of a model may be set to: a wrong type is refused at once, as it would be when the model is sent.

What is right is kept as it is given, for the caller may fill it further; a datetime becomes epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, NoReturn, TypeAlias, cast, get_args, get_origin

import attrs

from databricks_async.codec.hooks import Reader, fields_of, hints_of, is_enum, required
from databricks_async.codec.shape import SCALARS, read_text
from databricks_async.epoch import name_of_moment, to_epoch_ms
from databricks_async.suggest import did_you_mean

Setter: TypeAlias = Callable[[Any], Any]
"""Takes what a field is set to, which is not None, and returns what the field keeps."""


@lru_cache(None)
def setters_of(cls: Hashable, hook_of: Callable[[Any], Reader]) -> dict[str, Setter]:
    """By the names of the fields; the types of a class are looked at when the first object of it is filled."""
    kind = cast("type[Any]", cls)
    hints = hints_of(cls)
    setters = {field.name: _setter(required(hints[field.name]), hook_of) for field in fields_of(kind)}
    for name, setter in setters.items():
        if isinstance(getattr(kind, name_of_moment(name), None), property):
            setters[name] = _setter_of_moment(name, setter)
    return {**setters, "unknown_fields": _setter(dict[str, Any], hook_of)}


def refuse_name(model: Any, name: str) -> NoReturn:
    """Raise AttributeError for a name that is none of its fields."""
    hint = did_you_mean(name, [field.name for field in attrs.fields(type(model))])
    problem = f"{type(model).__name__} has no field {name!r}"
    raise AttributeError(f"{problem}: {hint}" if hint else problem, name=name, obj=model)


def _setter(kind: Any, hook_of: Callable[[Any], Reader]) -> Setter:
    read = SCALARS.get(kind) or (read_text if is_enum(kind) else None)
    item = get_args(kind)[0] if get_origin(kind) is list else None

    def check(value: Any) -> Any:
        # A model was checked when it was filled, however large it is by now.
        if value.__class__ is not kind and not (item and value.__class__ is list and {*map(type, value)} == {item}):
            (read or hook_of(kind))(value, kind)
        return value

    return check


def _setter_of_moment(name: str, setter: Setter) -> Setter:
    def check(value: Any) -> Any:
        return setter(value) if isinstance(value, int | str) else to_epoch_ms(name, value)

    return check
