"""Notebooks from SOURCE to JUPYTER and back: titles, Markdown, magic, and the metadata that Databricks keeps.

Covers `local/objects/jupyter.py` too.
"""

from __future__ import annotations

import base64

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

IMPORT = "/api/2.0/workspace/import"
EXPORT = "/api/2.0/workspace/export"
CELL, NOTEBOOK = "application/vnd.databricks.v1+cell", "application/vnd.databricks.v1+notebook"
COMMENTS = {"PYTHON": "#", "SQL": "--", "SCALA": "//", "R": "#"}
TITLED = b"""# Databricks notebook source
# DBTITLE 1,What this does
# MAGIC %md
# MAGIC # Sales
# MAGIC
# MAGIC by region

# COMMAND ----------

# DBTITLE 1,Load
df = spark.table("sales")

# COMMAND ----------

# MAGIC %sql
# MAGIC select 1
"""
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def put(wire, content, format_="SOURCE", language=None, path="/Shared/nb"):
    body = {"path": path, "content": base64.b64encode(content).decode(), "format": format_, "language": language}
    await wire.ok("POST", IMPORT, **body, overwrite=format_ != "DBC")


async def take(wire, format_="SOURCE", path="/Shared/nb"):
    return base64.b64decode((await wire.ok("GET", EXPORT, path=path, format=format_))["content"])


async def jupyter(wire, path="/Shared/nb"):
    return orjson.loads(await take(wire, "JUPYTER", path))


async def source_again(wire, source, language="PYTHON", through="JUPYTER"):
    """The source of a notebook that was imported from another format's export of it."""
    await put(wire, source, language=language)
    await put(wire, await take(wire, through), through, path="/Shared/again")
    return await take(wire, path="/Shared/again")


def seen(notebook):
    """Type, text, title and whether it shows, of each cell."""
    return [
        (
            cell["cell_type"],
            "".join(cell["source"]),
            cell["metadata"][CELL]["title"],
            cell["metadata"][CELL]["showTitle"],
        )
        for cell in notebook["cells"]
    ]


def ipynb(cells, metadata=None):
    metadata = metadata or {"language_info": {"name": "python"}}
    return orjson.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 0})


async def test_titles_are_metadata_and_markdown_is_markdown(wire):
    """A title above `%md` does not make it code, and none stays in a cell's text."""
    await put(wire, TITLED, language="PYTHON")
    assert seen(await jupyter(wire)) == [
        ("markdown", "# Sales\n\nby region", "What this does", True),
        ("code", 'df = spark.table("sales")', "Load", True),
        ("code", "%sql\nselect 1", "", False),
    ]


@pytest.mark.parametrize("through", ["JUPYTER", "DBC", "HTML"])
async def test_a_titled_notebook_comes_back(wire, through):
    """Through each format that holds a notebook whole."""
    assert await source_again(wire, TITLED, through=through) == TITLED


async def test_the_form_of_an_exported_file(wire):
    """The keys that stand in each notebook that Databricks exports."""
    await put(wire, TITLED, language="PYTHON")
    notebook = await jupyter(wire)
    ours = notebook["metadata"][NOTEBOOK]
    assert (ours["language"], ours["notebookName"], ours["dashboards"], ours["widgets"]) == ("python", "nb", [], {})
    metadata = [cell["metadata"][CELL] for cell in notebook["cells"]]
    for one in metadata:
        assert one.keys() == {"cellMetadata", "inputWidgets", "nuid", "showTitle", "tableResultSettingsMap", "title"}
    assert len({one["nuid"] for one in metadata}) == 3
    assert await jupyter(wire) == notebook


