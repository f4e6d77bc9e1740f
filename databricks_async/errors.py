"""The exceptions of this package, and which one an answer of the service becomes.

An `except` for a class takes those below it too:

    DatabricksError                     the one root
    ├─ ConfigError                      settings incomplete or contradictory (also a ValueError)
    ├─ LifecycleError                   used after its end, or in another loop (also a RuntimeError)
    ├─ AuthError                        a token could not be obtained
    │   ├─ CredentialUnavailable        a way is not there: not installed, not logged in
    │   └─ InvalidCredential            what was given as a credential is none (also a TypeError)
    ├─ TransportError                   no complete answer came
    │   ├─ ConnectError                 the request never left this machine
    │   │   └─ CertificateError         the host's TLS certificate is not trusted
    │   ├─ ConnectionLost               the connection broke on the way or in the answer
    │   └─ RequestTimeout               sent, but no answer in time (also a TimeoutError)
    ├─ OutcomeUnknown                   a call that is never sent twice may have been carried out
    ├─ InvalidResponse                  answered, but not with what the API promises
    ├─ PagingError                      the service repeated a page token
    ├─ OperationFailed                  what was waited for ended in failure
    │   └─ RunFailed                    a run of a job ended without success (in jobs/errors.py)
    ├─ OperationTimeout                 a wait did not end in time (also a TimeoutError)
    │                                   the service refused (HTTP status, or error code):
    ├─ BadRequest                       400, and any 4xx not named here
    │   ├─ InvalidState                 INVALID_STATE
    │   ├─ InvalidParameterValue        INVALID_PARAMETER_VALUE
    │   └─ MaxNotebookSizeExceeded      MAX_NOTEBOOK_SIZE_EXCEEDED
    ├─ Unauthenticated                  401
    ├─ PermissionDenied                 403
    │   └─ PrivateLinkValidationError   redirected to the login page for lack of a private link
    ├─ NotFound                         404
    │   └─ ResourceDoesNotExist         RESOURCE_DOES_NOT_EXIST
    │       └─ MissingResource          the same (also an InvalidParameterValue)
    ├─ ResourceConflict                 409
    │   ├─ Aborted                      ABORTED
    │   ├─ AlreadyExists                ALREADY_EXISTS
    │   └─ ResourceAlreadyExists        RESOURCE_ALREADY_EXISTS
    ├─ TooManyRequests                  429
    │   ├─ ResourceExhausted            RESOURCE_EXHAUSTED
    │   └─ RequestLimitExceeded         REQUEST_LIMIT_EXCEEDED
    ├─ Cancelled                        499
    ├─ InternalError                    500, and any 5xx not named here
    │   ├─ Unknown                      UNKNOWN
    │   └─ DataLoss                     DATA_LOSS
    ├─ NotImplemented                   501
    ├─ TemporarilyUnavailable           503
    └─ DeadlineExceeded                 504
"""

# The official SDK's names, so that moving over changes an import: they do not end in Error, and one is a builtin's.
# ruff: noqa: A001

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, Unpack

from databricks_async.error_bodies import (
    PRIVATE_LINK,
    Detail,
    ErrorBody,
    find_request_id,
    has_type,
    is_page_for_file,
    is_plainly_good,
    one_line,
    read_disguised,
    read_error,
    read_redirect,
    retry_info_seconds,
)
from databricks_async.error_bodies import retry_after_seconds as retry_after_seconds
from databricks_async.front_door import missing, public_names
from databricks_async.message import Request, Response
from databricks_async.sent_secrets import mask


class About(TypedDict, total=False):
    """What is known about any error: the arguments of DatabricksError beside its message."""

    status: int | None
    error_code: str | None
    request_id: str | None
    endpoint: str | None
    attempts: int
    elapsed: float | None
    retry_after: float | None
    details: Iterable[Detail]


