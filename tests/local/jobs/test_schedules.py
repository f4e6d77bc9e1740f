"""Jobs that start by themselves, by the workspace's clock: schedules, periods, continuous jobs, files and tables.

Covers `local/jobs/quartz.py` too.
"""

from __future__ import annotations

from datetime import UTC, datetime

import aiohttp
import pytest

from databricks_async.local import Clock, LocalWorkspace

START = 1758645728000  # 2025-09-23 16:42:08 UTC, where a clock moved by hand begins.
DAY = 86_400
TASK = {"task_key": "t", "notebook_task": {"notebook_path": "/nb"}}


def cron(expression, zone="UTC", **settings):
    return {"schedule": {"quartz_cron_expression": expression, "timezone_id": zone, **settings}}


async def runs_of(jobs, job_id):
    """All runs of a job, oldest first."""
    answer = await jobs.ok("GET", "runs/list", job_id=job_id, limit=26)
    assert not answer["next_page_token"]
    return answer.get("runs", [])[::-1]


async def starts(jobs, job_id):
    """When they started, as ISO dates of UTC."""
    return [_iso(run["start_time"]) for run in await runs_of(jobs, job_id)]


def _iso(milliseconds):
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat().removesuffix("+00:00")


WORDS = (
    "Invalid quartz_cron_expression: {}. Databricks uses Quartz cron syntax, which is different from the standard cron "
    "syntax. See http://www.quartz-scheduler.org/documentation/quartz-2.1.x/tutorials/crontrigger.html "
    "for more details."
)

NO_QUARTZ = [
    "0 15 6,18 * * *",
    "0 2 * * *",
    "@daily",
    "",
    "0 0 0 ? * ?",
    "0 0 0 * * MON",
    "60 0 0 * * ?",
    "0 60 0 * * ?",
    "0 0 24 * * ?",
    "0 0 0 32 * ?",
    "0 0 0 0 * ?",
    "0 0 0 * 13 ?",
    "0 0 0 * 0 ?",
    "0 0 0 * JANUARY ?",
    "0 0 0 ? * 0",
    "0 0 0 ? * 8",
    "0 0 0 ? * MONDAY",
    "0 0 0 ? * MON#6",
    "0 0 0 ? * MON#1,TUE#2",
    "0 0 0 ? * 6L,3",
    "0 0 0 L,3 * ?",
    "0 0 0 1,15W * ?",
    "0 0 0 L-31 * ?",
    "0 0 0 W * ?",
    "0 0/60 0 * * ?",
    "0 0/24 0/24 * * ?",
    "0 / 0 * * ?",
    "0 5- 0 * * ?",
    "0 , 0 * * ?",
    "0 1.5 0 * * ?",
    "0 0 0 ? * * 2028-2026",
    "0 0 0 * * ? 1969",
    "0 0 0 * * ? 2026 x",
    "0 0 0 ? ? MON",
    "? 0 0 * * ?",
]


@pytest.mark.parametrize("expression", NO_QUARTZ)
async def test_what_is_no_quartz_expression(jobs, expression):
    """In the service's words, by create and by update."""
    job_id = await jobs.create(TASK)
    assert await jobs.refused("POST", "create", tasks=[TASK], **cron(expression)) == WORDS.format(expression)
    settings = cron(expression)
    assert await jobs.refused("POST", "update", job_id=job_id, new_settings=settings) == WORDS.format(expression)
    assert await jobs.refused("POST", "create", triggers=[settings]) == WORDS.format(expression)


