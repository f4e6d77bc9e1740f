"""The bodies of requests that make, change and list clusters, with their answers: reading one cluster needs none."""

from __future__ import annotations

import attrs

from databricks_async.clusters.models.details import ClusterDetails
from databricks_async.clusters.models.enums import (
    ClusterSource,
    State,
)
from databricks_async.clusters.models.machines import AutoScale, refuse_two_sizes
from databricks_async.clusters.models.spec import ClusterAttributes, ClusterSpec, check_idempotency_token
from databricks_async.codec import Model, OpenEnum

__all__ = [
    "CloneCluster",
    "ClusterSize",
    "CreateCluster",
    "CreateClusterResponse",
    "ListClustersFilterBy",
    "ListClustersResponse",
    "ListClustersSortBy",
    "ListClustersSortByDirection",
    "ListClustersSortByField",
    "UpdateClusterResource",
]


class ListClustersSortByDirection(OpenEnum):
    """Up or down."""

    ASC = "ASC"
    DESC = "DESC"


class ListClustersSortByField(OpenEnum):
    """What a list of clusters is sorted by."""

    CLUSTER_NAME = "CLUSTER_NAME"
    DEFAULT = "DEFAULT"


@attrs.define(kw_only=True, repr=False, eq=False)
class CloneCluster(Model):
    """The cluster whose libraries a new one copies."""

    source_cluster_id: str
    """The cluster whose libraries to take over."""


@attrs.define(kw_only=True, repr=False, eq=False)
class CreateCluster(ClusterSpec):
    """A cluster to be created."""

    clone_from: CloneCluster | None = None
    """The cluster whose libraries it gets."""
    idempotency_token: str | None = None
    """64 characters at most. A second request with the same token gets the cluster of the first."""

    def check(self) -> None:
        ClusterSpec.check(self)
        check_idempotency_token(self.idempotency_token)


@attrs.define(kw_only=True, repr=False, eq=False)
class CreateClusterResponse(Model):
    """What `create` answers."""

    cluster_id: str
    """The id of the cluster; it stays over restarts and resizes."""


@attrs.define(kw_only=True, repr=False, eq=False)
class UpdateClusterResource(ClusterAttributes):
    """The fields that `update` changes; which ones, says its `update_mask`."""

    autoscale: AutoScale | None = None
    """The range in which the service chooses the number of workers. Not together with `num_workers`."""
    num_workers: int | None = None
    """The number of workers; the driver comes on top. Not together with `autoscale`."""

    def check(self) -> None:
        refuse_two_sizes(self.num_workers, self.autoscale)


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterSize(Model):
    """A fixed number of workers, or the limits of autoscaling."""

    autoscale: AutoScale | None = None
    """The range in which the service chooses the number of workers. Not together with `num_workers`."""
    num_workers: int | None = None
    """The number of workers; the driver comes on top. Not together with `autoscale`."""

    def check(self) -> None:
        refuse_two_sizes(self.num_workers, self.autoscale)


@attrs.define(kw_only=True, repr=False, eq=False)
class ListClustersFilterBy(Model):
    """Which clusters a list has."""

    cluster_sources: list[ClusterSource] | None = None
    """Only those that were made by one of these."""
    cluster_states: list[State] | None = None
    """Only those in one of these states."""
    is_pinned: bool | None = None
    """Only those that are pinned, or only those that are not."""
    policy_id: str | None = None
    """Only those made under this policy."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ListClustersSortBy(Model):
    """The order of a list of clusters."""

    direction: ListClustersSortByDirection | None = None
    """Ascending or descending."""
    field: ListClustersSortByField | None = None
    """The field to sort by."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ListClustersResponse(Model):
    """One page of a list of clusters."""

    clusters: list[ClusterDetails] | None = None
    """The clusters of this page."""
    next_page_token: str | None = None
    """Goes on after this page; absent or empty on the last."""
    prev_page_token: str | None = None
    """Goes back to the page before this one."""
