"""The fixtures in somebody else's project: whole suites, with all that can run tests there.

1. Tests that are not asynchronous: `local_workspace` alone.
2. FastAPI's `TestClient`: an application with a client of its own (`local_workspace_env`), or with `workspace_client`.
3. The official SDK: `local_workspace_env`, also on a machine with a proxy and other credentials.
4. anyio, without pytest-asyncio.
5. Tests in the loop of the session, and fixtures in it too, or in loops of their own.
6. pytest-asyncio in strict and in auto mode.

No test waits for a loop that does not run: what would is told at once, with what to write instead.
"""

from __future__ import annotations

import warnings

import pytest

pytest_plugins = ["pytester"]

STRICT = """
import fastapi, pytest
from databricks.sdk import WorkspaceClient as OfficialClient
from databricks.sdk.errors import NotFound
from fastapi.testclient import TestClient
from databricks_async import WorkspaceClient
from databricks_async.errors import LifecycleError, ResourceDoesNotExist

def count(clusters):
    return {"clusters": len(clusters)}

def test_synchronous(local_workspace):
    local_workspace.add_object("/Shared/etl", b"print(1)", language="PYTHON")
    assert local_workspace.journal.count() == 0

@pytest.mark.parametrize("name", ["etl", "report"])
def test_official_sdk(local_workspace, local_workspace_env, name):
    local_workspace.add_object(f"/Shared/{name}", b"1", language="PYTHON")
    w = OfficialClient()
    assert [found.path for found in w.workspace.list("/Shared")] == [f"/Shared/{name}"]
    with pytest.raises(NotFound):
        w.workspace.get_status("/Shared/none")
    assert local_workspace.journal.count("GET /api/2.0/workspace/list") == 1

def test_application_with_a_client_of_its_own(local_workspace_env, local_workspace):
    async def lifespan(app):
        async with WorkspaceClient() as app.state.w:
            yield
    app = fastapi.FastAPI(lifespan=__import__("contextlib").asynccontextmanager(lifespan))
    @app.get("/")
    async def clusters(request: fastapi.Request):
        return count(await request.app.state.w.clusters.list().collect())
    with TestClient(app) as http:
        assert [http.get("/").json() for _ in range(2)] == [{"clusters": 0}] * 2
    assert local_workspace.journal.count() == 2

@pytest.fixture
def application(workspace_client):
    app = fastapi.FastAPI()
    @app.get("/")
    async def clusters():
        return count(await workspace_client.clusters.list().collect())
    return app

def test_application_with_the_client_of_the_test(application):
    assert TestClient(application).get("/").json() == {"clusters": 0}

@pytest.fixture
def running(application):
    with TestClient(application) as http:
        yield http

def test_requests_in_loops_of_their_own(application):
    http = TestClient(application)
    assert http.get("/").json() == {"clusters": 0}
    with pytest.raises(LifecycleError, match="only under `with`"):
        http.get("/")

def test_application_that_runs_on(running):
    assert [running.get("/").json() for _ in range(2)] == [{"clusters": 0}] * 2

@pytest.mark.asyncio
async def test_both(local_workspace, workspace_client):
    assert await workspace_client.clusters.list().collect() == []
    assert local_workspace.journal.count() == 1

@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("_", range(2))
async def test_loop_of_the_module(workspace_client, _):
    with pytest.raises(ResourceDoesNotExist):
        await workspace_client.clusters.get("0923-164208-meows279")

@pytest.mark.asyncio
async def test_alone(local_workspace):
    assert local_workspace.journal.count() == 0
"""

CHOSEN = """
import pytest
from databricks_async.local import Clock

@pytest.fixture(scope="session")
def local_workspace_clock():
    return Clock.by_hand

@pytest.fixture(scope="session")
def local_workspace_options():
    return {"token": "dapi7"}

@pytest.fixture(scope="session")
def workspace_api_versions():
    return {"workspace": "2.0", "jobs": "2.1", "clusters": "2.0"}

@pytest.fixture(scope="module")
def local_workspace(module_local_workspace):
    return module_local_workspace

@pytest.fixture(scope="module", autouse=True)
def notebook(local_workspace):
    local_workspace.add_object("/Shared/etl", b"print(1)", language="PYTHON")

async def test_first(local_workspace, workspace_client):
    began = local_workspace.clock.now()
    local_workspace.clock.advance(60)
    assert local_workspace.clock.now() - began == 60_000
    assert (await workspace_client.workspace.get_status("/Shared/etl")).language == "PYTHON"
    assert await workspace_client.clusters.list().collect() == []
    assert local_workspace.journal.calls()[-1].endpoint == "GET /api/2.0/clusters/list"

def test_second(local_workspace):
    assert local_workspace.journal.count() == 2
    assert local_workspace.token == "dapi7"

def test_session(session_local_workspace, local_workspace):
    assert session_local_workspace.url != local_workspace.url
    assert session_local_workspace.journal.count() == 0
"""