FIRES = {
    "0 0 12 * * ?": ["2025-09-24T12:00:00", "2025-09-25T12:00:00", "2025-09-26T12:00:00"],
    "0 15 10 ? * *": ["2025-09-24T10:15:00", "2025-09-25T10:15:00", "2025-09-26T10:15:00"],
    "0 15 10 * * ? 2025": ["2025-09-24T10:15:00", "2025-09-25T10:15:00", "2025-09-26T10:15:00"],
    "0 0/20 * * * ?": ["2025-09-23T17:00:00", "2025-09-23T17:20:00", "2025-09-23T17:40:00"],
    "0 /30 * * * ?": ["2025-09-23T17:00:00", "2025-09-23T17:30:00", "2025-09-23T18:00:00"],
    "0 0-1 14,18 * * ?": ["2025-09-23T18:00:00", "2025-09-23T18:01:00", "2025-09-24T14:00:00"],
    "0 0 9 ? * mon-wed": ["2025-09-24T09:00:00", "2025-09-29T09:00:00", "2025-09-30T09:00:00"],
    "0 0 9 ? * SAT-MON": ["2025-09-27T09:00:00", "2025-09-28T09:00:00", "2025-09-29T09:00:00"],
    "0 0 22-2/2 * * ?": ["2025-09-23T22:00:00", "2025-09-24T00:00:00", "2025-09-24T02:00:00"],
    "0 0 0 L * ?": ["2025-09-30T00:00:00", "2025-10-31T00:00:00", "2025-11-30T00:00:00"],
    "0 0 0 L-2 * ?": ["2025-09-28T00:00:00", "2025-10-29T00:00:00", "2025-11-28T00:00:00"],
    "0 0 0 LW * ?": ["2025-09-30T00:00:00", "2025-10-31T00:00:00", "2025-11-28T00:00:00"],
    "0 0 0 1W * ?": ["2025-10-01T00:00:00", "2025-11-03T00:00:00", "2025-12-01T00:00:00"],
    "0 0 0 ? * 6L": ["2025-09-26T00:00:00", "2025-10-31T00:00:00", "2025-11-28T00:00:00"],
    "0 0 0 ? * FRI#2": ["2025-10-10T00:00:00", "2025-11-14T00:00:00", "2025-12-12T00:00:00"],
    "0 0 0 ? * L": ["2025-09-27T00:00:00", "2025-10-04T00:00:00", "2025-10-11T00:00:00"],
    "0 0 0 31 * ?": ["2025-10-31T00:00:00", "2025-12-31T00:00:00", "2026-01-31T00:00:00"],
    "0 0 0 ? JAN,MAR 2#1": ["2026-01-05T00:00:00", "2026-03-02T00:00:00", "2027-01-04T00:00:00"],
    "0 0 0 29 2 ?": ["2028-02-29T00:00:00", "2032-02-29T00:00:00", "2036-02-29T00:00:00"],
    "0 0/0 4 * * ?": ["2025-09-24T04:00:00", "2025-09-25T04:00:00", "2025-09-26T04:00:00"],
    "*/1 * * * * ?": ["2025-09-23T16:42:09", "2025-09-23T16:42:19", "2025-09-23T16:42:29"],
}


@pytest.mark.parametrize("expression", FIRES)
async def test_schedules_fire_by_the_clock(jobs, workspace, expression):
    """At the times that Quartz has for them, never twice within 10 seconds."""
    workspace.script_task("t", duration=1)
    job_id = await jobs.create(TASK, **cron(expression))
    expected = [datetime.fromisoformat(f"{at}+00:00") for at in FIRES[expression]]
    now, fired = datetime.fromtimestamp(START / 1000, UTC), []
    for moment in expected:
        workspace.clock.advance((moment - now).total_seconds() - 0.5)
        before = await starts(jobs, job_id)
        assert set(before) <= set(fired)  # after 60 days the workspace forgets them
        workspace.clock.advance(0.5)
        fired += (await starts(jobs, job_id))[len(before) :]
        now = moment
    assert fired == FIRES[expression]


