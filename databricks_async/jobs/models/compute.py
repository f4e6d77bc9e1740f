"""What the tasks of a job run on and with: clusters, environments and the Git repository."""

from __future__ import annotations

import attrs

from databricks_async.clusters.models.spec import ClusterSpec
from databricks_async.codec import SECRET_VALUES, Model
from databricks_async.jobs.models.settings_enums import GitProvider, JobSourceDirtyState

__all__ = [
    "Environment",
    "GitSnapshot",
    "GitSource",
    "JobCluster",
    "JobClusterServerlessCompute",
    "JobEnvironment",
    "JobEnvironmentVariables",
    "JobEnvironmentVariablesSpec",
    "JobSource",
    "SparseCheckout",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class JobClusterServerlessCompute(Model):
    """Serverless compute in the place of a cluster."""

    policy_id: str | None = None
    """The policy of the serverless compute."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobCluster(Model):
    """A cluster that tasks share, made when the first of them starts. Libraries belong to the tasks."""

    job_cluster_key: str | None
    """Unique within the job."""
    new_cluster: ClusterSpec | None = None
    """The specification of the cluster."""
    serverless_compute: JobClusterServerlessCompute | None = None
    """Settings of serverless compute; for one job cluster of a job at most."""
    serverless_compute_id: str | None = None
    """At most one job cluster of a job has it."""


@attrs.define(kw_only=True, repr=False, eq=False)
class Environment(Model):
    """What is installed for serverless tasks."""

    base_environment: str | None = None
    """The base environment on which it builds."""
    client: str | None = None
    """Deprecated: use environment_version."""
    dependencies: list[str] | None = None
    """Lines as in a requirements file of pip."""
    environment_version: str | None = None
    """The version of the serverless environment, for example `2`."""
    java_dependencies: list[str] | None = None
    """Paths of jars in volumes."""
    project_environment: str | None = None
    """The path of the `pyproject.toml` that defines it."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobEnvironment(Model):
    """An environment that tasks refer to by its key."""

    environment_key: str | None
    """Unique within the job."""
    spec: Environment | None = None
    """What the environment is made of."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobEnvironmentVariablesSpec(Model):
    """Environment variables, given one by one or in files."""

    files: list[str] | None = None
    """Paths of `.env` files in the workspace or in volumes, 5 at most. They override each other in order."""
    variables: dict[str, str] | None = attrs.field(default=None, metadata=SECRET_VALUES)
    """20 at most. Files override them."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobEnvironmentVariables(Model):
    """Environment variables that tasks refer to by their key."""

    environment_variables_key: str | None
    """Unique within the job."""
    spec: JobEnvironmentVariablesSpec | None = None
    """The variables."""


@attrs.define(kw_only=True, repr=False, eq=False)
class JobSource(Model):
    """Where in the repository the definition of the job is."""

    job_config_path: str | None
    """The path of the YAML file with the job's definition."""
    import_from_git_branch: str | None
    """The branch it was imported from."""
    dirty_state: JobSourceDirtyState | None = None
    """Absent while the two are the same."""


@attrs.define(kw_only=True, repr=False, eq=False)
class GitSnapshot(Model):
    """The state of the repository that a run used."""

    used_commit: str | None = None
    """The commit that the branch or tag stood for."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SparseCheckout(Model):
    """Which parts of the repository are checked out."""

    patterns: list[str] | None = None
    """Folders, in cone mode."""


@attrs.define(kw_only=True, repr=False, eq=False)
class GitSource(Model):
    """A Git repository that holds the code of tasks. Give one of git_branch, git_tag and git_commit."""

    git_url: str | None
    """The address of the repository."""
    git_provider: GitProvider | None
    """The service that hosts the repository."""
    git_branch: str | None = None
    """The branch to check out. Not together with a commit or tag."""
    git_commit: str | None = None
    """The commit to check out. Not together with a branch or tag."""
    git_snapshot: GitSnapshot | None = None
    """Only in runs."""
    git_tag: str | None = None
    """The tag to check out. Not together with a branch or commit."""
    job_source: JobSource | None = None
    """Where in the repository the job itself is defined."""
    sparse_checkout: SparseCheckout | None = None
    """Which parts of the repository to check out."""
