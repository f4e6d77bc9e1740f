"""Common mistakes get an answer: what to write instead, in the first line of the message.

Tries `suggest.py`.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import io
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import databricks.sdk as official
import pytest
from databricks.sdk.service import compute, jobs
from fastapi import UploadFile

from databricks_async import WorkspaceClient, client
from databricks_async.clusters import ClusterSpec
from databricks_async.config import Arguments
from databricks_async.jobs import RunFailed, RunNow
from databricks_async.local import Clock, LocalWorkspace
from databricks_async.manual.tools import tables

NOTEBOOK = "# Databricks notebook source\nprint('Grüße')\n"
MACHINES: dict[str, Any] = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}


@pytest.mark.parametrize(
    "mistake",
    [
        lambda w: list(w.jobs.list()),
        lambda w: list(w.clusters.watch("id")),
        lambda w: list(w.jobs.wait_run(1)),
        lambda w: list(w.workspace.download("/x")),
    ],
    ids=["pager", "watch", "wait", "download"],
)
def test_a_plain_loop_is_told_to_be_asynchronous(w: WorkspaceClient, mistake: Callable[[WorkspaceClient], Any]) -> None:
    with pytest.raises(TypeError, match=r"write `async for .* in "):
        mistake(w)


@pytest.mark.parametrize(
    ("mistake", "instead"),
    [
        (lambda w: w.jobs.list(), r"`await pager\.collect\(\)`"),
        (lambda w: w.clusters.watch("id"), "`async for change in watch`"),
        (lambda w: w.jobs.wait_run(1), r"`await wait\.result\(\)`"),
        (lambda w: w.workspace.download("/x"), r"`await download\.read\(\)`.*`await download\.save\(path\)`"),
    ],
    ids=["pager", "watch", "wait", "download"],
)
async def test_what_is_not_awaited_says_what_is(
    w: WorkspaceClient, mistake: Callable[[WorkspaceClient], Awaitable[Any]], instead: str
) -> None:
    with pytest.raises(TypeError, match=instead):
        await mistake(w)


def test_a_plain_with_is_told_to_be_asynchronous() -> None:
    client: Any = WorkspaceClient(host="https://adb-1.2.azuredatabricks.net", token="t")
    with pytest.raises(TypeError, match="`async with WorkspaceClient"), client:
        pass


@pytest.fixture
def workspace_clock() -> Clock:
    """A clock by which clusters start and stop while a test waits for them."""
    return Clock.sped_up(10_000)


async def test_the_result_of_a_start_can_be_awaited_at_once(w: WorkspaceClient) -> None:
    cluster = await w.clusters.create(ClusterSpec(**MACHINES)).result(timeout=60)
    assert (await w.clusters.delete(cluster.cluster_id).result()).cluster_id == cluster.cluster_id


async def test_a_start_is_a_coroutine_like_any_other(w: WorkspaceClient) -> None:
    assert asyncio.iscoroutinefunction(w.clusters.create)
    task = asyncio.create_task(w.clusters.create(**MACHINES))
    (wait,) = await asyncio.gather(task)
    assert wait.cluster_id


async def test_the_result_of_a_start_takes_what_that_of_a_wait_takes(
    w: WorkspaceClient, workspace: LocalWorkspace
) -> None:
    workspace.script_task("a", error="boom")
    workspace.fail_next_start()
    task: Any = {"task_key": "a", "notebook_task": {"notebook_path": "/x"}}
    once, twin, cluster = await asyncio.gather(
        w.jobs.submit(tasks=[task]).result(check=False),
        w.jobs.submit_and_wait(tasks=[task], check=False),
        w.clusters.create(**MACHINES).result(check=False),
    )
    assert (once.succeeded, twin.succeeded, cluster.state) == (False, False, "TERMINATED")


async def test_a_wrong_timeout_is_told_before_anything_is_sent(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    with pytest.raises(TypeError, match="timeout must be"):
        await w.clusters.create(**MACHINES).result("soon")  # type: ignore[arg-type]
    assert workspace.journal.entries == []


@pytest.mark.parametrize(
    ("mistake", "instead"),
    [
        (lambda w: w.jobs.list(limit=5), "page_size= .* max_items="),
        (lambda w: w.jobs.list_runs(limit=5), "page_size= .* max_items="),
        (lambda w: w.clusters.list(limit=5), "page_size= .* max_items="),
        (lambda w: w.clusters.events("id", limit=5), "page_size= .* max_items="),
        (lambda w: w.workspace.list("/", recursive=True), r"w\.workspace\.walk\(path\)"),
    ],
)
def test_keywords_from_elsewhere_are_answered(
    w: WorkspaceClient, mistake: Callable[[WorkspaceClient], Any], instead: str
) -> None:
    with pytest.raises(TypeError, match=instead):
        mistake(w)


async def test_many_runs_are_not_awaited(w: WorkspaceClient) -> None:
    outcomes: Any = w.jobs.run_many([{"job_id": 1}])
    with pytest.raises(TypeError, match=r"write `async with w\.jobs\.run_many"):
        await outcomes
    with pytest.raises(TypeError, match=r"write `async with w\.jobs\.run_many"):
        list(outcomes)


async def test_a_callback_is_answered(w: WorkspaceClient) -> None:
    for wait in (w.jobs.wait_run(1), w.clusters.wait_running("id")):
        with pytest.raises(TypeError, match="no callback=: write `async for change in wait"):
            await wait.result(callback=print)  # type: ignore[call-arg]
    twins = [getattr(api, name) for api in (w.clusters, w.jobs) for name in dir(api) if name.endswith("_and_wait")]
    assert len(twins) == 11
    for twin in twins:
        with pytest.raises(TypeError, match=r"_and_wait\(\) has no callback=: write `async for change in wait"):
            await twin(callback=print)


async def test_arguments_of_the_official_methods_are_answered(w: WorkspaceClient) -> None:
    """All that a method of the same name takes there and not here."""
    answered = 0
    for service, kinds in tables.SERVICES.items():
        theirs, own = map(tables.methods_of, kinds)
        for method in theirs.keys() & own.keys():
            for name in tables.missing_arguments(theirs[method], own[method]):
                with pytest.raises(TypeError, match=rf"{method}\(\) has no {name}=: \w"):
                    await getattr(getattr(w, service), method)(**{name: None})
                answered += 1
    assert answered >= 9


def test_settings_of_the_official_client_are_answered() -> None:
    given = {
        *inspect.signature(official.WorkspaceClient).parameters,
        *(one.name for one in official.core.Config.attributes()),
    }
    missing = given - {"config"} - {*Arguments.__annotations__}
    assert {"rate_limit", "credentials_strategy", "skip_verify"} <= missing
    for name in missing:
        with pytest.raises(TypeError, match=f"no attribute '{name}': (?!did you mean)"):
            WorkspaceClient(**{name: None})


def test_what_the_client_has_not_is_answered(w: WorkspaceClient) -> None:
    for name, instead in [
        ("dbfs", r'w\.request\("GET", "/api/2\.0/dbfs/'),
        ("users", r'w\.request\("GET", "/api/2\.0/preview/scim/v2/Users"\)'),
        ("job", "did you mean 'jobs'"),
        ("dbutils", r"it is not here .*`await w\.request\(method, path\)`"),
        ("get_workspace_id", r"`w\.config\.workspace_id`"),
        ("api_client", r"`await w\.request\(method, path\)`"),
        ("close", r"`await w\.aclose\(\)`"),
    ]:
        with pytest.raises(AttributeError, match=rf"^w\.{name}: .*{instead}"):
            getattr(w, name)
    assert not hasattr(w, "dbfs")


def test_the_paths_it_names_are_those_of_the_official_client() -> None:
    for name, path in client._PATHS.items():
        api = inspect.signature(getattr(official.WorkspaceClient, name).fget).return_annotation
        texts = [Path(inspect.getfile(kind)).read_text(encoding="utf-8") for kind in api.__mro__[:-1]]
        assert any(f"/api/2.0/{path.rstrip('.')}" in text for text in texts), name


def test_help_names_what_a_failed_run_has() -> None:
    assert "`failed_tasks`" in (inspect.getdoc(RunFailed) or "")


def test_an_account_is_not_here() -> None:
    with pytest.raises(ImportError, match=r"'AccountClient' from 'databricks_async': the API of accounts is not here"):
        from databricks_async import AccountClient  # type: ignore[attr-defined]  # noqa: F401


async def test_a_download_needs_no_with(w: WorkspaceClient) -> None:
    download: Any = w.workspace.download("/x")
    with pytest.raises(TypeError, match=r"`await download\.read\(\)`.*`await download\.save\(path\)`"), download:
        pass
    with pytest.raises(TypeError, match=r"`await download\.read\(\)`.*`await download\.save\(path\)`"):
        async with download:
            pass


def test_several_faults_in_one_text_are_told_to_be_a_list(workspace: LocalWorkspace) -> None:
    with pytest.raises(ValueError, match="several faults: a list"):
        workspace.faults.plan("A=403,skip=5;B=429")


def test_private_names_of_the_client_are_no_apis(w: WorkspaceClient) -> None:
    with pytest.raises(AttributeError, match="no attribute '_repr_mimebundle_'"):
        w._repr_mimebundle_  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(
    ("call", "method", "name"),
    [
        (lambda w: w.jobs.run_now(1, job_id=2), "run_now", "job_id="),
        (lambda w: w.jobs.run_now_and_wait(RunNow(job_id=1), job_id=2), "run_now", "job_id="),
        (lambda w: w.jobs.repair_run(1, run_id=2), "repair_run", "run_id="),
    ],
)
async def test_an_id_given_twice_is_told_by_the_method(
    w: WorkspaceClient, call: Callable[[WorkspaceClient], Awaitable[Any]], method: str, name: str
) -> None:
    with pytest.raises(TypeError, match=f"{method}\\(\\) got the .* twice.*without {name}") as caught:
        await call(w)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == method


@pytest.mark.parametrize(
    "mistake",
    [
        lambda w: w.clusters.events("id", event_types=["RUNING"]),
        lambda w: w.clusters.events("id", order="DECS"),
        lambda w: w.jobs.list_runs(run_type="JOB_RUNN"),
        lambda w: w.workspace.download("/x", format="JUPITER"),
        lambda w: w.workspace.upload("/x", b"", format="SORCE"),
        lambda w: w.workspace.import_("/x", b"", language="PYTON"),
        lambda w: w.clusters.create(**MACHINES, runtime_engine="PHOTOON"),
        lambda w: w.clusters.create({**MACHINES, "azure_attributes": {"availability": "SPOT_AZUR"}}),
    ],
)
async def test_a_misspelt_word_is_corrected(w: WorkspaceClient, mistake: Callable[[WorkspaceClient], Any]) -> None:
    with pytest.raises(
        ValueError, match=r"did you mean '(RUNNING|DESC|JOB_RUN|JUPYTER|SOURCE|PYTHON|PHOTON|SPOT_AZURE)'"
    ):
        await mistake(w)


def test_a_word_of_tomorrow_passes(w: WorkspaceClient) -> None:
    w.clusters.events("id", event_types=["RUNNING", "CLUSTER_DREAMS"])
    w.workspace.download("/x", format="PARQUET")


# --- models of the official SDK


async def test_models_of_the_official_sdk_are_taken(w: WorkspaceClient) -> None:
    task = jobs.Task(
        task_key="a",
        run_if=jobs.RunIf.ALL_DONE,
        notebook_task=jobs.NotebookTask(notebook_path="/x"),
        new_cluster=compute.ClusterSpec(**MACHINES),
    )
    created = await w.jobs.create(name="ported", tasks=[task], queue=jobs.QueueSettings(enabled=True))
    assert created.job_id is not None
    job = await w.jobs.get(created.job_id)
    assert job.settings is not None
    assert job.settings.tasks is not None
    assert job.settings.tasks[0].notebook_task is not None
    assert job.settings.tasks[0].notebook_task.notebook_path == "/x"
    await w.jobs.reset(created.job_id, jobs.JobSettings(name="again", tasks=[task]))  # type: ignore[arg-type]
    await w.clusters.create(compute.ClusterSpec(**MACHINES))  # type: ignore[arg-type]
    await w.clusters.create(
        **MACHINES, azure_attributes=compute.AzureAttributes(availability=compute.AzureAvailability.SPOT_AZURE)
    )


async def test_anything_with_as_dict_is_taken_by_it(w: WorkspaceClient) -> None:
    job = await w.jobs.create(name="a", tasks=[{"task_key": "a", "notebook_task": {"notebook_path": "/x"}}])
    request: Any = SimpleNamespace(as_dict=lambda: {"job_id": job.job_id})
    assert (await w.jobs.run_now(request)).run_id
    async with w.jobs.run_many([request]) as outcomes:
        assert [outcome.run_id is not None async for outcome in outcomes] == [True]


async def test_a_model_of_another_kind_is_refused_still(w: WorkspaceClient) -> None:
    with pytest.raises(ValueError, match="expected Task, got ClusterSpec"):
        await w.jobs.create(name="a", tasks=[ClusterSpec(**MACHINES)])


# --- content


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        (base64.b64encode(NOTEBOOK.encode()).decode(), {}),
        (base64.b64encode(NOTEBOOK.encode()), {"language": "PYTHON"}),
        (base64.b64encode(b"x" * 4095 + "ü".encode()).decode(), {"format": "AUTO"}),
        (base64.b64encode(b"PK\x03\x04\x00\xff\xfe").decode(), {"format": "DBC"}),
    ],
)
async def test_base64_is_no_content(
    w: WorkspaceClient, workspace: LocalWorkspace, content: str | bytes, settings: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"content is base64: .* base64\.b64decode\(content\)"):
        await w.workspace.import_("/a.py", content, **settings)
    assert workspace.journal.entries == []


async def test_a_file_may_hold_base64(w: WorkspaceClient) -> None:
    held = base64.b64encode(NOTEBOOK.encode())
    await w.workspace.import_("/key.txt", held, format="RAW")
    assert await w.workspace.export("/key.txt", format="RAW") == held


@pytest.mark.parametrize("content", ["print(1)", "SELECT", "abcdefgh", "SELECTED", "x=1", NOTEBOOK])
async def test_source_is_not_taken_for_base64(w: WorkspaceClient, content: str) -> None:
    await w.workspace.import_("/a", content, language="PYTHON")
    assert content.encode() in await w.workspace.export("/a")


class Stream:
    """What `aiofiles.open` gives: an asynchronous read, and lines in a loop."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)
        self.sizes: list[int] = []

    async def read(self, size: int = -1) -> bytes:
        self.sizes.append(size)
        return self._file.read(size)

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("lines may be of any length")


