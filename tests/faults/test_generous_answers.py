"""Answers that lack something, or have something impossible: read as far as they go, and never the caller's fault."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from databricks_async.errors import BadRequest, InvalidResponse, OutcomeUnknown, PagingError
from databricks_async.jobs.models import Run

SPEC = {"cluster_name": "x", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
TASKS = [{"task_key": "a", "notebook_task": {"notebook_path": "/a"}}]

SPECIFIED = pytest.mark.parametrize("api_versions", [{"clusters": "2.0", "jobs": "2.1", "workspace": "2.0"}])


def answers(server, *bodies, status="200 OK", kind="application/json"):
    """Has a server give these answers in turn, and the last one to all later requests."""
    rest = [body if isinstance(body, bytes) else orjson.dumps(body) for body in bodies]

    async def answer(reader, writer):
        body = rest.pop(0) if len(rest) > 1 else rest[0]
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    server.answer = answer


def requested(server):
    return [head.split(b" HTTP/1.1", 1)[0].decode() for head in server.received]


async def empty_page(pager):
    return [page.items async for page in pager.pages()] == [[]]


OPERATIONS = {
    "clusters.get": lambda w: w.clusters.get("c"),
    "clusters.edit": lambda w: w.clusters.edit("c", SPEC),
    "clusters.list": lambda w: empty_page(w.clusters.list()),
    "clusters.events": lambda w: empty_page(w.clusters.events("c")),
    "clusters.list_node_types": lambda w: w.clusters.list_node_types(),
    "clusters.spark_versions": lambda w: w.clusters.spark_versions(),
    "clusters.list_zones": lambda w: w.clusters.list_zones(),
    "clusters.get_permissions": lambda w: w.clusters.get_permissions("c"),
    "libraries.cluster_status": lambda w: empty_page(w.libraries.cluster_status("c")),
    "jobs.get": lambda w: w.jobs.get(1),
    "jobs.list": lambda w: empty_page(w.jobs.list()),
    "jobs.get_run": lambda w: w.jobs.get_run(1),
    "jobs.list_runs": lambda w: empty_page(w.jobs.list_runs()),
    "jobs.get_run_output": lambda w: w.jobs.get_run_output(1),
    "jobs.export_run": lambda w: w.jobs.export_run(1),
    "jobs.repair_run": lambda w: w.jobs.repair_run(1, rerun_all_failed_tasks=True),
    "jobs.get_permission_levels": lambda w: w.jobs.get_permission_levels(1),
    "workspace.get_status": lambda w: w.workspace.get_status("/a"),
    "workspace.list": lambda w: empty_page(w.workspace.list("/a")),
    "current_user.me": lambda w: w.current_user.me(),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
async def test_an_empty_answer_is_read(server, connect, operation):
    """What is missing is None."""
    answers(server, {})
    assert await operation(connect(server.url)) is not False


@pytest.mark.parametrize(
    ("start", "missing"),
    [
        (lambda w: w.clusters.create(SPEC), "cluster_id: expected text"),
        (lambda w: w.jobs.create(tasks=TASKS), "job_id: expected a whole number"),
        (lambda w: w.jobs.run_now(1), "run_id: expected a whole number"),
        (lambda w: w.jobs.submit(tasks=TASKS), "run_id: expected a whole number"),
    ],
)
async def test_the_id_that_a_call_is_about_is_needed(server, connect, start, missing):
    """Something was made, and nobody knows what."""
    answers(server, {})
    with pytest.raises(OutcomeUnknown, match=missing):
        await start(connect(server.url))


async def test_one_odd_job_does_not_hide_the_others(server, connect):
    """A trigger without the field that the documentation requires."""
    odd = {"job_id": 1, "settings": {"trigger": {"file_arrival": {}}}}
    answers(server, {"jobs": [odd, {"job_id": 2}]})
    jobs = await connect(server.url).jobs.list().collect()
    assert [job.job_id for job in jobs] == [1, 2]
    assert jobs[0].settings.trigger.file_arrival.url is None


async def test_node_types_without_an_instance_type(server, connect):
    """As an emulator gives them; they can be chosen from."""
    answers(server, {"node_types": [{"node_type_id": "Standard_DS3_v2", "num_cores": 4.0, "memory_mb": 14336}, {}]})
    assert await connect(server.url).clusters.select_node_type(min_cores=2) == "Standard_DS3_v2"


@pytest.mark.parametrize("run_id", [-1, None], ids=["negative", "absent"])
async def test_an_impossible_id_in_an_answer_is_the_servers_fault(server, connect, run_id):
    """No ValueError about an argument that nobody gave."""
    task = {"task_key": "a", "run_id": run_id, "for_each_task": {}, "state": {"life_cycle_state": "TERMINATED"}}
    answers(server, {"run_id": 1, "tasks": [task]})
    w = connect(server.url)
    if run_id is None:
        assert await w.jobs.get_run_outputs(1) == {}
    else:
        with pytest.raises(InvalidResponse, match="impossible run_id -1"):
            await w.jobs.get_run_outputs(1)


@pytest.mark.parametrize("job_id", [-5, None])
async def test_a_job_whose_tasks_cannot_be_asked_for(server, connect, job_id):
    """The listing says that there are more tasks, and not of which job."""
    answers(server, {"jobs": [{"job_id": job_id, "has_more": True}]})
    with pytest.raises(InvalidResponse, match="job_id"):
        await connect(server.url).jobs.list(expand_tasks=True).collect()


@SPECIFIED
async def test_events_that_lead_to_another_cluster(server, connect):
    """A next page of another cluster's events is not followed."""
    answers(server, {"events": [{"cluster_id": "c"}], "next_page": {"cluster_id": "other", "offset": 1}})
    w = connect(server.url)
    with pytest.raises(InvalidResponse, match="other"):
        await w.clusters.events("c").collect()
    assert len(server.received) == 1


