"""`databricks-async serve` as a real process.

Here are the tests of `cli/serving/`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import ssl
import threading
from contextlib import contextmanager
from unittest.mock import ANY

import aiohttp
import pytest
import trustme

from databricks_async import WorkspaceClient
from databricks_async.cli import main
from databricks_async.local import LocalWorkspace
from support.processes import STRICT_PYTHON, own_output

SPEC = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
RUN = "import sys; from databricks_async.cli import main; sys.exit(main(sys.argv[1:]))"


async def serve(*arguments, **environment):
    return await asyncio.create_subprocess_exec(
        *(*STRICT_PYTHON, "-c", RUN, "serve"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )


@contextmanager
def serving(*arguments):
    """The address and the token of one that serves in a thread; it is to be stopped before the end."""
    ours, theirs = os.pipe()
    with open(ours) as reader, open(theirs, "w", buffering=1) as writer, contextlib.redirect_stdout(writer):
        thread = threading.Thread(target=main, args=(["serve", "--port", "0", *arguments],))
        thread.start()
        yield tuple(reader.readline().strip().partition("=")[2].strip("'") for _ in range(2))
        thread.join()


async def stop(url, token):
    """End it."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.post(f"{url}/_local/stop") as response:
        assert response.status == 200


def is_alive(process_id):
    """Whether a process that is not ours still runs."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_serve_prints_how_to_reach_it_and_ends_cleanly(number):
    """Two lines for the shell and one for a person; Ctrl-C and SIGTERM end it with exit code 0, clients or not."""
    process = await serve("--port", "0", "--speed", "1000000")
    lines = [(await process.stdout.readline()).decode().strip() for _ in range(2)]
    url, token = (line.partition("=")[2] for line in lines)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        async with session.post(f"{url}/api/2.1/clusters/create", json=SPEC) as response:
            cluster_id = (await response.json())["cluster_id"]
        async with session.get(f"{url}/api/2.1/clusters/get", params={"cluster_id": cluster_id}) as response:
            assert (await response.json())["state"] in ("PENDING", "RUNNING")
        process.send_signal(number)
        out, err = await process.communicate()
    assert (process.returncode, out) == (0, b"")
    ended = "The workspace has ended; nothing of it is kept.\n"
    assert own_output(err) == f"A local Databricks workspace listens on {url}\n{ended}"
    assert lines[0].startswith("export DATABRICKS_HOST=http://127.0.0.1:")
    assert lines[1].startswith("export DATABRICKS_TOKEN=dapi")


async def test_a_taken_port_is_one_clear_line(capsys):
    """And exit code 1."""
    async with LocalWorkspace() as workspace:
        port = workspace.url.rpartition(":")[2]
        assert await asyncio.to_thread(main, ["serve", "--port", port]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"databricks-async serve: cannot listen on 127.0.0.1:{port}: ")
    assert message.count("\n") == 1


async def test_it_serves_in_the_background_what_was_asked_for(tmp_path):
    """As `eval "$(databricks-async serve --background)"` does: the shell goes on, and curl does what Python can.

    Seeds, faults, rates and the log are those of the command line, also after a reset. `stop` ends it.
    """
    seed, log = tmp_path / "seed.json", tmp_path / "requests.log"
    seed.write_text(json.dumps({"cluster_id": "1", "state": "RUNNING", "cluster_name": "gold", **SPEC}))
    faults = ("--fault", "GET */clusters/get=503/html:2", "--fault", "GET */list-zones=418@50%", "--fault-seed", "7")
    others = ("--seed", str(seed), "--log", str(log), "--rate", "600/min", "--token", "my token", "--speed", "0.001")
    process = await serve("--background", "--port", "0", *faults, *others)
    out, err = await process.communicate()
    host, token = (line.partition("=")[2] for line in out.decode().splitlines())
    said = own_output(err).splitlines()
    assert (process.returncode, token, said[0]) == (0, "'my token'", f"A local Databricks workspace listens on {host}")
    assert said[1].startswith("It goes on in the background. Stop it: kill ")
    async with aiohttp.ClientSession(host, headers={"Authorization": "Bearer my token"}) as session:

        async def ask(method, path, **body):
            async with session.request(method, path, json=body or None) as response:
                text = await response.text()
                return response.status, json.loads(text) if text.startswith("{") else text

        get, zones = "/api/2.1/clusters/get?cluster_id=1", "/api/2.1/clusters/list-zones"
        drawn = []
        for _ in range(2):
            assert [(await ask("GET", get))[0] for _ in range(2)] == [503, 503]
            drawn.append([(await ask("GET", zones))[0] for _ in range(6)])
            assert (await ask("GET", get))[1]["state"] == "RUNNING"
            assert (await ask("GET", "/_local/rate_limit"))[1]["per_second"] == 10
            assert await ask("POST", "/_local/reset", at="once") == (400, ANY)
            assert await ask("POST", "/_local/faults", plan="*=500:99", seed=7) == (200, ANY)
            assert await ask("POST", "/_local/reset") == (200, {})
        assert drawn[0] == drawn[1]
        assert set(drawn[0]) == {200, 418}
        assert await ask("POST", "/_local/stop") == (200, {})
    lines = log.read_text().splitlines()
    assert len(lines) == 18
    assert lines[0].split()[1:4] == ["GET", get, "503"]
    assert lines[0].endswith(" ms - [answer 503]")
    assert lines[8].endswith(" ms admin@example.com")
    assert log.stat().st_mode & 0o777 == 0o600
    async with asyncio.timeout(20):
        while is_alive(int(said[1].rpartition(" ")[2])):  # noqa: ASYNC110 (it is no child of this process)
            await asyncio.sleep(0.01)


async def test_in_the_background_a_failure_is_told_too():
    """With the words and the exit code of the process that could not begin."""
    async with LocalWorkspace() as workspace:
        port = workspace.url.rpartition(":")[2]
        process = await serve("--background", "--port", port)
        out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert own_output(err).startswith(f"databricks-async serve: cannot listen on 127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--background", "--log"], "--log needs a FILE with --background"),
        (["--background", "--seed", "-"], "--seed needs a FILE with --background"),
        (["--rate", "30"], "a rate is a number of requests a second, minute or hour, such as 30/s, not '30'"),
        (["--rate", "0/s"], "such as 30/s, not '0/s'"),
        (["--seed", "nowhere.json"], "--seed: nowhere.json: No such file or directory"),
        (["--log", "nowhere/log"], "--log: [Errno 2] No such file or directory: 'nowhere/log'"),
        (["--ui", "--tls-cert", "cert.pem"], "--ui reads over plain http"),
        (["--tls-key", "key.pem"], "--tls-key needs --tls-cert"),
        (["--tls-cert", "cert.pem"], "--tls-cert: [Errno 2] No such file or directory"),
        (["--spe", "3"], "--speed"),
    ],
)
def test_what_cannot_be_served_is_explained(arguments, said, capsys, monkeypatch, tmp_path):
    """Before anything is served."""
    monkeypatch.chdir(tmp_path)
    assert main(["serve", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", '{"cluster_id": "1"}', '{"warehouses": [1]}', "7"])
def test_a_seed_that_is_none_is_explained(content, capsys, tmp_path):
    """With the file's name."""
    (tmp_path / "seed.json").write_text(content)
    assert main(["serve", "--seed", str(tmp_path / "seed.json")]) == 2
    assert f"--seed: {tmp_path}/seed.json" in capsys.readouterr().err


