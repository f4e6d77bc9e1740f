"""Libraries on clusters, and how far their installation is."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model, OpenEnum


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


@attrs.define(kw_only=True, repr=False)
class MavenLibrary(Model):
    """A package of a Maven repository."""

    coordinates: str | None
    exclusions: list[str] | None = None
    repo: str | None = None


@attrs.define(kw_only=True, repr=False)
class PythonPyPiLibrary(Model):
    """A package of PyPI."""

    package: str | None
    repo: str | None = None


@attrs.define(kw_only=True, repr=False)
class RCranLibrary(Model):
    """A package of CRAN."""

    package: str | None
    repo: str | None = None


@attrs.define(kw_only=True, repr=False)
class Library(Model):
    """One library. Give exactly one field."""

    cran: RCranLibrary | None = None
    egg: str | None = None
    jar: str | None = None
    maven: MavenLibrary | None = None
    pypi: PythonPyPiLibrary | None = None
    requirements: str | None = None
    whl: str | None = None


@attrs.define(kw_only=True, repr=False)
class LibraryFullStatus(Model):
    """How far the installation of one library is."""

    is_library_for_all_clusters: bool | None = None
    library: Library | None = None
    messages: list[str] | None = None
    status: LibraryInstallStatus | None = None


@attrs.define(kw_only=True, repr=False)
class ClusterLibraryStatuses(Model):
    """The libraries of one cluster."""

    cluster_id: str | None
    library_statuses: list[LibraryFullStatus] | None = None


@attrs.define(kw_only=True, repr=False)
class ListAllClusterLibraryStatusesResponse(Model):
    """The libraries of all clusters."""

    statuses: list[ClusterLibraryStatuses] | None = None