class DatabricksError(Exception):
    """Anything that this package raises on purpose. `str()` is one line without bodies, headers or secrets.

    The attributes may be changed: a caller that raises an error again adds what it knows.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        error_code: str | None = None,
        request_id: str | None = None,
        endpoint: str | None = None,
        attempts: int = 1,
        elapsed: float | None = None,
        retry_after: float | None = None,
        details: Iterable[Detail] = (),
    ) -> None:
        # The message alone: pickle and copy call the class with `args`, then restore the attributes.
        message = mask(message)
        super().__init__(message)
        self.message = message
        self.status = status
        """The HTTP status of the answer; None if none came."""
        self.error_code = error_code
        """The service's own code, such as `INVALID_PARAMETER_VALUE`."""
        self.request_id = request_id
        """The id under which the service's operators find the request."""
        self.endpoint = endpoint
        """The manual's line of the call, such as `GET /api/2.1/clusters/get`."""
        self.attempts = attempts
        """How often the request was sent."""
        self.elapsed = elapsed
        """Seconds from the call to this error."""
        self.retry_after = retry_after
        """Seconds that the service asked to wait before another try."""
        self.details: list[Detail] = [*details]
        """The service's typed details, as they came: each mapping names its type in `@type`."""

    def about(self) -> About:
        """What is known beside the message, for an error made from this one."""
        return {
            "status": self.status,
            "error_code": self.error_code,
            "request_id": self.request_id,
            "endpoint": self.endpoint,
            "attempts": self.attempts,
            "elapsed": self.elapsed,
            "retry_after": self.retry_after,
            "details": self.details,
        }

    @property
    def method(self) -> str | None:
        """The HTTP method of the call."""
        return self.endpoint.partition(" ")[0] if self.endpoint else None

    def __str__(self) -> str:
        code = "" if self.error_code == str(self.status) else self.error_code
        answer = " ".join(str(part) for part in (self.status, code) if part)
        known = [answer] if answer else []
        if self.request_id:
            known.append(f"request id {self.request_id}")
        if self.attempts > 1:
            known.append(f"after {self.attempts} attempts")
        about = ": ".join(part for part in (self.endpoint, ", ".join(known)) if part)
        line = one_line(self.message, 2000)
        return mask(f"{line} ({about})" if about else line)


class ConfigError(DatabricksError, ValueError):
    """The configuration is incomplete or contradicts itself."""


class LifecycleError(DatabricksError, RuntimeError):
    """A client was used after it was closed, or in another event loop than its own.

    Closing a client also ends the calls, waits, watches and streams under way with it: in a stream take it for the end.
    """


class AuthError(DatabricksError):
    """A token could not be obtained."""


class CredentialUnavailable(AuthError):
    """A way to authorize is not there: its tool is not installed, or no user is logged in. The next way is tried."""


class InvalidCredential(AuthError, TypeError):
    """What was handed in as a credential, or what it returned, is not what it has to be."""


class TransportError(DatabricksError):
    """No complete answer came."""

    is_refusal = False
    """Whether the host refused the connection, or speaks http where https was asked for, or the other way round."""


class ConnectError(TransportError):
    """The request never left this machine: refused, unknown host, no TLS, or no connection in time."""


class CertificateError(ConnectError):
    """The host's TLS certificate is not trusted. Another try cannot help."""


class ConnectionLost(TransportError):
    """The connection broke while the request was sent or the answer was read."""


class RequestTimeout(TransportError, TimeoutError):
    """The request was sent, and no complete answer came in time."""


class OutcomeUnknown(DatabricksError):
    """A call that must not be sent twice failed in a way that leaves open whether it was carried out."""

    def __init__(self, message: str = "", *, lookup: str = "", **about: Unpack[About]) -> None:
        super().__init__(f"{message}; {lookup}" if lookup else message, **about)
        self.lookup = lookup
        """How to find out whether the call was carried out."""
        self.idempotency_token: str | None = None
        """Of a call that starts a run: the same call with this token returns its run, or else starts one."""


class InvalidResponse(DatabricksError):
    """The service answered, but not with what its API promises: a web page, broken JSON, another type, a redirect."""


class PagingError(DatabricksError):
    """The service repeated a page token: following it would never end."""


class OperationFailed(DatabricksError):
    """What was waited for ended in failure."""

    def __init__(self, message: str = "", *, last: Any = None, **about: Unpack[About]) -> None:
        super().__init__(message, **about)
        self.last = last
        """The last object seen."""


if TYPE_CHECKING:

    class RunFailed(OperationFailed):
        """Declared, not imported: `databricks_async.jobs.errors`, where it is, builds on this module."""

        run: Any
        run_page_url: str | None
        failed_tasks: list[Any]

    FailedTask: TypeAlias = Any