async def test_its_page_shows_the_workspace_and_is_no_part_of_it(tmp_path, capfd):
    """By a token of its own: its requests are in no journal, and take no faults from those that they are meant for."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"cluster_id": "1", "state": "RUNNING", "cluster_name": "gold", **SPEC}))
    arguments = ("--ui", "--ui-port", "0", "--seed", str(seed), "--fault", "*=500:1")
    with serving(*arguments) as (url, token):
        page = capfd.readouterr().err.partition("Page: ")[2].strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{page}events") as response:
                while b'"name":"gold"' not in (line := await response.content.readline()):
                    assert line
            async with session.get(f"{url}/_local/journal", headers=headers) as response:
                assert (await response.json())["count"] == 0
            async with session.get(f"{url}/api/2.1/clusters/list", headers=headers) as response:
                assert response.status == 500
        await stop(url, token)


async def test_it_serves_https(tmp_path):
    """With the certificate that it is given."""
    authority, pem = trustme.CA(), tmp_path / "cert.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with serving("--tls-cert", str(pem), "--log", str(tmp_path / "log")) as (url, token):
        assert url.startswith("https://127.0.0.1:")
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(ssl=trusting)) as session:
            for method, path in (("GET", "/api/2.1/clusters/list?page_token=x"), ("POST", "/_local/stop")):
                async with session.request(method, url + path) as response:
                    await response.read()
    assert " GET /api/2.1/clusters/list?page_token=%2A%2A%2A " in (tmp_path / "log").read_text()


def test_a_fault_that_means_nothing_is_explained(capsys):
    """Before anything is served."""
    assert main(["serve", "--fault", "GET */clusters/get=rest"]) == 2
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
async def test_beyond_the_loopback_it_warns_and_our_client_takes_the_address(host, shown, capfd):
    """The whole network can reach it; the address that is printed is one of this machine."""
    with serving("--host", host) as (url, token):
        assert url.startswith(shown)
        async with WorkspaceClient(host=url, token=token) as w:
            assert await w.clusters.list().collect() == []
            await w.request("POST", "/_local/stop")
    assert f"on {host} the whole network can reach this workspace" in capfd.readouterr().err


@pytest.mark.parametrize("how", ["argument", "variable"])
async def test_beyond_the_loopback_the_well_known_token_is_refused(how, monkeypatch, capsys):
    """It stands in the source. On this machine alone it may be used."""
    known = LocalWorkspace().token
    arguments = ["--token", known] if how == "argument" else []
    if how == "variable":
        monkeypatch.setenv("DATABRICKS_LOCAL_TOKEN", known)
    assert main(["serve", "--port", "0", "--host", "0.0.0.0", *arguments]) == 2  # noqa: S104
    assert "this token is known to everyone" in capsys.readouterr().err
    with serving(*arguments) as (url, token):
        assert token == known
        await stop(url, token)


async def test_a_token_can_come_from_the_environment(monkeypatch):
    """A command line shows in the list of processes. The argument comes first."""
    monkeypatch.setenv("DATABRICKS_LOCAL_TOKEN", "from-the-environment")
    for arguments, expected in (([], "from-the-environment"), (["--token", "given"], "given")):
        with serving(*arguments) as (url, token):
            assert token == expected
            await stop(url, token)


def test_the_network_cannot_run_programs(capsys):
    """Exit code 2, before anything listens."""
    assert main(["serve", "--host", "0.0.0.0", "--run-tasks"]) == 2  # noqa: S104
    assert "--run-tasks on 0.0.0.0 would let the network run programs on this machine" in capsys.readouterr().err


async def test_tasks_run_where_it_is_asked_for(tmp_path):
    """A script of this machine, as one of a job."""
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint(sys.argv[1])")
    with serving("--run-tasks") as (url, token):
        async with WorkspaceClient(host=url, token=token, poll_interval_seconds=0.02) as w:
            task = {"task_key": "a", "spark_python_task": {"python_file": str(script), "parameters": ["really"]}}
            environments = [{"environment_key": "e", "spec": {"client": "1"}}]
            run = await w.jobs.submit_and_wait(tasks=[{**task, "environment_key": "e"}], environments=environments)
            assert [output.logs for output in (await w.jobs.get_run_outputs(run)).values()] == ["really\n"]
        await stop(url, token)
