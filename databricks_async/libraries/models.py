"""Libraries on clusters, and how far their installation is."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model, OpenEnum

__all__ = [
    "ClusterLibraryStatuses",
    "Library",
    "LibraryFullStatus",
    "LibraryInstallStatus",
    "ListAllClusterLibraryStatusesResponse",
    "MavenLibrary",
    "PythonPyPiLibrary",
    "RCranLibrary",
]


class LibraryInstallStatus(OpenEnum):
    """How far an installation is."""

    FAILED = "FAILED"
    INSTALLED = "INSTALLED"
    INSTALLING = "INSTALLING"
    PENDING = "PENDING"
    RESOLVING = "RESOLVING"
    RESTORED = "RESTORED"
    SKIPPED = "SKIPPED"
    UNINSTALL_ON_RESTART = "UNINSTALL_ON_RESTART"


@attrs.define(kw_only=True, repr=False, eq=False)
class MavenLibrary(Model):
    """A package of a Maven repository."""

    coordinates: str | None
    """Gradle-style coordinates, for example `org.jsoup:jsoup:1.7.2`."""
    exclusions: list[str] | None = None
    """Dependencies to leave out, for example `slf4j:slf4j`."""
    repo: str | None = None
    """The repository; Maven Central and Spark Packages if not given."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PythonPyPiLibrary(Model):
    """A package of PyPI."""

    package: str | None
    """The package, with a version if wanted, for example `simplejson==3.8.0`."""
    repo: str | None = None
    """The package index; pip's own default if not given."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RCranLibrary(Model):
    """A package of CRAN."""

    package: str | None
    """The package."""
    repo: str | None = None
    """The repository; CRAN if not given."""


@attrs.define(kw_only=True, repr=False, eq=False)
class Library(Model):
    """One library. Give exactly one field."""

    cran: RCranLibrary | None = None
    """A package of CRAN."""
    egg: str | None = None
    """The URI of an egg; deprecated by the service."""
    jar: str | None = None
    """The URI of a JAR: in the workspace, a volume, or cloud storage."""
    maven: MavenLibrary | None = None
    """A package of a Maven repository."""
    pypi: PythonPyPiLibrary | None = None
    """A package of PyPI."""
    requirements: str | None = None
    """The URI of a requirements.txt: in the workspace or a volume."""
    whl: str | None = None
    """The URI of a wheel: in the workspace, a volume, or cloud storage."""


@attrs.define(kw_only=True, repr=False, eq=False)
class LibraryFullStatus(Model):
    """How far the installation of one library is."""

    is_library_for_all_clusters: bool | None = None
    """Whether it was installed on all clusters in the web UI."""
    library: Library | None = None
    """The library."""
    messages: list[str] | None = None
    """What was reported about it so far, for people."""
    status: LibraryInstallStatus | None = None
    """How far the installation is."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterLibraryStatuses(Model):
    """The libraries of one cluster."""

    cluster_id: str | None
    """The id of the cluster; it stays over restarts and resizes."""
    library_statuses: list[LibraryFullStatus] | None = None
    """Its libraries."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ListAllClusterLibraryStatusesResponse(Model):
    """The libraries of all clusters."""

    statuses: list[ClusterLibraryStatuses] | None = None
    """One for each cluster."""
