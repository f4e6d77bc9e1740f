"""What may be sent again, and when."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable

from databricks_async.aio import Sleep
from databricks_async.errors import (
    AuthError,
    CertificateError,
    ConnectError,
    DatabricksError,
    InvalidResponse,
    LifecycleError,
    OutcomeUnknown,
    TransportError,
    error_from,
)
from databricks_async.message import Request, Response, Send
from databricks_async.session.bucket import RetryBucket
from databricks_async.session.budgets import Budgets, Spent
from databricks_async.session.pauses import growing_pauses
from databricks_async.session.stats import Stats

log = logging.getLogger("databricks_async.retry")

_LOST_STATUSES = frozenset({408, 500, 502, 503, 504})
"""After these the service may or may not have done the work."""
_ALREADY_DONE_STATUSES = frozenset({400, 404, 409})
"""Statuses of a repeated write whose first try, its answer lost, had succeeded."""
_TRANSIENT_MESSAGES = (
    "UnknownWorkerEnvironmentException",
    "does not have any associated worker environments",
    "There is no worker environment with id",
    "Unknown worker environment",
    "ClusterNotReadyException",
    "Please try again later or try a faster operation.",
    "RPC token bucket limit has been exceeded",
)
"""Parts of messages by which the service says that a read will succeed a little later."""
_WARNING_SECONDS = 1.0
"""From one warning that a host cannot be reached to the next."""


def retrying(
    send: Send,
    budgets: Budgets,
    stats: Stats,
    sleep: Sleep = asyncio.sleep,
    bucket: RetryBucket | None = None,
    *,
    first: bool = False,
    error_in: Callable[[Request, Response], DatabricksError | None] = error_from,
    amend: Callable[[DatabricksError], None] = lambda _: None,
) -> Send:
    """Sends again what failed, where that cannot do the work twice, within the budget of the class of the failure.

    An answer is a failure when there is an `error_in` it. `amend` may change what any error says before it goes on.
    A request that never left is always sent again. One that was lost on the way, or answered with 500, 502, 503, 504
    or 408, is sent again if its `replay` class allows it; otherwise `OutcomeUnknown` is raised and nothing is sent.
    That also ends a request with a token that was lost again and again: with the token the caller can find out; and a
    write of which one try was lost and no later one left this machine.
    The error that ends a call carries the attempts and seconds that it took. `sleep` sleeps between two tries, of
    which each but the first takes a retry from the bucket; with `first` before others, because they wait for what the
    call brings.
    """

    was_there, next_warning_at = False, -math.inf
    bucket = bucket or RetryBucket()

    async def retry(request: Request) -> Response:
        nonlocal was_there, next_warning_at
        started = time.monotonic()
        attempts, lost, pauses, spent = 0, False, None, None
        while True:
            response: Response | None = None
            try:
                response = await send(request)
                # No layer of its own, which would cost nearly a hundredth of a call.
                if (error := error_in(request, response)) is None:
                    was_there = True
                    bucket.succeeded(again=spent is not None)
                    return response
                raise error
            except DatabricksError as failure:
                error = response = None  # its traceback holds this frame
                amend(failure)
                now = time.monotonic()
                was_there = was_there or failure.status is not None
                attempts += failure.attempts
                failure.attempts, failure.elapsed = attempts, now - started
                if lost and request.replay != "safe" and failure.status in _ALREADY_DONE_STATUSES:
                    raise _unknown(request, failure, "was repeated and then refused") from failure
                if not _is_transient(failure, request):
                    if failure.status is not None and failure.status < 500 and failure.status != 429:
                        bucket.succeeded(again=spent is not None)
                    if request.replay in ("unsafe", "token") and _is_good_but_unreadable(failure):
                        raise _unknown(request, failure, "was answered, and not as the API does") from failure
                    if lost and _leaves_open(request, failure):
                        raise _unknown(request, failure, "was sent and its answer lost") from failure
                    raise
                never_left = isinstance(failure, ConnectError)
                if not never_left:
                    lost = True
                    if request.replay == "unsafe":
                        raise _unknown(request, failure, "was sent and its answer lost") from failure
                lost_for_good = lost and _leaves_open(request, failure)
                is_wrong_host = isinstance(failure, TransportError) and failure.is_refusal and not was_there
                spent = spent or Spent(budgets)
                ends_at = spent.ends_at(now, never_left=never_left, is_wrong_host=is_wrong_host)
                pauses = pauses or growing_pauses()
                seconds = max(next(pauses), failure.retry_after or 0.0)
                is_last = now + seconds > ends_at
                if not is_last:
                    # A person waits in vain for a host that does not exist: warn of that, once for a thousand calls.
                    what = f"{type(failure).__name__}: {failure.message}" if never_left else type(failure).__name__
                    level = logging.INFO
                    if never_left and now >= next_warning_at:
                        level, next_warning_at = logging.WARNING, now + _WARNING_SECONDS
                    log.log(level, "%s: %s; trying again in %.1f s", request.endpoint, what, seconds)
                    if request.report is not None:
                        request.report.retrying(type(failure).__name__, failure.status, seconds)
                # Its frames hold an answer and more, which hundreds of calls may wait with.
                last = failure if is_last else failure.with_traceback(None)
            try:
                if not is_last:
                    await sleep(seconds)
                    is_last = not await bucket.take(ends_at - time.monotonic(), first=first)
                if is_last:
                    last.elapsed = time.monotonic() - started
                    if lost_for_good:
                        raise _unknown(request, last, "was sent and no answer came") from last
                    raise last
            except LifecycleError as closed:
                if lost_for_good:
                    raise _unknown(request, closed, "was sent and its answer lost") from closed
                raise
            finally:
                del last  # its traceback holds this frame
            stats.retries += 1
            stats.of(request.endpoint).retried += 1

    return retry


def _is_transient(failure: DatabricksError, request: Request) -> bool:
    """Whether a later try may succeed."""
    if isinstance(failure, TransportError):
        return not isinstance(failure, CertificateError)
    if isinstance(failure, AuthError):
        return False  # its requests were sent again by a retrying of their own; this one never left
    if failure.error_code == "QUOTA_EXCEEDED":
        return False
    if failure.status in _LOST_STATUSES:
        # A 503 that says when to come back is a refusal: it has waited at its gate, and nothing was done.
        return failure.status != 503 or failure.retry_after is None
    return request.replay == "safe" and any(words in failure.message for words in _TRANSIENT_MESSAGES)


def _leaves_open(request: Request, failure: DatabricksError) -> bool:
    """Whether a write that ends so leaves open what an earlier try, its answer lost, has done.

    With a token the caller can find out. Other writes end with the service's own error, unless it says that nothing has
    left this machine, which is not true of the earlier try.
    """
    never_left = isinstance(failure, ConnectError | AuthError)
    return request.replay == "token" or (request.replay == "idempotent" and never_left)


def _is_good_but_unreadable(failure: DatabricksError) -> bool:
    """Whether the status says that all went well, and a web page stands where the answer should."""
    return isinstance(failure, InvalidResponse) and failure.status is not None and 200 <= failure.status < 300


def _unknown(request: Request, failure: DatabricksError, what: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{request.endpoint} {what} ({failure.message}): it may or may not have been carried out",
        lookup=request.lookup,
        **failure.about(),
    )
