"""OpenEnum: enums of the service, where a word that is new to this version is a value and not an error."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Self


class OpenEnum(StrEnum):
    """Words of the service. A word that this version does not know becomes a value too: `State("NEW") == "NEW"`."""

    @property
    def is_known(self) -> bool:
        """Whether this version of the library knows the word."""
        return type(self)._member_map_.get(self._name_) is self

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if type(value) is not str:
            return None
        unknown = _unknown.setdefault(cls, {})
        word = unknown.get(value)
        if not isinstance(word, cls):
            word = str.__new__(cls, value)
            word._name_ = word._value_ = value
            if len(unknown) < _MAX_UNKNOWN:
                unknown[value] = word
        return word

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name_}" if self.is_known else f"{type(self).__name__}({self._value_!r})"


# One object for each word, so that `is` works for them too; bounded, because they come from outside.
_unknown: Final[dict[type[OpenEnum], dict[str, OpenEnum]]] = {}
_MAX_UNKNOWN: Final = 256