@SPECIFIED
async def test_events_whose_next_page_names_no_cluster(server, connect):
    """It is that of the same cluster."""
    answers(server, {"events": [{"timestamp": 1}], "next_page": {"offset": 1}}, {"events": [{"timestamp": 2}]})
    w = connect(server.url)
    assert [event.timestamp for event in await w.clusters.events("c").collect()] == [1, 2]


def test_durations_beyond_all_measure():
    """Derived properties are None where no timedelta can hold them."""
    run = Run.from_dict({"end_time": 1, "execution_duration": 2**63 - 1, "setup_duration": 2**63 - 1})
    assert run.duration is None
    assert Run.from_dict({"start_time": 2**63 - 1}).start is None


async def test_plain_text_that_claims_to_be_html_keeps_its_message(server, connect):
    """Some gateways send every error as text/html."""
    answers(server, b"The workspace is being upgraded.", status="400 Bad Request", kind="text/html; charset=utf-8")
    with pytest.raises(BadRequest, match="The workspace is being upgraded"):
        await connect(server.url).clusters.get("c")


@pytest.mark.parametrize("start", [lambda w: w.jobs.submit(tasks=TASKS), lambda w: w.clusters.create(SPEC)])
async def test_a_web_page_in_place_of_the_answer_to_a_start(server, connect, start):
    """What was asked for may have been done behind it."""
    answers(server, b"<html><head><title>Sign in</title></head></html>", kind="text/html")
    with pytest.raises(OutcomeUnknown, match="web page"):
        await start(connect(server.url))


# --- The specification's versions.


@SPECIFIED
async def test_a_newer_version_is_asked_only_when_tasks_are_missing(server, connect):
    """Not for arrays that a job or run simply does not have."""
    settings = {"name": "j", "format": "MULTI_TASK", "tasks": TASKS}
    answers(server, {"job_id": 1, "settings": settings}, {"run_id": 2, "tasks": TASKS}, {"job_id": 3}, {"run_id": 4})
    w = connect(server.url)
    await w.jobs.get(1)
    await w.jobs.get_run(2)
    await w.jobs.get(3)
    await w.jobs.get_run(4)
    assert requested(server) == [
        "GET /api/2.1/jobs/get?job_id=1",
        "GET /api/2.1/jobs/runs/get?run_id=2",
        "GET /api/2.1/jobs/get?job_id=3",
        "GET /api/2.1/jobs/runs/get?run_id=4",
    ]


CUT = {
    "100 tasks": {"tasks": TASKS * 100},
    "more": {"tasks": TASKS, "has_more": True},
    "none": {"format": "MULTI_TASK"},
}


@SPECIFIED
@pytest.mark.parametrize("run", CUT.values(), ids=CUT)
async def test_a_service_that_does_not_speak_the_newer_version_is_asked_once(server, connect, run):
    """Whatever words it refuses it with."""
    w = connect(server.url)
    statuses = iter(["200 OK", "404 Not Found", "200 OK", "200 OK"])

    async def answer(reader, writer):
        body = orjson.dumps({"run_id": 1, **run})
        writer.write(
            f"HTTP/1.1 {next(statuses)}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        await writer.drain()

    server.answer = answer
    for _ in range(3):
        assert (await w.jobs.get_run(1)).run_id == 1
    assert [line.split("?")[0] for line in requested(server)] == [
        "GET /api/2.1/jobs/runs/get",
        "GET /api/2.2/jobs/runs/get",
        "GET /api/2.1/jobs/runs/get",
        "GET /api/2.1/jobs/runs/get",
    ]


@SPECIFIED
async def test_listings_without_page_tokens_go_on_by_offset(server, connect):
    """The specification has `has_more` and `offset`, and no tokens; a page's place can be handed on."""

    async def answer(reader, writer):
        target = server.received[-1].split(b" ")[1].decode()
        offset = int(dict(parse_qsl(urlsplit(target).query)).get("offset", 0))
        ids = [*range(offset, min(offset + 3, 8))]
        body = orjson.dumps({"jobs": [{"job_id": one} for one in ids], "has_more": offset + 3 < 8})
        writer.write(f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    server.answer = answer
    w = connect(server.url)
    assert [job.job_id async for job in w.jobs.list(page_size=3)] == [*range(8)]
    pages = [page async for page in w.jobs.list(page_size=3, offset=1).pages()]
    assert [job.job_id for page in pages for job in page.items] == [*range(1, 8)]
    assert [job.job_id async for job in w.jobs.list(page_token=pages[0].next_page_token)] == [*range(4, 8)]


@SPECIFIED
async def test_a_service_that_always_has_more_is_not_asked_for_ever(server, connect):
    """An empty page that has more leads to itself."""
    answers(server, {"runs": [], "has_more": True})
    with pytest.raises(PagingError):
        await connect(server.url).jobs.list_runs().collect()
