"""What all commands share: help, shared options, suggestions, completion, and how they end in odd surroundings.

Here are the tests of `cli/root.py`, `cli/commands.py`, `cli/options.py`, `cli/named/names.py`, `cli/completion.py`,
`cli/help.py`, `cli/ending.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import Run
from databricks_async.cli import COMMANDS, main
from databricks_async.local import LocalWorkspace
from databricks_async.version import __version__
from support.processes import STRICT_PYTHON, own_output

MODULE = (*STRICT_PYTHON, "-m", "databricks_async")
GROUPS = ("api", "auth", "clusters", "jobs", "runs", "workspace")


async def test_help_lists_all_commands_and_options(command: Run) -> None:
    """Each with its line, without importing it; `-h`, `help` and no command show the same."""
    code, out, err = await command("--help")
    assert (code, err) == (0, "")
    for name, _, summary in COMMANDS:
        assert f"  {name} " in out
        assert summary in " ".join(out.split())
    for option in ("--profile", "--output", "--quiet", "--columns", "--sort", "--no-header", "--color", "--timeout"):
        assert option in out
    assert (await command("-h")).out == out
    code, nothing, shown = await command()
    assert (code, nothing, shown) == (2, "", out)
    assert (await command("help")).out.startswith(out)


@pytest.mark.parametrize("group", GROUPS)
async def test_every_command_has_help(command: Run, group: str) -> None:
    """With usage, a sentence, and where the exit codes are; `help` shows the same."""
    from importlib import import_module

    made = import_module(f"databricks_async.cli.{group}").command
    for name in [*made.commands, *made.second]:
        code, out, err = await command(group, name, "--help")
        assert (code, err) == (0, "")
        assert out.startswith(f"Usage: databricks-async {group} {name} ")
        assert "help exit-codes" in out
        assert len(made.commands[made.second.get(name, name)].help) > 10
        assert (await command("help", group, name)).out == out


async def test_help_topics(command: Run) -> None:
    """Variables and forms of output; a typo is met with a suggestion."""
    assert "NO_COLOR" in (await command("help", "environment")).out
    assert "RFC 3339" in (await command("help", "output")).out
    code, out, err = await command("help", "exit-code")
    assert (code, out, "did you mean 'exit-codes'?" in err) == (2, "", True)
    assert "did you mean 'list'?" in (await command("help", "clusters", "lst")).err
    assert "it has no commands" in (await command("help", "clusters", "list", "x")).err


async def test_version(command: Run) -> None:
    """Both ways."""
    line = f"databricks-async {__version__}\n"
    assert await command("--version") == (0, line, "")
    assert await command("version") == (0, line, "")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("worksapce", "ls", "/"), "did you mean 'workspace'?"),
        (("clusters", "lst"), "did you mean 'list'?"),
        (("clusters", "xyz"), "there are create, delete"),
        (("clusters", "list", "--profil", "x"), "--profile"),
        (("clusters", "li"), "no command 'li'"),
        (("--verbose",), "No such option"),
        (("clusters", "list", "--output", "yaml"), "'yaml' is not one of"),
        (("clusters", "list", "--timeout", "soon"), "write 90s, 30m, 1h30m or 2d"),
        (("clusters", "get", " "), "CLUSTER is empty"),
        (("clusters", "get", "gold", "--json"), "for JSON as output: -o json"),
        (("api", "get", "api/2.1/clusters/list"), "databricks-async api get: PATH begins with '/'"),
        (("clusters", "list", "--columns", "nme"), "no column 'nme': there are id, name"),
    ],
)
async def test_typos_are_met_with_suggestions_and_abbreviations_are_refused(
    cli: Run, argv: tuple[str, ...], words: str
) -> None:
    """Exit code 2, and where the help is."""
    code, out, err = await cli(*argv)
    assert (code, out) == (2, "")
    assert words in err
    assert err.splitlines()[-1].startswith("Help: databricks-async")


async def test_without_the_extra(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to install, whatever the command."""
    for missing in ("click", "rich"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, missing, None)
            for argv in (("demo", "--help"), ("clusters", "list"), ("--version",)):
                code, out, err = await command(*argv)
                assert (code, out) == (2, "")
                assert err == f"the command line needs {missing}: pip install 'databricks-async[cli]'\n"


def test_help_version_and_completion_import_nothing_heavy() -> None:
    """In one process after another they would take as long as the interpreter and click do: nothing of the client."""
    program = """if True:
        import os, sys
        from databricks_async.cli import main
        lines = [["--version"], ["--help"], ["help", "exit-codes"], ["clusters", "list", "--help"], ["jobs", "-h"],
                 ["runs", "list", "-h"], ["workspace", "export", "-h"], ["auth", "login", "-h"], ["api", "get", "-h"],
                 ["configure", "-h"], ["completion", "-h"], ["help", "clusters"], ["serve", "-h"], ["demo", "-h"],
                 ["ui", "-h"], ["version"]]
        for argv in lines:
            assert main(argv) == 0, argv
        os.environ["_DATABRICKS_ASYNC_COMPLETE"] = "bash_complete"
        for words in ("databricks-async ", "databricks-async clusters l", "databricks-async clusters get "):
            os.environ |= {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
            main([])
        heavy = {"aiohttp", "cattrs", "attrs", "rich", "asyncio", "orjson", "ssl"} & set(sys.modules)
        sys.exit(f"imported: {heavy}" if heavy else 0)
    """
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