async def test_metadata_and_outputs_of_a_jupyter_file_are_kept(wire):
    """Of the cells and of the notebook, those that nobody here knows included; also when it moves to another path."""
    ours = {
        "cellMetadata": {"byteLimit": 2048000, "rowLimit": 10000, "implicitDf": True},
        "inputWidgets": {"w": {"nuid": "1"}},
        "nuid": "a85b9dc2-38cd-482f-b34b-5e3372e071e6",
        "showTitle": True,
        "tableResultSettingsMap": {"0": {"dataGridStateBlob": "{}"}},
        "title": "Load",
        "collapsed": True,
        "finishTime": 1778795116272,
    }
    image = {"output_type": "display_data", "data": {"image/png": "aGk="}, "metadata": {}}
    code = {"cell_type": "code", "execution_count": 7, "outputs": [image], "source": ["1\n", "2"]}
    text = {"cell_type": "markdown", "source": ["![a](attachment:b)"], "attachments": {"b": {"image/png": "aGk="}}}
    cells = [
        code | {"metadata": {CELL: ours, "tags": ["t"]}},
        text | {"metadata": {CELL: ours | {"title": "Why", "showTitle": False}}},
        {"cell_type": "raw", "metadata": {"format": "x"}, "source": ["as it is"]},
    ]
    notebook = {NOTEBOOK: {"language": "python", "widgets": {"w": {"x": 1}}, "future": 1}, "kernelspec": {"name": "k"}}
    await put(wire, ipynb(cells, notebook), "JUPYTER")
    for path in ("/Shared/nb", "/Shared/again"):
        exported = await jupyter(wire, path)
        assert exported["cells"][:2] == cells[:2]
        raw = exported["cells"][2]
        assert (raw["cell_type"], raw["source"], raw["metadata"]["format"]) == ("raw", ["as it is"], "x")
        assert exported["metadata"][NOTEBOOK]["widgets"] == {"w": {"x": 1}}
        assert (exported["metadata"][NOTEBOOK]["future"], exported["metadata"]["kernelspec"]) == (1, {"name": "k"})
        await put(wire, await take(wire, "JUPYTER"), "JUPYTER", path="/Shared/again")
    expected = (
        "# DBTITLE 1,Load\n1\n2\n\n# COMMAND ----------\n\n# DBTITLE 0,Why\n# MAGIC %md\n# MAGIC ![a](attachment:b)"
    )
    assert (await take(wire)).decode().startswith(f"# Databricks notebook source\n{expected}\n\n")


async def test_a_new_source_has_new_metadata(wire):
    """What was known of the cells that it takes the place of is forgotten."""
    cell = {"cell_type": "code", "execution_count": 3, "outputs": [], "source": ["1"]}
    await put(wire, ipynb([cell | {"metadata": {CELL: {"nuid": "old", "title": "Old", "showTitle": True}}}]), "JUPYTER")
    await put(wire, b"# Databricks notebook source\n1\n", language="PYTHON")
    assert seen(await jupyter(wire)) == [("code", "1", "", False)]
    assert (await jupyter(wire))["cells"][0]["metadata"][CELL]["nuid"] != "old"


async def test_archives_keep_titles_and_metadata(wire):
    """A DBC file, by the names that its commands have for them."""
    ours = {
        "nuid": "n-1",
        "title": "Load",
        "showTitle": False,
        "inputWidgets": {"a": {}},
        "cellMetadata": {"rowLimit": 5},
    }
    cell = {"cell_type": "code", "execution_count": 0, "outputs": [], "source": ["1"], "metadata": {CELL: ours}}
    await put(wire, ipynb([cell]), "JUPYTER")
    await put(wire, await take(wire, "DBC"), "DBC", path="/Shared/again")
    (exported,) = (await jupyter(wire, "/Shared/again"))["cells"]
    assert {name: exported["metadata"][CELL][name] for name in ours} == ours
    assert b"# DBTITLE 0,Load\n1\n" in await take(wire, path="/Shared/again")


async def test_titles_stand_above_their_cells_in_html(wire):
    """Escaped; not those that are hidden."""
    source = b"# Databricks notebook source\n# DBTITLE 1,a & b\n1\n\n# COMMAND ----------\n\n# DBTITLE 0,hidden\n2\n"
    await put(wire, source, language="PYTHON")
    page = await take(wire, "HTML")
    assert b"<h4>a &amp; b</h4>\n<pre>1</pre>\n<pre>2</pre>" in page


