"""Who may do what with a job."""

from __future__ import annotations

import attrs

from databricks_async.jobs.models.settings_enums import JobPermissionLevel
from databricks_async.permissions import (
    AccessControlRequest,
    AccessControlResponse,
    GetPermissionLevelsResponse,
    ObjectPermissions,
    Permission,
    PermissionsDescription,
)

__all__ = [
    "GetJobPermissionLevelsResponse",
    "JobAccessControlRequest",
    "JobAccessControlResponse",
    "JobPermission",
    "JobPermissions",
    "JobPermissionsDescription",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class JobAccessControlRequest(AccessControlRequest[JobPermissionLevel]):
    """A permission to give on a job: to one user, group or service principal."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobPermission(Permission[JobPermissionLevel]):
    """A permission on a job, and where it comes from."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobAccessControlResponse(AccessControlResponse[JobPermission]):
    """What one user, group or service principal may do with a job."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobPermissions(ObjectPermissions[JobAccessControlResponse]):
    """All users, groups and service principals that may use a job."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobPermissionsDescription(PermissionsDescription[JobPermissionLevel]):
    """A permission level of a job, explained."""


@attrs.define(kw_only=True, repr=False, eq=False)
class GetJobPermissionLevelsResponse(GetPermissionLevelsResponse[JobPermissionsDescription]):
    """The permission levels that a job has."""
