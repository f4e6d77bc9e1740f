"""What the chapters say of the code is what the code says.

Tries `manual/tools/tables.py` and `manual/tools/advice.py`.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import attrs
import pytest
from databricks.sdk.service.compute import ClustersAPI
from databricks.sdk.service.jobs import JobsAPI

import databricks_async
from databricks_async import Config, auth, errors
from databricks_async.config.methods import NEEDS
from databricks_async.manual.tools import CHAPTERS, HOME, advice
from databricks_async.manual.tools.tables import TABLES, settings, with_tables

PACKAGE = Path(databricks_async.__file__).parent


def chapter(name: str) -> str:
    return (HOME / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_made_from_the_code_of_today(name: str) -> None:
    """If not: `python -m databricks_async.manual.tools.tables`."""
    assert chapter(name) == with_tables(name, chapter(name))


def test_every_setting_is_in_its_table() -> None:
    """With its type, default, environment variable and profile key."""
    rows = {row.split("`")[1]: row for row in settings() if "`" in row}
    for field in attrs.fields(Config):
        if field.metadata:
            for variable in field.metadata["env"]:
                assert f"`{variable}`" in rows[field.name]
            assert ("not in a profile" in rows[field.name]) == (field.name in ("profile", "config_file"))
    assert "| `60` |" in rows["http_timeout_seconds"]
    assert "in a profile also `audience`" in rows["token_audience"]


def test_a_stale_table_is_noticed() -> None:
    """A row that is missing, and one that is left over."""
    text = chapter("configuration.md")
    lines = text.splitlines(keepends=True)
    row = next(line for line in lines if line.startswith("| `proxy`"))
    for changed in (text.replace(row, ""), text.replace(row, row + row.replace("proxy", "nonsense"))):
        assert with_tables("configuration.md", changed) == text != changed


def test_every_exception_has_advice() -> None:
    """Its own, or that of the one above it; and there is none for what does not exist."""
    assert advice.ADVICE.keys() <= {*errors.__all__}
    rows = chapter("errors.md").partition("<!-- begin errors -->")[2].splitlines()
    shown = [re.search(r"`(\w+)`", row).group(1) for row in rows if row.startswith("| ") and "`" in row]  # type: ignore[union-attr]
    classes = {name for name in errors.__all__ if name not in ("About", "FailedTask")}
    assert sorted(shown) == sorted(classes)


def test_every_method_of_the_official_sdk_is_in_its_table() -> None:
    text = chapter("coming/databricks_sdk.md")
    for service, official in (("clusters", ClustersAPI), ("jobs", JobsAPI)):
        for name in vars(official):
            table = text.partition(f"### `w.{service}`\n")[2].partition("\n### ")[0]
            assert name.startswith("_") or f"| `{name}` |" in table


def test_the_table_of_ways_in_has_them_all() -> None:
    """The same ways as `help(databricks_async.auth)`, in the same order, with the same variables."""
    in_chapter = {}
    for row in chapter("authentication.md").splitlines():
        cells = [cell.strip() for cell in row.split(" | ")]
        if len(cells) >= 4 and (found := re.fullmatch(r"`([a-z0-9-]+)`(?: \(\d\))?", cells[1])):
            in_chapter[found.group(1)] = {*re.findall(r"[A-Z]{3,}_[A-Z_]+", cells[2])}
    in_help = {}
    for row in (auth.__doc__ or "").splitlines():
        cells = [cell.strip() for cell in row.split("|")]
        if len(cells) == 5 and (found := re.fullmatch(r"([a-z0-9]+(?:-[a-z0-9]+)*)(?: \(\d\))?", cells[2])):
            in_help[found.group(1)] = {*re.findall(r"[A-Z]{3,}_[A-Z_]+", cells[3])}
    assert [*in_chapter] == [*in_help] == [*NEEDS]
    assert {way: names for way, names in in_chapter.items() if not in_help[way] <= names} == {}
    known = {variable for field in attrs.fields(Config) for variable in field.metadata.get("env", ())}
    named = set.union(*in_chapter.values())
    assert named - known == {"DATABRICKS_OIDC_TOKEN", "SYSTEM_ACCESSTOKEN"}


def texts_of_logins() -> str:
    """All that the code says of logins, without its docstrings: that of `auth` has the texts of the chapter too."""
    found = []
    for place in ("auth", "config", "local/identity_peers", "local/http"):
        for file in (PACKAGE / place).glob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docs]
            found += [str(node.value) for node in constants]
    return "\n".join(found)


def test_the_texts_of_errors_are_those_of_the_code() -> None:
    """Each text by which the chapter on authentication says what to do is one that the code says, or knows of Entra."""
    table = chapter("authentication.md").partition("## Troubleshooting")[2]
    texts = [text for row in re.findall(r"^\| (.+?) \|", table, re.MULTILINE) for text in re.findall("`(.+?)`", row)]
    assert len(texts) > 20
    said = texts_of_logins()
    assert [text for text in texts if text.removeprefix("AADSTS") not in said] == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_a_short_page(name: str) -> None:
    """With a title, and a module whose docstring includes it; what is longer is two pages."""
    text = chapter(f"{name}.md")
    assert re.match(r"<?.*# \S", text)
    written = re.sub(r"<!-- begin.*?<!-- end", "", text, flags=re.DOTALL)
    assert len(written.splitlines()) <= 230
    assert f".. include:: {Path(name).name}.md\n" in chapter(f"{name}.py")
