"""How models show themselves: in a line, whole, and as a table. What is None is left out, what is secret is hidden."""

from __future__ import annotations

import pprint
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from databricks_async import display
from databricks_async.codec.hooks import given_as
from databricks_async.display import cut

MAX_REPR: Final = 399
_WIDTH: Final = 100
_MAX_VALUE: Final = 120
_SECRETS = "(?i)password|secret|token|primary_key|spark_env_vars|spark_conf|headers"
_TOP = ("id", "key", "name", "path", "state", "status", "type", "life_cycle_state", "result_state")


def shown(model: Any) -> list[tuple[str, Any]]:
    """The fields of a model that have a value, those first that a caller has to give; secrets hidden."""
    (unknown_fields, *fields) = attrs.fields(type(model))
    fields.sort(key=lambda field: field.default is not attrs.NOTHING)
    found = []
    for field in (*fields, unknown_fields):
        value = getattr(model, field.name, None)  # one that is being made has not all of them
        if value is None:
            continue
        hidden = "values" if field is unknown_fields else field.metadata.get("hidden")
        if hidden == "values" and isinstance(value, Mapping):
            value = dict.fromkeys(value, "***")
        elif hidden:
            value = "***"
        found.append((field.name, _masked(value)))
    return found


def _masked(value: Any) -> Any:
    """A map or list that was given in place of models, without what their names say is secret."""
    if type(value) is list:
        return [_masked(one) for one in value]
    given = given_as(value)
    if isinstance(given, Mapping):
        return {
            name: "***" if isinstance(name, str) and re.search(_SECRETS, name) else _masked(one)
            for name, one in given.items()
        }
    return value


def short(model: Any) -> str:
    """One line of less than 400 characters: all if it fits, else the essentials and how much is left out."""
    text = whole(model)
    if len(text) <= MAX_REPR:
        return text
    fields = shown(model)
    name, parts = type(model).__name__, list[str]()
    length = len(name) + len(f"(… {len(fields)} more)")
    for field, value in sorted(fields, key=_rank):
        part = f"{field}={_abridged(value)}"
        if length + len(part) + 2 <= MAX_REPR:
            parts.append(part)
            length += len(part) + 2
    left_out = len(fields) - len(parts)
    return f"{name}({', '.join(parts)}{f', … {left_out} more' if left_out else ''})"


def whole(value: Any) -> str:
    """All of it, in one line."""
    if _is_model(value):
        return f"{type(value).__name__}({', '.join(f'{name}={whole(one)}' for name, one in shown(value))})"
    if type(value) is list:
        return f"[{', '.join(map(whole, value))}]"
    if type(value) is dict:
        return f"{{{', '.join(f'{name!r}: {whole(one)}' for name, one in value.items())}}}"
    return repr(value)


def pretty(value: Any, indent: int = 0) -> str:
    """All of it, in as many lines as it takes; `indent` is where the first of them begins."""
    text = whole(value)
    if indent + len(text) <= _WIDTH:
        return text
    inner = indent + 4
    if _is_model(value):
        start, end, items = f"{type(value).__name__}(", ")", [(f"{name}=", one) for name, one in shown(value)]
    elif type(value) is list:
        start, end, items = "[", "]", [("", one) for one in value]
    elif type(value) is dict:
        start, end, items = "{", "}", [(f"{name!r}: ", one) for name, one in value.items()]
    else:
        return text
    if not items:
        return text
    lines = [f"{' ' * inner}{label}{pretty(one, inner + len(label))},\n" for label, one in items]
    return f"{start}\n{''.join(lines)}{' ' * indent}{end}"


def table(model: Any) -> str:
    """A small HTML table, everything escaped."""
    rows = [(name, value if type(value) is str else whole(value)) for name, value in shown(model)]
    return display.table(type(model).__name__, rows)


def rich_parts(model: Any) -> Iterator[tuple[str, Any]]:
    """What `rich` shows."""
    yield from shown(model)


def use_in_pprint(representation: Any) -> None:
    """Let `pprint` show all of what has this `__repr__`."""

    def write(_: Any, value: Any, stream: Any, indent: int, *__: Any) -> None:
        stream.write(pretty(value, indent))

    # There is no public way; where this one is gone, the short line is shown.
    dispatch = getattr(pprint.PrettyPrinter, "_dispatch", None)
    if isinstance(dispatch, dict):
        dispatch[representation] = write


def _is_model(value: Any) -> bool:
    return hasattr(type(value), "unknown_fields") and attrs.has(type(value))


def _rank(field: tuple[str, Any]) -> int:
    """Ids first, then names, states, and what is short; what holds other things last."""
    name, value = field
    for rank, word in enumerate(_TOP):
        if name == word or name.endswith(f"_{word}"):
            return rank
    return len(_TOP) + (_is_model(value) or isinstance(value, list | dict))


def _abridged(value: Any) -> str:
    """A value in about `_MAX_VALUE` characters: of a list or map the first items, and how many more there are."""
    if type(value) is list:
        return f"[{_first_of(map(whole, value), len(value))}]"
    if type(value) is dict:
        return f"{{{_first_of((f'{name!r}: {whole(one)}' for name, one in value.items()), len(value))}}}"
    return cut(whole(value), _MAX_VALUE)


def _first_of(items: Iterable[str], count: int) -> str:
    taken: list[str] = []
    for item in items:
        if sum(map(len, taken)) + len(item) > _MAX_VALUE:
            return ", ".join([*(taken or [cut(item, _MAX_VALUE)]), f"… {count - max(1, len(taken))} more"])
        taken.append(item)
    return ", ".join(taken)
