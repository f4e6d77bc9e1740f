"""Notebooks in all their formats, and what survives the way there and back.

Here are the tests of `local/objects/archives.py`, `local/objects/notebooks.py`.
"""

from __future__ import annotations

import base64
import re

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

IMPORT = "/api/2.0/workspace/import"
EXPORT = "/api/2.0/workspace/export"
HEADERS = {
    "PYTHON": b"# Databricks notebook source",
    "SQL": b"-- Databricks notebook source",
    "SCALA": b"// Databricks notebook source",
    "R": b"# Databricks notebook source",
}
SOURCE = """# Databricks notebook source
# MAGIC %md
# MAGIC # Title
# MAGIC
# MAGIC With *text*.

# COMMAND ----------

import os

print(os.name)

# COMMAND ----------

# MAGIC %sql select 1

# COMMAND ----------

"<é & \\n>"
""".encode()
CELLS = ["%md\n# Title\n\nWith *text*.", "import os\n\nprint(os.name)", "%sql select 1", '"<é & \\n>"']
MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Cells as notebooks have them: no line of theirs is a separator, and no blank lines around them.
LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20).map(
    lambda text: text.replace("MAGIC", "").replace("COMMAND", "")
)
TEXTS = st.lists(LINES, min_size=1, max_size=4).map("\n".join)


async def put(wire, content, format_="SOURCE", language=None, path="/Shared/nb"):
    body = {"path": path, "content": base64.b64encode(content).decode(), "format": format_, "language": language}
    await wire.ok("POST", IMPORT, **body, overwrite=format_ != "DBC")


async def take(wire, format_="SOURCE", path="/Shared/nb"):
    answer = await wire.ok("GET", EXPORT, path=path, format=format_)
    return base64.b64decode(answer["content"])


def jupyter(cells, language="python"):
    return orjson.dumps(
        {"cells": cells, "metadata": {"language_info": {"name": language}}, "nbformat": 4, "nbformat_minor": 5}
    )


