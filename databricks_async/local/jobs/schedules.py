"""When jobs start by themselves: schedules, periodic and continuous execution, file-arrival and table triggers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from databricks_async.local.errors import invalid
from databricks_async.local.jobs import parameters, run_lifecycle
from databricks_async.local.jobs.quartz import Cron, CronError
from databricks_async.local.jobs.state import Cause, Commit, DataTrigger, Job, Run
from databricks_async.local.state import Json, State, scheduled

SETTINGS = ("schedule", "continuous", "trigger", "triggers")
"""The settings of a job that make it start by itself."""

_UNITS = {"MINUTES": 60, "HOURS": 3600, "DAYS": 86400, "WEEKS": 7 * 86400}
_MIN_TRIGGER_SECONDS = 60
_MAX_CONTINUOUS_DELAY = 3600
# learn.microsoft.com/azure/databricks/jobs/scheduled: "a minimum interval of 10 seconds between subsequent runs
# triggered by the schedule of a job regardless of the seconds configuration in the cron expression".
_MIN_INTERVAL = timedelta(seconds=10)

# java.time.ZoneId.SHORT_IDS: the three-letter ids that java.util.TimeZone knows and the tz database does not.
_JAVA_IDS = {
    "ACT": "Australia/Darwin",
    "AET": "Australia/Sydney",
    "AGT": "America/Argentina/Buenos_Aires",
    "ART": "Africa/Cairo",
    "AST": "America/Anchorage",
    "BET": "America/Sao_Paulo",
    "BST": "Asia/Dhaka",
    "CAT": "Africa/Harare",
    "CNT": "America/St_Johns",
    "CST": "America/Chicago",
    "CTT": "Asia/Shanghai",
    "EAT": "Africa/Addis_Ababa",
    "ECT": "Europe/Paris",
    "IET": "America/Indiana/Indianapolis",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "MIT": "Pacific/Apia",
    "NET": "Asia/Yerevan",
    "NST": "Pacific/Auckland",
    "PLT": "Asia/Karachi",
    "PNT": "America/Phoenix",
    "PRT": "America/Puerto_Rico",
    "PST": "America/Los_Angeles",
    "SST": "Pacific/Guadalcanal",
    "VST": "Asia/Ho_Chi_Minh",
}
_time_zones = cache(available_timezones)


def check(state: State, settings: Json, before: Json) -> None:
    """Refuse the schedules and triggers that the service refuses. Those of `before` may have had their last time."""
    known = [_read(one["schedule"]) for one in _configurations(before) if one.get("schedule") is not None]
    if settings.get("schedule") is not None and settings.get("continuous") is not None:
        # API reference, `continuous`: "Only one of schedule and continuous can be used."
        raise invalid("Only one of schedule and continuous can be used.")
    for configuration in _configurations(settings):
        schedule = configuration.get("schedule")
        if schedule is not None:
            cron, zone = _read(schedule)
            if (cron, zone) not in known and cron.next_after(_at(state.now), zone) is None:
                # The words: databrickslabs/migrate issue 167.
                expression = schedule["quartz_cron_expression"]
                raise invalid(f"The provided cron expression: {expression} will never fire.")
        if configuration.get("periodic", {}).get("interval", 1) < 1:
            raise invalid("trigger.periodic.interval must be at least 1.")
        for kind in ("file_arrival", "table_update"):
            for name in ("min_time_between_triggers_seconds", "wait_after_last_change_seconds"):
                # API reference of both: "The minimum allowed value is 60 seconds". 0 stands for absent.
                if 0 != configuration.get(kind, {}).get(name, 0) < _MIN_TRIGGER_SECONDS:
                    raise invalid(f"trigger.{kind}.{name} must be at least {_MIN_TRIGGER_SECONDS}.")


def _configurations(settings: Json) -> Iterator[Json]:
    """All that makes the job start by itself, in the form of an entry of `triggers`."""
    for name in ("schedule", "continuous"):
        if settings.get(name) is not None:
            yield {name: settings[name], "pause_status": settings[name].get("pause_status", "UNPAUSED")}
    if settings.get("trigger") is not None:
        yield settings["trigger"]
    yield from settings.get("triggers", [])


def _read(schedule: Json) -> tuple[Cron, tzinfo]:
    expression, zone = schedule["quartz_cron_expression"], time_zone(schedule["timezone_id"])
    try:
        return Cron.parse(expression), zone
    except CronError:
        # The words: MicrosoftDocs/azure-docs issue 44131. The service does not say what is wrong.
        raise invalid(
            f"Invalid quartz_cron_expression: {expression}. Databricks uses Quartz cron syntax, which is different "
            "from the standard cron syntax. See "
            "http://www.quartz-scheduler.org/documentation/quartz-2.1.x/tutorials/crontrigger.html for more details."
        ) from None


def time_zone(name: str) -> tzinfo:
    """The time zone of a Java id: one of the tz database, an old three-letter one, or such as `GMT-03:00`."""
    if name in ("UTC", "GMT"):
        return UTC
    offset = re.fullmatch(r"GMT([+-])(\d{1,2})(?::?(\d\d))?", name)
    if offset and int(offset[2]) < 24 and int(offset[3] or 0) < 60:
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(-away if offset[1] == "-" else away)
    name_in_database = _JAVA_IDS.get(name, name)
    if name_in_database in _time_zones():
        return ZoneInfo(name_in_database)
    # The service's words are not known.
    raise invalid(f"Invalid timezone_id: {name}. It must be a Java time zone id, for example Europe/Lisbon.")


def activate(state: State, job: Job) -> None:
    """Start the job by itself from now on as its present settings say; what was planned before lapses."""
    deactivate(job)
    for configuration in _configurations(job.settings):
        if configuration.get("pause_status") == "PAUSED":
            continue
        if configuration.get("schedule") is not None:
            _plan_schedule(state, job, configuration["schedule"], _at(state.now))
        if configuration.get("periodic") is not None:
            _plan_period(state, job, configuration["periodic"])
        if configuration.get("continuous") is not None:
            _keep_running(state, job)
        job.watches += [
            DataTrigger(kind, configuration[kind])
            for kind in ("file_arrival", "table_update")
            if configuration.get(kind)
        ]


def deactivate(job: Job) -> None:
    """Never start the job by itself any more."""
    job.plan += 1
    job.when_run_ended = None
    for watch in job.watches:
        watch.plan += 1
    job.watches = []


def _plan_schedule(state: State, job: Job, schedule: Json, after: datetime) -> None:
    cron, zone = _read(schedule)
    moment = cron.next_after(after, zone)
    if moment is not None:
        state.schedule_for(job, moment.timestamp() - state.now / 1000, _on_schedule, job, schedule)


@scheduled("job schedule")
def _on_schedule(state: State, job: Job, schedule: Json) -> None:
    _plan_schedule(state, job, schedule, _at(state.now) + _MIN_INTERVAL - timedelta(milliseconds=1))
    # "rounded down to the closest minute for jobs with a cron schedule": the documentation of job.trigger.time.
    _start(state, job, "PERIODIC", Cause(time=state.now - state.now % 60_000))


def _plan_period(state: State, job: Job, periodic: Json) -> None:
    # No source says when the first run starts: an interval after the trigger was set.
    state.schedule_for(job, periodic["interval"] * _UNITS[periodic["unit"]], _on_period, job, periodic)


@scheduled("job period")
def _on_period(state: State, job: Job, periodic: Json) -> None:
    _plan_period(state, job, periodic)
    _start(state, job, "PERIODIC", Cause(time=state.now))


def _keep_running(state: State, job: Job) -> None:
    """Have one run of the job at all times, the next a moment after the one before."""
    job.failures = 0
    job.when_run_ended = run_ended
    state.schedule_for(job, 0, _start_next, job)


@scheduled("job continuous")
def _start_next(state: State, job: Job) -> None:
    if not job.active and not job.queued:
        _start(state, job, "CONTINUOUS", Cause(time=state.now))


def run_ended(state: State, job: Job, run: Run) -> None:
    """Let the next run of a continuous job follow."""
    # learn.microsoft.com/azure/databricks/jobs/continuous: consecutive failures delay the next run exponentially,
    # up to a maximum that the system sets. The numbers are not published.
    job.failures = 0 if run.life_cycle.result in ("SUCCESS", "SUCCESS_WITH_FAILURES", "CANCELED") else job.failures + 1
    delay = min(_MAX_CONTINUOUS_DELAY, state.timing.continuous * 2.0 ** min(job.failures, 20))
    # At least a second: a run that ends at once would stop the clock.
    state.schedule_for(job, max(1.0, delay), _start_next, job)


def _start(state: State, job: Job, trigger: str, cause: Cause) -> None:
    settings = job.settings
    if settings.get("tasks"):
        run_lifecycle.launch(
            state,
            job,
            settings,
            job.creator,
            name=settings["name"],
            trigger=trigger,
            cause=cause,
            job_parameters=parameters.of_job(settings, {}),
            queueing=settings.get("queue", {}).get("enabled", False),
        )


def file_arrived(state: State, location: str) -> None:
    """Have the jobs start that watch this location or a directory above it."""
    for job in list(state.jobs.jobs.values()):
        for watch in job.watches:
            url = str(watch.settings.get("url", "")).rstrip("/")
            if watch.kind == "file_arrival" and url and (location == url or location.startswith(f"{url}/")):
                _changed(state, job, watch)


def table_updated(state: State, name: str, version: int | None) -> None:
    """Have the jobs start that watch this table."""
    versions = state.jobs.table_versions
    versions[name] = versions.get(name, -1) + 1 if version is None else version
    for job in list(state.jobs.jobs.values()):
        for watch in job.watches:
            tables = watch.settings.get("table_names", [])
            if watch.kind == "table_update" and name in tables:
                state.touch(job)
                watch.commits[name] = Commit(versions[name], state.now)
                if watch.settings.get("condition") != "ALL_UPDATED" or all(table in watch.commits for table in tables):
                    _changed(state, job, watch)


def _changed(state: State, job: Job, watch: DataTrigger) -> None:
    """Fire once nothing has changed for a while, and not too soon after the last time."""
    at = state.now + 1000 * watch.settings.get("wait_after_last_change_seconds", 0)
    if watch.fired_at is not None:
        at = max(at, watch.fired_at + 1000 * watch.settings.get("min_time_between_triggers_seconds", 0))
    state.touch(job)
    watch.plan += 1
    state.schedule_for(watch, (at - state.now) / 1000, _on_data, job, watch)


@scheduled("job data")
def _on_data(state: State, job: Job, watch: DataTrigger) -> None:
    watch.fired_at = state.now
    tables, watch.commits = watch.commits, {}
    if watch.kind == "file_arrival":
        _start(state, job, "FILE_ARRIVAL", Cause(time=state.now, location=watch.settings["url"]))
    else:
        _start(state, job, "TABLE", Cause(time=state.now, tables=tables))


def backfill(state: State, job_id: int, moments: list[datetime], job_parameters: dict[str, str]) -> list[int]:
    """Start one run for each moment, which `{{backfill.…}}` stands for in its job parameters."""
    job = state.jobs.jobs.get(job_id)
    if job is None:
        raise invalid(f"Job {job_id} does not exist.")
    return [
        run_lifecycle.launch(
            state,
            job,
            job.settings,
            job.creator,
            name=job.settings["name"],
            cause=Cause(backfill=round(moment.timestamp() * 1000)),
            job_parameters=parameters.of_job(job.settings, job_parameters),
            queueing=True,
        ).run_id
        for moment in moments
    ]


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
