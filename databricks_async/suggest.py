"""What a misspelt name was probably meant to be, and what to write instead of common mistakes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, NoReturn, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def did_you_mean(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """`did you mean 'num_workers'?`; `otherwise` if no name is near."""
    from difflib import get_close_matches  # here, because only mistakes need it

    near = get_close_matches(name, [*names], n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def refuse(instead: str) -> Callable[..., NoReturn]:
    """A method of a class that has none of this name: it raises TypeError with what to write instead."""

    def method(*_: object) -> NoReturn:
        raise TypeError(instead)

    return method


def has_no(**instead: str) -> Callable[[F], F]:
    """Keywords that a function does not have and people bring from elsewhere, each with what to write instead."""

    def decorate(function: F) -> F:
        @wraps(function)
        def call(*args: Any, **keywords: Any) -> Any:
            _refuse_foreign(function, keywords, instead)
            return function(*args, **keywords)

        @wraps(function)
        async def call_async(*args: Any, **keywords: Any) -> Any:
            _refuse_foreign(function, keywords, instead)
            return await function(*args, **keywords)

        return cast(F, call_async if inspect.iscoroutinefunction(function) else call)

    return decorate


def _refuse_foreign(function: Callable[..., Any], keywords: Mapping[str, Any], instead: Mapping[str, str]) -> None:
    for name in keywords:
        if name in instead:
            raise TypeError(f"{function.__name__}() has no {name}=: {instead[name]}")