class OperationTimeout(DatabricksError, TimeoutError):
    """What was waited for did not end in time. It goes on: nothing was cancelled."""

    def __init__(self, message: str = "", *, last: Any = None, **about: Unpack[About]) -> None:
        super().__init__(message, **about)
        self.last = last
        """The last object seen; None if none was."""


class BadRequest(DatabricksError):
    """400, or a 4xx without a class of its own: the service refuses what was asked."""


class InvalidState(BadRequest):
    """INVALID_STATE: not possible in the present state of the object."""


class InvalidParameterValue(BadRequest):
    """INVALID_PARAMETER_VALUE: a parameter has a value that the service refuses."""


class MaxNotebookSizeExceeded(BadRequest):
    """MAX_NOTEBOOK_SIZE_EXCEEDED: content too large to import or export so. Without a status nothing was sent."""


class Unauthenticated(DatabricksError):
    """401: the credentials are missing, wrong or expired. A wrong personal access token is a `PermissionDenied`."""


class PermissionDenied(DatabricksError):
    """403: the caller may not do this, or the personal access token is wrong ("Invalid access token")."""


class PrivateLinkValidationError(PermissionDenied):
    """The workspace may be reached only over a private link, and this request did not come over one."""


class NotFound(DatabricksError):
    """404: there is no such path or object."""


class ResourceDoesNotExist(NotFound):
    """RESOURCE_DOES_NOT_EXIST: there is no such object."""


class MissingResource(ResourceDoesNotExist, InvalidParameterValue):
    """There is no such object, and the service calls that INVALID_PARAMETER_VALUE."""


class ResourceConflict(DatabricksError):
    """409: in conflict with another object or another call."""


class Aborted(ResourceConflict):
    """ABORTED: given up because of a concurrent call."""


class AlreadyExists(ResourceConflict):
    """ALREADY_EXISTS: there is such an object already."""


class ResourceAlreadyExists(ResourceConflict):
    """RESOURCE_ALREADY_EXISTS: there is such an object already."""


class TooManyRequests(DatabricksError):
    """429: a rate limit or a quota is used up."""


class ResourceExhausted(TooManyRequests):
    """RESOURCE_EXHAUSTED: a rate limit or a quota is used up."""


class RequestLimitExceeded(TooManyRequests):
    """REQUEST_LIMIT_EXCEEDED: too many requests in a time, or at the same time."""


class Cancelled(DatabricksError):
    """499: the service saw the caller close the connection."""


class InternalError(DatabricksError):
    """500, or a 5xx without a class of its own: the service failed."""


class Unknown(InternalError):
    """UNKNOWN: the service failed and does not know why."""


class DataLoss(InternalError):
    """DATA_LOSS: data is lost or corrupt."""


class NotImplemented(DatabricksError):
    """501: the service does not offer this."""


class TemporarilyUnavailable(DatabricksError):
    """503: the service is not there for the moment."""


class DeadlineExceeded(DatabricksError):
    """504: the service ran out of time."""


_BY_CODE: dict[str, type[DatabricksError]] = {
    "INVALID_STATE": InvalidState,
    "INVALID_PARAMETER_VALUE": InvalidParameterValue,
    "MAX_NOTEBOOK_SIZE_EXCEEDED": MaxNotebookSizeExceeded,
    "RESOURCE_DOES_NOT_EXIST": ResourceDoesNotExist,
    "NOT_FOUND": ResourceDoesNotExist,
    "ABORTED": Aborted,
    "ALREADY_EXISTS": AlreadyExists,
    "RESOURCE_ALREADY_EXISTS": ResourceAlreadyExists,
    "RESOURCE_EXHAUSTED": ResourceExhausted,
    "REQUEST_LIMIT_EXCEEDED": RequestLimitExceeded,
    "UNKNOWN": Unknown,
    "DATA_LOSS": DataLoss,
}

_BY_STATUS: dict[int, type[DatabricksError]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    409: ResourceConflict,
    429: TooManyRequests,
    499: Cancelled,
    500: InternalError,
    501: NotImplemented,
    503: TemporarilyUnavailable,
    504: DeadlineExceeded,
}

# Codes that say no more than a status does: read only where the status says that all is well.
_STATUS_OF_CODE = {
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "RESOURCE_CONFLICT": 409,
    "QUOTA_EXCEEDED": 429,
    "CANCELLED": 499,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}

