"""`databricks-async serve` as a real process."""

from __future__ import annotations

import asyncio
import os
import signal

import aiohttp
import pytest

from databricks_async import WorkspaceClient
from databricks_async.cli import main
from databricks_async.local import LocalWorkspace
from support.processes import STRICT_PYTHON, own_output

RUN = "import sys; from databricks_async.cli import main; sys.exit(main(sys.argv[1:]))"


async def serve(*arguments, **environment):
    return await asyncio.create_subprocess_exec(
        *(*STRICT_PYTHON, "-c", RUN, "serve"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_serve_prints_how_to_reach_it_and_ends_cleanly(number):
    """Two lines for the shell; Ctrl-C and SIGTERM end it with exit code 0 and without a word, clients or not."""
    process = await serve("--port", "0", "--speed", "1000000")
    lines = [(await process.stdout.readline()).decode().strip() for _ in range(3)]
    url, token = (line.partition("=")[2] for line in lines[1:])
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        spec = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
        async with session.post(f"{url}/api/2.1/clusters/create", json=spec) as response:
            cluster_id = (await response.json())["cluster_id"]
        async with session.get(f"{url}/api/2.1/clusters/get", params={"cluster_id": cluster_id}) as response:
            assert (await response.json())["state"] in ("PENDING", "RUNNING")
        process.send_signal(number)
        out, err = await process.communicate()
    assert (process.returncode, out, own_output(err)) == (0, b"", "")
    assert lines[0].endswith(url)
    assert lines[1].startswith("export DATABRICKS_HOST=http://127.0.0.1:")
    assert lines[2].startswith("export DATABRICKS_TOKEN=dapi")


async def test_serve_takes_the_token_it_is_told():
    """And quotes it for the shell."""
    process = await serve("--port", "0", "--token", "my token")
    lines = [await process.stdout.readline() for _ in range(3)]
    process.terminate()
    await process.communicate()
    assert lines[2] == b"export DATABRICKS_TOKEN='my token'\n"


async def test_a_taken_port_is_one_clear_line():
    """And exit code 1."""
    async with LocalWorkspace() as workspace:
        port = workspace.url.rpartition(":")[2]
        process = await serve("--port", port)
        _, err = await process.communicate()
    assert process.returncode == 1
    message = own_output(err)
    assert message.startswith(f"databricks-async serve: cannot listen on 127.0.0.1:{port}: ")
    assert message.count("\n") == 1


async def test_faults_are_planned_on_the_command_line():
    """By pattern, count and probability; which ones are struck is drawn from a seed."""
    drawn = []
    for seed in ("1", "1", "2"):
        faults = ("--fault", "GET */clusters/get=503/html:2", "--fault", "GET */list-zones=418@50%")
        process = await serve("--port", "0", *faults, "--fault-seed", seed)
        lines = [(await process.stdout.readline()).decode().strip() for _ in range(3)]
        url, token = (line.partition("=")[2] for line in lines[1:])
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:

            async def status(path, session=session, url=url):
                async with session.get(f"{url}/api/2.1/clusters/{path}") as response:
                    return response.status

            assert [await status("get?cluster_id=x") for _ in range(3)] == [503, 503, 400]
            drawn.append([await status("list-zones") for _ in range(20)])
        process.terminate()
        assert (await process.communicate())[1] == b""
    assert drawn[0] == drawn[1] != drawn[2]
    assert set(drawn[0]) == {200, 418}


def test_a_fault_that_means_nothing_is_explained(capsys):
    """Before anything is served."""
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--fault", "GET */clusters/get=rest"])
    assert caught.value.code == 2
    assert "--fault: unknown fault 'rest': did you mean 'reset'?" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["fly"], ["serve", "--speed", "0"], ["serve", "--speed", "fast"]])
def test_wrong_arguments_are_explained(arguments, capsys):
    """With the usage."""
    assert main(arguments) == 2
    assert "usage: databricks-async" in capsys.readouterr().err.lower()


def test_help_lists_the_commands(capsys):
    """Each with its line."""
    assert main(["--help"]) == 0
    assert "serve" in capsys.readouterr().out


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", "http://127.0.0.1:"), ("::", "http://[::1]:")])  # noqa: S104
async def test_beyond_the_loopback_it_warns_and_our_client_takes_the_address(host, shown):
    """The whole network can reach it; the address that is printed is one of this machine."""
    process = await serve("--port", "0", "--host", host)
    lines = [(await process.stdout.readline()).decode().strip() for _ in range(3)]
    url, token = (line.partition("=")[2].strip("'") for line in lines[1:])
    assert url.startswith(shown)
    async with WorkspaceClient(host=url, token=token) as w:
        assert await w.clusters.list().collect() == []
    process.terminate()
    _, err = await process.communicate()
    assert f"on {host} the whole network can reach this workspace" in err.decode()


@pytest.mark.parametrize("how", ["argument", "variable"])
async def test_beyond_the_loopback_the_well_known_token_is_refused(how):
    """It stands in the source. On this machine alone it may be used."""
    token = LocalWorkspace().token
    arguments = ["--token", token] if how == "argument" else []
    environment = {"DATABRICKS_LOCAL_TOKEN": token} if how == "variable" else {}
    process = await serve("--port", "0", "--host", "0.0.0.0", *arguments, **environment)  # noqa: S104
    out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert b"this token is known to everyone" in err
    process = await serve("--port", "0", *arguments, **environment)
    assert (await process.stdout.readline()).startswith(b"A local Databricks workspace listens on http://127.0.0.1")
    process.terminate()
    assert (await process.communicate())[1] == b""


async def test_a_token_can_come_from_the_environment():
    """A command line shows in the list of processes. The argument comes first."""
    for arguments, token in (([], "from-the-environment"), (["--token", "given"], "given")):
        process = await serve("--port", "0", *arguments, DATABRICKS_LOCAL_TOKEN="from-the-environment")
        lines = [await process.stdout.readline() for _ in range(3)]
        process.terminate()
        await process.communicate()
        assert lines[2].decode() == f"export DATABRICKS_TOKEN={token}\n"
