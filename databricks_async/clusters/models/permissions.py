"""Who may use a cluster."""

from __future__ import annotations

import attrs

from databricks_async.clusters.models.enums import ClusterPermissionLevel
from databricks_async.codec import Model


@attrs.define(kw_only=True, repr=False)
class ClusterAccessControlRequest(Model):
    """A permission to give: to one user, group or service principal."""

    group_name: str | None = None
    permission_level: ClusterPermissionLevel | None = None
    service_principal_name: str | None = None
    user_name: str | None = None


@attrs.define(kw_only=True, repr=False)
class ClusterPermission(Model):
    """A permission, and where it comes from."""

    inherited: bool | None = None
    inherited_from_object: list[str] | None = None
    permission_level: ClusterPermissionLevel | None = None


@attrs.define(kw_only=True, repr=False)
class ClusterAccessControlResponse(Model):
    """What one user, group or service principal may do."""

    all_permissions: list[ClusterPermission] | None = None
    display_name: str | None = None
    group_name: str | None = None
    service_principal_name: str | None = None
    user_name: str | None = None


@attrs.define(kw_only=True, repr=False)
class ClusterPermissions(Model):
    """Everybody who may use a cluster."""

    access_control_list: list[ClusterAccessControlResponse] | None = None
    object_id: str | None = None
    object_type: str | None = None


@attrs.define(kw_only=True, repr=False)
class ClusterPermissionsDescription(Model):
    """A permission level, explained."""

    description: str | None = None
    permission_level: ClusterPermissionLevel | None = None


@attrs.define(kw_only=True, repr=False)
class GetClusterPermissionLevelsResponse(Model):
    """The permission levels that a cluster knows."""

    permission_levels: list[ClusterPermissionsDescription] | None = None
