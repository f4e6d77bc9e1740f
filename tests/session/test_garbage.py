"""What failed calls leave behind: nothing that waits for the garbage collector."""

import gc
import weakref
from collections.abc import Callable, Iterator

import aiohttp
import pytest

from databricks_async import WorkspaceClient
from databricks_async.errors import ConnectionLost, DatabricksError
from databricks_async.local import LocalWorkspace
from databricks_async.message import Request, Response
from databricks_async.session.budgets import Budgets
from databricks_async.session.retry import retrying
from databricks_async.session.stats import Stats
from databricks_async.session.transport import _forget_frames as forget_frames


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


def test_an_error_that_the_caller_handles_keeps_its_traceback() -> None:
    """One of the connection that came about meanwhile has it as its context, and loses its own."""
    own, lost = KeyError("the program's own"), aiohttp.ServerDisconnectedError()
    for error in (own, lost):
        with pytest.raises(type(error)):
            raise error
    lost.__context__ = own
    forget_frames(lost)
    assert lost.__traceback__ is None
    assert own.__traceback__ is not None


@pytest.mark.parametrize("is_raised", [False, True], ids=["an answer", "an error of a layer below"])
async def test_a_call_that_waits_for_its_next_try_holds_no_answer(without_collector: None, is_raised: bool) -> None:
    """Neither itself nor in the frames of its error: hundreds of calls may wait."""
    answers: list[weakref.ref[Response]] = []
    held: list[bool] = []

    async def send(request: Request) -> Response:
        response = Response(200 if held else 503, {}, b"much to say")
        answers.append(weakref.ref(response))
        if is_raised and not held:
            raise ConnectionLost("no luck")
        return response

    async def pause(seconds: float) -> None:
        held.append(answers[0]() is not None)

    request = Request("GET /api/2.1/clusters/list", "/api/2.1/clusters/list")
    await retrying(send, Budgets.within(60), Stats(), pause)(request)
    assert held == [False]


def errors_and_requests() -> set[str]:
    """Those that exist in this process, by name and identity."""
    found = (what for what in gc.get_objects() if isinstance(what, DatabricksError | Request))
    return {f"{what!r} {id(what)}" for what in found}
