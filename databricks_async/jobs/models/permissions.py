"""Who may do what with a job."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model
from databricks_async.jobs.models.settings_enums import JobPermissionLevel


@attrs.define(kw_only=True, repr=False)
class JobAccessControlRequest(Model):
    """What somebody is allowed: one person, group or service principal, and one level."""

    group_name: str | None = None
    permission_level: JobPermissionLevel | None = None
    service_principal_name: str | None = None
    user_name: str | None = None


@attrs.define(kw_only=True, repr=False)
class JobPermission(Model):
    """One level that somebody has, and where it comes from."""

    inherited: bool | None = None
    inherited_from_object: list[str] | None = None
    permission_level: JobPermissionLevel | None = None


@attrs.define(kw_only=True, repr=False)
class JobAccessControlResponse(Model):
    """Somebody, and all levels that they have."""

    all_permissions: list[JobPermission] | None = None
    display_name: str | None = None
    group_name: str | None = None
    service_principal_name: str | None = None
    user_name: str | None = None


@attrs.define(kw_only=True, repr=False)
class JobPermissions(Model):
    """Who may do what with a job."""

    access_control_list: list[JobAccessControlResponse] | None = None
    object_id: str | None = None
    object_type: str | None = None


@attrs.define(kw_only=True, repr=False)
class JobPermissionsDescription(Model):
    """A level and what it allows."""

    description: str | None = None
    permission_level: JobPermissionLevel | None = None


@attrs.define(kw_only=True, repr=False)
class GetJobPermissionLevelsResponse(Model):
    """The levels that there are."""

    permission_levels: list[JobPermissionsDescription] | None = None
