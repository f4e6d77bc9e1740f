"""The models of the Clusters API, all in one place to import from."""

from typing import TYPE_CHECKING

from databricks_async.front_door import front_door

if TYPE_CHECKING:
    from databricks_async.clusters.models.details import *
    from databricks_async.clusters.models.enums import *
    from databricks_async.clusters.models.events import *
    from databricks_async.clusters.models.machines import *
    from databricks_async.clusters.models.offers import *
    from databricks_async.clusters.models.permissions import *
    from databricks_async.clusters.models.requests import *
    from databricks_async.clusters.models.spec import *
    from databricks_async.clusters.models.storage import *
else:
    __getattr__, __dir__ = front_door(__name__)