def code(source):
    return {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": source}


def texts(exported):
    """Type and text of each cell of a Jupyter notebook."""
    return [(cell["cell_type"], "".join(cell["source"])) for cell in orjson.loads(exported)["cells"]]


@pytest.mark.parametrize("language", HEADERS)
@given(rest=st.binary(max_size=200), end=st.sampled_from([b"\n", b"\r\n", b" \n"]))
@MANY
async def test_source_with_its_header_comes_back_byte_for_byte(wire, language, rest, end):
    """Whatever follows the header line, also what is no text."""
    content = HEADERS[language] + end + rest
    await put(wire, content, language=language)
    assert await take(wire) == content


@pytest.mark.parametrize("language", HEADERS)
@given(content=st.binary(max_size=200))
@MANY
async def test_source_without_its_header_comes_back_behind_it(wire, language, content):
    """One line more, and the rest byte for byte."""
    await put(wire, content, language=language)
    assert await take(wire) == HEADERS[language] + b"\n" + content


@given(content=st.binary(max_size=200))
@MANY
async def test_raw_content_comes_back_byte_for_byte(wire, content):
    """As a file."""
    await put(wire, content, "RAW", path="/Shared/file")
    assert await take(wire, "RAW", path="/Shared/file") == content


@given(source=TEXTS)
@MANY
@pytest.mark.parametrize("kind", ["code", "markdown"])
async def test_jupyter_cells_come_back(wire, kind, source):
    """Type and text of each, in their order, with empty ones between them."""
    if kind == "code" and source.startswith("%"):
        source = f" {source}"
    one = {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}
    await put(wire, jupyter([one, code(""), one, code([])]), "JUPYTER")
    assert texts(await take(wire, "JUPYTER")) == [(kind, source), ("code", ""), (kind, source), ("code", "")]


@pytest.mark.parametrize("language", ["PYTHON", "SQL", "SCALA", "R"])
async def test_a_jupyter_export_is_valid_nbformat_4(wire, language):
    """With all that its schema requires of a notebook and of each cell."""
    await put(wire, HEADERS[language] + b"\n1", language=language)
    notebook = orjson.loads(await take(wire, "JUPYTER"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 0)
    assert notebook["metadata"]["language_info"] == {"name": language.lower()}
    (cell,) = notebook["cells"]
    assert set(cell.pop("metadata")) == {"application/vnd.databricks.v1+cell"}
    assert cell == {"cell_type": "code", "execution_count": 0, "outputs": [], "source": ["1"]}
    markdown = jupyter([{"cell_type": "markdown", "metadata": {}, "source": "# Title"}])
    await put(wire, markdown, "JUPYTER")
    (cell,) = orjson.loads(await take(wire, "JUPYTER"))["cells"]
    assert cell.keys() == {"cell_type", "metadata", "source"}
    assert (cell["cell_type"], cell["source"]) == ("markdown", ["# Title"])


async def test_cells_of_a_source_are_told_apart(wire):
    """By the separator line; commented magic is magic again, `%md` cells are Markdown."""
    await put(wire, SOURCE, language="PYTHON")
    cells = [("markdown", "# Title\n\nWith *text*."), *(("code", cell) for cell in CELLS[1:])]
    assert texts(await take(wire, "JUPYTER")) == cells


async def test_cells_of_a_windows_file_have_plain_line_ends(wire):
    """As the same file with plain line ends has."""
    await put(wire, SOURCE.replace(b"\n", b"\r\n"), language="PYTHON")
    cells = texts(await take(wire, "JUPYTER"))
    assert [text for _, text in cells] == ["# Title\n\nWith *text*.", *CELLS[1:]]


@pytest.mark.parametrize("format_", ["JUPYTER", "HTML", "DBC"])
async def test_every_format_gives_the_same_source_again(wire, format_):
    """Import of an export is the notebook, as it was."""
    await put(wire, SOURCE, language="PYTHON")
    await put(wire, await take(wire, format_), format_, path="/Shared/again")
    assert await take(wire, path="/Shared/again") == SOURCE


@pytest.mark.parametrize("format_", ["JUPYTER", "HTML", "DBC"])
@pytest.mark.parametrize("source", [b"# Databricks notebook source\n", b"# Databricks notebook source\n\n"])
async def test_empty_notebooks_pass_every_format(wire, format_, source):
    """No cell at all, or an empty one."""
    await put(wire, source, language="R")
    await put(wire, await take(wire, format_), format_, path="/Shared/again")
    assert await take(wire, path="/Shared/again") == source


async def test_r_markdown_has_chunks_and_prose(wire):
    """Cells are chunks, `%md` cells the prose between them; import makes an R notebook of it."""
    source = b"# Databricks notebook source\n# MAGIC %md\n# MAGIC Some *prose*\n\n# COMMAND ----------\n\nx <- 1\nx\n"
    await put(wire, source, language="R")
    exported = await take(wire, "R_MARKDOWN")
    assert exported == b"Some *prose*\n\n```{r}\nx <- 1\nx\n```\n"
    await put(wire, exported, "R_MARKDOWN", path="/Shared/again")
    assert await take(wire, path="/Shared/again") == source


async def test_chunks_of_another_language_become_its_magic(wire):
    """With their options left out."""
    content = b"text\n```{python, echo=FALSE}\nprint(1)\n```\n```{r}\n```\n"
    await put(wire, content, "R_MARKDOWN")
    cells = [("markdown", "text"), ("code", "%python\nprint(1)"), ("code", "")]
    assert texts(await take(wire, "JUPYTER")) == cells


async def test_html_is_a_page_to_read(wire):
    """It shows each cell, escaped."""
    await put(wire, SOURCE, language="PYTHON")
    page = (await take(wire, "HTML")).decode()
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>nb - Databricks</title>" in page
    shown = re.findall("<pre>(.*?)</pre>", page, re.DOTALL)
    assert shown[-1] == "&quot;&lt;é &amp; \\n&gt;&quot;"
    assert len(shown) == 4


async def test_the_language_of_a_jupyter_notebook_is_where_its_maker_put_it(wire):
    """Databricks' own metadata, the language's, the kernel's, else the import's own, else Python."""
    own = {"application/vnd.databricks.v1+notebook": {"language": "scala"}}
    for metadata, language, expected in [
        (own | {"language_info": {"name": "python"}}, None, "SCALA"),
        ({"language_info": {"name": "R"}}, None, "R"),
        ({"kernelspec": {"name": "x", "language": "sql"}}, "SCALA", "SQL"),
        ({"kernelspec": {"name": "x", "language": "julia"}}, "SCALA", "SCALA"),
        ({}, None, "PYTHON"),
    ]:
        content = orjson.dumps({"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 4})
        await put(wire, content, "JUPYTER", language)
        assert await take(wire) == HEADERS[expected] + b"\n"


@pytest.mark.parametrize(
    ("format_", "file_type"),
    [("SOURCE", "py"), ("AUTO", "py"), ("HTML", "html"), ("JUPYTER", "ipynb"), ("DBC", "dbc"), ("R_MARKDOWN", "Rmd")],
)
async def test_the_file_type_tells_the_extension(wire, format_, file_type):
    """For a person who saves the content."""
    await put(wire, SOURCE, language="PYTHON")
    answer = await wire.ok("GET", EXPORT, path="/Shared/nb", format=format_)
    assert answer["file_type"] == file_type
