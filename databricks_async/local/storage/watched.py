"""Dictionaries that notice what is looked up in them: what may have changed since it was last written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Watched(dict[K, V]):
    """Appends to `touched` each value that is read, put in or taken out by its key. Loops over it are not noticed."""

    def __init__(self, touched: list[Any], values: Mapping[K, V]) -> None:
        super().__init__(values)
        self._touched = touched

    def __getitem__(self, key: K) -> V:
        value = super().__getitem__(key)
        self._touched.append(value)
        return value

    def get(self, key: K, default: Any = None) -> Any:
        value = super().get(key, default)
        if value is not default:
            self._touched.append(value)
        return value

    def __setitem__(self, key: K, value: V) -> None:
        self._touched.append(value)
        super().__setitem__(key, value)

    def __delitem__(self, key: K) -> None:
        self._touched.append(super().__getitem__(key))
        super().__delitem__(key)

    def pop(self, key: K, default: Any = None) -> Any:
        value = super().pop(key, default)
        if value is not default:
            self._touched.append(value)
        return value


class Noted(dict[K, V]):
    """Keeps the keys that were put in since `changed` was last emptied. For dictionaries that only grow."""

    def __init__(self, values: Mapping[K, V]) -> None:
        super().__init__(values)
        self.changed: set[K] = set()

    def __setitem__(self, key: K, value: V) -> None:
        self.changed.add(key)
        super().__setitem__(key, value)