class Whole:
    """What the answer of an HTTP client gives: all of it at once."""

    async def read(self) -> bytes:
        return CONTENT


CONTENT = bytes(range(256)) * 4096


async def test_an_upload_file_of_fastapi_is_sent(w: WorkspaceClient) -> None:
    await w.workspace.mkdirs("/Shared")
    await w.workspace.upload("/Shared/a.bin", UploadFile(io.BytesIO(CONTENT), filename="a.bin"), format="RAW")
    assert await w.workspace.export("/Shared/a.bin", format="RAW") == CONTENT


async def test_whatever_has_an_asynchronous_read_is_sent_in_pieces(w: WorkspaceClient) -> None:
    stream = Stream(CONTENT)
    await w.workspace.upload("/a.bin", stream, format="RAW")
    assert await w.workspace.download("/a.bin").read() == CONTENT
    assert len(stream.sizes) > 1
    assert -1 not in stream.sizes
    await w.workspace.upload("/b.bin", Whole(), format="RAW")
    assert await w.workspace.download("/b.bin").read() == CONTENT
    await w.workspace.upload("/c.bin", w.workspace.download("/a.bin"), format="RAW")
    assert await w.workspace.download("/c.bin").read() == CONTENT
    reader = asyncio.StreamReader()
    reader.feed_data(CONTENT)
    reader.feed_eof()
    await w.workspace.upload("/d.bin", reader, format="RAW")
    assert await w.workspace.download("/d.bin").read() == CONTENT