@pytest.mark.parametrize("language", COMMENTS)
@pytest.mark.parametrize(
    ("cell", "kind", "text", "title", "shows"),
    [
        ("# MAGIC %md # One line", "markdown", "# One line", "", False),
        ("# MAGIC %md-sandbox\n# MAGIC <b>x</b>", "markdown", "<b>x</b>", "", False),
        ("# MAGIC %md \n# MAGIC \n# MAGIC text", "markdown", "\ntext", "", False),
        ("# MAGIC %md", "markdown", "", "", False),
        ("# MAGIC %md\n# MAGIC", "markdown", "", "", False),
        ("# DBTITLE 0,Hidden, with a comma\n1", "code", "1", "Hidden, with a comma", False),
        ("# DBTITLE 1,Only a title", "code", "", "Only a title", True),
        ("# DBTITLE 1,Only a title\n", "code", "", "Only a title", True),
        ("# DBTITLE 1,\n1", "code", "1", "", False),
        ("# DBTITLE 1,a\n# DBTITLE 1,b\n1", "code", "# DBTITLE 1,b\n1", "a", True),
        ("# DBTITLE 2,a\n1", "code", "# DBTITLE 2,a\n1", "", False),
        ("1\n# DBTITLE 1,a", "code", "1\n# DBTITLE 1,a", "", False),
        ("# DBTITLE 1,Shell\n# MAGIC %sh\n# MAGIC ls", "code", "%sh\nls", "Shell", True),
        ("# MAGIC %run ./other $a=1", "code", "%run ./other $a=1", "", False),
        ("# MAGIC not magic at all", "code", "# MAGIC not magic at all", "", False),
        ("# MAGIC %sql\n# MAGIC select 1\nx = 1", "code", "# MAGIC %sql\n# MAGIC select 1\nx = 1", "", False),
        ("# MAGIC %scala\n# MAGIC // MAGIC %md", "code", "%scala\n// MAGIC %md", "", False),
    ],
)
async def test_every_way_to_write_a_cell_comes_back(wire, language, cell, kind, text, title, shows):
    """Byte for byte, also where the service would write it otherwise; in each language by its own comments."""

    def written(plain):
        comment = COMMENTS[language]
        lines = plain.split("\n")
        own = [line.replace("#", comment, 1) if line.startswith(("# MAGIC", "# DBTITLE")) else line for line in lines]
        return "\n".join(own)

    source = f"{COMMENTS[language]} Databricks notebook source\n{written(cell)}\n".encode()
    assert await source_again(wire, source, language) == source
    assert seen(await jupyter(wire)) == [(kind, written(text), title, shows)]


@pytest.mark.parametrize(
    "rest", ["", "\n", "\n\n", "1", "1\n\n", "\n\n1", "1\n\n# COMMAND ----------\n\n2", "# MAGIC %md"]
)
async def test_the_end_of_a_source_comes_back(wire, rest):
    """With and without a newline; without cells and with empty ones."""
    for source in (f"# Databricks notebook source\n{rest}", f"# Databricks notebook source\n{rest}\n"):
        assert await source_again(wire, source.encode()) == source.encode()


async def test_an_edited_cell_is_not_written_as_it_was(wire):
    """How a cell was written counts only as long as it is that cell."""
    await put(wire, b"# Databricks notebook source\n# MAGIC %md # One line\n", language="PYTHON")
    notebook = await jupyter(wire)
    notebook["cells"][0]["source"] = ["# Another"]
    await put(wire, orjson.dumps(notebook), "JUPYTER")
    assert await take(wire) == b"# Databricks notebook source\n# MAGIC %md\n# MAGIC # Another\n"


