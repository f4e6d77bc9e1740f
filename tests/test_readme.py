"""The README's quick start: two commands in two lines, as scripts read them."""

from __future__ import annotations

import re
from pathlib import Path

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_quick_start_is_two_commands() -> None:
    """Exactly two lines of the Quick start begin with `python3 -m venv`: the demo, then the tests."""
    start = README.partition("## Quick start")[2].partition("\n## ")[0]
    commands = re.findall(r"^```sh\n(.*?)^```", start, re.MULTILINE | re.DOTALL)
    assert len(commands) == 2
    assert all(command.startswith("python3 -m venv ") and command.count("\n") == 1 for command in commands)
    assert commands[0].endswith("databricks-async demo\n")
    assert commands[1].endswith("pytest -n auto\n")
    assert len(re.findall(r"^python3 -m venv ", README, re.MULTILINE)) == 2


def test_the_readme_is_short() -> None:
    """A front page: what is longer belongs into the manual."""
    assert len(README.splitlines()) <= 200
