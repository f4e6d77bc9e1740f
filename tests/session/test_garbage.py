"""What failed calls leave behind: nothing that waits for the garbage collector."""

import gc
from collections.abc import Callable, Iterator

import pytest

from databricks_async import WorkspaceClient
from databricks_async.errors import DatabricksError
from databricks_async.local import LocalWorkspace
from databricks_async.message import Request


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("fault", ["drop", "reset,after", "cut", "503", "502/html", "404", "garble"])
async def test_a_failed_call_leaves_no_circle_of_errors_and_frames(
    fault: str, connect: Callable[..., WorkspaceClient], workspace: LocalWorkspace, without_collector: None
) -> None:
    w = connect(server_retry_attempts=2)
    await w.clusters.spark_versions()
    before = errors_and_requests()
    workspace.faults.plan(f"*={fault}:2")
    with pytest.raises(DatabricksError):
        await w.clusters.spark_versions()
    assert errors_and_requests() - before == set()


@pytest.mark.parametrize("fault", ["drop", "reset,after", "cut", "garble"])
async def test_an_error_that_the_caller_handles_keeps_its_traceback(
    fault: str, connect: Callable[..., WorkspaceClient], workspace: LocalWorkspace
) -> None:
    w = connect(server_retry_attempts=1)
    workspace.faults.plan(f"*={fault}")
    own = KeyError("the program's own")
    try:
        raise own
    except KeyError:
        with pytest.raises(DatabricksError):
            await w.clusters.spark_versions()
    assert own.__traceback__ is not None


def errors_and_requests() -> set[str]:
    """Those that exist in this process, by name and identity."""
    found = (what for what in gc.get_objects() if isinstance(what, DatabricksError | Request))
    return {f"{what!r} {id(what)}" for what in found}
