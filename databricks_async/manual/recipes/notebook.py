# mypy: disable-error-code="top-level-await, name-defined"
# ruff: noqa: F704, B018
"""Jupyter.

A notebook has an event loop of its own, and `await` stands in its cells. One client serves
all of them. Each `# %%` begins a cell; what a cell ends with is shown as a table or a
picture.

Run it by copying its cells, or open the file itself: VS Code, PyCharm and Jupytext see its
cells.

When things go wrong:

- A cell is interrupted: what it awaited ends, with its requests. Clusters and runs are not
  touched.
- `asyncio.run` in a notebook is a `RuntimeError`: write `await`.
- The kernel ends without the last cell: the connections end with it.
"""

# %%
from databricks_async import WorkspaceClient

w = WorkspaceClient()

# %% A listing, as a table.
clusters = await w.clusters.list().collect()
clusters

# %% One cluster, with all that is set.
clusters[0]

# %% A run to its end, and its timeline.
tasks = [{"task_key": "load", "notebook_task": {"notebook_path": "/etl/load"}}]
run = await w.jobs.submit(run_name="load", tasks=tasks).result(timeout=3600)
run.timeline()

# %% What came out.
outputs = await w.jobs.get_run_outputs(run)
outputs["load"].notebook_output

# %%
await w.aclose()
