"""The types of what callers may give for a field: wider than what the field holds afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

M = TypeVar("M")
E = TypeVar("E")


class OfficialModel(Protocol):
    """A model of the official SDK."""

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON has them, models within included."""
        ...

    def as_shallow_dict(self) -> dict[str, Any]:
        """The fields, with the models within as they are."""
        ...


Given: TypeAlias = M | Mapping[str, Any] | OfficialModel
"""A model, a mapping with the same fields, or the official SDK's model."""
Text: TypeAlias = str | int | float | bool
"""An item of a list or map of text: numbers and booleans are written as the service writes them."""
Texts: TypeAlias = list[str] | list[Text] | tuple[Text, ...]
Words: TypeAlias = list[E] | list[str] | tuple[E | str, ...]
"""Several words of the service; not one, which is text too."""
