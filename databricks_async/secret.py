"""Text that stays out of sight: values of settings that mask themselves, and text for the wire that has no repr."""

from __future__ import annotations

from typing import Any, NoReturn, Self, TypeVar, cast

T = TypeVar("T")

MASK = "***"


class HiddenStr(str):
    """Text as it is, but its repr is `***`: what a traceback with locals shows of a header."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK


class HiddenBytes(bytes):
    """Bytes as they are, but their repr is `***`: the body of a request that holds a secret."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK


class Secret(str):
    """A secret setting. To every view (`str`, repr, f-strings, JSON, `attrs.asdict`) it is the text `***`.

    `get_secret_value()` gives the secret itself. It equals the text that it holds, and is not pickled.
    """

    __slots__ = ("_value",)
    _value: HiddenStr

    def __new__(cls, value: str) -> Self:
        secret = super().__new__(cls, MASK)
        secret._value = reveal(value)
        return secret

    def get_secret_value(self) -> HiddenStr:
        """The secret, as text whose repr is `***`."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self._value, other._value if isinstance(other, Secret) else other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled: read the configuration anew where it is needed")


def reveal(value: Any) -> HiddenStr:
    """The text of a secret setting, or of plain text; None is empty."""
    if isinstance(value, Secret):
        return value.get_secret_value()
    return HiddenStr("" if value is None else value)


def hide(value: T) -> T:
    """The same value; text and bytes get a repr of `***`."""
    if isinstance(value, str) and not isinstance(value, Secret):
        return cast("T", HiddenStr(value))
    return cast("T", HiddenBytes(value)) if isinstance(value, bytes) else value