@pytest.mark.parametrize(
    "cell",
    [
        {"metadata": {CELL: "x"}},
        {"metadata": []},
        {"metadata": None},
        {"source": None},
        {"source": [1]},
        {"cell_type": None, "source": "1"},
        {"metadata": {CELL: {"title": None, "showTitle": None}}},
        {"metadata": {CELL: {"title": 5, "source": 7}}},
        {"outputs": None},
    ],
)
async def test_odd_files_are_read_or_refused_never_both(wire, cell):
    """400, or a notebook that every format can write."""
    content = ipynb(
        [{"cell_type": "code", "execution_count": None, "metadata": {}, "source": "1", "outputs": []} | cell]
    )
    body = {"path": "/Shared/nb", "content": base64.b64encode(content).decode(), "format": "JUPYTER"}
    status, answer = await wire.post(IMPORT, **body)
    assert status == 200 or (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    if status == 200:
        for format_ in ("SOURCE", "JUPYTER", "HTML", "DBC", "R_MARKDOWN"):
            await take(wire, format_)


# Texts without lines that have a meaning of their own in SOURCE.
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=12).map(
    lambda text: text.replace("MAGIC", "").replace("COMMAND", "").replace("DBTITLE", "")
)
TEXT = st.lists(LINE, max_size=4).map("\n".join)
TITLES = st.none() | st.tuples(LINE.filter(bool), st.booleans())
BODIES = st.one_of(
    TEXT.filter(lambda text: not text.startswith("%")).map(lambda text: ("code", text)),
    TEXT.map(lambda text: ("markdown", text)),
    st.tuples(
        st.sampled_from(["%sql", "%python", "%scala", "%r", "%sh", "%fs", "%run ./a", "%pip install b"]), TEXT
    ).map(lambda magic: ("code", "\n".join(magic))),
)
CELLS = st.lists(st.tuples(BODIES, TITLES), max_size=5)


def written(language, cells):
    """The notebook of these cells, as the service writes it. Written here anew, from what notebooks look like."""
    comment = COMMENTS[language]
    pieces = []
    for (kind, text), title in cells:
        shown = f"%md\n{text}" if kind == "markdown" else text
        lines = shown.split("\n")
        if shown.startswith("%"):
            lines = [f"{comment} MAGIC {line}".rstrip(" ") if not line else f"{comment} MAGIC {line}" for line in lines]
        if title is not None:
            lines.insert(0, f"{comment} DBTITLE {int(title[1])},{title[0]}")
        pieces.append("\n".join(lines))
    separator = f"\n\n{comment} COMMAND ----------\n\n"
    end = "\n" if pieces else ""
    return f"{comment} Databricks notebook source\n{separator.join(pieces)}{end}".encode()


@pytest.mark.parametrize("language", COMMENTS)
@pytest.mark.parametrize("through", ["JUPYTER", "HTML"])
@given(cells=CELLS)
@MANY
async def test_source_comes_back_from_other_formats(wire, language, through, cells):
    """Any notebook, byte for byte; and the other format has its cells, as they are."""
    source = written(language, cells)
    assert await source_again(wire, source, language, through) == source
    expected = [(kind, text, *(title or ("", False))) for (kind, text), title in cells]
    assert seen(await jupyter(wire)) == expected


@given(cells=CELLS, metadata=st.dictionaries(st.sampled_from(["nuid", "inputWidgets", "x"]), LINE | st.integers(0, 9)))
@MANY
@pytest.mark.parametrize("language", COMMENTS)
async def test_jupyter_comes_back_from_source(wire, language, cells, metadata):
    """Types, texts, titles and language through SOURCE; all of it where the notebook itself is asked for again."""
    files = []
    for (kind, text), title in cells:
        ours = {**metadata, "title": title[0] if title else "", "showTitle": bool(title and title[1])}
        outputs = {"execution_count": 1, "outputs": []} if kind == "code" else {}
        files.append({"cell_type": kind, "metadata": {CELL: ours}, "source": text.splitlines(keepends=True), **outputs})
    await put(wire, ipynb(files, {NOTEBOOK: {"language": language.lower()}}), "JUPYTER")
    exported = (await jupyter(wire))["cells"]
    for one, file in zip(exported, files, strict=True):
        kept = {name: one["metadata"][CELL][name] for name in file["metadata"][CELL]}
        assert one | {"metadata": {CELL: kept}} == file

    await put(wire, await take(wire), language=language, path="/Shared/again")
    again = await jupyter(wire, "/Shared/again")
    assert again["metadata"][NOTEBOOK]["language"] == language.lower()
    assert seen(again) == [(kind, text, *(title or ("", False))) for (kind, text), title in cells]