@pytest.mark.parametrize(
    ("zone", "first", "second"),
    [
        ("Europe/Lisbon", "2025-10-25T07:00:00", "2025-10-26T08:00:00"),
        ("America/Los_Angeles", "2025-11-01T15:00:00", "2025-11-02T16:00:00"),
        ("Asia/Kolkata", "2025-10-25T02:30:00", "2025-10-26T02:30:00"),
        ("PST", "2025-11-01T15:00:00", "2025-11-02T16:00:00"),
        ("GMT-03:00", "2025-10-25T11:00:00", "2025-10-26T11:00:00"),
        ("GMT+5", "2025-10-25T03:00:00", "2025-10-26T03:00:00"),
    ],
)
async def test_schedules_go_by_their_time_zone(jobs, workspace, zone, first, second):
    """Eight o'clock stays eight o'clock when the clocks change; ids are Java's."""
    workspace.script_task("t", duration=1)
    job_id = await jobs.create(TASK, **cron("0 0 8 * * ?", zone))
    workspace.clock.advance(45 * DAY)
    shown = await jobs.ok("GET", "runs/list", job_id=job_id, start_time_from=_ms(first), start_time_to=_ms(second))
    assert [_iso(run["start_time"]) for run in shown["runs"]] == [second, first]


def _ms(text):
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


async def test_hours_that_the_clocks_skip_or_repeat():
    """What is skipped fires as much later, what is repeated the second time; none twice."""
    clock = Clock.by_hand(datetime(2025, 3, 9, 8, 30, tzinfo=UTC))
    expected = {
        "0 30 2 9 3 ?": ["2025-03-09T10:30:00"],  # 03:30 in summer time
        "0 30 1 2 11 ?": ["2025-11-02T09:30:00"],  # 01:30 in winter time
    }
    async with LocalWorkspace(clock=clock) as workspace, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {workspace.token}"}
        ids = {}
        for expression in expected:
            body = {"tasks": [TASK], **cron(f"{expression} 2025", "America/Los_Angeles")}
            async with session.post(f"{workspace.url}/api/2.2/jobs/create", json=body, headers=headers) as response:
                ids[expression] = (await response.json())["job_id"]
        fired = {expression: set() for expression in expected}
        for _ in range(6):
            clock.advance(50 * DAY)  # after 60 days the workspace forgets a run
            for expression, job_id in ids.items():
                url = f"{workspace.url}/api/2.2/jobs/runs/list?job_id={job_id}"
                async with session.get(url, headers=headers) as response:
                    runs = (await response.json()).get("runs", [])
                fired[expression].update(_iso(run["start_time"]) for run in runs)
        assert {expression: sorted(times) for expression, times in fired.items()} == expected


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "europe/lisbon", "Europe", "GMT+25", "UTC+2", "../etc/passwd"])
async def test_what_is_no_time_zone(jobs, zone):
    """Named in the refusal."""
    message = await jobs.refused("POST", "create", tasks=[TASK], **cron("0 0 8 * * ?", zone))
    assert message.startswith(f"Invalid timezone_id: {zone}.")


async def test_a_schedule_that_had_its_last_time_may_stay(jobs, workspace):
    """Other settings of the job can still be changed."""
    job_id = await jobs.create(TASK, **cron("0 0 8 * * ? 2025"))
    workspace.clock.advance(200 * DAY)
    await jobs.ok("POST", "update", job_id=job_id, new_settings={"name": "new"})
    settings = (await jobs.ok("GET", "get", job_id=job_id))["settings"]
    await jobs.ok("POST", "reset", job_id=job_id, new_settings=settings)
    paused = cron("0 0 8 * * ? 2025", pause_status="PAUSED")
    await jobs.ok("POST", "update", job_id=job_id, new_settings=paused)
    message = await jobs.refused("POST", "update", job_id=job_id, new_settings=cron("0 0 9 * * ? 2025"))
    assert message == "The provided cron expression: 0 0 9 * * ? 2025 will never fire."


