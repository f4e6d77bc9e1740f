"""Reads a request's parameters by the signature of the function that serves it: names, types, what is required."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NotRequired, Required, TypeAlias, TypeVar, Union, Unpack

import attrs

from databricks_async.local.errors import ApiError, invalid

FROM_THE_SERVER = frozenset({"caller", "authorization", "host", "upload", "query"})
"""Parameters that the server fills in: who calls, the Authorization header, the host that was asked, the file of a
multipart body, and the query as it came."""


@attrs.define
class Reading:
    """One pass over a request's parameters."""

    text: bool
    """Whether the values come from a query or a form, where everything is text and one-item lists look like scalars."""
    unknown: list[str]
    """Gets the names that the service ignores, with dots where they are nested."""
    unchecked: list[str] = attrs.field(factory=list)
    """Gets the names of objects that are accepted although they hold nothing."""
    keep: bool = False
    """Whether unknown names within objects stay in the values that are read."""


_T = TypeVar("_T")
_KEEP = "keep"
Kept: TypeAlias = Annotated[_T, _KEEP]
"""An object, such as `Kept[Task]`, that is checked as any other but keeps unknown names, at any depth."""


_DECIMAL = re.compile("-?[0-9]{1,19}")

Reader = Callable[[str, Any, Reading], Any]


@attrs.frozen
class Declared:
    """The parameters that a function declares."""

    readers: Mapping[str, Reader]
    required: tuple[str, ...]
    from_the_server: tuple[str, ...]

    def read(self, given: Mapping[str, Any], reading: Reading, prefix: str = "") -> dict[str, Any]:
        """The known parameters, converted. A null counts as absent, a wrong type is refused by name."""
        found = {}
        for name, value in given.items():
            reader = self.readers.get(name)
            if reader is None:
                reading.unknown.append(prefix + name)
            elif value is not None:
                found[name] = reader(prefix + name, value, reading)
        return found

    def check_required(self, found: Mapping[str, Any], prefix: str = "") -> None:
        for name in self.required:
            if name not in found:
                raise invalid(f"Missing required field: {prefix}{name}")


def declared_by(function: Callable[..., Any]) -> Declared:
    """What a function declares after its first argument, the state."""
    hints = typing.get_type_hints(function, include_extras=True)
    readers: dict[str, Reader] = {}
    required = []
    from_the_server = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        hint = hints[parameter.name]
        if parameter.name in FROM_THE_SERVER:
            from_the_server.append(parameter.name)
        elif parameter.kind is parameter.VAR_KEYWORD:
            if typing.get_origin(hint) is Unpack:
                hint = typing.get_args(hint)[0]
            readers.update(
                {name: _reader(kind) for name, kind in typing.get_type_hints(hint, include_extras=True).items()}
            )
        else:
            readers[parameter.name] = _reader(hint)
            if parameter.default is parameter.empty:
                required.append(parameter.name)
    return Declared(readers, tuple(required), tuple(from_the_server))


def _reader(hint: Any) -> Reader:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        (hint,) = (arg for arg in args if arg is not type(None))
        return _reader(hint)
    if origin is Annotated:
        return _keeping(_reader(args[0])) if _KEEP in args else _reader(args[0])
    if origin in (Required, NotRequired):
        return _reader(args[0])
    if origin is Literal:
        return _one_of(args)
    if origin is list:
        return _list_of(_text if args[0] is str else _reader(args[0]))
    if origin is dict:
        return _map_of(args[1])
    if typing.is_typeddict(hint):
        return _object(hint)
    return _SCALARS[hint]


def _wrong(name: str, expected: str, value: Any) -> ApiError:
    return invalid(f"Parameter {name} must be {expected}, not {type(value).__name__} {value!r:.60}")


def _str(name: str, value: Any, reading: Reading) -> str:
    if isinstance(value, str):
        return value
    raise _wrong(name, "a string", value)


def _int(name: str, value: Any, reading: Reading) -> int:
    number: int | None = None
    if isinstance(value, str):
        number = int(value) if _DECIMAL.fullmatch(value) else None
    elif isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        number = int(value)
    if number is None or not -(2**63) <= number < 2**63:
        raise _wrong(name, "an integer", value)
    return number


def _float(name: str, value: Any, reading: Reading) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise _wrong(name, "a number", value)


def _bool(name: str, value: Any, reading: Reading) -> bool:
    if isinstance(value, bool):
        return value
    if reading.text and value in ("true", "True", "false", "False"):
        return bool(value in ("true", "True"))
    raise _wrong(name, "a boolean", value)


def _any(name: str, value: Any, reading: Reading) -> Any:
    return value


def _one_of(words: tuple[str, ...]) -> Reader:
    def read(name: str, value: Any, reading: Reading) -> str:
        if value in words:
            return str(value)
        raise _wrong(name, f"one of {', '.join(words)}", value)

    return read


def _list_of(item: Reader) -> Reader:
    def read(name: str, value: Any, reading: Reading) -> list[Any]:
        if reading.text and not isinstance(value, list):
            value = [value]
        if not isinstance(value, list):
            raise _wrong(name, "an array", value)
        return [item(f"{name}[{index}]", one, reading) for index, one in enumerate(value)]

    return read


def _map_of(values: Any) -> Reader:
    def read(name: str, value: Any, reading: Reading) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(name, "an object", value)
        if values is not str:
            return value
        return {key: _text(f"{name}.{key}", one, reading) for key, one in value.items()}

    return read


def _text(name: str, value: Any, reading: Reading) -> str:
    # The manual's own examples send {"spark.speculation": true}: the service turns scalars into text, in lists too.
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise _wrong(name, "a string", value)


def _keeping(reader: Reader) -> Reader:
    def read(name: str, value: Any, reading: Reading) -> Any:
        return reader(name, value, attrs.evolve(reading, keep=True))

    return read


def _is_no_list(hint: Any) -> bool:
    while typing.get_origin(hint) in (Required, NotRequired):
        (hint,) = typing.get_args(hint)
    return typing.get_origin(hint) is not list


def _object(kind: Any) -> Reader:
    hints = typing.get_type_hints(kind, include_extras=True)
    # Before 3.12 `__required_keys__` does not see what postponed annotations mark.
    required = set(kind.__required_keys__)
    for name, hint in hints.items():
        marked = typing.get_origin(hint)
        required = required | {name} if marked is Required else required - {name} if marked is NotRequired else required
    # In the service's JSON an empty list is as good as an absent one, and it answers so.
    required = {name for name in required if _is_no_list(hints[name])}
    fields = Declared({name: _reader(hint) for name, hint in hints.items()}, tuple(sorted(required)), ())

    def read(name: str, value: Any, reading: Reading) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(name, "an object", value)
        found = fields.read(value, reading, f"{name}.")
        fields.check_required(found, f"{name}.")
        if not value:
            reading.unchecked.append(name)
        if reading.keep:
            found |= {key: one for key, one in value.items() if key not in fields.readers}
        return found

    return read


_SCALARS: dict[Any, Reader] = {str: _str, int: _int, float: _float, bool: _bool, Any: _any}