# Clusters, jobs and runs that are not there are a wrong parameter to the service: 400, INVALID_PARAMETER_VALUE, and one
# of these texts. The official SDK knows them of three endpoints that read; those that act say the same.
_NOT_FOUND_TEXT = r"(?:Cluster|Job|Run) .* does not exist|Run: .* in job: .* doesn't exist"

_EXPIRED = (  # or invalid, says the service of a token
    r"(?i)\btoken\b.{0,40}\b(?:invalid|expired|expires|expiring|revoked)\b|\b(?:invalid|expired)\b.{0,30}\btoken\b"
)


def error_from(request: Request, response: Response) -> DatabricksError | None:
    """The exception that an answer stands for; None if it is a good one."""
    status = response.status
    if 200 <= status < 300:
        if is_plainly_good(response.body):
            return None
        # A downloaded file may look like anything.
        raw = "direct_download=true" in request.query.lower() and not is_page_for_file(response.headers, request.query)
        read = read_disguised(response, raw=raw)
        if read is None:
            return None
        code = read.error_code or ""
        status = int(code) if re.fullmatch("[45][0-9][0-9]", code) else _STATUS_OF_CODE.get(code, 400)
        kind = _class_of(status, read) if code else InvalidResponse
    elif 300 <= status < 400:
        read = read_redirect(response)
        kind = PrivateLinkValidationError if read.error_code == PRIVATE_LINK else InvalidResponse
    elif 400 <= status < 600:
        read = read_error(response)
        kind = _class_of(status, read)
    else:
        read, kind = ErrorBody(f"answered with the unknown HTTP status {status}"), InvalidResponse
    retry_after = retry_after_seconds(response.headers)
    request_id = find_request_id(response.headers, read.details)
    return kind(
        # Gateways put the request id into the text as well.
        read.message.removesuffix(f" [ReqId: {request_id}]"),
        status=response.status,
        error_code=read.error_code,
        request_id=request_id,
        endpoint=request.endpoint,
        attempts=response.attempts,
        retry_after=retry_info_seconds(read.details) if retry_after is None else retry_after,
        details=read.details,
    )


def is_expired_token(response: Response) -> bool:
    """Whether a new token may help: a 401, or a 403 that blames the token.

    The service answers 403 to a token that ends within 30 seconds.
    """
    return response.status == 401 or (
        response.status == 403 and bool(re.search(_EXPIRED, read_error(response).message))
    )


def is_about_token(error: DatabricksError) -> bool:
    """Whether the service refused the credentials: a 401, or a 403 that blames the token."""
    refused = isinstance(error, PermissionDenied) and bool(re.search(_EXPIRED, error.message))
    return refused or isinstance(error, Unauthenticated)


def asked_to_wait(response: Response) -> float | None:
    """Seconds that a failed answer asks to wait: its Retry-After, else a RetryInfo among its details."""
    seconds = retry_after_seconds(response.headers)
    return retry_info_seconds(read_error(response).details) if seconds is None else seconds


def is_quota(response: Response) -> bool:
    """Whether this is a 429 for which waiting is no help: a quota is used up, not a rate."""
    if response.status != 429:
        return False
    read = read_error(response)
    if read.error_code == "RESOURCE_EXHAUSTED":
        # A service that says when to come back speaks of a rate, whatever it calls it.
        is_about_quota = "quota" in read.message.lower() or any(has_type(one, "QuotaFailure") for one in read.details)
        return is_about_quota and asked_to_wait(response) is None
    return read.error_code == "QUOTA_EXCEEDED"


def _class_of(status: int, read: ErrorBody) -> type[DatabricksError]:
    if status == 400 and read.error_code == "INVALID_PARAMETER_VALUE" and re.match(_NOT_FOUND_TEXT, read.message):
        return MissingResource
    found = _BY_CODE.get(read.error_code or "") or _BY_STATUS.get(status)
    return found or (BadRequest if status < 500 else InternalError)


if not TYPE_CHECKING:
    __all__ = ["FailedTask", "RunFailed", *public_names(sys.modules[__name__])]


def __getattr__(name: str) -> Any:
    """The errors of jobs, which can be imported from here as well."""
    if name in ("RunFailed", "FailedTask"):
        return getattr(import_module("databricks_async.jobs.errors"), name)
    raise missing(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), "FailedTask", "RunFailed"})
