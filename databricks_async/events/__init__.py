"""What a client does, as typed events: for logs, metrics and dashboards of a program's own.

    from databricks_async import WorkspaceClient
    from databricks_async.events import Event, RequestRefused, RetryScheduled

    def on_event(event: Event) -> None:
        match event:
            case RequestRefused(family=family, seconds=seconds):
                print(f"{family}: no request for {seconds} s")
            case RetryScheduled(endpoint=endpoint, error=error):
                print(f"{endpoint} failed with {error}")

    async with WorkspaceClient(on_event=on_event) as w:
        await w.clusters.list().collect()

`on_event` is one handler or a list of them. A plain function is called at once, in the task of the call: it has to be
quick. An `async` one runs beside the calls and sees one event after the other; it may be 1,000 events behind, then it
misses some. What a handler raises is logged once, by `databricks_async.events`, and reaches no call. `aclose` gives
async handlers a second for the events that they have not seen. Events are frozen, and no secret is in them.

The modules:

    kinds       the events
    handlers    who is told of them
    reports     what is reported of a call, and its lines in the debug log
    shown       what of a request may be shown
"""

from typing import TYPE_CHECKING

from databricks_async.front_door import front_door

if TYPE_CHECKING:
    from databricks_async.events.handlers import Handler as Handler
    from databricks_async.events.kinds import CallEnded as CallEnded
    from databricks_async.events.kinds import CallEvent as CallEvent
    from databricks_async.events.kinds import CallStarted as CallStarted
    from databricks_async.events.kinds import CallWaited as CallWaited
    from databricks_async.events.kinds import Event as Event
    from databricks_async.events.kinds import PageReceived as PageReceived
    from databricks_async.events.kinds import RequestFailed as RequestFailed
    from databricks_async.events.kinds import RequestRefused as RequestRefused
    from databricks_async.events.kinds import RequestSent as RequestSent
    from databricks_async.events.kinds import ResponseReceived as ResponseReceived
    from databricks_async.events.kinds import RetryScheduled as RetryScheduled
    from databricks_async.events.kinds import TokenFailed as TokenFailed
    from databricks_async.events.kinds import TokenFetched as TokenFetched
else:
    __getattr__, __dir__ = front_door(__name__, {"handlers": ["Handler"], "kinds": "*"})
