"""What packages offer to users: names that are imported on first use, and where to find what they lack."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import FrameType, ModuleType
from typing import Any, TypeAlias

ROOT = __name__.partition(".")[0]

_NOT_HERE = {"AccountClient": "the API of accounts is not here, only that of workspaces"}
"""Names of the official SDK that no module has, and why."""

Lookup: TypeAlias = Callable[[str], Any]


def front_door(
    package: str, homes: Mapping[str, Iterable[str]] | None = None
) -> tuple[Lookup, Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package that offers the names of its modules; `__all__` comes with them.

    `homes` maps modules of the package to the names that are theirs; `"*"` stands for all types that the module
    offers, see `public_names`. Without `homes` the package offers all types of all its modules. A module is imported
    when it has to be looked through for a name.
    """
    if homes is None:
        homes = {info.name: "*" for info in iter_modules(sys.modules[package].__path__)}

    @cache
    def names_in(home: str) -> frozenset[str]:
        names = homes[home]
        return frozenset(
            names if names != "*" else filter(_is_type_name, public_names(import_module(f"{package}.{home}")))
        )

    def get(name: str) -> Any:
        if name == "__all__":
            return sorted({name for home in homes for name in names_in(home)})
        # Python asks for other names too, such as those of submodules: they are not worth an import.
        for home in homes if _is_type_name(name) else ():
            if name in names_in(home):
                value = getattr(import_module(f"{package}.{home}"), name)
                setattr(sys.modules[package], name, value)
                return value
        raise missing(package, name)

    def list_names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *get("__all__")})

    return get, list_names


def public_names(module: ModuleType) -> list[str]:
    """The names that a module offers: its `__all__`, or else the public classes that are defined in it or below it."""
    offered: Iterable[str] | None = getattr(module, "__all__", None)
    if offered is not None:
        return [*offered]
    inside = f"{module.__name__}."
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and isinstance(value, type) and f"{value.__module__}.".startswith(inside)
    ]


def missing(module: str, name: str) -> Exception:
    """The error for a `__getattr__` to raise: `module` has no such name, and which public module has it."""
    if reason := _NOT_HERE.get(name):
        where = f": {reason}"
    else:
        places = _places_of(name) if _is_type_name(name) else []
        where = f": it is in {' and in '.join(places)}" if places else ""
    if where and _is_from_import():
        return ImportError(f"cannot import name {name!r} from {module!r}{where}", name=module)
    return AttributeError(f"module {module!r} has no attribute {name!r}{where}")


def _is_type_name(name: str) -> bool:
    return name[:1].isupper()


def _places_of(name: str) -> list[str]:
    root = import_module(ROOT)
    if name in root.__all__:
        return [ROOT]
    places = []
    for info in iter_modules(root.__path__, f"{ROOT}."):
        try:
            module = import_module(info.name)
        except ImportError:
            continue  # it needs an extra that is not installed
        if name in getattr(module, "__all__", ()):
            places.append(info.name)
    return places


def _is_from_import() -> bool:
    """Whether `from package import name` asks. Python would replace an AttributeError by an ImportError of its own."""
    frame: FrameType | None = sys._getframe()
    for _ in ("_is_from_import", "missing", "__getattr__"):
        frame = frame and frame.f_back
    return frame is not None and dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"
