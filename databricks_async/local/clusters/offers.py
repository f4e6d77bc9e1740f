"""The endpoints that list what clusters can be made of: node types, Spark versions, zones."""

from __future__ import annotations

from databricks_async.local.state import Endpoint, Json, State


def list_node_types(state: State) -> Json:
    return {"node_types": list(state.catalog.node_types.values())}


def list_spark_versions(state: State) -> Json:
    return {"versions": [{"key": key, "name": name} for key, name in state.catalog.spark_versions.items()]}


def list_zones(state: State) -> Json:
    return {"zones": ["1", "2", "3"], "default_zone": "1"}


ROUTES: dict[str, Endpoint] = {
    "GET /api/{v}/clusters/list-node-types": list_node_types,
    "GET /api/{v}/clusters/spark-versions": list_spark_versions,
    "GET /api/{v}/clusters/list-zones": list_zones,
}
VERSIONS = ("2.0", "2.1")
