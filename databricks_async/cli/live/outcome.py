"""How a run ended: waited for, shown with its tasks, and what they returned."""

from __future__ import annotations

from typing import Any

from databricks_async.cli.listings.jobs import RUN_COLUMNS, TASK_COLUMNS
from databricks_async.cli.live.watching import follow_runs, note_changes
from databricks_async.cli.output.states import kind_of_run, sign_of_run
from databricks_async.cli.output.streams import shown
from databricks_async.cli.output.tables import wrapped
from databricks_async.cli.running import Run as Call
from databricks_async.errors import RunFailed
from databricks_async.jobs.models import Run, RunOutput
from databricks_async.jobs.runs import RunWait, latest_tasks


async def finish(
    call: Call, wait: RunWait, *, no_wait: bool, show_output: bool = False, cancel_on_exit: bool = False
) -> None:
    """Wait for a run that was started, and show it. Raises RunFailed if it did not succeed."""
    if no_wait:
        if call.options.quiet or (call.out.format == "text" and call.out.stdout.is_terminal):
            call.out.line(str(wait.run_id))
        else:
            call.out.json({"run_id": wait.run_id})
        return
    call.goes_on = f"The run goes on. Stop it: databricks-async jobs cancel-run {wait.run_id}"
    if cancel_on_exit:
        call.goes_on = f"The run is cancelled: databricks-async runs get {wait.run_id}"
        async with wait.cancel_run_on_exit():
            await _seen(call, wait)
    else:
        await _seen(call, wait)
    out = call.out
    is_drawn = out.stderr.is_live and out.stdout.is_terminal and out.format == "text" and not out.options.quiet
    try:
        run = await wait.result()
    except RunFailed as error:
        if not show_output and not is_drawn:
            await show_run(call, error.run)
        raise
    if show_output:
        await show_outputs(call, run)
    elif not is_drawn:
        await show_run(call, run)


async def _seen(call: Call, wait: RunWait) -> None:
    """The run to its end, as a tree on standard error if that is a terminal, else with a line a change."""
    async for _ in wait:  # a run that was only just made may not be found yet: the wait knows that
        break
    changes = call.w.jobs.watch_runs(wait.run_id)
    tell = None if call.out.stderr.is_live else note_changes(call)
    await follow_runs(call, changes, call.out.stderr, tell=tell)


async def show_run(call: Call, run: Run) -> None:
    """A card with the tasks, or JSON."""
    out = call.out
    out.thing(
        run,
        RUN_COLUMNS,
        item_id=lambda one: one.run_id,
        sign=sign_of_run,
        title=run.run_name or f"run {run.run_id}",
    )
    if out.format != "text" or out.options.quiet or out.wants_object:
        return
    tasks = [task for task in run.tasks or () if task.task_key]
    if tasks:
        out.line()
        for line in out.table(tasks, TASK_COLUMNS, sign_of_run):
            out.styled(line)
    for task in latest_tasks(run):
        if task.ended and not task.succeeded and task.run_id and kind_of_run(task) == "bad":
            output = await call.w.jobs.get_run_output(task.run_id)
            if output.error:
                out.line()
                for text in f"{task.task_key}: {output.error}".split("\n"):
                    for part in wrapped(shown(text), out.stdout.width, ascii_only=out.stdout.is_ascii):
                        out.line(part)


async def show_outputs(call: Call, run: int | Run) -> None:
    """What the tasks of a run returned: JSON by task key, or text, under the name of the task if there are several."""
    outputs = await call.w.jobs.get_run_outputs(run)
    if call.out.format == "json":
        call.out.json({key: output.as_dict() for key, output in outputs.items()})
        return
    for key, output in outputs.items():
        if len(outputs) > 1:
            call.out.line(f"{shown(key)}:")
        if text := text_of(output):
            call.out.line(text)
        if output.is_truncated:
            call.out.note(f"The output of {key} is longer: the service keeps 5 MB of it.")


def text_of(output: RunOutput) -> str:
    """What a person wants to see of an output: the error, the result, or the logs."""
    if output.error:
        return _lines(f"{output.error}\n{output.error_trace or ''}".rstrip())
    if output.notebook_output is not None and output.notebook_output.result is not None:
        return _lines(output.notebook_output.result)
    if output.logs:
        return _lines(output.logs.rstrip("\n"))
    rest: dict[str, Any] = {
        name: value for name, value in output.as_dict().items() if name.endswith("_output") and value
    }
    if not rest:
        return ""
    from databricks_async.cli.output.writer import to_json

    return to_json(rest, indent=True)


def _lines(text: str) -> str:
    """Several lines, none of which can move the cursor."""
    return "\n".join(shown(line) for line in text.split("\n"))
