"""Who may do what with an object: the models and the calls that all kinds of objects share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import attrs

from databricks_async.codec import Model, OpenEnum
from databricks_async.service import Service, build_each

if TYPE_CHECKING:
    from databricks_async.session.session import Session

Level = TypeVar("Level", bound=OpenEnum)


@attrs.define(kw_only=True, repr=False, eq=False)
class AccessControlRequest(Model, Generic[Level]):
    """A permission to give: to one user, group or service principal."""

    group_name: str | None = None
    """The name of a group."""
    permission_level: Level | None = None
    """What may be done."""
    service_principal_name: str | None = None
    """The application id of a service principal."""
    user_name: str | None = None
    """The e-mail address of a user."""


@attrs.define(kw_only=True, repr=False, eq=False)
class Permission(Model, Generic[Level]):
    """A permission, and where it comes from."""

    inherited: bool | None = None
    """Whether it comes from an object above."""
    inherited_from_object: list[str] | None = None
    """The objects it comes from, for example `/clusters/` or `/directories/1`."""
    permission_level: Level | None = None
    """What may be done."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PermissionsDescription(Model, Generic[Level]):
    """A permission level, explained."""

    description: str | None = None
    """What the level allows."""
    permission_level: Level | None = None
    """What may be done."""


APermission = TypeVar("APermission", bound=Permission[Any])
ADescription = TypeVar("ADescription", bound=PermissionsDescription[Any])


@attrs.define(kw_only=True, repr=False, eq=False)
class AccessControlResponse(Model, Generic[APermission]):
    """What one user, group or service principal may do."""

    all_permissions: list[APermission] | None = None
    """The permissions, inherited ones included."""
    display_name: str | None = None
    """The name for people."""
    group_name: str | None = None
    """The name of a group."""
    service_principal_name: str | None = None
    """The application id of a service principal."""
    user_name: str | None = None
    """The e-mail address of a user."""


AResponse = TypeVar("AResponse", bound=AccessControlResponse[Any])


@attrs.define(kw_only=True, repr=False, eq=False)
class ObjectPermissions(Model, Generic[AResponse]):
    """All users, groups and service principals that may use an object."""

    access_control_list: list[AResponse] | None = None
    """Who may do what with it."""
    object_id: str | None = None
    """The id of the object, with its type before it: `/clusters/...`."""
    object_type: str | None = None
    """The kind of object."""


@attrs.define(kw_only=True, repr=False, eq=False)
class GetPermissionLevelsResponse(Model, Generic[ADescription]):
    """The permission levels that a kind of object has."""

    permission_levels: list[ADescription] | None = None
    """The levels, explained."""


Request = TypeVar("Request", bound=AccessControlRequest[Any])
Granted = TypeVar("Granted", bound=ObjectPermissions[Any])
Levels = TypeVar("Levels", bound=GetPermissionLevelsResponse[Any])

AccessControl: TypeAlias = Iterable[Request | Mapping[str, Any]]


class Permissions(Service, Generic[Request, Granted, Levels]):
    """The permissions of one kind of objects. `path` is their endpoint; the ids that fill its braces are keywords."""

    def __init__(
        self, session: Session, path: str, entry: type[Request], granted: type[Granted], levels: type[Levels]
    ) -> None:
        super().__init__(session, "2.0")
        self._path = path
        self._entry = entry
        self._granted = granted
        self._known_levels = levels

    async def levels(self, **ids: Any) -> Levels:
        return await self._call(f"GET {self._path}/permissionLevels", self._known_levels, **ids)

    async def get(self, **ids: Any) -> Granted:
        return await self._call(f"GET {self._path}", self._granted, **ids)

    async def set(self, entries: AccessControl[Request], **ids: Any) -> Granted:
        return await self._change("PUT", entries, ids)

    async def update(self, entries: AccessControl[Request], **ids: Any) -> Granted:
        return await self._change("PATCH", entries, ids)

    async def _change(self, method: str, entries: AccessControl[Request], ids: Mapping[str, Any]) -> Granted:
        return await self._call(
            f"{method} {self._path}",
            self._granted,
            replay="idempotent",
            access_control_list=build_each(self._entry, entries, "access_control_list"),
            **ids,
        )