async def test_import_of_a_file_names_upload(w: WorkspaceClient) -> None:
    with pytest.raises(TypeError, match=r"upload\(\) takes files"):
        await w.workspace.import_("/a", io.BytesIO(b""))  # type: ignore[arg-type]


async def test_a_start_that_was_not_awaited_says_so(w: WorkspaceClient) -> None:
    starting: Any = w.jobs.run_now(1)
    with pytest.raises(AttributeError, match=r"`await` it first, as in `\(await Jobs\.run_now\(\.\.\.\)\)\.run_id`"):
        starting.run_id  # noqa: B018
    assert not hasattr(starting, "_repr_html_")
    starting.close()


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("jobs.wait_get_run_job_terminated_or_skipped", "wait_run"),
        ("clusters.wait_get_cluster_running", "wait_running"),
        ("clusters.wait_get_cluster_terminated", "wait_terminated"),
        ("jobs.runnow", "run_now"),
    ],
)
def test_a_method_by_another_name_is_found(w: WorkspaceClient, name: str, here: str) -> None:
    service, _, method = name.partition(".")
    with pytest.raises(AttributeError, match=f"has no attribute '{method}': did you mean '{here}'"):
        getattr(getattr(w, service), method)
    with pytest.raises(AttributeError, match=r"has no attribute '_repr_html_'$"):
        w.jobs._repr_html_  # type: ignore[attr-defined]  # noqa: B018
