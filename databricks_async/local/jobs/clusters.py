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
    """A new cluster's settings as the Clusters API reads them; refused where it refuses them.

    Without `runtime` any Spark version passes: the service looks at it only when the run creates the cluster.
    """
    read = _DECLARED.read(given, Reading(False, []), prefix)
    spec.check(state, read, runtime=runtime)
    return read


def with_defaults(cluster: Json) -> Json:
    """A description of a cluster as jobs show it."""
    # databricks/cli, bundle/direct/dresources/resources.yml: the fields of `new_cluster` that the service fills in, and that it
    # returns no `apply_policy_default_values`. The values are those of recorded answers of Azure workspaces.
    filled: Json = {"enable_elastic_disk": True, "data_security_mode": "SINGLE_USER", **cluster}
    filled.pop("apply_policy_default_values", None)
    return filled | {"azure_attributes": spec.AZURE_DEFAULTS | cluster.get("azure_attributes", {})}
