"""Who may use a cluster."""

from __future__ import annotations

import attrs

from databricks_async.codec import OpenEnum
from databricks_async.permissions import (
    AccessControlRequest,
    AccessControlResponse,
    GetPermissionLevelsResponse,
    ObjectPermissions,
    Permission,
    PermissionsDescription,
)

__all__ = [
    "ClusterAccessControlRequest",
    "ClusterAccessControlResponse",
    "ClusterPermission",
    "ClusterPermissionLevel",
    "ClusterPermissions",
    "ClusterPermissionsDescription",
    "GetClusterPermissionLevelsResponse",
]


class ClusterPermissionLevel(OpenEnum):
    """A permission level of a cluster."""

    CAN_ATTACH_TO = "CAN_ATTACH_TO"
    CAN_MANAGE = "CAN_MANAGE"
    CAN_RESTART = "CAN_RESTART"


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterAccessControlRequest(AccessControlRequest[ClusterPermissionLevel]):
    """A permission to give on a cluster: to one user, group or service principal."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterPermission(Permission[ClusterPermissionLevel]):
    """A permission on a cluster, and where it comes from."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterAccessControlResponse(AccessControlResponse[ClusterPermission]):
    """What one user, group or service principal may do with a cluster."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterPermissions(ObjectPermissions[ClusterAccessControlResponse]):
    """All users, groups and service principals that may use a cluster."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterPermissionsDescription(PermissionsDescription[ClusterPermissionLevel]):
    """A permission level of a cluster, explained."""


@attrs.define(kw_only=True, repr=False, eq=False)
class GetClusterPermissionLevelsResponse(GetPermissionLevelsResponse[ClusterPermissionsDescription]):
    """The permission levels that a cluster has."""
