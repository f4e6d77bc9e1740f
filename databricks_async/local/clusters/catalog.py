"""Catalog: the node types and Spark versions of a local workspace, open to what a test adds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from databricks_async.local.clusters import node_types, spark_versions
from databricks_async.local.errors import invalid
from databricks_async.local.values import Json


class Catalog:
    """What clusters of one workspace can be made of.

    `add_node_types` and `add_spark_versions` are those of a test: names, or entries as the service's lists have them.
    They are listed with the others, and take the place of those of the same name.
    """

    def __init__(
        self,
        add_node_types: Iterable[str | Mapping[str, Any]] = (),
        add_spark_versions: Iterable[str | Mapping[str, Any]] = (),
    ) -> None:
        self.node_types: dict[str, Json] = dict(_node_types())
        for node in add_node_types:
            entry = node_types.completed({"node_type_id": node} if isinstance(node, str) else node)
            self.node_types[entry["node_type_id"]] = entry
        self.spark_versions: dict[str, str] = spark_versions.listed()
        for version in add_spark_versions:
            entry = {"key": version, "name": version} if isinstance(version, str) else {"name": "", **version}
            self.spark_versions[entry["key"]] = entry["name"]

    def node_type(self, name: str) -> Json:
        """What is known of a node type. Raises ApiError if the service would not know it."""
        found = self.node_types.get(name) or node_types.plausible(name)
        if found is None:
            # The service's message, also in learn.microsoft.com/azure/data-factory/connector-troubleshoot-guide.
            raise invalid(f"Node type {name} is not supported. Supported node types: {', '.join(self.node_types)}")
        return found

    def check_spark_version(self, key: str) -> None:
        """Refuse a version that the service does not have, or has retired."""
        if key not in self.spark_versions and not spark_versions.runs(key):
            # The service's message, also in the official SDK's tests of errors.
            raise invalid(f"Invalid spark version {key}.")

    def resolve(self, key: str) -> str:
        """The version that `auto:latest-lts` and the like of a policy stand for; another key is itself.

        The aliases are those of the attribute `spark_version` in the reference of policies.
        """
        found = _ALIAS.fullmatch(key)
        if found is None:
            return key
        middle = "-cpu-ml-" if found["ml"] else "-"
        fitting = [
            (release, version)
            for version, name in self.spark_versions.items()
            if (release := _release(version, middle)) and "Beta" not in name and (not found["lts"] or " LTS" in name)
        ]
        return max(fitting)[1] if fitting else key


_ALIAS = re.compile("auto:latest(?P<lts>-lts)?(?P<ml>-ml)?")


def _release(version: str, middle: str) -> tuple[int, int] | None:
    found = re.fullmatch(rf"(\d+)\.(\d+)\.x{middle}scala2\.\d+", version)
    return (int(found[1]), int(found[2])) if found else None


@cache
def _node_types() -> Mapping[str, Json]:
    return node_types.known()
