"""Jobs as the service reports them, and listings of jobs."""

from __future__ import annotations

from datetime import datetime

import attrs

from databricks_async.codec import Model
from databricks_async.epoch import from_epoch_ms
from databricks_async.jobs.models.settings import JobSettings
from databricks_async.jobs.models.trigger_states import TriggerDetails, TriggerStateProto

__all__ = [
    "BaseJob",
    "CreateResponse",
    "Job",
    "ListJobsResponse",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class BaseJob(Model):
    """A job, as a listing shows it."""

    job_id: int | None
    """The id of the job."""
    created_time: int | None = None
    """Epoch milliseconds."""
    creator_user_name: str | None = None
    """Who created it; absent if that user was deleted."""
    effective_budget_policy_id: str | None = None
    """The budget policy to which the cost was in fact attributed."""
    effective_usage_policy_id: str | None = None
    """The usage policy to which the cost was in fact attributed."""
    has_more: bool | None = None
    """Whether arrays were cut off: `get` has the rest."""
    settings: JobSettings | None = None
    """The settings of the job and of all its runs."""
    trigger_details: list[TriggerDetails] | None = None
    """In the order of the triggers in the settings."""
    trigger_state: TriggerStateProto | None = None
    """How the trigger stands."""
    run_as_user_name: str | None = None
    """As whom runs act: an e-mail address, or an application id."""

    @property
    def created(self) -> datetime | None:
        """`created_time` with a time zone (UTC)."""
        return from_epoch_ms(self.created_time)


@attrs.define(kw_only=True, repr=False, eq=False)
class Job(BaseJob):
    """A job."""

    next_page_token: str | None = None
    """For the rest of the tasks and job clusters."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ListJobsResponse(Model):
    """One page of a list of jobs."""

    has_more: bool | None = None
    """Whether there are more pages."""
    jobs: list[BaseJob] | None = None
    """The jobs of this page."""
    next_page_token: str | None = None
    """Goes on after this page; absent or empty on the last."""
    prev_page_token: str | None = None
    """Goes back to the page before this one."""


@attrs.define(kw_only=True, repr=False, eq=False)
class CreateResponse(Model):
    """What `create` answers."""

    job_id: int
    """The id of the new job."""
