"""The clusters that jobs describe: read as the Clusters API reads them, shown with the service's defaults."""

from __future__ import annotations

from typing import Unpack

from databricks_async.local.clusters import spec
from databricks_async.local.params import Reading, declared_by
from databricks_async.local.state import Json, State


def _declare(state: State, **settings: Unpack[spec.ClusterSpec]) -> None:
    """Declares the settings of a new cluster, as the signatures of endpoints declare parameters."""


_DECLARED = declared_by(_declare)


def cluster_spec(state: State, given: Json, prefix: str = "", *, runtime: bool = True) -> Json:
    """A new cluster's settings as the Clusters API reads them, and refuses them, with what its policy fills in.

    Without `runtime` any Spark version passes: the service looks at it only when the run creates the cluster.
    """
    read = spec.with_policy(state, _DECLARED.read(given, Reading(False, []), prefix), "job")
    spec.check(state, read, runtime=runtime)
    return {**_DEFAULTS, **read}


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
