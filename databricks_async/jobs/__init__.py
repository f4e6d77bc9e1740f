"""The Jobs API: `w.jobs`, and all that its methods take, return and raise."""

from typing import TYPE_CHECKING

from databricks_async.front_door import front_door

if TYPE_CHECKING:
    from databricks_async.jobs.api import Jobs as Jobs
    from databricks_async.jobs.changes import AnyChange as AnyChange
    from databricks_async.jobs.changes import RunChange as RunChange
    from databricks_async.jobs.changes import TaskChange as TaskChange
    from databricks_async.jobs.errors import FailedTask as FailedTask
    from databricks_async.jobs.errors import RunFailed as RunFailed
    from databricks_async.jobs.keywords import JobKeywords as JobKeywords
    from databricks_async.jobs.keywords import RepairRunKeywords as RepairRunKeywords
    from databricks_async.jobs.keywords import RunNowKeywords as RunNowKeywords
    from databricks_async.jobs.many import Outcome as Outcome
    from databricks_async.jobs.many import Outcomes as Outcomes
    from databricks_async.jobs.many import RunRequest as RunRequest
    from databricks_async.jobs.models import *
    from databricks_async.jobs.runs import CancelOnExit as CancelOnExit
    from databricks_async.jobs.runs import RunWait as RunWait
    from databricks_async.jobs.submit_keywords import SubmitKeywords as SubmitKeywords
else:
    __getattr__, __dir__ = front_door(
        __name__,
        {
            "models": "*",
            "changes": ["AnyChange", "RunChange", "TaskChange"],
            "keywords": ["JobKeywords", "RepairRunKeywords", "RunNowKeywords"],
            "submit_keywords": ["SubmitKeywords"],
            "errors": ["FailedTask", "RunFailed"],
            "runs": ["CancelOnExit", "RunWait"],
            "many": ["Outcome", "Outcomes", "RunRequest"],
            "api": ["Jobs"],
        },
    )
