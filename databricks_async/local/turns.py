"""How methods of the local workspace take turns with the requests, which another thread may serve."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from databricks_async.local.state import State
from databricks_async.local.storage.kept import Kept


class HasState(Protocol):
    """What the methods belong to."""

    _state: State
    _kept: Kept


P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W", bound=HasState)


def in_turn(method: Callable[Concatenate[W, P], R]) -> Callable[Concatenate[W, P], R]:
    """Have a method take turns with the requests, which may be served in another thread than the caller's."""

    @functools.wraps(method)
    def take_turn(self: W, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._state.lock:
            try:
                return method(self, *args, **kwargs)
            finally:
                self._state.keep()

    return take_turn


def changes_state(method: Callable[Concatenate[W, P], R]) -> Callable[Concatenate[W, P], R]:
    """The same for a method that changes what a file keeps: the file has to be open."""

    @functools.wraps(method)
    def check(self: W, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self._kept.check_open()
        return method(self, *args, **kwargs)

    return in_turn(check)
