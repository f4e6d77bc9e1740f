"""The Libraries API: `w.libraries`, and all that its methods take and return."""

from typing import TYPE_CHECKING

from databricks_async.front_door import front_door

if TYPE_CHECKING:
    from databricks_async.libraries.api import Libraries as Libraries
    from databricks_async.libraries.models import *
else:
    __getattr__, __dir__ = front_door(__name__, {"models": "*", "api": ["Libraries"]})
