"""The models of the Jobs API, all in one place to import from."""

from typing import TYPE_CHECKING

from databricks_async.front_door import front_door
from databricks_async.jobs.models.checks import check_tasks as check_tasks

if TYPE_CHECKING:
    from databricks_async.jobs.models.compute import *
    from databricks_async.jobs.models.jobs import *
    from databricks_async.jobs.models.notifications import *
    from databricks_async.jobs.models.output import *
    from databricks_async.jobs.models.permissions import *
    from databricks_async.jobs.models.requests import *
    from databricks_async.jobs.models.resolved import *
    from databricks_async.jobs.models.run_enums import *
    from databricks_async.jobs.models.run_state import *
    from databricks_async.jobs.models.run_tasks import *
    from databricks_async.jobs.models.runs import *
    from databricks_async.jobs.models.settings import *
    from databricks_async.jobs.models.settings_enums import *
    from databricks_async.jobs.models.task_kinds import *
    from databricks_async.jobs.models.task_kinds_ai import *
    from databricks_async.jobs.models.task_kinds_sql import *
    from databricks_async.jobs.models.tasks import *
    from databricks_async.jobs.models.trigger_states import *
    from databricks_async.jobs.models.triggers import *
else:
    __getattr__, __dir__ = front_door(__name__)
