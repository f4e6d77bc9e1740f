"""Which exception an answer becomes, and what an exception says."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import orjson
import pytest

from databricks_async import errors
from databricks_async.errors import (
    DatabricksError,
    OperationTimeout,
    OutcomeUnknown,
    error_from,
    is_expired_token,
    is_quota,
)
from databricks_async.message import Request, Response

GET = Request("GET /api/2.1/clusters/get", "/api/2.1/clusters/get")


def answer(status: int, body: Any = b"", **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def raised(status: int, body: Any = b"", request: Request = GET, **headers: str) -> DatabricksError:
    error = error_from(request, answer(status, body, **headers))
    assert error is not None
    return error


ALL = [
    value
    for value in (*vars(errors).values(), errors.RunFailed)
    if isinstance(value, type) and issubclass(value, DatabricksError)
]


# Which class


@pytest.mark.parametrize(
    ("status", "code", "name"),
    [
        (400, None, "BadRequest"),
        (401, None, "Unauthenticated"),
        (403, None, "PermissionDenied"),
        (404, None, "NotFound"),
        (409, None, "ResourceConflict"),
        (429, None, "TooManyRequests"),
        (499, None, "Cancelled"),
        (500, None, "InternalError"),
        (501, None, "NotImplemented"),
        (503, None, "TemporarilyUnavailable"),
        (504, None, "DeadlineExceeded"),
        (402, None, "BadRequest"),
        (418, None, "BadRequest"),
        (502, None, "InternalError"),
        (599, None, "InternalError"),
        (400, "INVALID_STATE", "InvalidState"),
        (400, "INVALID_PARAMETER_VALUE", "InvalidParameterValue"),
        (404, "RESOURCE_DOES_NOT_EXIST", "ResourceDoesNotExist"),
        (400, "RESOURCE_DOES_NOT_EXIST", "ResourceDoesNotExist"),
        (409, "ABORTED", "Aborted"),
        (409, "ALREADY_EXISTS", "AlreadyExists"),
        (400, "RESOURCE_ALREADY_EXISTS", "ResourceAlreadyExists"),
        (429, "RESOURCE_EXHAUSTED", "ResourceExhausted"),
        (429, "REQUEST_LIMIT_EXCEEDED", "RequestLimitExceeded"),
        (500, "UNKNOWN", "Unknown"),
        (500, "DATA_LOSS", "DataLoss"),
        (400, "MAX_NOTEBOOK_SIZE_EXCEEDED", "MaxNotebookSizeExceeded"),
        (403, "NEW_CODE_OF_TOMORROW", "PermissionDenied"),
    ],
)
def test_the_error_code_then_the_status_choose_the_class(status: int, code: str | None, name: str) -> None:
    """A code of the official table wins, then the status, then the kind of status."""
    error = raised(status, {"error_code": code, "message": "no"})
    assert type(error).__name__ == name
    assert (error.status, error.error_code, error.message) == (status, code, "no")


def test_the_classes_are_those_of_the_official_sdk() -> None:
    """Code that moves over catches the same names, under the same parents, for the same codes."""
    from databricks.sdk.errors import platform

    tables = ((platform.STATUS_CODE_MAPPING, 0), (platform.ERROR_CODE_MAPPING, 400))
    for table, fixed in tables:
        for key, theirs in table.items():
            ours = type(raised(fixed or int(key), {"error_code": key if fixed else None, "message": "no"}))
            assert (ours.__name__, ours.__bases__[0].__name__) == (theirs.__name__, theirs.__bases__[0].__name__)


@pytest.mark.parametrize(
    ("endpoint", "message", "name"),
    [
        ("GET /api/2.0/clusters/get", "Cluster 1 does not exist", "MissingResource"),
        ("POST /api/2.1/clusters/start", "Cluster 1 does not exist", "MissingResource"),
        ("GET /api/2.2/jobs/get", "Job 7 does not exist.", "MissingResource"),
        ("POST /api/2.2/jobs/run-now", "Job 7 does not exist.", "MissingResource"),
        ("GET /api/2.1/jobs/runs/get", "Run 7 does not exist.", "MissingResource"),
        ("GET /api/2.1/jobs/runs/get", "Run: 7 in job: 8 doesn't exist", "MissingResource"),
        ("GET /api/2.1/jobs/runs/get-output", "Run 7 does not exist.", "MissingResource"),
        ("GET /api/2.1/clusters/get", "cluster_id is malformed", "InvalidParameterValue"),
        ("POST /api/2.2/jobs/runs/repair", "Task 'a' does not exist in run 7.", "InvalidParameterValue"),
    ],
)
def test_a_missing_object_may_be_said_in_words(endpoint: str, message: str, name: str) -> None:
    """A wrong parameter that is a missing object is a ResourceDoesNotExist, whichever method met it."""
    request = Request(endpoint, endpoint.partition(" ")[2])
    error = raised(400, {"error_code": "INVALID_PARAMETER_VALUE", "message": message}, request)
    assert type(error).__name__ == name


# Redirects


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://other.example/login?next=secret#x", "to https://other.example/login,"),
        ("https://user:secret@other.example/x", "to https://other.example/x,"),
        ("/login.html?error=secret", "to /login.html,"),
        ("//other.example", "to other.example,"),
        ("", "without an address"),
        ("https://[secret", "to an invalid address"),
    ],
)
def test_a_redirect_is_no_answer(location: str, said: str) -> None:
    """The error names the place, without its query and without a password."""
    error = raised(302, Location=location)
    assert type(error) is errors.InvalidResponse
    assert said in error.message
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("location", "is_login"),
    [
        ("/login.html?next_url=%2Fapi", True),
        ("https://x.example/login", True),
        ("https://login.microsoftonline.com/tenant/oauth2/authorize", True),
        ("/oidc/v1/authorize?x=1", True),
        ("/aad/auth", True),
        ("https://x.example/loginless", False),
        ("https://x.example/api/2.0/clusters/list", False),
    ],
)
def test_a_redirect_to_a_login_page_says_what_may_be_missing(location: str, is_login: bool) -> None:
    """One address serves many workspaces: without the id of one it asks a person to log in."""
    error = raised(302, Location=location)
    assert ("a login page: check the host, and whether the workspace id is missing" in error.message) == is_login
    assert ("DATABRICKS_WORKSPACE_ID" in error.message) == is_login


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("https://adb-1.2.azuredatabricks.net", "Azure Private Link"),
        ("", "Azure Private Link"),
        ("https://x.cloud.databricks.com", "AWS PrivateLink"),
        ("https://1.gcp.databricks.com", "Private Service Connect"),
    ],
)
def test_a_missing_private_link_has_an_error_of_its_own(host: str, service: str) -> None:
    """The redirect by which the service says so becomes words for the cloud at hand."""
    error = raised(302, location=f"{host}/login.html?error=private-link-validation-error:123")
    assert type(error) is errors.PrivateLinkValidationError
    assert isinstance(error, errors.PermissionDenied)
    assert error.error_code == "PRIVATE_LINK_VALIDATION_ERROR"
    assert service in error.message


# What may help


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, {"error_code": "QUOTA_EXCEEDED", "message": "m"}, True),
        (429, {"error_code": "RESOURCE_EXHAUSTED", "message": "Quota of 1000 jobs is used up"}, True),
        (429, {"error_code": "RESOURCE_EXHAUSTED", "message": "too many requests"}, False),
        (429, {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "quota"}, False),
        (429, b"", False),
        (400, {"error_code": "QUOTA_EXCEEDED", "message": "m"}, False),
    ],
)
def test_a_quota_is_told_from_a_rate(status: int, body: Any, expected: bool) -> None:
    """Only a 429 that waiting cannot heal is a quota."""
    assert is_quota(answer(status, body)) is expected


def test_a_quota_that_says_when_to_come_back_is_a_rate() -> None:
    """With Retry-After, waiting helps."""
    body = {"error_code": "RESOURCE_EXHAUSTED", "message": "request quota per second"}
    assert is_quota(answer(429, body, retry_after="1")) is False


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (401, "", True),
        (401, "anything", True),
        (403, "Token is expiring within 30 seconds", True),
        (403, "Invalid access token.", True),
        (403, "The access token expired", True),
        (403, "Error 403: token has been revoked", True),
        (403, "User does not have permission to manage tokens", False),
        (403, "You are not allowed to see this cluster", False),
        (403, "", False),
        (400, "Invalid page token", False),
        (500, "token expired", False),
    ],
)
def test_an_expired_token_is_told_from_a_refusal(status: int, message: str, expected: bool) -> None:
    """Only what a new token may heal counts."""
    assert is_expired_token(answer(status, {"error_code": "PERMISSION_DENIED", "message": message})) is expected


def test_an_expired_token_may_be_told_by_a_web_page() -> None:
    """The gateway answers in HTML."""
    assert is_expired_token(answer(403, b"<html><title>Error 403 Invalid access token.</title></html>"))


# What an exception says


def test_the_text_is_one_short_line() -> None:
    """What was wrong, then what was asked and answered."""
    response = Response(400, {"x-request-id": "abc"}, b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}', 3)
    error = error_from(GET, response)
    assert str(error) == (
        "no (GET /api/2.1/clusters/get: 400 INVALID_PARAMETER_VALUE, request id abc, after 3 attempts)"
    )


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DatabricksError("no"), "no"),
        (DatabricksError("no", endpoint="GET /x"), "no (GET /x)"),
        (DatabricksError("no", status=500), "no (500)"),
        (DatabricksError("no", attempts=2), "no (after 2 attempts)"),
        (OutcomeUnknown("lost", lookup="look for the job by its name"), "lost; look for the job by its name"),
    ],
)
def test_the_text_tells_no_more_than_is_known(error: DatabricksError, text: str) -> None:
    """Nothing is printed as None."""
    assert str(error) == text


def test_the_method_is_that_of_the_endpoint() -> None:
    """The endpoint is the manual's line, and begins with the method."""
    assert raised(400).method == "GET"
    assert DatabricksError("no").method is None


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_every_exception_survives_pickle_and_copy(kind: type[DatabricksError], again: Any) -> None:
    """A process pool hands over the error with all that it says."""
    error = kind("no", status=400, error_code="X", request_id="r", endpoint="GET /x", details=[{"@type": "t"}])
    error.attempts, error.elapsed, error.retry_after = 3, 1.5, 2.0
    other = again(error)
    assert type(other) is kind
    assert (str(other), vars(other), other.args) == (str(error), vars(error), error.args)


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_what_some_exceptions_tell_more_survives_too(again: Any) -> None:
    """The hint of OutcomeUnknown is not doubled, and the last object is kept."""
    unknown = again(OutcomeUnknown("lost", lookup="list the jobs"))
    assert (str(unknown), unknown.lookup) == ("lost; list the jobs", "list the jobs")
    assert again(OperationTimeout("late", last={"state": "PENDING"})).last == {"state": "PENDING"}


