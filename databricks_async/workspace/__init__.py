"""The Workspace API: `w.workspace`, and all that its methods take and return."""

from typing import TYPE_CHECKING

from databricks_async.front_door import front_door

if TYPE_CHECKING:
    from databricks_async.workspace.api import Workspace as Workspace
    from databricks_async.workspace.content import Download as Download
    from databricks_async.workspace.models import *
    from databricks_async.workspace.sources import AsyncFile as AsyncFile
    from databricks_async.workspace.sources import Content as Content
    from databricks_async.workspace.sources import UploadSource as UploadSource
    from databricks_async.workspace.trees.pool import TreeFailure as TreeFailure
    from databricks_async.workspace.trees.pool import TreeItem as TreeItem
    from databricks_async.workspace.trees.pool import TreeProgress as TreeProgress
    from databricks_async.workspace.trees.pool import TreeReport as TreeReport
    from databricks_async.workspace.trees.pool import TreeSkip as TreeSkip
    from databricks_async.workspace.trees.walk import Walk as Walk
else:
    __getattr__, __dir__ = front_door(
        __name__,
        {
            "models": "*",
            "content": ["Download"],
            "sources": ["AsyncFile", "Content", "UploadSource"],
            "trees.pool": ["TreeProgress", "TreeFailure", "TreeItem", "TreeReport", "TreeSkip"],
            "trees.walk": ["Walk"],
            "api": ["Workspace"],
        },
    )
