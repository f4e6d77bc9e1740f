"""A native asyncio client for Azure Databricks.

    async with WorkspaceClient() as w:
        cluster = await w.clusters.get("0923-164208-meows279")

The map of the package, each module before those that it builds on:

    manual          the manual and what builds it; in the repository only
    __main__        `python -m databricks_async`
    cli             the command line
    pytest_plugin   fixtures for users' own tests
    otel            traces and metrics by OpenTelemetry
    client          WorkspaceClient: one session, and the services on it
    jobs            w.jobs: the Jobs API, its models, runs and the waits for them
    workspace       w.workspace: the Workspace API, large content, whole trees
    current_user    w.current_user: who the token stands for
    clusters        w.clusters: the Clusters API and its models
    libraries       w.libraries: the Libraries API and its models
    permissions     who may do what with an object: what all kinds of objects share
    service         what all services share: one call, one page of a listing
    pager           Pager and Page: listings
    wait            Wait: operations under way
    watch           Watch and Changes: what happens to one thing, or to many
    following       Stream: each event once and in order, over errors and restarts
    pictures        timelines of runs and clusters, as values that draw themselves
    polling         the one reader of a kind of things, whose polls all waits and watches share
    codec           JSON to models and back
    session         everything between a Request and its Response
    auth            ways to get a token
    gates           gates that many clients share
    events          what a client does, as typed events and lines of the debug log
    config          Config: which workspace, on whose behalf
    secret          text that stays out of sight
    errors          all exceptions, drawn as a tree
    error_bodies    what an answer says went wrong, as plain values
    sent_secrets    the secrets that were sent: no message repeats them
    aio             what asyncio lacks: time limits, single flight, gather, work off the loop
    epoch           epoch milliseconds as datetime and timedelta
    local           an in-memory workspace behind real HTTP, for tests and demos
    message         Request, Response, Send: the values between the layers
    nesting         how deep an answer may be nested
    suggest         what was meant, and what to write instead
    display         how things show themselves: a table, text cut short
    documentation   the line of meaning of each field, for help()
    front_door      how the packages offer their names
    version         the version of this package

Public is what this package, `errors`, `events`, `local`, `otel`, `pictures` and the packages of the services list in
their `__all__`, with the arguments, methods and attributes that the docstrings show: a minor version may add to that,
and may move or change all else.
"""

from typing import TYPE_CHECKING

from databricks_async.front_door import front_door
from databricks_async.version import __version__ as __version__

if TYPE_CHECKING:
    from databricks_async.auth.token import Credential as Credential
    from databricks_async.auth.token import Token as Token
    from databricks_async.client import WorkspaceClient as WorkspaceClient
    from databricks_async.codec import Model as Model
    from databricks_async.codec.given import OfficialModel as OfficialModel
    from databricks_async.config import Config as Config
    from databricks_async.errors import DatabricksError as DatabricksError
    from databricks_async.errors import OutcomeUnknown as OutcomeUnknown
    from databricks_async.following.stream import Stream as Stream
    from databricks_async.jobs.errors import RunFailed as RunFailed
    from databricks_async.message import Replay as Replay
    from databricks_async.pager import Page as Page
    from databricks_async.pager import Pager as Pager
    from databricks_async.pictures.timeline import Timeline as Timeline
    from databricks_async.session.stats import Stats as Stats
    from databricks_async.wait import Starting as Starting
    from databricks_async.wait import Timeout as Timeout
    from databricks_async.wait import Wait as Wait
    from databricks_async.watch import Changes as Changes
    from databricks_async.watch import Watch as Watch
else:
    # Imported on first use, so that importing the package stays cheap.
    __getattr__, __dir__ = front_door(
        __name__,
        {
            "auth.token": ["Credential", "Token"],
            "client": ["WorkspaceClient"],
            "codec": ["Model"],
            "codec.given": ["OfficialModel"],
            "config": ["Config"],
            "errors": ["DatabricksError", "OutcomeUnknown"],
            "following.stream": ["Stream"],
            "jobs.errors": ["RunFailed"],
            "message": ["Replay"],
            "pager": ["Page", "Pager"],
            "pictures.timeline": ["Timeline"],
            "session.stats": ["Stats"],
            "wait": ["Starting", "Timeout", "Wait"],
            "watch": ["Changes", "Watch"],
        },
    )
