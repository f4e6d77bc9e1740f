"""`databricks-async clusters`, against a local workspace.

Here are the tests of `cli/clusters.py`, `cli/listings/clusters.py`, `cli/named/find.py`, `cli/running.py`.
"""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from cli.conftest import Run
from databricks_async import WorkspaceClient
from databricks_async.local import Fault, LocalWorkspace

SPEC = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 2}


@pytest.fixture
async def ids(workspace_client: WorkspaceClient, local_workspace: LocalWorkspace) -> dict[str, str]:
    """Three clusters by name: gold runs, training could not start, silver was terminated."""
    local_workspace.fail_next_start("CLOUD_PROVIDER_RESOURCE_STOCKOUT", "CLOUD_FAILURE", cluster_name="training")
    found = {}
    for name in ("gold", "training", "silver"):
        wait = await workspace_client.clusters.create(cluster_name=name, **SPEC)  # type: ignore[arg-type]
        found[name] = wait.cluster_id
        async for _ in wait:
            pass
    await workspace_client.clusters.delete_and_wait(found["silver"])
    return found


async def test_list_in_a_pipe(cli: Run, ids: dict[str, str]) -> None:
    """A line a cluster, tabs, no header, nothing cut, times as in RFC 3339; the newest activity first."""
    code, out, err = await cli("clusters", "list")
    assert (code, err) == (0, "")
    rows = [line.split("\t") for line in out.splitlines()]
    assert {row[1]: (row[0], row[2]) for row in rows} == {
        "gold": (ids["gold"], "RUNNING"),
        "training": (ids["training"], "TERMINATED"),
        "silver": (ids["silver"], "TERMINATED"),
    }
    assert {len(row) for row in rows} == {7}
    assert all(row[3].endswith("+00:00") and "T" in row[3] for row in rows)
    assert next(row for row in rows if row[1] == "training")[6] == "CLOUD_PROVIDER_RESOURCE_STOCKOUT"


async def test_list_on_a_terminal(cli: Run, ids: dict[str, str]) -> None:
    """A table with signs, and a word on what it leaves out."""
    code, out, err = await cli("clusters", "list", "--color", "never", "--sort", "name", terminal=140)
    assert code == 0
    heading, *rows = out.splitlines()
    assert heading.split() == ["ID", "NAME", "STATE", "SINCE", "WORKERS", "IDLE", "REASON"]
    assert [row.split()[:4] for row in rows] == [
        ["✓", ids["gold"], "gold", "RUNNING"],
        ["/", ids["silver"], "silver", "TERMINATED"],
        ["✗", ids["training"], "training", "TERMINATED"],
    ]
    assert rows[2].endswith("CLOUD_PROVIDER_RESOURCE_STOCKOUT")
    assert err == "Ended job clusters are not shown: --all\n"