async def test_an_expression_that_never_fires(jobs):
    """Is refused in the service's words."""
    for expression in ("0 0 0 30 2 ?", "0 1 0 8 APR ? 2021"):
        message = await jobs.refused("POST", "create", tasks=[TASK], **cron(expression))
        assert message == f"The provided cron expression: {expression} will never fire."


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schedule": {"timezone_id": "UTC"}}, "Missing required field: schedule.quartz_cron_expression"),
        ({"schedule": {"quartz_cron_expression": "0 0 8 * * ?"}}, "Missing required field: schedule.timezone_id"),
        (cron("0 0 8 * * ?", pause_status="STOPPED"), "schedule.pause_status must be one of PAUSED, UNPAUSED"),
        ({**cron("0 0 8 * * ?"), "continuous": {}}, "Only one of schedule and continuous can be used."),
        ({"trigger": {"periodic": {"interval": 0, "unit": "DAYS"}}}, "periodic.interval must be at least 1"),
        ({"trigger": {"periodic": {"interval": 1, "unit": "YEARS"}}}, "trigger.periodic.unit must be one of"),
        (
            {"trigger": {"file_arrival": {"url": "/Volumes/a/b/c", "min_time_between_triggers_seconds": 59}}},
            "trigger.file_arrival.min_time_between_triggers_seconds must be at least 60",
        ),
        (
            {"trigger": {"table_update": {"table_names": ["a.b.c"], "wait_after_last_change_seconds": 1}}},
            "trigger.table_update.wait_after_last_change_seconds must be at least 60",
        ),
        ({"trigger": {"table_update": {"table_names": "a.b.c"}}}, "trigger.table_update.table_names must be an array"),
    ],
)
async def test_schedules_and_triggers_that_make_no_sense(jobs, settings, message):
    """Are refused by name."""
    assert message in await jobs.refused("POST", "create", tasks=[TASK], **settings)


async def test_an_empty_trigger_is_taken(jobs):
    """The specification requires none of its fields; it never fires."""
    job_id = await jobs.create(TASK, trigger={"file_arrival": {}})
    assert (await jobs.ok("GET", "get", job_id=job_id))["settings"]["trigger"] == {"file_arrival": {}}


async def test_a_run_of_a_schedule_says_so(jobs, workspace):
    """`PERIODIC`, with the schedule and the default parameters; a run that a caller started does not."""
    seen = []
    workspace.script_task("t", duration=1, call=lambda given: seen.append(given))
    task = {**TASK, "notebook_task": {"notebook_path": "/nb", "base_parameters": {}}}
    values = {
        "type": "{{job.trigger.type}}",
        "time": "{{job.trigger.time.iso_datetime}}",
        "day": "{{job.parameters.day}}",
    }
    task["notebook_task"]["base_parameters"] = values
    schedule = cron("30 0 8 * * ?", "Europe/Lisbon")
    job_id = await jobs.create(task, **schedule, parameters=[{"name": "day", "default": "{{job.start_time.iso_date}}"}])
    by_hand = await jobs.get(await jobs.run_now(job_id))
    workspace.clock.advance(DAY)
    first, scheduled = await runs_of(jobs, job_id)

    assert (first["trigger"], scheduled["trigger"]) == ("ONE_TIME", "PERIODIC")
    assert "schedule" not in by_hand
    assert scheduled["schedule"] == schedule["schedule"]
    assert scheduled["creator_user_name"] == "admin@example.com"
    assert [given["type"] for given in seen] == ["one_time", "periodic"]
    assert seen[1] == {"type": "periodic", "time": "2025-09-24T07:00:00", "day": "2025-09-24"}


async def test_a_paused_schedule_does_not_fire(jobs, workspace):
    """Nor one that was taken away, nor that of a deleted job; until it is resumed."""
    workspace.script_task("t", duration=1)
    paused = await jobs.create(TASK, **cron("0 0 8 * * ?", pause_status="PAUSED"))
    removed = await jobs.create(TASK, **cron("0 0 8 * * ?"))
    deleted = await jobs.create(TASK, **cron("0 0 8 * * ?"))
    renamed = await jobs.create(TASK, **cron("0 0 8 * * ?", pause_status="UNPAUSED"))
    await jobs.ok("POST", "update", job_id=removed, fields_to_remove=["schedule"])
    await jobs.ok("POST", "delete", job_id=deleted)
    await jobs.ok("POST", "update", job_id=renamed, new_settings={"name": "new"})
    workspace.clock.advance(DAY)
    counts = [len(await starts(jobs, job_id)) for job_id in (paused, removed, deleted, renamed)]
    await jobs.ok("POST", "update", job_id=paused, new_settings=cron("0 0 9 * * ?"))
    workspace.clock.advance(DAY)

    assert counts == [0, 0, 0, 1]
    assert await starts(jobs, paused) == ["2025-09-25T09:00:00"]