# --- completion ------------------------------------------------------------------------------------------------------


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """What Tab offers behind these words."""

    def complete(*words: str) -> list[str]:
        with monkeypatch.context() as patch:
            patch.setenv("_DATABRICKS_ASYNC_COMPLETE", "bash_complete")
            patch.setenv("COMP_WORDS", " ".join(("databricks-async", *words)))
            patch.setenv("COMP_CWORD", str(len(words)))
            assert main([]) == 0
        return [line.partition(",")[2] for line in capsys.readouterr().out.splitlines() if line]

    return complete


def test_tab_completes_commands_and_options(complete) -> None:
    """Second names too; behind a command its own options and the shared ones."""
    assert {"clusters", "configure", "completion"} == set(complete("c"))
    assert {"list", "ls"} <= set(complete("workspace", "l"))
    assert "rm" in complete("workspace", "r")
    assert "--profile" in complete("clusters", "list", "--pro")
    assert "--cluster-states" in complete("clusters", "list", "--cl")
    assert complete("clusters", "list", "-o", "j") == ["json"]
    for words in (
        ("workspace", "import", "pro"),
        ("serve", "--seed", "pro"),
        ("runs", "timeline", "1", "--out", "pro"),
    ):
        assert complete(*words) == ["pro"]  # as a file, which the shell knows


async def test_tab_completes_names_that_were_listed_lately(
    cli: Run, complete, local_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of this workspace, for ten minutes; the file is for its owner alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    spec = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    await cli("clusters", "create", "--json", json.dumps({"cluster_name": "gold", **spec}), "--no-wait")
    (cluster_id,) = (await cli("clusters", "list", "-q")).lines
    assert complete("clusters", "get", "g") == ["gold"]
    assert complete("clusters", "get", "") == ["gold", cluster_id]
    assert complete("--host", "http://elsewhere", "clusters", "get", "g") == []
    (kept,) = (tmp_path / "databricks-async").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    os.utime(kept, (0, 0))
    assert complete("clusters", "get", "g") == []


def test_tab_completes_profiles(complete) -> None:
    """Of the configuration file."""
    (Path(os.environ["HOME"]) / ".databrickscfg").write_text("[__settings__]\n[prod]\nhost = h\n[test]\n")
    assert complete("clusters", "list", "-p", "") == ["prod", "test"]
    assert complete("clusters", "list", "--profile", "t") == ["test"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_completion_scripts(command: Run, shell: str) -> None:
    """They call the program with the variable that it reads."""
    code, out, _ = await command("completion", shell)
    assert (code, "_DATABRICKS_ASYNC_COMPLETE" in out, "databricks-async" in out) == (0, True, True)


# --- odd surroundings ------------------------------------------------------------------------------------------------


def started(argv: list[str], **settings) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*MODULE, *argv], check=False, stderr=subprocess.PIPE, timeout=60, **settings)


def test_a_full_device() -> None:
    """One line, exit code 1."""
    with open("/dev/full", "wb") as full:
        found = started(["help", "exit-codes"], stdout=full)
    assert found.returncode == 1
    assert own_output(found.stderr) == "databricks-async help: No space left on device\n"


@pytest.mark.usefixtures("cli")
async def test_a_closed_output_and_a_locale_without_letters(local_workspace: LocalWorkspace) -> None:
    """What cannot be written is one line; names in a pipe are UTF-8 in every locale, and can be given back."""
    local_workspace.add_object("/Shared/ünï-名", b"x\n")

    async def shell(line: str, **environment: str) -> tuple[int, bytes, str]:
        program = " ".join(MODULE)
        process = await asyncio.create_subprocess_shell(
            line.replace("databricks-async", program),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **environment},
        )
        out, err = await process.communicate()
        return process.returncode or 0, out, own_output(err)

    code, out, err = await shell("databricks-async workspace ls /Shared >&-")
    assert (code, out) == (1, b"")
    assert err == "databricks-async workspace ls: standard output is closed\n"
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    line = 'databricks-async workspace cat "$(databricks-async workspace ls /Shared)"'
    assert await shell(line, **ascii_only) == (0, b"x\n", "")


async def test_a_locale_without_letters_is_named(cli: Run, local_workspace: LocalWorkspace, tmp_path: Path) -> None:
    """Where files cannot have the names that the workspace gives them."""
    local_workspace.add_object("/Shared/ünï", b"x\n")
    process = await asyncio.create_subprocess_exec(
        *(*MODULE, "workspace", "export", "/Shared", str(tmp_path / "tree")),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )
    _, err = await process.communicate()
    assert process.returncode == 1
    assert own_output(err).endswith("set LC_ALL=C.UTF-8, or PYTHONUTF8=1\n")