async def test_elapsed_times_are_those_of_the_services_clock(
    command: Run, w: WorkspaceClient, workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which need not agree with this machine's: here it is moved by hand."""
    monkeypatch.setenv("DATABRICKS_HOST", workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", workspace.token)
    await w.clusters.create(cluster_name="gold", **SPEC)  # type: ignore[arg-type]
    workspace.clock.advance(7265)
    for argv in (("list",), ("get", "gold"), ("watch", "gold", "--until", "RUNNING")):
        code, out, _ = await command("clusters", *argv, "--color", "never", terminal=100)
        assert (code, "2h01m" in out) == (0, True), out


@pytest.mark.usefixtures("ids")
async def test_colours_and_signs(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign and state have a colour, on a terminal that has colours; ASCII signs where asked for, or needed."""
    argv = ("clusters", "list", "--name", "gold", "--no-header")
    assert "\x1b[32m✓ \x1b[0m" in (await cli(*argv, terminal=80)).out
    # Nothing else: not numbers, ids or brackets.
    out = (await cli("clusters", "list", terminal=100)).out
    coloured = {text.strip() for style, text in re.findall(r"\x1b\[([0-9;]+)m(.*?)\x1b\[0m", out) if style != "2"}
    assert coloured == {"✓", "✗", "RUNNING", "TERMINATED"}
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in (await cli(*argv, terminal=80)).out
    assert "\x1b[32m" in (await cli(*argv, "--color", "always", terminal=80)).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert (await cli(*argv, "--ascii", terminal=80)).out.startswith("v ")
    assert (await cli(*argv, encoding="ascii", terminal=80)).out.startswith("v ")
    assert "\x1b" not in (await cli(*argv)).out


async def test_forms_of_a_list(cli: Run, ids: dict[str, str]) -> None:
    """JSON is one array of what the service has, CSV has a header, `-q` only ids; options stand anywhere."""
    listed = json.loads((await cli("-o", "json", "clusters", "list")).out)
    assert {one["cluster_id"] for one in listed} == set(ids.values())
    assert listed[0]["spark_version"] == SPEC["spark_version"]
    out = (await cli("clusters", "-o", "csv", "list", "--columns", "name,state", "--sort", "-name")).out
    assert list(csv.reader(io.StringIO(out)))[:2] == [["name", "state"], ["training", "TERMINATED"]]
    assert set((await cli("clusters", "list", "-q")).lines) == set(ids.values())
    assert set(json.loads((await cli("clusters", "list", "-q", "-o", "json")).out)) == set(ids.values())
    assert len((await cli("clusters", "list", "--limit", "2")).lines) == 2
    assert (await cli("clusters", "list", "--limit", "0")).out == ""
    assert (await cli("clusters", "list", "--name", "zinc*", "-o", "json")).out == "[]\n"


async def test_the_variable_for_the_form(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its value is checked; the option goes before it."""
    monkeypatch.setenv("DATABRICKS_OUTPUT_FORMAT", "json")
    assert (await cli("clusters", "list")).out == "[]\n"
    assert (await cli("clusters", "list", "-o", "text")).out == ""
    monkeypatch.setenv("DATABRICKS_OUTPUT_FORMAT", "yaml")
    code, out, err = await cli("clusters", "list")
    assert (code, out) == (2, "")
    assert "DATABRICKS_OUTPUT_FORMAT is 'yaml'" in err


async def test_filters(cli: Run, ids: dict[str, str], local_workspace: LocalWorkspace) -> None:
    """By name, state and source; ended job clusters only where they are asked for."""
    assert (await cli("clusters", "list", "--name", "s*", "-q")).lines == [ids["silver"]]
    assert (await cli("clusters", "list", "--cluster-states", "running", "-q")).lines == [ids["gold"]]
    assert (await cli("clusters", "list", "--cluster-sources", "JOB", "-q")).lines == []
    local_workspace.overlay(ids["training"], cluster_source="JOB")
    assert len((await cli("clusters", "list", "--all", "-q")).lines) == 3
    queries = [call.query for call in local_workspace.journal.entries if call.endpoint.endswith("/clusters/list")]
    assert any("filter_by.cluster_sources" in str(query) for query in queries)


async def test_a_listing_that_breaks_off_is_still_json(
    cli: Run, workspace_client: WorkspaceClient, local_workspace: LocalWorkspace
) -> None:
    """The array ends where the listing did; the error says so on standard error."""
    await workspace_client.clusters.create(cluster_name="a", **SPEC)  # type: ignore[arg-type]
    page = '{"clusters": [{"cluster_id": "1"}, {"cluster_id": "2"}], "next_page_token": "t"}'
    local_workspace.faults.add("GET */clusters/list", Fault.answer(200, page), Fault.error(403, "PERMISSION_DENIED"))
    code, out, err = await cli("clusters", "list", "-o", "json")
    assert code == 6
    assert [one["cluster_id"] for one in json.loads(out)] == ["1", "2"]
    assert json.loads(err)["error_code"] == "PERMISSION_DENIED"


async def test_get(cli: Run, ids: dict[str, str]) -> None:
    """A card on a terminal, JSON in a pipe; by id or exact name."""
    card = (await cli("clusters", "get", "gold", "--color", "never", terminal=60)).lines
    assert card[0] == "✓ gold"
    assert any(line.split() == ["state", "RUNNING"] for line in card)
    assert json.loads((await cli("clusters", "get", ids["gold"])).out)["cluster_name"] == "gold"
    assert (await cli("clusters", "get", "gold", "-q")).out == f"{ids['gold']}\n"
    assert (await cli("clusters", "get", "gold", "-o", "text")).lines[0] == "✓ gold"


async def test_names(cli: Run, ids: dict[str, str], workspace_client: WorkspaceClient) -> None:
    """One that is near is suggested; two of a name are a wrong command line, with their ids."""
    code, _, err = await cli("clusters", "get", "gild")
    assert (code, "did you mean 'gold'?" in err) == (5, True)
    other = await workspace_client.clusters.create(cluster_name="gold", **SPEC)  # type: ignore[arg-type]
    code, _, err = await cli("clusters", "get", "gold")
    assert code == 2
    assert ids["gold"] in err
    assert other.cluster_id in err


async def test_create_start_delete(cli: Run, ids: dict[str, str]) -> None:
    """They wait for the end, with a line a change on standard error, and write the final object; or its id alone."""
    code, out, err = await cli("clusters", "start", "silver")
    assert (code, json.loads(out)["state"]) == (0, "RUNNING")
    assert '"silver" RUNNING' in err.splitlines()[-1]
    code, out, err = await cli("clusters", "delete", "silver", "--color", "never", terminal=100)
    assert code == 0
    assert out.startswith("/ silver\n")
    assert err.splitlines()[-1].endswith(f"databricks-async clusters start {ids['silver']}")
    spec = json.dumps({"cluster_name": "new", **SPEC})
    code, out, err = await cli("clusters", "create", "--json", spec, "--no-wait", "-q")
    assert (code, err) == (0, "")
    assert (await cli("clusters", "get", out.strip(), "-o", "csv", "--columns", "name")).lines == ["name", "new"]


async def test_json_from_a_file_and_what_is_no_json(cli: Run, tmp_path) -> None:
    """`@file`; what is wrong is said before anything is sent."""
    path = tmp_path / "cluster.json"
    path.write_text(json.dumps({"cluster_name": "filed", **SPEC}))
    code, out, _ = await cli("clusters", "create", "--json", f"@{path}", "--no-wait")
    assert (code, list(json.loads(out))) == (0, ["cluster_id"])
    for wrong in ("{", "@/nothing", "[1]"):
        assert (await cli("clusters", "create", "--json", wrong)).code == 2


async def test_resize_edit_pin_and_permanent_delete(cli: Run, ids: dict[str, str]) -> None:
    """Each does what it says."""
    assert json.loads((await cli("clusters", "resize", "gold", "--num-workers", "3")).out)["num_workers"] == 3
    assert (await cli("clusters", "resize", "gold")).code == 2
    assert (await cli("clusters", "resize", "gold", "--autoscale", "2")).code == 2
    autoscale = json.loads((await cli("clusters", "resize", "gold", "--autoscale", "1-4")).out)["autoscale"]
    assert autoscale == {"min_workers": 1, "max_workers": 4}
    body = json.dumps({"cluster_id": ids["silver"], "cluster_name": "silver2", **SPEC})
    assert json.loads((await cli("clusters", "edit", "--json", body)).out)["cluster_name"] == "silver2"
    assert (await cli("clusters", "edit", "--json", json.dumps(SPEC))).code == 2
    assert (await cli("clusters", "pin", "gold")).code == 0
    assert (await cli("clusters", "list", "--is-pinned", "-q")).lines == [ids["gold"]]
    assert (await cli("clusters", "unpin", "gold")).code == 0
    assert (await cli("clusters", "permanent-delete", "silver2")).code == 0
    assert ids["silver"] not in (await cli("clusters", "list", "-q")).lines


async def test_events(cli: Run, ids: dict[str, str]) -> None:
    """The latest events in their order: time, type, details."""
    rows = [line.split("\t") for line in (await cli("clusters", "events", "silver")).lines]
    assert rows[0][1] == "CREATING"
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    last = await cli("clusters", "events", "silver", "--limit", "1", "-o", "json")
    assert json.loads(last.out)[0]["type"] == rows[-1][1]
    only = await cli("clusters", "events", "silver", "--event-types", "RUNNING", "--since", "300d")
    assert {line.split("\t")[1] for line in only.lines} == {"RUNNING"}
    assert (await cli("clusters", "events", "silver", "--event-types", "RUNING")).code == 2
    assert (await cli("clusters", "events", "silver", "--since", "yesterday")).code == 2


async def test_events_that_are_followed(cli: Run, ids: dict[str, str], local_workspace: LocalWorkspace) -> None:
    """The last ones, then those to come: a line each, as JSON one object a line; `--limit` ends it."""
    argv = ("clusters", "events", "silver", "-f")
    first = (await cli("clusters", "events", "silver")).lines
    assert (await cli(*argv, "--limit", str(len(first)))).lines == first
    local_workspace.add_events(ids["silver"], 20)
    followed = [json.loads(line) for line in (await cli(*argv, "--limit", "10", "-o", "json")).lines]
    assert {event["type"] for event in followed} == {"AUTOSCALING_STATS_REPORT"}
    only = await cli(*argv, "--since", "300d", "--event-types", "running,creating", "--limit", "2", terminal=50)
    assert ["CREATING" in only.lines[0], "RUNNING" in only.lines[1]] == [True, True]
    assert all(len(line) <= 50 for line in only.lines)
    assert (await cli(*argv, "--limit", "0")).out == ""
    code, _, err = await cli(*argv, "--event-types", "RUNING")
    assert (code, "did you mean 'RUNNING'?" in err) == (2, True)


async def test_runtimes_and_machine_types(cli: Run) -> None:
    """With the columns that choose among them."""
    versions = [line.split("\t")[0] for line in (await cli("clusters", "spark-versions")).lines]
    assert SPEC["spark_version"] in versions
    nodes = [line.split("\t")[0] for line in (await cli("clusters", "list-node-types")).lines]
    assert SPEC["node_type_id"] in nodes


async def test_debug_logs_requests_and_no_secret(cli: Run, local_workspace: LocalWorkspace) -> None:
    """On standard error; what is on standard output is the result alone."""
    code, out, err = await cli("clusters", "list", "-o", "json", "--debug")
    assert (code, json.loads(out)) == (0, [])
    assert f"GET {local_workspace.url}/api/2.1/clusters/list" in err
    assert " 200 in " in err
    assert local_workspace.token not in err