def test_the_errors_of_jobs_are_importable_from_here() -> None:
    """They are the classes of `jobs/errors.py`; any other name is an AttributeError as usual."""
    from databricks_async.jobs import errors as of_jobs

    assert errors.RunFailed is of_jobs.RunFailed
    assert errors.FailedTask is of_jobs.FailedTask
    with pytest.raises(AttributeError, match="has no attribute 'RunSucceeded'"):
        errors.RunSucceeded  # noqa: B018


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.ConfigError, ValueError),
        (errors.LifecycleError, RuntimeError),
        (errors.RequestTimeout, TimeoutError),
        (errors.OperationTimeout, TimeoutError),
    ],
)
def test_some_are_also_what_python_calls_them(kind: type[DatabricksError], builtin: type[Exception]) -> None:
    """`except TimeoutError` catches a timeout, whichever call raised it."""
    assert issubclass(kind, builtin)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every class is drawn, under its parent."""
    assert errors.__doc__ is not None
    path: list[str] = []
    drawn = {}
    for line in (indented.removeprefix("    ") for indented in errors.__doc__.splitlines()):
        head, mark, rest = line.partition("─ ")
        name = rest.split(" ")[0] if mark else line.split(" ")[0]
        if name.isidentifier() and isinstance(getattr(errors, name, None), type):
            depth = (len(head) + 3) // 4 if mark else 0
            path[depth:] = [name]
            drawn[name] = path[depth - 1] if depth else "Exception"
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in ALL}
