"""Every command: that it is there with its options and names, does its work, and writes JSON and lines for scripts.

A command without a row here fails the first test.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from cli.conftest import Run
from cli.test_clusters import SPEC
from cli.test_runs import task
from databricks_async import WorkspaceClient
from databricks_async.cli import COMMANDS
from databricks_async.cli.options import shared_options
from databricks_async.local import LocalWorkspace

EVERYWHERE = """--profile -p --output -o --quiet -q --columns --sort --no-header --color --ascii --utc --debug --timeout
--host --auth-type"""
TRANSFER = "--overwrite --skip-unchanged --include --exclude -n --file --format"
WAITS = "--no-wait"


class Row(NamedTuple):
    """A command line, its own options, and what there is of it with `-o json`: a list, a thing, lines, nothing."""

    argv: str
    options: str = ""
    writes: str = "thing"


# In this order: each finds what those before it made. {job}, {run}, {cluster} are ids, {tmp} is a folder.
ROWS = {
    "clusters create": Row("clusters create --json @{tmp}/cluster.json", f"--json {WAITS}"),
    "clusters list": Row(
        "clusters list --name gold",
        "--name --cluster-states --cluster-sources --is-pinned --all -l --limit",
        "list",
    ),
    "clusters get": Row("clusters get gold"),
    "clusters edit": Row("clusters edit --json @{tmp}/edit.json", f"--json {WAITS}"),
    "clusters resize": Row("clusters resize gold --num-workers 3", f"--num-workers --autoscale {WAITS}"),
    "clusters restart": Row("clusters restart gold", WAITS),
    "clusters watch": Row("clusters watch gold --until RUNNING", "--all --until --every", "lines"),
    "clusters events": Row("clusters events gold", "-f --since --event-types --limit", "list"),
    "clusters pin": Row("clusters pin gold", "", "nothing"),
    "clusters unpin": Row("clusters unpin gold", "", "nothing"),
    "clusters delete": Row("clusters delete gold", WAITS),
    "clusters start": Row("clusters start gold", WAITS),
    "clusters spark-versions": Row("clusters spark-versions", "", "list"),
    "clusters list-node-types": Row("clusters list-node-types", "", "list"),
    "clusters permanent-delete": Row("clusters permanent-delete gold", "", "nothing"),
    "jobs list": Row("jobs list", "--name -l --limit", "list"),
    "jobs get": Row("jobs get nightly"),
    "jobs run-now": Row(
        "jobs run-now nightly --param day=1",
        f"--param --json --only --show-output --cancel-on-exit --idempotency-token {WAITS}",
    ),
    "jobs submit": Row(
        "jobs submit --json @{tmp}/submit.json", f"--json --show-output --cancel-on-exit --idempotency-token {WAITS}"
    ),
    "runs list": Row(
        "runs list --job nightly", "--job --active-only --completed-only --since --expand-tasks -l --limit", "list"
    ),
    "runs get": Row("runs get {run}"),
    "runs output": Row("runs output {run}"),
    "runs watch": Row("runs watch {run}", "--job --active --bell --every", "lines"),
    "runs timeline": Row("runs timeline {run}", "--out --from"),
    "runs repair": Row("runs repair {failed}", f"--rerun-all-failed-tasks --rerun-tasks --param {WAITS}"),
    "runs cancel": Row("runs cancel {slow}", WAITS),
    "jobs cancel-all-runs": Row("jobs cancel-all-runs nightly", "", "nothing"),
    "runs delete": Row("runs delete {run}", "", "nothing"),
    "workspace import": Row("workspace import {tmp}/tree /Shared/tree", f"{TRANSFER} --language"),
    "workspace list": Row("workspace list -r /Shared", "-r -l --limit", "list"),
    "workspace get-status": Row("workspace get-status /Shared/tree"),
    "workspace export": Row("workspace export /Shared/tree {tmp}/out", TRANSFER),
    "workspace cat": Row("workspace cat /Shared/tree/a.txt", "", "bytes"),
    "workspace mkdirs": Row("workspace mkdirs /Shared/new", "", "nothing"),
    "workspace delete": Row("workspace delete -r /Shared/tree", "-r -y -n", "nothing"),
    "auth describe": Row("auth describe"),
    "auth check": Row("auth check"),
    "auth profiles": Row("auth profiles", "", "list"),
    "api get": Row("api get /api/2.1/clusters/list", "--json"),
    "api post": Row('api post /api/2.0/workspace/mkdirs --json {{"path":"/Shared/x"}}', "--json"),
}
ELSEWHERE = {
    "api head": "--json",
    "api put": "--json",
    "api patch": "--json",
    "api delete": "--json",
    "auth login": "--device-code",
    "auth demo": "",
    "completion": "",
    "configure": "--overwrite",
    "demo": "",
    "help": "",
    "ui": "--port --listen",
    "serve": "--ui --background --seed --data --fault --fault-seed --rate --log --port --token --speed --run-tasks",
}
"""With a test of their own, in the module of their group, and of the methods beside those above."""
SECOND = {
    "jobs run": "jobs run-now",
    "jobs list-runs": "runs list",
    "jobs get-run": "runs get",
    "jobs get-run-output": "runs output",
    "jobs cancel-run": "runs cancel",
    "jobs repair-run": "runs repair",
    "jobs delete-run": "runs delete",
    "workspace ls": "workspace list",
    "workspace rm": "workspace delete",
    "workspace export-dir": "workspace export",
    "workspace import-dir": "workspace import",
}


def _commands() -> dict[str, click.Command]:
    """All commands by their whole names, second names included."""
    found = dict[str, click.Command]()
    for name, module, _ in COMMANDS:
        command = import_module(module).command
        if not isinstance(command, click.Group):
            found[name] = command
            continue
        for below in [*command.commands, *command.second]:
            found[f"{name} {below}"] = command.commands[command.second.get(below, below)]
    return found


def test_every_command_is_here_with_its_options() -> None:
    """By the names of the Databricks CLI, and second ones; the options of all commands stand on each."""
    found = _commands()
    assert set(found) == {*ROWS, *ELSEWHERE, *SECOND}
    for second, first in SECOND.items():
        assert found[second] is found[first]
    shared = {name for option in shared_options() for name in option.opts}
    assert set(EVERYWHERE.split()) == shared
    wanted = {**{name: row.options for name, row in ROWS.items()}, **ELSEWHERE}
    for name, options in wanted.items():
        context = click.Context(found[name])
        there = {one for param in found[name].get_params(context) for one in param.opts}
        assert set(options.split()) <= there, name
        assert name == "serve" or shared <= there, name


@pytest.fixture
async def ids(
    cli: Run, quick_polls: None, workspace_client: WorkspaceClient, local_workspace: LocalWorkspace, tmp_path: Path
) -> dict[str, object]:
    """A job, runs of it that succeed, fail and go on, and files."""
    made = await workspace_client.jobs.create(name="nightly", tasks=[task("extract")], max_concurrent_runs=9)
    local_workspace.script_task("extract", error="ValueError: no price", times=1)
    local_workspace.script_task("extract", times=1)
    failed = await workspace_client.jobs.run_now(made.job_id)
    async for _ in failed:
        pass
    run = await workspace_client.jobs.run_now_and_wait(made.job_id)
    local_workspace.script_task("extract", duration=1e12, times=1)
    slow = await workspace_client.jobs.run_now(made.job_id)
    local_workspace.script_task("extract")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.txt").write_text("a\n")
    for name, body in (("cluster", {"cluster_name": "gold", **SPEC}), ("submit", {"tasks": [task("extract")]})):
        (tmp_path / f"{name}.json").write_text(json.dumps(body))
    return {"job": made.job_id, "run": run.run_id, "failed": failed.run_id, "slow": slow.run_id, "tmp": tmp_path}


async def test_every_command_does_its_work(cli: Run, ids: dict[str, object], tmp_path: Path) -> None:
    """With `-o json` a list is one array, a thing one object, what watches one object a line; else lines, never cut."""
    for name, row in ROWS.items():
        words = row.argv.format(**ids).split()
        code, out, err = await cli(*words, "-o", "json")
        assert (code, err) == (0, ""), (name, err)
        if name == "clusters create":
            edited = {"cluster_id": json.loads(out)["cluster_id"], "cluster_name": "gold", **SPEC}
            (tmp_path / "edit.json").write_text(json.dumps(edited))
        if row.writes == "nothing":
            assert out == "", name
        elif row.writes == "bytes":
            assert out == "a\n", name
        elif row.writes == "lines":
            assert all(isinstance(json.loads(line), dict) for line in out.splitlines()), name
            assert out
        else:
            assert isinstance(json.loads(out), list if row.writes == "list" else dict), name
        if row.writes == "list":
            text, ids_only = (await cli(*words)).lines, (await cli(*words, "-q")).lines
            assert len(text) == len(ids_only) == len(json.loads(out)), name
            assert [line.split("\t") for line in text if not re.match(r"[A-Z ]+\t", line)], name
            assert {len(line.split("\t")) for line in text} <= {max((len(one.split("\t")) for one in text), default=0)}


# --- what is promised, and the test that shows it --------------------------------------------------------------------

PROMISES = {
    "a reader that goes away, a full device": "demo:an_output_that_ends_ends_the_demo terminals:readers_that_go_away "
    "root:a_full_device exits:a_reader_that_goes_away_ends_a_command_in_silence",
    "nothing is drawn in a pipe, whatever variables say": "terminals:pipes demo:the_demo_tells_plain_lines_in_a_pipe",
    "no word is cut at any width, and what does not fit is left out by rule": "output:tables_fit live:a_tree_fits "
    "output:what_does_not_fit_is_left_out_by_rule live:a_timeline_fits output:wrapped_text_keeps_words",
    "nothing is highlighted but signs and states": "clusters:colours_and_signs terminals:terminals",
    "transfers have a bar that is true": "workspace:a_bar_on_a_terminal workspace:a_terminal_that_cannot_draw",
    "Ctrl-C says what goes on, and how to stop it or go on": "workspace:ctrl_c_ends_it_cleanly "
    "exits:signals_end_a_command demo:ctrl_c_ends_the_demo_quietly serve:serve_prints_how_to_reach_it_and_ends_cleanly",
    "times are local or say that they are UTC; listings are sorted": "output:moments workspace:ls_recursive_and_long",
    "typos get suggestions, abbreviations are refused, help has examples and arguments": "root:every_command_has_help "
    "root:typos_are_met_with_suggestions_and_abbreviations_are_refused root:help_lists_all_commands_and_options",
    "options stand anywhere": "clusters:forms_of_a_list every_command:every_command_is_here_with_its_options",
    "a missing profile is named": "auth:a_profile_that_is_missing_is_named",
    "exit codes by cause": "exits:every_exit_code_has_a_row exits:exit_codes exits:help_shows_the_table",
    "a host that cannot be reached is told at once": "workspace:"
    "a_host_that_cannot_be_reached_is_told_before_it_is_given_up",
    "failures of a tree are told by kind, with the option that helps": "workspace:many_failures_of_a_kind_are_one_line "
    "workspace:what_exists_is_a_failure_and_can_be_left_out_or_replaced",
    "trees are deleted when asked twice": "workspace:rm",
    "one object goes out and in": "workspace:one_object_out workspace:one_object_in",
    "every locale": "root:a_closed_output_and_a_locale_without_letters root:a_locale_without_letters_is_named "
    "workspace:names_that_a_terminal_cannot_show",
    "without the extra one line": "root:without_the_extra",
    "help and Tab import nothing heavy": "root:help_version_and_completion_import_nothing_heavy",
    "serve's standard output is for the shell, its token in no list of processes": "serve:"
    "a_token_can_come_from_the_environment "
    "serve:it_serves_in_the_background_what_was_asked_for",
    "output for machines, completion, a log": "every_command:every_command_does_its_work root:completion_scripts "
    "clusters:debug_logs_requests_and_no_secret root:tab_completes_names_that_were_listed_lately",
    "real terminals at four widths of five kinds": "terminals:terminals terminals:a_real_terminal "
    "output:a_screen_leaves_its_last_picture_and_the_cursor",
    "the pictures are made by the commands": "pictures:a_picture_is_there_small_and_safe",
}


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_has_its_tests(promise: str) -> None:
    """They exist, under the names that stand here."""
    for place in PROMISES[promise].split():
        module, _, name = place.partition(":")
        text = (Path(__file__).parent / f"test_{module}.py").read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def test_{name}\(", text, re.MULTILINE), place
