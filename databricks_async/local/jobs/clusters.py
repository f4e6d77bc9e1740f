"""The clusters that jobs describe: checked as the Clusters API checks them, made for runs, shown with defaults."""

from __future__ import annotations

from databricks_async.local.clusters import lifecycle, spec
from databricks_async.local.clusters.endpoints import new_id
from databricks_async.local.state import Cluster, Json, State


def check(state: State, given: Json) -> None:
    """Refuse the settings of a new cluster that the service refuses before it runs: any Spark version passes."""
    spec.checked(state, spec.read(given, "new_cluster."), "job", runtime=False)


def create(state: State, given: Json, name: str, user: str, tags: dict[str, str]) -> Cluster:
    """Make the cluster of a run. Raises ApiError where the service refuses to."""
    read = spec.read(given, "new_cluster.")
    asked = {**read, "cluster_name": read.get("cluster_name") or name}
    wanted = {**_DEFAULTS, **spec.checked(state, asked, "job")}
    cluster = Cluster(new_id(state), wanted, user, state.now, asked=asked, source="JOB", job_tags=tags)
    cluster.grants["user_name", user] = "CAN_MANAGE"
    state.clusters[cluster.cluster_id] = cluster
    lifecycle.create(state, cluster, user)
    return cluster


# What the service fills in is listed in databricks/cli, bundle/direct/dresources/resources.yml, as is that it shows no
# `apply_policy_default_values`. The values are those of recorded answers of Azure workspaces.
_DEFAULTS: Json = {"data_security_mode": "SINGLE_USER"}


def shown(holder: Json) -> Json:
    """A task or a job cluster as answers show it: with the service's defaults in the descriptions of new clusters."""
    cluster, loop = holder.get("new_cluster"), holder.get("for_each_task")
    if cluster is not None:
        holder = {**holder, "new_cluster": _with_defaults(cluster)}
    if loop is not None:
        holder = {**holder, "for_each_task": {**loop, "task": shown(loop["task"])}}
    return holder


def _with_defaults(cluster: Json) -> Json:
    filled: Json = {**_DEFAULTS, **cluster}
    filled.pop("apply_policy_default_values", None)
    if "instance_pool_id" not in cluster:
        filled.setdefault("enable_elastic_disk", True)
    return filled | {"azure_attributes": spec.AZURE_DEFAULTS | cluster.get("azure_attributes", {})}
