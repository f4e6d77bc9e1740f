"""The models of the Workspace API: objects, formats and permissions."""

from __future__ import annotations

from datetime import datetime

import attrs

from databricks_async.codec import Model
from databricks_async.codec.open_enum import OpenEnum
from databricks_async.epoch import from_epoch_ms
from databricks_async.permissions import (
    AccessControlRequest,
    AccessControlResponse,
    GetPermissionLevelsResponse,
    ObjectPermissions,
    Permission,
    PermissionsDescription,
)

__all__ = [
    "DirectoryInfo",
    "ExportFormat",
    "ExportResponse",
    "GetWorkspaceObjectPermissionLevelsResponse",
    "ImportFormat",
    "Language",
    "ListResponse",
    "ObjectInfo",
    "ObjectType",
    "WorkspaceObjectAccessControlRequest",
    "WorkspaceObjectAccessControlResponse",
    "WorkspaceObjectPermission",
    "WorkspaceObjectPermissionLevel",
    "WorkspaceObjectPermissions",
    "WorkspaceObjectPermissionsDescription",
]


class ObjectType(OpenEnum):
    """What an object of the workspace is."""

    DASHBOARD = "DASHBOARD"
    DIRECTORY = "DIRECTORY"
    FILE = "FILE"
    LIBRARY = "LIBRARY"
    NOTEBOOK = "NOTEBOOK"
    REPO = "REPO"


class Language(OpenEnum):
    """The language of a notebook."""

    PYTHON = "PYTHON"
    R = "R"
    SCALA = "SCALA"
    SQL = "SQL"


class ImportFormat(OpenEnum):
    """How imported content is to be read."""

    AUTO = "AUTO"
    """The service decides by name and content: a notebook, which loses the extension, or a file."""
    DBC = "DBC"
    HTML = "HTML"
    JUPYTER = "JUPYTER"
    RAW = "RAW"
    R_MARKDOWN = "R_MARKDOWN"
    SOURCE = "SOURCE"
    """A notebook of one language, as text; what is assumed without a format."""


class ExportFormat(OpenEnum):
    """How exported content is written."""

    AUTO = "AUTO"
    """What imports as the same again: a notebook as its source, a file as it is, a directory as an archive of both."""
    DBC = "DBC"
    HTML = "HTML"
    JUPYTER = "JUPYTER"
    RAW = "RAW"
    R_MARKDOWN = "R_MARKDOWN"
    SOURCE = "SOURCE"
    """What is assumed without a format."""


class WorkspaceObjectPermissionLevel(OpenEnum):
    """A permission level of an object of the workspace."""

    CAN_EDIT = "CAN_EDIT"
    CAN_MANAGE = "CAN_MANAGE"
    CAN_READ = "CAN_READ"
    CAN_RUN = "CAN_RUN"


@attrs.define(kw_only=True, repr=False, eq=False)
class DirectoryInfo(Model):
    """More about a directory."""

    is_git_folder: bool | None = None
    """Whether it is a Git folder."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ObjectInfo(Model):
    """A notebook, file, directory or other object of the workspace."""

    created_at: int | None = None
    """Epoch milliseconds."""
    directory_info: DirectoryInfo | None = None
    """More about a directory; absent for anything else."""
    language: Language | None = None
    """Of a notebook."""
    modified_at: int | None = None
    """Epoch milliseconds."""
    object_id: int | None = None
    """The id of the object, by which permissions know it."""
    object_type: ObjectType | None = None
    """Whether it is a notebook, a file, a directory, a library, a dashboard."""
    path: str | None = None
    """The absolute path."""
    resource_id: str | None = None
    """The id by which all of the service's APIs know it."""
    size: int | None = None
    """Bytes, of a file."""

    @property
    def created(self) -> datetime | None:
        """`created_at` in UTC."""
        return from_epoch_ms(self.created_at)

    @property
    def modified(self) -> datetime | None:
        """`modified_at` in UTC."""
        return from_epoch_ms(self.modified_at)


@attrs.define(kw_only=True, repr=False, eq=False)
class ListResponse(Model):
    """What is in a directory."""

    objects: list[ObjectInfo] | None = None
    """What is in the directory."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ExportResponse(Model):
    """An exported object."""

    content: str | None = None
    """base64."""
    file_type: str | None = None
    """The extension that belongs to the format, such as `py` or `dbc`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class WorkspaceObjectAccessControlRequest(AccessControlRequest[WorkspaceObjectPermissionLevel]):
    """A permission to give on an object of the workspace: to one user, group or service principal."""


@attrs.define(kw_only=True, repr=False, eq=False)
class WorkspaceObjectPermission(Permission[WorkspaceObjectPermissionLevel]):
    """A permission on an object of the workspace, and where it comes from."""


@attrs.define(kw_only=True, repr=False, eq=False)
class WorkspaceObjectAccessControlResponse(AccessControlResponse[WorkspaceObjectPermission]):
    """What one user, group or service principal may do with an object of the workspace."""


@attrs.define(kw_only=True, repr=False, eq=False)
class WorkspaceObjectPermissions(ObjectPermissions[WorkspaceObjectAccessControlResponse]):
    """All users, groups and service principals that may use an object of the workspace."""


@attrs.define(kw_only=True, repr=False, eq=False)
class WorkspaceObjectPermissionsDescription(PermissionsDescription[WorkspaceObjectPermissionLevel]):
    """A permission level of an object of the workspace, explained."""


@attrs.define(kw_only=True, repr=False, eq=False)
class GetWorkspaceObjectPermissionLevelsResponse(GetPermissionLevelsResponse[WorkspaceObjectPermissionsDescription]):
    """The permission levels that an object of the workspace has."""