SPEED = """
import pytest

@pytest.fixture(scope="session")
def local_workspace_speed():
    return 1e6

def test_speed(local_workspace):
    began = local_workspace.clock.now()
    while local_workspace.clock.now() - began < 1e6:  # a thousand workspace seconds are a millisecond
        pass
"""

OTHER_LOOPS = """
import pytest
from databricks_async import WorkspaceClient
from databricks_async.errors import LifecycleError

@pytest.fixture
async def theirs(local_workspace, local_workspace_env):
    async with WorkspaceClient(host=local_workspace.url, token=local_workspace.token) as w:
        yield w

async def test_one(local_workspace, workspace_client):
    assert await workspace_client.clusters.list().collect() == []
    assert local_workspace.journal.count() == 1

async def test_two(local_workspace, workspace_client):
    wait = await workspace_client.clusters.create(
        cluster_name="etl", spark_version="15.4.x-scala2.12", node_type_id="Standard_DS3_v2", num_workers=1
    )
    await local_workspace.journal.until(lambda journal: journal.count("*/clusters/create") == 1)
    assert (await wait.result()).state == "RUNNING"
"""

TOLD = """
async def test_of_another_loop(theirs, local_workspace):
    with pytest.raises(LifecycleError, match="the same loop_scope"):
        await theirs.clusters.list().collect()
    assert local_workspace.journal.count() == 0
"""

SAME = """
async def test_of_the_same_loop(theirs):
    assert await theirs.clusters.list().collect() == []
"""

ANYIO = """
import pytest
from databricks_async import WorkspaceClient

pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.fixture
async def theirs(local_workspace, local_workspace_env):
    async with WorkspaceClient(host=local_workspace.url, token=local_workspace.token) as w:
        yield w

@pytest.mark.parametrize("_", range(2))
async def test_both(local_workspace, workspace_client, theirs, _):
    assert await workspace_client.clusters.list().collect() == await theirs.clusters.list().collect() == []
    assert local_workspace.journal.count() == 2

def test_synchronous(local_workspace):
    assert local_workspace.journal.count() == 0
"""

MACHINE = {
    "DATABRICKS_HOST": "https://elsewhere.invalid",
    "DATABRICKS_TOKEN": "dapi0",
    "DATABRICKS_CLIENT_ID": "id",
    "DATABRICKS_CONFIG_PROFILE": "none",
    "ARM_CLIENT_ID": "id",
    "HTTP_PROXY": "http://127.0.0.1:9",
}
"""What a machine may have in its environment: it is not looked at."""


OPTIONS = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "--rootdir=.", "-W", "error"]
OTHERS_WARNINGS = ["The configuration option", "Using `httpx` with"]
"""pytest-asyncio's, where the scope of fixtures' loops is not set, and Starlette's. All others are errors."""


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs a suite of these modules, and expects so many tests to pass."""
    for name, value in MACHINE.items():
        monkeypatch.setenv(name, value)

    def run(contents, *options, passed):
        pytester.makepyfile(**{f"test_theirs_{number}": content for number, content in enumerate(contents)})
        ignored = [word for warning in OTHERS_WARNINGS for word in ("-W", f"ignore:{warning}")]
        with warnings.catch_warnings():
            # Older pytest has not set up the filters of the inner suite when pytest-asyncio warns.
            warnings.filterwarnings("ignore", OTHERS_WARNINGS[0])
            pytester.runpytest_inprocess(*OPTIONS, *ignored, *options).assert_outcomes(passed=passed)

    return run


def test_strict_mode_official_sdk_and_fastapi(run):
    """Synchronous tests, the official SDK, TestClient with and without `with`, and loops of a test and of a module."""
    run([STRICT], "--asyncio-mode=strict", passed=11)


def test_auto_mode(run):
    """With what a user may choose, and the loop of each test."""
    run([CHOSEN, SPEED, OTHER_LOOPS + SAME], "--asyncio-mode=auto", passed=7)


def test_tests_in_the_loop_of_the_session(run):
    """But not the fixtures: a client that a fixture has entered in its own loop says so at once."""
    run([OTHER_LOOPS + TOLD], "--asyncio-mode=auto", "-o", "asyncio_default_test_loop_scope=session", passed=3)


def test_all_in_the_loop_of_the_session(run):
    scopes = [f"asyncio_default_{what}_loop_scope=session" for what in ("test", "fixture")]
    run([OTHER_LOOPS + SAME], "--asyncio-mode=auto", "-o", scopes[0], "-o", scopes[1], passed=3)


def test_anyio_without_pytest_asyncio(run):
    run([ANYIO], "-p", "no:asyncio", passed=3)
