"""Libraries: what is installed on clusters, and the four endpoints for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from databricks_async.local.clusters.permissions import access, visible
from databricks_async.local.errors import invalid
from databricks_async.local.state import Cluster, Endpoint, InstalledLibrary, Json, State, User, scheduled, take


class PythonPyPiLibrary(TypedDict, total=False):
    package: str
    repo: str


class MavenLibrary(TypedDict, total=False):
    coordinates: str
    repo: str
    exclusions: list[str]


class Library(TypedDict, total=False):
    jar: str
    egg: str
    whl: str
    requirements: str
    pypi: PythonPyPiLibrary
    maven: MavenLibrary
    cran: PythonPyPiLibrary


def install(state: State, *, caller: User, cluster_id: str, libraries: list[Library]) -> Json:
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    _check(libraries)
    for library in libraries:
        known = _find(cluster, library)
        if known is None:
            cluster.libraries.append(InstalledLibrary({**library}))
        elif known.status in ("UNINSTALL_ON_RESTART", "FAILED"):
            known.status = "PENDING"
    if cluster.state in ("RUNNING", "RESIZING"):
        begin_install(state, cluster)
    return {}


def uninstall(state: State, *, caller: User, cluster_id: str, libraries: list[Library]) -> Json:
    """Takes effect when the cluster is restarted, as in the service; what never got installed goes at once."""
    cluster = access(state, caller, cluster_id, "CAN_MANAGE")
    _check(libraries)
    for library in libraries:
        known = _find(cluster, library)
        if known is not None and known.status == "PENDING":
            cluster.libraries.remove(known)
        elif known is not None:
            known.status = "UNINSTALL_ON_RESTART"
    return {}


def cluster_status(state: State, *, caller: User, cluster_id: str) -> Json:
    return _statuses(access(state, caller, cluster_id, "CAN_ATTACH_TO"))


def all_cluster_statuses(state: State, *, caller: User) -> Json:
    shown = [cluster for cluster in state.clusters.values() if cluster.libraries and visible(caller, cluster)]
    return {"statuses": [_statuses(cluster) for cluster in shown]} if shown else {}


def reset(cluster: Cluster) -> None:
    """A new driver has nothing installed: what was to go is gone, the rest waits for it to run."""
    cluster.libraries = [one for one in cluster.libraries if one.status != "UNINSTALL_ON_RESTART"]
    for library in cluster.libraries:
        library.status, library.messages = "PENDING", []


def begin_install(state: State, cluster: Cluster) -> None:
    """Start installing what waits on a cluster that runs."""
    for library in cluster.libraries:
        if library.status == "PENDING":
            # Still PENDING in the first answer, so that clients see the state that the service begins with.
            state.schedule(0.001, _installing, cluster, _driver_of(cluster), library.library)


def _driver_of(cluster: Cluster) -> str | None:
    return None if cluster.driver is None else cluster.driver["node_id"]


@scheduled("library installing")
def _installing(state: State, cluster: Cluster, driver: str | None, asked: Json) -> None:
    library = _find(cluster, asked)
    if library is not None and _driver_of(cluster) == driver and library.status == "PENDING":
        library.status = "INSTALLING"
        state.schedule(state.timing.installing, _installed, cluster, driver, asked)


@scheduled("library installed")
def _installed(state: State, cluster: Cluster, driver: str | None, asked: Json) -> None:
    library = _find(cluster, asked)
    if library is None or _driver_of(cluster) != driver or library.status != "INSTALLING":
        return
    failure = take(state.failing_libraries, lambda name: name in str(library.library))
    if failure is None:
        library.status = "INSTALLED"
    else:
        library.status = "FAILED"
        library.messages = [failure["message"]]


def _find(cluster: Cluster, library: Mapping[str, Any]) -> InstalledLibrary | None:
    return next((one for one in cluster.libraries if one.library == library), None)


def _check(libraries: list[Library]) -> None:
    for index, library in enumerate(libraries):
        if len(library) != 1:
            kinds = ", ".join(Library.__annotations__)
            raise invalid(f"libraries[{index}] must have exactly one of {kinds}")
        for kind, needed in (("pypi", "package"), ("maven", "coordinates"), ("cran", "package")):
            fields: Json = {**library}
            if kind in fields and needed not in fields[kind]:
                raise invalid(f"Missing required field: libraries[{index}].{kind}.{needed}")


def _statuses(cluster: Cluster) -> Json:
    statuses = [
        {
            "library": one.library,
            "status": one.status,
            "is_library_for_all_clusters": False,
            **({"messages": one.messages} if one.messages else {}),
        }
        for one in cluster.libraries
    ]
    # The service leaves out empty lists.
    return {"cluster_id": cluster.cluster_id, **({"library_statuses": statuses} if statuses else {})}


ROUTES: dict[str, Endpoint] = {
    "POST /api/{v}/libraries/install": install,
    "POST /api/{v}/libraries/uninstall": uninstall,
    "GET /api/{v}/libraries/cluster-status": cluster_status,
    "GET /api/{v}/libraries/all-cluster-statuses": all_cluster_statuses,
}
VERSIONS = ("2.0",)