@pytest.mark.parametrize("queue", [True, False])
async def test_schedules_respect_the_limit_of_concurrent_runs(jobs, workspace, queue):
    """A run that is too many waits, or is skipped."""
    workspace.script_task("t", duration=100)
    job_id = await jobs.create(TASK, queue={"enabled": queue}, **cron("0 * * * * ?"))
    workspace.clock.advance(52 + 60 + 30)  # 16:43:00 and 16:44:00 have passed
    runs = await runs_of(jobs, job_id)
    second = "QUEUED" if queue else "SKIPPED MAXIMUM_CONCURRENT_RUNS_REACHED"
    assert [await jobs.state(run["run_id"]) for run in runs[:2]] == ["RUNNING", second]


@pytest.mark.parametrize("form", ["trigger", "triggers"])
async def test_periods(jobs, workspace, form):
    """Every so many hours from now on."""
    workspace.script_task("t", duration=1)
    periodic = {"periodic": {"interval": 6, "unit": "HOURS"}, "pause_status": "UNPAUSED"}
    job_id = await jobs.create(TASK, **{form: periodic if form == "trigger" else [periodic]})
    workspace.clock.advance(13 * 3600)
    assert await starts(jobs, job_id) == ["2025-09-23T22:42:08", "2025-09-24T04:42:08"]


async def test_a_continuous_job_always_has_one_run(jobs, workspace):
    """One after the other, later and later when they fail; none while it is paused."""
    workspace.timing.continuous = 10
    workspace.script_task("t", duration=60, times=2)
    workspace.script_task("t", duration=60, error="boom")
    job_id = await jobs.create(TASK, continuous={"pause_status": "UNPAUSED"})
    workspace.clock.advance(60 + 10 + 60 + 10 + 60 + 20 + 60 + 39)
    begun = await runs_of(jobs, job_id)
    workspace.clock.advance(1)
    more = await runs_of(jobs, job_id)
    await jobs.ok("POST", "update", job_id=job_id, new_settings={"continuous": {"pause_status": "PAUSED"}})
    workspace.clock.advance(DAY)

    assert {run["trigger"] for run in begun} == {"CONTINUOUS"}
    assert [run["start_time"] - START for run in begun] == [0, 70_000, 140_000, 220_000]
    assert more[-1]["start_time"] - START == 320_000
    assert [run["run_id"] for run in await runs_of(jobs, job_id)] == [run["run_id"] for run in more]


async def test_a_continuous_job_of_no_time_does_not_stop_the_clock(jobs, workspace):
    """There is at least a second between its runs."""
    workspace.timing.continuous = 0
    workspace.script_task("t", duration=0)
    job_id = await jobs.create(TASK, continuous={})
    workspace.clock.advance(10)
    assert len(await starts(jobs, job_id)) == 11


def files(url="/Volumes/main/raw/in/", **settings):
    return {"trigger": {"file_arrival": {"url": url, **settings}}}


async def test_files_start_the_jobs_that_watch_them(jobs, workspace):
    """In the location or below it, and in no other whose name only begins so."""
    seen = []
    workspace.script_task("t", duration=1, call=lambda given: seen.append(given))
    task = {**TASK, "notebook_task": {"notebook_path": "/nb"}}
    task["notebook_task"]["base_parameters"] = {"from": "{{job.trigger.file_arrival.location}}"}
    job_id = await jobs.create(task, **files())
    paused = await jobs.create(TASK, trigger=files()["trigger"] | {"pause_status": "PAUSED"})
    for location in ("/Volumes/main/raw/inbox/a.csv", "/Volumes/main/raw", "abfss://other"):
        workspace.file_arrived(location)
    before = await starts(jobs, job_id)
    workspace.file_arrived("/Volumes/main/raw/in/deep/a.csv")
    (run,) = await runs_of(jobs, job_id)
    workspace.clock.advance(1)

    assert (before, await runs_of(jobs, paused)) == ([], [])
    assert run["trigger"] == "FILE_ARRIVAL"
    assert await jobs.state(run["run_id"]) == "TERMINATED SUCCESS"
    assert seen == [{"from": "/Volumes/main/raw/in/"}]


