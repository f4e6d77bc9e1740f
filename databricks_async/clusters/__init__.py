"""The Clusters API: `w.clusters`, and all that its methods take and return."""

from typing import TYPE_CHECKING

from databricks_async.front_door import front_door

if TYPE_CHECKING:
    from databricks_async.clusters.api import Clusters as Clusters
    from databricks_async.clusters.changes import ClusterChange as ClusterChange
    from databricks_async.clusters.keywords import ClusterKeywords as ClusterKeywords
    from databricks_async.clusters.models import *
    from databricks_async.clusters.running import ClusterWait as ClusterWait
    from databricks_async.clusters.select import NodeTypeCriteria as NodeTypeCriteria
    from databricks_async.clusters.select import SparkVersionCriteria as SparkVersionCriteria
else:
    __getattr__, __dir__ = front_door(
        __name__,
        {
            "models": "*",
            "changes": ["ClusterChange"],
            "keywords": ["ClusterKeywords"],
            "running": ["ClusterWait"],
            "select": ["NodeTypeCriteria", "SparkVersionCriteria"],
            "api": ["Clusters"],
        },
    )
