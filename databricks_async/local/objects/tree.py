"""The tree of workspace objects: directories, notebooks and files, by path and by id."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal, TypeAlias

import attrs

from databricks_async.local.errors import ApiError, invalid
from databricks_async.local.ids import Ids
from databricks_async.local.objects.notebooks import Extras, Language, Notebook

Kind: TypeAlias = Literal["DIRECTORY", "NOTEBOOK", "FILE", "DASHBOARD"]

DASHBOARD_SUFFIX = ".lvdash.json"
"""What the names of dashboards end with, in the workspace and as files."""

PERMANENT = ("/", "/Users", "/Shared", "/Repos")

_ALIAS = "/Workspace"
"""Another name of the root: `/Workspace/Users/ann` is `/Users/ann`
(learn.microsoft.com/azure/databricks/files/workspace)."""


@attrs.define(eq=False)
class Node:
    """One object of the workspace."""

    path: str
    object_id: int
    kind: Kind
    parent: Node | None = attrs.field(repr=False)
    created_at: int
    modified_at: int
    language: Language | None = None
    content: bytes = attrs.field(default=b"", repr=False)
    """A file's bytes, or a notebook's source as it was imported."""
    extras: Extras | None = attrs.field(default=None, repr=False)
    children: dict[str, Node] = attrs.field(factory=dict, repr=False)
    """By path, in the order of their creation."""
    grants: dict[tuple[str, str], str] = attrs.field(factory=dict)
    """("user_name", "ann@example.com") -> "CAN_EDIT": given directly to this object."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def notebook(self) -> Notebook:
        assert self.language is not None  # noqa: S101 (every notebook has one)
        return Notebook(self.language, self.content, self.extras)

    def and_ancestors(self) -> Iterator[Node]:
        """This object, its directory, and so on up to the root."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    def and_descendants(self) -> Iterator[Node]:
        """This object, then all that is below it; a directory comes before its contents."""
        nodes: list[Node] = [self]
        while nodes:
            node = nodes.pop()
            yield node
            nodes.extend(reversed(node.children.values()))


class Tree:
    """All objects. It has `/`, `/Users`, `/Shared` and `/Repos` from the start.

    Its methods take paths in any form; those of its nodes are without `/Workspace`.
    """

    def __init__(self, ids: Ids) -> None:
        self.by_path: dict[str, Node] = {}
        self.by_id: dict[int, Node] = {}
        self._ids = ids
        for path in PERMANENT:
            self.add(path, "DIRECTORY", 0)
        self.by_path["/Shared"].grants["group_name", "users"] = "CAN_MANAGE"

    def add(
        self,
        path: str,
        kind: Kind,
        now: int,
        *,
        content: bytes = b"",
        language: Language | None = None,
        directory: str | None = None,
    ) -> Node:
        """A new object in an existing directory: the one of its path, unless another one is named."""
        path = canonical(path)
        parent = None if path == "/" else self.by_path[canonical(directory or parent_of(path))]
        node = Node(path, self._ids.new(), kind, parent, now, now, language, content)
        if parent is not None:
            parent.children[path] = node
        self.by_path[path] = self.by_id[node.object_id] = node
        return node

    def add_directories(self, path: str, now: int) -> list[Node]:
        """The directories that were missing on the way down to this path, which is one of them."""
        missing = list(itertools.takewhile(lambda one: one not in self.by_path, and_parents_of(canonical(path))))
        return [self.add(one, "DIRECTORY", now) for one in reversed(missing)]

    def add_home(self, user: str, now: int) -> None:
        """A user's own directories."""
        for path in (f"/Users/{user}", f"/Repos/{user}"):
            self.add_directories(path, now)
            self.by_path[path].grants["user_name", user] = "CAN_MANAGE"

    def remove(self, node: Node) -> None:
        """Take an object away, and all that is below it."""
        for gone in list(node.and_descendants()):
            del self.by_path[gone.path], self.by_id[gone.object_id]
        if node.parent is not None:
            del node.parent.children[node.path]

    def nearest(self, path: str) -> Node:
        """The object at this path, or the lowest of its directories that exists."""
        return next(self.by_path[one] for one in and_parents_of(canonical(path)) if one in self.by_path)

    def find(self, path: str) -> Node | None:
        """The object at this path, None for none."""
        return self.by_path.get(canonical(path))


def clean(path: str) -> str:
    """An absolute path without slashes at its end and with one at its start, in the form that was asked for."""
    if not path.startswith("/"):
        raise invalid(f"Path ({path}) doesn't start with '/'")
    path = "/" + path.strip("/")
    if path.startswith(_ALIAS + "//"):
        path = _ALIAS + "/" + path.removeprefix(_ALIAS).lstrip("/")
    return path


def kind_of(path: str, content: Notebook | bytes) -> Kind:
    """The kind of object that the service makes of content at this path."""
    if isinstance(content, Notebook):
        return "NOTEBOOK"
    return "DASHBOARD" if path.endswith(DASHBOARD_SUFFIX) else "FILE"


def canonical(path: str) -> str:
    """The path without `/Workspace`, and with one slash at its start; a relative path is left as it is."""
    if path.startswith("//"):
        path = "/" + path.lstrip("/")
    while path == _ALIAS or path.startswith(_ALIAS + "/"):
        path = "/" + path.removeprefix(_ALIAS).lstrip("/")
    return path


def shown(node: Node, asked: str) -> str:
    """The path of an object in the form of the path that was asked for."""
    if not (asked == _ALIAS or asked.startswith(_ALIAS + "/")):
        return node.path
    return _ALIAS + node.path if node.path != "/" else _ALIAS


def check_names(path: str) -> None:
    """Refuse a path that nothing new can have."""
    for name in path[1:].split("/"):
        if name in ("", ".", "..") or any(character < " " for character in name):
            raise invalid(f"Path ({path}) contains an invalid name: {name!r}")


def parent_of(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def and_parents_of(path: str) -> Iterator[str]:
    """`/a/b`, `/a`, `/`."""
    while path != "/":
        yield path
        path = parent_of(path)
    yield path


def missing(path: str) -> ApiError:
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({path}) doesn't exist.")


def parent_missing(path: str) -> ApiError:
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"The parent folder ({parent_of(path)}) does not exist.")


def in_the_way(path: str) -> ApiError:
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", f"Path ({path}) already exists.")
