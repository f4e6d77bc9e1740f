"""What the tasks of the soak do, each with things of its own, so that what every answer has to be is known."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import attrs
from soaking.ledger import GONE, HUNG_SECONDS, PERHAPS_GONE, Books, Stopped
from soaking.service import FOLDER

from databricks_async import WorkspaceClient
from databricks_async.clusters.models import State
from databricks_async.errors import OutcomeUnknown
from databricks_async.jobs.errors import RunFailed

SPEC: dict[str, Any] = {
    "spark_version": "16.4.x-scala2.12",
    "node_type_id": "Standard_DS3_v2",
    "num_workers": 1,
    "autotermination_minutes": 0,
}
_CROWD, _CROWD_CONTENTS = 15, 1_500
_TASK = {"task_key": "works", "notebook_task": {"notebook_path": "/works"}}
_FAILING = {"task_key": "fails", "notebook_task": {"notebook_path": "/fails"}}
_numbers = itertools.count(1)


@attrs.define
class Desk:
    """What a task has to work with."""

    w: WorkspaceClient
    books: Books
    random: random.Random
    tree: Path
    """A folder of this machine that is imported now and then."""
    unsure: list[tuple[str, str]]
    """Clusters and jobs that may exist, by their names; all tasks have the same list."""
    is_last: bool = False
    """Whether what is made now is left where it is, to be counted at the end."""

    def mark(self) -> str:
        return f"soak-{next(_numbers)}"

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def patience(self) -> float | None:
        """After how many seconds the caller gives a write up, if at all."""
        return self.random.random() * 0.1 if self.happens(0.02) else None

    async def make(self, kind: str, name: str, call: Awaitable[Any]) -> Any:
        """Make a cluster or a job."""
        try:
            return await self.books.write(kind, name, call, give_up_after=self.patience())
        except Stopped:
            self.unsure.append((kind, name))
            raise

    async def end(self, kind: str, marker: object, call: Awaitable[Any], *made: tuple[str, str]) -> None:
        """Delete what was made."""
        try:
            await self.books.write(kind, str(marker), call)
        except Stopped:
            word = PERHAPS_GONE
        else:
            word = GONE
        for what in made:
            self.books.note(*what, word)


Scene: TypeAlias = Callable[[Desk], Coroutine[Any, Any, None]]


async def some(desk: Desk, *steps: Callable[[], Awaitable[None]]) -> None:
    """Some of these, in this order; one of which nothing is known afterwards ends them."""
    try:
        for step in steps:
            if desk.happens(0.5):
                await step()
    except Stopped:
        return


# --- clusters and libraries ------------------------------------------------------------------------------------------


async def cluster(desk: Desk) -> None:
    """The life of a cluster."""
    books, clusters, name = desk.books, desk.w.clusters, desk.mark()
    token = {"idempotency_token": name} if desk.happens(0.5) else {}
    wait = await desk.make("clusters/create", name, clusters.create(**SPEC, cluster_name=name, **token))
    cluster_id = wait.cluster_id
    is_watched = desk.happens(0.5)

    async def look(**wanted: object) -> None:
        def is_right(seen: Any) -> bool:
            return seen.cluster_name == name and all(getattr(seen, field) == wanted[field] for field in wanted)

        await books.read("clusters/get", clusters.get(cluster_id), is_right)

    async def until_running() -> None:
        if is_watched:
            seen = [state async for state in _within(clusters.watch(cluster_id, until=_is_up))]
            books.wrong_unless(seen[-1].state == State.RUNNING, f"watched {name} until {seen[-1].state}")
        else:
            await books.read("wait for a cluster", wait.result(), lambda seen: seen.state == State.RUNNING)

    async def pins() -> None:
        await books.write("clusters/pin", cluster_id, clusters.pin(cluster_id))
        await books.write("clusters/unpin", cluster_id, clusters.unpin(cluster_id))

    async def permissions() -> None:
        user = f"{desk.mark()}@example.com"
        given = [{"user_name": user, "permission_level": "CAN_RESTART"}]
        await books.write(_ON_CLUSTERS, user, clusters.update_permissions(cluster_id, given))
        await books.read("permissions/get", clusters.get_permissions(cluster_id), lambda seen: _has(seen, user))

    async def libraries() -> None:
        package, api = desk.mark(), desk.w.libraries
        await books.write("libraries/install", package, api.install(cluster_id, [{"pypi": {"package": package}}]))
        shown = api.cluster_status(cluster_id).collect()
        await books.read("libraries/cluster-status", shown, lambda seen: str(seen).count(package) == 1)

    async def changes() -> None:
        await books.read("wait for a cluster", wait.result(), lambda seen: seen.state == State.RUNNING)
        mark = desk.mark()
        tags = {"custom_tags": {"edit": mark}}
        if desk.happens(0.5):
            changed = await books.write(
                "clusters/edit", mark, clusters.edit(cluster_id, **SPEC, cluster_name=name, **tags)
            )
        else:
            changed = await books.write("clusters/update", mark, clusters.update(cluster_id, "custom_tags", tags))
        await books.read("wait for a cluster", changed.result(), lambda seen: seen.state == State.RUNNING)
        await look(custom_tags={"edit": mark})

    async def restarts() -> None:
        await books.read("wait for a cluster", wait.result(), lambda seen: seen.state == State.RUNNING)
        again = await books.write("clusters/restart", cluster_id, clusters.restart(cluster_id))
        await books.read("wait for a cluster", again.result(), lambda seen: seen.state == State.RUNNING)
        wider = await books.write("clusters/resize", f"{cluster_id} 3", clusters.resize(cluster_id, num_workers=3))
        await books.read("wait for a cluster", wider.result(), lambda seen: len(seen.executors or ()) == 3)

    async def stops() -> None:
        down = await books.write("clusters/delete", cluster_id, clusters.delete(cluster_id))
        await books.read("wait for a cluster", down.result(), lambda seen: seen.state == State.TERMINATED)
        up = await books.write("clusters/start", cluster_id, clusters.start(cluster_id))
        await books.read("wait for a cluster", up.result(), lambda seen: seen.state == State.RUNNING)

    async def events() -> None:
        shown = clusters.events(cluster_id, page_size=2, order="ASC").collect()
        await books.read("clusters/events", shown, lambda seen: [str(one.type) for one in seen].count("CREATING") == 1)

    await some(
        *(desk, look, permissions, look, libraries, until_running, events, pins, changes, look, restarts, stops),
        *(look, events, permissions),
    )
    if desk.is_last:
        return
    call = clusters.permanent_delete(cluster_id)
    await desk.end("clusters/permanent-delete", cluster_id, call, ("clusters/create", name))


def _is_up(seen: Any) -> bool:
    return bool(seen.state == State.RUNNING)


def _has(permissions: Any, user: str) -> bool:
    return [entry.user_name for entry in permissions.access_control_list or ()].count(user) == 1


# --- jobs and runs ---------------------------------------------------------------------------------------------------


async def job(desk: Desk) -> None:
    """The life of a job, and of some of its runs."""
    books, jobs, name = desk.books, desk.w.jobs, desk.mark()
    tasks = [_TASK, _FAILING] if desk.happens(0.2) else [_TASK]
    settings: dict[str, Any] = {
        **{"name": name, "tasks": tasks, "max_concurrent_runs": 10},
        "parameters": [{"name": "mark", "default": "none"}],
    }
    job_id = (await desk.make("jobs/create", name, jobs.create(settings))).job_id
    tags: dict[str, str] = {}

    async def look() -> None:
        def is_right(seen: Any) -> bool:
            return seen.settings.name == name and (seen.settings.tags or {}) == tags

        await books.read("jobs/get", jobs.get(job_id), is_right)

    async def listed() -> None:
        found = jobs.list(name=name).collect()
        await books.read("jobs/list", found, lambda seen: [one.job_id for one in seen] == [job_id])

    async def changes() -> None:
        mark = desk.mark()
        if desk.happens(0.5):
            await books.write("jobs/update", mark, jobs.update(job_id, {"tags": {"edit": mark}}))
        else:
            await books.write("jobs/reset", mark, jobs.reset(job_id, {**settings, "tags": {"edit": mark}}))
        tags["edit"] = mark
        await look()

    async def permissions() -> None:
        user = f"{desk.mark()}@example.com"
        given = [{"user_name": user, "permission_level": "CAN_VIEW"}]
        await books.write(_ON_JOBS, user, jobs.update_permissions(job_id, given))
        await books.read("permissions/get", jobs.get_permissions(job_id), lambda seen: _has(seen, user))

    async def runs() -> None:
        mark = desk.mark()
        call = jobs.run_now(job_id, job_parameters={"mark": mark})
        wait = await books.write("jobs/run-now", mark, call, give_up_after=desk.patience())
        await follow(desk, wait, ("jobs/run-now", mark), fails=len(tasks) > 1)

    async def cancels() -> None:
        mark = desk.mark()
        wait = await books.write("jobs/run-now", mark, jobs.run_now(job_id, job_parameters={"mark": mark}))
        ended = await books.write("jobs/runs/cancel", str(wait.run_id), jobs.cancel_run(wait.run_id))
        await books.read("wait for a run", ended.result(), lambda run: run.run_id == wait.run_id)
        await _delete_run(desk, wait.run_id, ("jobs/run-now", mark))

    await some(desk, look, runs, listed, changes, runs, permissions, cancels, look, runs, changes, listed, runs)
    if desk.is_last:
        return
    await desk.end("jobs/delete", job_id, jobs.delete(job_id), ("jobs/create", name))


async def follow(desk: Desk, wait: Any, made: tuple[str, str], *, fails: bool) -> None:
    """See a run to its end, repair it if it fails, read what it left, and delete it."""
    books, jobs, run_id = desk.books, desk.w.jobs, wait.run_id
    await _see_its_end(desk, wait, fails=fails)
    if fails and desk.happens(0.5):
        call = jobs.repair_run(run_id, rerun_all_failed_tasks=True)
        again = await books.write("jobs/runs/repair", str(run_id), call)
        await _see_its_end(desk, again, fails=True)
    if desk.happens(0.3):
        keys = {"works", "fails"} if fails else {"works"}
        await books.read("jobs/runs/get-output", jobs.get_run_outputs(run_id), lambda seen: set(seen) == keys)
    await _delete_run(desk, run_id, made)


async def _see_its_end(desk: Desk, wait: Any, *, fails: bool) -> None:
    async def end() -> bool:
        try:
            return (await wait.result()).run_id == wait.run_id and not fails
        except RunFailed as failure:
            return fails and [task.task_key for task in failure.failed_tasks] == ["fails"]

    await desk.books.read("wait for a run", end(), bool)


async def _delete_run(desk: Desk, run_id: int, made: tuple[str, str]) -> None:
    await desk.end("jobs/runs/delete", run_id, desk.w.jobs.delete_run(run_id), made)


async def submissions(desk: Desk) -> None:
    """One-time runs, one by one."""
    for _ in range(3):
        name = desk.mark()
        call = desk.w.jobs.submit(run_name=name, tasks=[_TASK])
        try:
            wait = await desk.books.write("jobs/runs/submit", name, call, give_up_after=desk.patience())
            await follow(desk, wait, ("jobs/runs/submit", name), fails=False)
        except Stopped:
            continue


async def many_runs(desk: Desk) -> None:
    """One-time runs, many at a time."""
    names = [desk.mark() for _ in range(5)]
    told = dict.fromkeys(names, "unknown")
    ended: dict[str, int] = {}
    requests = [{"run_name": name, "tasks": [_TASK]} for name in names]
    try:
        async with desk.w.jobs.run_many(requests, max_active=3) as outcomes:
            async for outcome in _within(outcomes):
                name = outcome.request["run_name"]
                if outcome.error is None:
                    told[name], ended[name] = "done", outcome.run_id
                else:
                    is_known = isinstance(outcome.error, OutcomeUnknown)
                    desk.books.explained_if(is_known, f"run_many {name}: {outcome.error!r}")
    finally:
        for name in names:
            desk.books.note("jobs/runs/submit", name, told[name])
    for name, run_id in ended.items():
        await _delete_run(desk, run_id, ("jobs/runs/submit", name))


# --- workspace -------------------------------------------------------------------------------------------------------


async def folder(desk: Desk) -> None:
    """A folder: what is put into it comes out again, one by one and as a tree."""
    books, api = desk.books, desk.w.workspace
    root = f"{FOLDER}/{desk.mark()}"
    made = {("workspace/mkdirs", root)}
    contents: dict[str, bytes] = {}
    await books.write("workspace/mkdirs", root, api.mkdirs(root))

    async def puts() -> None:
        path, content = f"{root}/{desk.mark()}", desk.random.randbytes(desk.random.randrange(1, 3000))
        made.add(("workspace/import", path))
        put = api.upload if desk.happens(0.5) else api.import_
        await books.write("workspace/import", path, put(path, content, format="AUTO"))
        contents[path] = content

    async def gets() -> None:
        for path, content in contents.items():
            await books.read("workspace/export", api.export(path), lambda seen, content=content: seen == content)
            await books.read(
                "workspace/download", api.download(path).read(), lambda seen, content=content: seen == content
            )
            await books.read("workspace/get-status", api.get_status(path), lambda seen, path=path: seen.path == path)

    async def lists() -> None:
        def is_right(seen: Any) -> bool:
            paths = [one.path for one in seen]
            return len(paths) == len(set(paths)) and set(contents) <= set(paths)

        await books.read("workspace/list", api.list(root).collect(), is_right)

    async def permissions() -> None:
        user = f"{desk.mark()}@example.com"
        given = [{"user_name": user, "permission_level": "CAN_READ"}]
        status = await books.read("workspace/get-status", api.get_status(root), lambda seen: seen.path == root)
        where = ("directories", status.object_id)
        await books.write(_ON_OBJECTS, user, api.update_permissions(*where, given))
        await books.read("permissions/get", api.get_permissions(*where), lambda seen: _has(seen, user))

    async def trees() -> None:
        target = f"{root}/tree"
        made.update(await import_tree(desk, target))
        with TemporaryDirectory(prefix="soak-") as place:
            await export_tree(desk, target, Path(place))

    await some(desk, puts, lists, puts, gets, permissions, puts, trees, gets, lists)
    if desk.is_last:
        return
    await desk.end("workspace/delete", root, api.delete(root, recursive=True), *made)


async def import_tree(desk: Desk, target: str) -> set[tuple[str, str]]:
    """Import the tree of this machine; returns what was, or may have been made."""
    kinds = {f"{target}/{path.relative_to(desk.tree).as_posix()}": path.is_dir() for path in desk.tree.rglob("*")}
    made = {("workspace/mkdirs" if is_folder else "workspace/import", path) for path, is_folder in kinds.items()}
    made.add(("workspace/mkdirs", target))
    done = set[tuple[str, str]]()
    try:
        report = await desk.w.workspace.import_tree(desk.tree, target)
        done.add(("workspace/mkdirs", target))
        for item in report.done:
            done.add(("workspace/mkdirs" if str(item.kind) == "DIRECTORY" else "workspace/import", item.target))
    finally:
        for what in made:
            desk.books.note(*what, "done" if what in done else "unknown")
    for failure in report.failures:
        known = isinstance(failure.error, OutcomeUnknown)
        desk.books.explained_if(known, f"import_tree {failure.path}: {failure.error!r}")
    if report.failures:
        raise Stopped("import_tree")
    return made


async def export_tree(desk: Desk, source: str, place: Path) -> None:
    """Export it again, and compare."""
    report = await desk.w.workspace.export_tree(source, place / "tree")
    for failure in report.failures:
        desk.books.explained_if(False, f"export_tree {failure.path}: {failure.error!r}")
    if not report.failures:
        before, after = _files(desk.tree), _files(place / "tree")
        desk.books.wrong_unless(before == after, f"{source} came back as {sorted(after)}")
    desk.books.reads["workspace/export_tree"] += 1


def _files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


# --- what looks on ---------------------------------------------------------------------------------------------------


async def looks(desk: Desk) -> None:
    """Calls that need nothing of their own."""
    clusters, books = desk.w.clusters, desk.books
    for _ in range(5):
        await books.read("current_user/me", desk.w.current_user.me(), lambda seen: seen.user_name == "soak")
        await books.read("clusters/list-zones", clusters.list_zones(), lambda seen: bool(seen.zones))
        await books.read("clusters/spark-versions", clusters.spark_versions(), lambda seen: bool(seen.versions))
    found = desk.w.jobs.list(page_size=10, max_items=20).collect()
    await books.read("jobs/list", found, lambda seen: len({one.job_id for one in seen}) == len(seen))


async def watches_all(desk: Desk) -> None:
    """All clusters are watched for a while: no state of one is told twice in a row."""
    last: dict[str, object] = {}
    desk.books.reads["watch of all clusters"] += 1
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(3):
            async for change in desk.w.clusters.watch():
                state = None if change.after is None else change.after.state
                is_new = last.get(change.cluster_id, "") != state
                desk.books.wrong_unless(is_new, f"{change.cluster_id} was {state} twice")
                last[change.cluster_id] = state


async def follows(desk: Desk) -> None:
    """The runs of a job as they come: each once."""
    books, jobs, name = desk.books, desk.w.jobs, desk.mark()
    settings = {
        "name": name,
        "tasks": [_TASK],
        "max_concurrent_runs": 10,
        "parameters": [{"name": "mark", "default": ""}],
    }
    job_id = (await desk.make("jobs/create", name, jobs.create(settings))).job_id
    started: dict[int, str] = {}
    try:
        for _ in range(3):
            mark = desk.mark()
            wait = await books.write("jobs/run-now", mark, jobs.run_now(job_id, job_parameters={"mark": mark}))
            started[wait.run_id] = mark
        seen: list[int] = []
        async for run in _within(jobs.follow_runs(job_id, since=0)):
            seen.append(run.run_id)
            if len(seen) == len(started):
                break
        books.wrong_unless(sorted(seen) == sorted(started), f"follow_runs of {name}: {seen}, started {started}")
        books.reads["follow runs"] += 1
        for run_id, mark in started.items():
            await books.read("wait for a run", jobs.wait_run(run_id).result(), lambda run: str(run.run_id) in str(run))
            await _delete_run(desk, run_id, ("jobs/run-now", mark))
    except Stopped:
        pass
    await desk.end("jobs/delete", job_id, jobs.delete(job_id), ("jobs/create", name))


async def _within(source: Any, seconds: float = HUNG_SECONDS) -> Any:
    """An iteration none of whose steps may take longer."""
    steps = aiter(source)
    while True:
        try:
            async with asyncio.timeout(seconds):
                step = await anext(steps)
        except StopAsyncIteration:
            return
        yield step


async def crowd(desk: Desk) -> None:
    """All clusters, many times over, and as much of other things as comes together when transfers wait."""
    held: list[Any] = [bytes(3_000) for _ in range(_CROWD_CONTENTS)]
    for _ in range(_CROWD):
        with contextlib.suppress(Stopped):
            held.append(await desk.books.read("clusters/list", desk.w.clusters.list().collect(), lambda _: True))


_ON_CLUSTERS = "permissions/clusters/{cluster_id}"
_ON_JOBS = "permissions/jobs/{job_id}"
_ON_OBJECTS = "permissions/objects"

SCENES: dict[Scene, int] = {
    cluster: 10,
    job: 10,
    submissions: 3,
    many_runs: 2,
    folder: 12,
    looks: 6,
    watches_all: 1,
    follows: 2,
}
"""With their weights."""


async def resolve(desk: Desk) -> None:
    """Look for clusters and jobs of whose making nothing is known, and delete those that are there."""
    unsure = [*desk.unsure]
    desk.unsure.clear()
    names = {name for kind, name in unsure if kind == "clusters/create"}
    if names:
        # By their ids: pages move while clusters come and go, and may show one twice.
        found = {one.cluster_id: one.cluster_name for one in await desk.w.clusters.list().collect()}
        for cluster_id, name in found.items():
            if name in names:
                call = desk.w.clusters.permanent_delete(cluster_id)
                await desk.end("clusters/permanent-delete", cluster_id, call, ("clusters/create", str(name)))
    for kind, name in unsure:
        if kind == "jobs/create":
            for one in await desk.w.jobs.list(name=name).collect():
                await desk.end("jobs/delete", one.job_id, desk.w.jobs.delete(one.job_id), (kind, name))
