"""The Libraries API: `w.libraries`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from databricks_async.libraries.models import (
    ClusterLibraryStatuses,
    Library,
    LibraryFullStatus,
    ListAllClusterLibraryStatusesResponse,
)
from databricks_async.pager import Pager
from databricks_async.service import Service, build_each, identifier


class Libraries(Service):
    """Libraries of clusters. `install` returns before they are installed: `cluster_status` reports how far they are."""

    async def install(self, cluster_id: str, libraries: Iterable[Library | Mapping[str, Any]]) -> None:
        """Install libraries on a cluster, now if it runs and otherwise when it starts. Doing so twice is fine.

        `POST /api/2.0/libraries/install`: https://docs.databricks.com/api/azure/workspace/libraries/install
        """
        await self._change("POST /api/{v}/libraries/install", cluster_id, libraries)

    async def uninstall(self, cluster_id: str, libraries: Iterable[Library | Mapping[str, Any]]) -> None:
        """Uninstall libraries when the cluster is restarted. Those that are not installed are ignored.

        `POST /api/2.0/libraries/uninstall`: https://docs.databricks.com/api/azure/workspace/libraries/uninstall
        """
        await self._change("POST /api/{v}/libraries/uninstall", cluster_id, libraries)

    def cluster_status(self, cluster_id: str) -> Pager[LibraryFullStatus]:
        """The libraries of one cluster, and how far each is.

        `GET /api/2.0/libraries/cluster-status`: https://docs.databricks.com/api/azure/workspace/libraries/clusterstatus
        """
        identifier("cluster_id", cluster_id)

        return self._list(
            "GET /api/{v}/libraries/cluster-status",
            ClusterLibraryStatuses,
            lambda answer: answer.library_statuses,
            query={"cluster_id": cluster_id},
        )

    def all_cluster_statuses(self) -> Pager[ClusterLibraryStatuses]:
        """The libraries of all clusters.

        `GET /api/2.0/libraries/all-cluster-statuses`: https://docs.databricks.com/api/azure/workspace/libraries/allclusterstatuses
        """
        return self._list(
            "GET /api/{v}/libraries/all-cluster-statuses",
            ListAllClusterLibraryStatusesResponse,
            lambda answer: answer.statuses,
        )

    async def _change(self, endpoint: str, cluster_id: str, libraries: Iterable[Library | Mapping[str, Any]]) -> None:
        await self._call(
            endpoint,
            type(None),
            replay="idempotent",
            lookup=f"libraries.cluster_status({cluster_id!r}) shows how far each is",
            cluster_id=identifier("cluster_id", cluster_id),
            libraries=build_each(Library, libraries, "libraries"),
        )
