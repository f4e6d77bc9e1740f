"""The local workspace: an in-memory Databricks that serves the same HTTP API, for tests and for trying things out.

What it does not do, and what it does instead:

Jobs and runs

- Nothing is executed: no notebook, script, wheel, JAR, dbt project, pipeline, dashboard or alert. A task takes its time
  (`LocalWorkspace.timing.task`) and succeeds, or ends as `LocalWorkspace.script_task` says.
- SQL is not computed. The output of a SQL task is that of its script, also for `{{tasks.<task>.output.…}}`.
- The libraries of tasks and the environments of serverless tasks are checked and shown, not installed.
- A `git_source` is not cloned: what it should hold counts as there.
- No notification is sent and no health rule is evaluated. The settings of both are checked and shown.
- `run_as` is shown, and gives a run no other permissions.
- Files and tables are not watched. `LocalWorkspace.file_arrived` and `table_updated` report them.
- Triggers on models and on other jobs, SQL conditions, maintenance windows and `task_retry_mode` are kept, without
  effect.
- Quotas (saved jobs, jobs created in an hour, runs at once) have no limit here; `LocalWorkspace.rate_limit` limits
  requests.
- Runs are kept for as long as the workspace lives; the service deletes them after 60 days.
- Wordings of refusals that no public source shows are the local workspace's own. The code names the source of the
  others.

Clusters

- There are no machines and there is no Spark: states, nodes and events change by the clock, as
  `LocalWorkspace.timing` says.
- Libraries are not fetched: each is INSTALLED after its time, or FAILED as `LocalWorkspace.fail_next_library` says.
- Init scripts, log delivery, SSH keys and Docker images are checked and shown, without effect.
- Instance pools are not there: any `instance_pool_id` is taken.

Workspace objects

- Content is stored and converted, not run.
- There is no trash and no history of revisions: what is deleted or overwritten is gone.
- Git folders are directories. Nothing is fetched from a remote.
"""

from databricks_async.local.clock import Clock
from databricks_async.local.faults import Fault
from databricks_async.local.journal import Call
from databricks_async.local.limits import RateLimit
from databricks_async.local.workspace import LocalWorkspace

__all__ = ["Call", "Clock", "Fault", "LocalWorkspace", "RateLimit"]
