"""Pictures of what happened, as plain values that draw themselves as SVG: `Timeline`, its `Bar`s and their `Part`s.

`run.timeline()` and `await w.clusters.history(cluster_id)` make them. Notebooks show them; `timeline.svg()` is the same
picture as text, for a file or a page. Equal values give equal bytes.
"""

from typing import TYPE_CHECKING

from databricks_async.front_door import front_door

if TYPE_CHECKING:
    from databricks_async.pictures.bars import Bar as Bar
    from databricks_async.pictures.bars import Part as Part
    from databricks_async.pictures.timeline import Timeline as Timeline
else:
    __getattr__, __dir__ = front_door(__name__, {"bars": ["Bar", "Part"], "timeline": ["Timeline"]})
