"""What plain JSON values must look like, and the error that says where one does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from math import isfinite
from typing import Any, Final, cast


class WrongShape(ValueError):
    """JSON that does not have the shape of its type. Says where, what was expected, and the kind of what was there."""

    def __init__(self, problem: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(problem, path)
        self.problem = problem
        self.path = path

    def __str__(self) -> str:
        return f"${''.join(map(_step, self.path))}: {self.problem}"

    def inside(self, step: str | int) -> WrongShape:
        """The same problem, seen from the object or list that holds it."""
        return WrongShape(self.problem, (step, *self.path))


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if step.isidentifier() else f"[{step!r}]"


def wrong_type(expected: str, value: Any) -> WrongShape:
    return WrongShape(f"expected {expected}, got {describe(value)}")


def describe(value: Any) -> str:
    """The kind of a value, without the value: it may be a secret."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}" if isinstance(value, int) and -10_000 < value < 10_000 else "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"


def read_text(value: Any, kind: Any = str) -> str:
    if isinstance(value, str):
        return value if kind is str else cast(str, kind(str(value)))
    if isinstance(value, Enum):
        return read_text(value.value, kind)
    raise wrong_type("text", value)


def read_text_item(value: Any, kind: Any = str) -> str:
    """An item of a list or map of text, where the service takes numbers and booleans too and turns them into text.

    The first example of its manual is `"spark_conf": {"spark.speculation": true}` (Clusters API 2.0, "Create").
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float) and isfinite(value):
        return repr(float(value))
    return read_text(value, kind)


def read_int(value: Any, _: Any = int) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}", value):
        return int(value)  # the service may write 64-bit numbers as text
    if isinstance(value, Enum):
        return read_int(value.value)
    raise wrong_type("a whole number", value)


def read_float(value: Any, _: Any = float) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", value):
        return float(value)
    if isinstance(value, Enum):
        return read_float(value.value)
    raise wrong_type("a number", value)


def read_bool(value: Any, _: Any = bool) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return read_bool(value.value)
    raise wrong_type("true or false", value)


SCALARS: Final[dict[Any, Callable[[Any, Any], Any]]] = {
    str: read_text,
    int: read_int,
    float: read_float,
    bool: read_bool,
}
