"""The local workspace: an in-memory Databricks that serves the same HTTP API, for tests and for trying things out.

What it does not do, and what it does instead:

Jobs and runs

- Nothing is executed, unless `LocalWorkspace(run_tasks=True)` asks for it (below): no notebook, script, wheel, JAR, dbt
  project, pipeline, dashboard or alert. A task takes its time (`LocalWorkspace.timing.task`) and succeeds, or ends as
  `LocalWorkspace.script_task` says.
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
- Wordings of refusals that no public source shows are the local workspace's own. The code names the source of the
  others.

Clusters

- There are no machines and there is no Spark: states, nodes and events change by the clock, as
  `LocalWorkspace.timing` says.
- Libraries are not fetched: each is INSTALLED after its time, or FAILED as `LocalWorkspace.fail_next_library` says.
- Init scripts, log delivery, SSH keys and Docker images are checked and shown, without effect.
- There are no instance pools. Any `instance_pool_id` is accepted, with machines of the size of Standard_DS3_v2.
- Node types, Spark versions and regions have no quotas and no capacity. A listed name is accepted, and one that follows
  Azure's naming or the numbering of runtimes; `LocalWorkspace(node_types=..., spark_versions=...)` adds others.
- A workspace without cluster policies accepts any `policy_id`, and notes it in `Call.unchecked`;
  `LocalWorkspace.add_policy` and the Cluster Policies API make policies, whose values and rules are then applied.
  `dbus_per_hour`, `max_clusters_per_user`, policy families and permissions of policies are kept, without effect.
- `DATA_SECURITY_MODE_AUTO` is dedicated for machine learning runtimes and standard for others, whatever else is set.
- Autoscaling clusters stay at the size they were started or resized with. No disk grows, no spot instance is lost.
- Empty nested objects are accepted without the service's checks, and noted in `Call.unchecked`.
- Access tokens of OAuth are only for service principals with a secret; nothing is asked of Microsoft Entra ID.

Workspace objects

- Content is stored and converted, not run. Dashboards (`.lvdash.json`) are stored as they are. Experiments, alerts,
  libraries and queries are no objects of this tree.
- Notebooks keep the outputs that a Jupyter file brings, and never get new ones. R Markdown has no titles and metadata.
- `nuid`s of cells that have none are made of the cells' contents.
- Permissions are direct grants and those of directories above. There are no groups but `users` and `admins`.
- There is no trash and no history of revisions: what is deleted or overwritten is gone.
- Git folders are directories. Nothing is fetched from a remote.

Tasks that run for real: `LocalWorkspace(run_tasks=True)`, `databricks-async serve --run-tasks`

- A `spark_python_task`, a `python_wheel_task` and a notebook in Python run in a process of this interpreter each, as
  many at once as there are processors, without Spark. All other tasks do as above, and so do those that
  `LocalWorkspace.script_task` names. **It runs the code of all who can reach the workspace and have a token, with the
  rights of this program**: it listens on this machine only, and its token is a random one.
- A script or notebook is one of the workspace, or a file of this machine; with the source GIT one in the directory in
  which this program runs. The files of its directory in the workspace are beside it. Wheels are those of the task's
  libraries and environment, in the workspace or on this machine, or installed packages; nothing else is installed.
- A notebook has `dbutils.widgets`, `dbutils.notebook.exit` and `dbutils.jobs.taskValues`, `%run`, and `await`; `%md`
  and `%pip` are left out, and other languages raise. Scripts and wheels find `dbutils` by
  `from databricks.sdk.runtime import dbutils`.
- `DATABRICKS_HOST` and `DATABRICKS_TOKEN` are this workspace's, for the run's creator; other credentials in the
  variables `ARM_*`, `AZURE_*` and `DATABRICKS_*` are kept from the task. It has the cluster's `spark_env_vars`.
- Its output, the value of its exit, its error and its traceback are those of `get_run_output`; what a notebook prints
  is in `runs/export`. Cancelled runs, timeouts and the end of the workspace kill the process and all that it has
  started. Timeouts count real seconds, however fast the clock is.

A workspace that stays (`LocalWorkspace(path=...)`, `snapshot=...`)

- The clock stands still from the last answer before the end to the next start. What was under way takes the rest of its
  time; schedules do not catch up.
- A task under way whose script has a `call` ends as the rest of that script says: functions are in no file. Faults,
  scripts, failures that wait for their cluster or library, and durations are to be set anew.
- Persons, service principals and tokens are in no file. Persons who are added again find what was theirs by their
  name.
"""

from databricks_async.local.clock import Clock
from databricks_async.local.errors import StorageError
from databricks_async.local.fault_queue import Faults
from databricks_async.local.faults import Fault
from databricks_async.local.identity_peers import LocalIdentity
from databricks_async.local.journal import Call, Journal
from databricks_async.local.limits import RateLimit
from databricks_async.local.state import Durations
from databricks_async.local.workspace import LocalWorkspace

__all__ = [
    "Call",
    "Clock",
    "Durations",
    "Fault",
    "Faults",
    "Journal",
    "LocalIdentity",
    "LocalWorkspace",
    "RateLimit",
    "StorageError",
]
