"""The Clusters API: `w.clusters`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

from databricks_async.clusters import models
from databricks_async.clusters.models.details import ClusterDetails
from databricks_async.clusters.models.enums import State
from databricks_async.clusters.models.spec import ClusterSpec
from databricks_async.clusters.running import DOWN, UP, ClusterWait, Running
from databricks_async.clusters.watching import ClusterWatches
from databricks_async.codec import Model, build, given_as, one_level
from databricks_async.codec.given import Given
from databricks_async.errors import OutcomeUnknown
from databricks_async.message import Replay
from databricks_async.pager import Pager, size_of_page
from databricks_async.service import identifier
from databricks_async.suggest import has_no
from databricks_async.wait import Timeout, answer_callback, starts

if TYPE_CHECKING:
    from databricks_async.clusters.keywords import ClusterKeywords
    from databricks_async.clusters.models import (
        AutoScale,
        CloneCluster,
        ClusterAccessControlRequest,
        ClusterPermissions,
        GetClusterPermissionLevelsResponse,
        GetSparkVersionsResponse,
        ListAvailableZonesResponse,
        ListClustersFilterBy,
        ListClustersSortBy,
        ListNodeTypesResponse,
        UpdateClusterResource,
    )
    from databricks_async.clusters.select import NodeTypeCriteria, SparkVersionCriteria
    from databricks_async.permissions import Permissions
    from databricks_async.session.session import Session

Body: TypeAlias = Given[ClusterSpec]
AccessControl: TypeAlias = "Iterable[ClusterAccessControlRequest | Mapping[str, Any]]"


class Clusters(ClusterWatches):
    """Clusters: made, changed, started, stopped, listed and watched.

    Methods that start something return a `Wait`, and have a twin `..._and_wait` that waits for its end. Times are epoch
    milliseconds. An unknown cluster raises `ResourceDoesNotExist`, a cluster in the wrong state `InvalidState`.
    """

    def __init__(self, session: Session, version: str) -> None:
        super().__init__(session, version)
        self._running = Running(self._reader, self.start)

    # --- making and changing -----------------------------------------------------------------------------------------

    @starts
    async def create(
        self,
        spec: Body | None = None,
        /,
        *,
        clone_from: Given[CloneCluster] | None = None,
        idempotency_token: str | None = None,
        **fields: Unpack[ClusterKeywords],
    ) -> ClusterWait:
        """Create and start a cluster from a `ClusterSpec`, a mapping, or the same fields as keywords.

        It gets the libraries of the cluster `clone_from`. The wait ends when it runs. A lost answer raises
        `OutcomeUnknown` and nothing is sent again: the cluster may exist, and the error says how to find it. With an
        `idempotency_token` of the caller's it is sent again: the service makes one cluster for each token.

        `POST /api/2.1/clusters/create`: https://docs.databricks.com/api/azure/workspace/clusters/create
        """
        beside = {"clone_from": clone_from, "idempotency_token": idempotency_token}
        beside = {name: value for name, value in beside.items() if value is not None}
        given: Any = given_as(spec)
        keywords: dict[str, Any] = {**fields}
        if beside and isinstance(given, Model | Mapping):
            given = {**(one_level(given) if isinstance(given, Model) else given), **beside}
        else:
            keywords |= beside
        body = build(models.CreateCluster, given, **keywords)
        name = f"the cluster_name {body.cluster_name!r}" if body.cluster_name else "an empty cluster_name"
        try:
            answer = await self._call(
                "POST /api/{v}/clusters/create",
                models.CreateClusterResponse,
                replay="unsafe" if body.idempotency_token is None else "token",
                body=body,
                lookup=f"look through clusters.list() for {name} and a start_time not before this call",
            )
        except OutcomeUnknown as error:
            error.idempotency_token = body.idempotency_token
            raise
        wait = self._wait(answer.cluster_id, "create", UP, grace_period=True)
        wait.response = answer
        return wait

    @starts
    async def edit(self, cluster_id: str, spec: Body | None = None, **fields: Unpack[ClusterKeywords]) -> ClusterWait:
        """Replace the whole specification of a cluster that runs (it restarts) or is terminated (it stays so).

        Start from `(await w.clusters.get(cluster_id)).to_spec()` to change only some fields. The wait ends when the
        cluster runs again, or at once when it was terminated. This sends a `get` before: whether the cluster runs
        decides what is waited for, and whether a lost answer lets the edit be sent again.

        `POST /api/2.1/clusters/edit`: https://docs.databricks.com/api/azure/workspace/clusters/edit
        """
        body = build(ClusterSpec, spec, **fields)
        steady = await self._steady_state(cluster_id)
        await self._act("POST /api/{v}/clusters/edit", cluster_id, one_level(body), replay=_replay(steady))
        return self._wait(cluster_id, "edit", steady)

    @starts
    async def update(
        self, cluster_id: str, update_mask: str, cluster: Given[UpdateClusterResource] | None = None
    ) -> ClusterWait:
        """Change the fields named in `update_mask` (comma-separated paths, `*` for all) to those of `cluster`.

        A field in the mask and not in `cluster` is cleared. Runs, restarts and sends a `get` before, as `edit` does.

        `POST /api/2.1/clusters/update`: https://docs.databricks.com/api/azure/workspace/clusters/update
        """
        settings: dict[str, Any] = {"update_mask": identifier("update_mask", update_mask)}
        if cluster is not None:
            settings["cluster"] = build(models.UpdateClusterResource, cluster)
        steady = await self._steady_state(cluster_id)
        await self._act("POST /api/{v}/clusters/update", cluster_id, settings, replay=_replay(steady))
        return self._wait(cluster_id, "update", steady)

    @starts
    async def resize(
        self, cluster_id: str, *, num_workers: int | None = None, autoscale: Given[AutoScale] | None = None
    ) -> ClusterWait:
        """Give a running cluster another fixed size, or another range to scale in. The wait ends when it has it.

        `POST /api/2.1/clusters/resize`: https://docs.databricks.com/api/azure/workspace/clusters/resize
        """
        size = build(models.ClusterSize, num_workers=num_workers, autoscale=autoscale)
        if num_workers is None and autoscale is None:
            raise ValueError("resize needs num_workers or autoscale")
        await self._act("POST /api/{v}/clusters/resize", cluster_id, one_level(size))
        return self._wait(cluster_id, "resize", UP)

    async def change_owner(self, cluster_id: str, owner_username: str) -> None:
        """Make another user the owner of a terminated cluster. Admins only.

        `POST /api/2.1/clusters/change-owner`: https://docs.databricks.com/api/azure/workspace/clusters/changeowner
        """
        await self._act(
            "POST /api/{v}/clusters/change-owner",
            cluster_id,
            {"owner_username": identifier("owner_username", owner_username)},
        )

    async def pin(self, cluster_id: str) -> None:
        """Keep the cluster in listings, and its definition for good. Admins only; pinning twice is fine.

        `POST /api/2.1/clusters/pin`: https://docs.databricks.com/api/azure/workspace/clusters/pin
        """
        await self._act("POST /api/{v}/clusters/pin", cluster_id)

    async def unpin(self, cluster_id: str) -> None:
        """Undo `pin`. Admins only; unpinning twice is fine.

        `POST /api/2.1/clusters/unpin`: https://docs.databricks.com/api/azure/workspace/clusters/unpin
        """
        await self._act("POST /api/{v}/clusters/unpin", cluster_id)

    # --- starting and stopping ---------------------------------------------------------------------------------------

    @starts
    async def start(self, cluster_id: str) -> ClusterWait:
        """Start a terminated cluster. The wait ends when it runs. `InvalidState` when it is not terminated.

        `POST /api/2.1/clusters/start`: https://docs.databricks.com/api/azure/workspace/clusters/start
        """
        await self._act("POST /api/{v}/clusters/start", cluster_id)
        return self._wait(cluster_id, "start", UP)

    @starts
    async def restart(self, cluster_id: str, restart_user: str | None = None) -> ClusterWait:
        """Restart a running cluster. The wait ends when it runs again.

        A lost answer raises `OutcomeUnknown`: sending it again could restart the cluster twice.

        `POST /api/2.1/clusters/restart`: https://docs.databricks.com/api/azure/workspace/clusters/restart
        """
        settings = {} if restart_user is None else {"restart_user": identifier("restart_user", restart_user)}
        await self._act("POST /api/{v}/clusters/restart", cluster_id, settings, replay="unsafe")
        return self._wait(cluster_id, "restart", UP)

    @starts
    async def delete(self, cluster_id: str) -> ClusterWait:
        """Terminate a cluster; it keeps its definition and can be started again. The wait ends when it is down.

        `POST /api/2.1/clusters/delete`: https://docs.databricks.com/api/azure/workspace/clusters/delete
        """
        await self._act("POST /api/{v}/clusters/delete", cluster_id)
        return self._wait(cluster_id, "delete", DOWN)

    async def permanent_delete(self, cluster_id: str) -> None:
        """Terminate a cluster and forget it: it cannot be started again.

        `POST /api/2.1/clusters/permanent-delete`: https://docs.databricks.com/api/azure/workspace/clusters/permanentdelete
        """
        await self._act("POST /api/{v}/clusters/permanent-delete", cluster_id)

    async def ensure_cluster_is_running(
        self, cluster_id: str, timeout: Timeout = None, *, every: Timeout = None
    ) -> ClusterDetails:
        """Start a cluster, whatever state it is in, and return it when it runs.

        Any number of callers of one client start it once; the `every` of the first one counts. Raises `OperationFailed`
        when it cannot start, and `OperationTimeout` after `timeout` seconds.
        """
        return await self._running.ensure(identifier("cluster_id", cluster_id), timeout, every)

    # --- reading -----------------------------------------------------------------------------------------------------

    async def get(self, cluster_id: str) -> ClusterDetails:
        """Describe one cluster; terminated ones for 60 days. Raises `ResourceDoesNotExist`.

        `GET /api/2.1/clusters/get`: https://docs.databricks.com/api/azure/workspace/clusters/get
        """
        return await self._call(
            "GET /api/{v}/clusters/get", ClusterDetails, cluster_id=identifier("cluster_id", cluster_id)
        )

    async def list_zones(self) -> ListAvailableZonesResponse:
        """The availability zones in which clusters can be made.

        `GET /api/2.1/clusters/list-zones`: https://docs.databricks.com/api/azure/workspace/clusters/listzones
        """
        return await self._call("GET /api/{v}/clusters/list-zones", models.ListAvailableZonesResponse)

    async def list_node_types(self) -> ListNodeTypesResponse:
        """The Azure VM types that clusters can be made of.

        `GET /api/2.1/clusters/list-node-types`: https://docs.databricks.com/api/azure/workspace/clusters/listnodetypes
        """
        return await self._call("GET /api/{v}/clusters/list-node-types", models.ListNodeTypesResponse)

    async def spark_versions(self) -> GetSparkVersionsResponse:
        """The Databricks Runtime versions on offer.

        `GET /api/2.1/clusters/spark-versions`: https://docs.databricks.com/api/azure/workspace/clusters/sparkversions
        """
        return await self._call("GET /api/{v}/clusters/spark-versions", models.GetSparkVersionsResponse)

    async def select_spark_version(self, **wanted: Unpack[SparkVersionCriteria]) -> str:
        """The key of the newest runtime that meets the criteria, for `ClusterSpec.spark_version`.

        Raises `ValueError` when none does, or when several do and `latest=False`.
        """
        from databricks_async.clusters import select  # here, because few programs need it

        criteria = select.given(select.SparkVersionCriteria, wanted)
        return select.spark_version((await self.spark_versions()).versions or [], criteria)

    async def select_node_type(self, **wanted: Unpack[NodeTypeCriteria]) -> str:
        """The id of the smallest node type that meets every criterion. Raises `ValueError` when none does."""
        from databricks_async.clusters import select  # here, because few programs need it

        criteria = select.given(select.NodeTypeCriteria, wanted)
        return select.node_type((await self.list_node_types()).node_types or [], criteria)

    # --- permissions -------------------------------------------------------------------------------------------------

    @cached_property
    def _permissions(
        self,
    ) -> Permissions[ClusterAccessControlRequest, ClusterPermissions, GetClusterPermissionLevelsResponse]:
        from databricks_async.permissions import Permissions  # here, because few programs need it and its models

        return Permissions(
            self._session,
            "/api/2.0/permissions/clusters/{cluster_id}",
            models.ClusterAccessControlRequest,
            models.ClusterPermissions,
            models.GetClusterPermissionLevelsResponse,
        )

    async def get_permission_levels(self, cluster_id: str) -> GetClusterPermissionLevelsResponse:
        """The permission levels that can be given on a cluster, with what they allow.

        `GET /api/2.0/permissions/clusters/{cluster_id}/permissionLevels`: https://docs.databricks.com/api/azure/workspace/clusters/getpermissionlevels
        """
        return await self._permissions.levels(cluster_id=cluster_id)

    async def get_permissions(self, cluster_id: str) -> ClusterPermissions:
        """Who may do what with a cluster, inherited permissions included.

        `GET /api/2.0/permissions/clusters/{cluster_id}`: https://docs.databricks.com/api/azure/workspace/clusters/getpermissions
        """
        return await self._permissions.get(cluster_id=cluster_id)

    async def set_permissions(self, cluster_id: str, access_control_list: AccessControl) -> ClusterPermissions:
        """Replace the direct permissions of a cluster by these.

        `PUT /api/2.0/permissions/clusters/{cluster_id}`: https://docs.databricks.com/api/azure/workspace/clusters/setpermissions
        """
        return await self._permissions.set(access_control_list, cluster_id=cluster_id)

    async def update_permissions(self, cluster_id: str, access_control_list: AccessControl) -> ClusterPermissions:
        """Add these permissions to a cluster's, or change them for the users and groups named.

        `PATCH /api/2.0/permissions/clusters/{cluster_id}`: https://docs.databricks.com/api/azure/workspace/clusters/updatepermissions
        """
        return await self._permissions.update(access_control_list, cluster_id=cluster_id)

    # --- and waiting for the end -------------------------------------------------------------------------------------

    @answer_callback
    async def create_and_wait(
        self,
        spec: Body | None = None,
        /,
        *,
        clone_from: Given[CloneCluster] | None = None,
        idempotency_token: str | None = None,
        timeout: Timeout = None,
        check: bool = True,
        **fields: Unpack[ClusterKeywords],
    ) -> ClusterDetails:
        """`create`, then its wait's result: the running cluster."""
        beside: Any = {"clone_from": clone_from, "idempotency_token": idempotency_token}
        return await self.create(spec, **beside, **fields).result(timeout, check=check)

    @answer_callback
    async def edit_and_wait(
        self,
        cluster_id: str,
        spec: Body | None = None,
        *,
        timeout: Timeout = None,
        check: bool = True,
        **fields: Unpack[ClusterKeywords],
    ) -> ClusterDetails:
        """`edit`, then its wait's result: the cluster, running or terminated as it was."""
        return await self.edit(cluster_id, spec, **fields).result(timeout, check=check)

    @answer_callback
    async def update_and_wait(
        self,
        cluster_id: str,
        update_mask: str,
        cluster: Given[UpdateClusterResource] | None = None,
        *,
        timeout: Timeout = None,
        check: bool = True,
    ) -> ClusterDetails:
        """`update`, then its wait's result: the cluster, running or terminated as it was."""
        return await self.update(cluster_id, update_mask, cluster).result(timeout, check=check)

    @answer_callback
    async def resize_and_wait(
        self,
        cluster_id: str,
        *,
        num_workers: int | None = None,
        autoscale: Given[AutoScale] | None = None,
        timeout: Timeout = None,
        check: bool = True,
    ) -> ClusterDetails:
        """`resize`, then its wait's result: the running cluster."""
        return await self.resize(cluster_id, num_workers=num_workers, autoscale=autoscale).result(timeout, check=check)

    @answer_callback
    async def start_and_wait(self, cluster_id: str, *, timeout: Timeout = None, check: bool = True) -> ClusterDetails:
        """`start`, then its wait's result: the running cluster."""
        return await self.start(cluster_id).result(timeout, check=check)

    @answer_callback
    async def restart_and_wait(
        self, cluster_id: str, restart_user: str | None = None, *, timeout: Timeout = None, check: bool = True
    ) -> ClusterDetails:
        """`restart`, then its wait's result: the running cluster."""
        return await self.restart(cluster_id, restart_user).result(timeout, check=check)

    @answer_callback
    async def delete_and_wait(self, cluster_id: str, *, timeout: Timeout = None, check: bool = True) -> ClusterDetails:
        """`delete`, then its wait's result: the terminated cluster."""
        return await self.delete(cluster_id).result(timeout, check=check)

    # --- listings (last: `list` hides the builtin from here on) ------------------------------------------------------

    @has_no(limit="write page_size= for how many one request brings, max_items= for how many in all")
    def list(
        self,
        *,
        filter_by: Given[ListClustersFilterBy] | None = None,
        sort_by: Given[ListClustersSortBy] | None = None,
        can_use_client: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        max_items: int | None = None,
        concurrency: int | None = None,
    ) -> Pager[ClusterDetails]:
        """All pinned and active clusters, and those terminated in the last 30 days.

        `page_size` is how many clusters one request brings (100 at most, and by default). With `concurrency=1` no page
        is read before it is asked for. API 2.0 has no filters, no order and no pages, but `can_use_client`
        ("NOTEBOOKS" or "JOBS").

        `GET /api/2.1/clusters/list`: https://docs.databricks.com/api/azure/workspace/clusters/list
        """
        if self._version == "2.0":
            if filter_by is not None or sort_by is not None or page_size is not None or page_token is not None:
                raise ValueError("clusters/list of API 2.0 has no filter_by, sort_by, page_size and page_token")
            query: dict[str, object] = {"can_use_client": can_use_client}
        elif can_use_client is not None:
            raise ValueError(f"clusters/list of API {self._version} has no can_use_client")
        else:
            query = {
                "filter_by": filter_by and build(models.ListClustersFilterBy, filter_by).as_dict(),
                "sort_by": sort_by and build(models.ListClustersSortBy, sort_by).as_dict(),
                "page_size": size_of_page(page_size, 100, 100, max_items),
            }

        return self._list(
            "GET /api/{v}/clusters/list",
            models.ListClustersResponse,
            lambda answer: answer.clusters,
            lambda answer: answer.next_page_token,
            query=query,
            page_token=page_token,
            max_items=max_items,
            concurrency=concurrency,
        )

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _act(
        self,
        endpoint: str,
        cluster_id: str,
        settings: Mapping[str, Any] | None = None,
        *,
        replay: Replay = "idempotent",
    ) -> None:
        """A write that names a cluster and answers nothing."""
        await self._call(
            endpoint,
            type(None),
            replay=replay,
            lookup=f"clusters.get({cluster_id!r}) shows its state, clusters.events({cluster_id!r}) what was done to it",
            body={**(settings or {}), "cluster_id": identifier("cluster_id", cluster_id)},
        )

    async def _steady_state(self, cluster_id: str) -> frozenset[State]:
        """Where a change of the specification ends: a terminated cluster takes it and stays down."""
        cluster = await self.get(cluster_id)
        return UP | DOWN if cluster.state == State.TERMINATED else UP


def _replay(steady: frozenset[State]) -> Replay:
    """A running cluster restarts for each change of its specification, so that one is never sent twice."""
    return "idempotent" if steady >= DOWN else "unsafe"