async def test_triggers_wait_for_quiet_and_for_their_interval(jobs, workspace):
    """Each file puts the start off; what arrives too soon after a start waits for its time, and starts one run."""
    workspace.script_task("t", duration=1)
    settings = files(wait_after_last_change_seconds=60, min_time_between_triggers_seconds=600)
    job_id = await jobs.create(TASK, **settings)
    workspace.file_arrived("/Volumes/main/raw/in/1")
    workspace.clock.advance(50)
    workspace.file_arrived("/Volumes/main/raw/in/2")
    workspace.clock.advance(200)
    workspace.file_arrived("/Volumes/main/raw/in/3")
    workspace.file_arrived("/Volumes/main/raw/in/4")
    workspace.clock.advance(DAY)
    assert [run["start_time"] - START for run in await runs_of(jobs, job_id)] == [110_000, 710_000]


@pytest.mark.parametrize("condition", ["ANY_UPDATED", "ALL_UPDATED", None])
async def test_tables_start_the_jobs_that_watch_them(jobs, workspace, condition):
    """Any of them or all of them; references show which, their versions and when."""
    seen = []
    workspace.script_task("t", duration=1, call=lambda given: seen.append(given))
    task = {**TASK, "notebook_task": {"notebook_path": "/nb"}}
    task["notebook_task"]["base_parameters"] = {
        "tables": "{{job.trigger.table_update.updated_tables}}",
        "version": "{{job.trigger.table_update.main.sales.orders.version}}",
        "at": "{{job.trigger.table_update.main.sales.orders.commit_timestamp.iso_datetime}}",
        "quoted": "{{job.trigger.table_update.`main.sales.orders`.version}}",
    }
    names = {"table_names": ["main.sales.orders", "main.sales.items"]}
    job_id = await jobs.create(task, trigger={"table_update": names | ({"condition": condition} if condition else {})})
    workspace.table_updated("main.sales.other")
    workspace.table_updated("main.sales.orders", version=7)
    early = len(await runs_of(jobs, job_id))
    workspace.clock.advance(5)
    workspace.table_updated("main.sales.items")
    runs = await runs_of(jobs, job_id)
    workspace.clock.advance(5)
    await runs_of(jobs, job_id)

    every = condition == "ALL_UPDATED"
    assert (early, len(runs)) == ((0, 1) if every else (1, 2))
    assert {run["trigger"] for run in runs} == {"TABLE"}
    tables = '["main.sales.orders","main.sales.items"]' if every else '["main.sales.orders"]'
    assert seen[0] == {"tables": tables, "version": "7", "at": "2025-09-23T16:42:08", "quoted": "7"}


async def test_backfills(jobs, workspace):
    """One run for each moment, which references show; what is too many at once waits."""
    seen = []
    workspace.script_task("t", duration=1, call=lambda given: seen.append(given["day"]))
    job_id = await jobs.create(TASK, parameters=[{"name": "day", "default": "{{job.start_time.iso_date}}"}])
    days = [datetime(2025, 1, day, tzinfo=UTC) for day in (1, 2)]
    run_ids = workspace.run_backfill(job_id, *days, job_parameters={"day": "{{backfill.iso_date}}"})
    states = [await jobs.state(run_id) for run_id in run_ids]
    workspace.clock.advance(2)

    assert states == ["RUNNING", "QUEUED"]
    assert [await jobs.state(run_id) for run_id in run_ids] == ["TERMINATED SUCCESS"] * 2
    assert seen == ["2025-01-01", "2025-01-02"]
