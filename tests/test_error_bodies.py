"""What is read from an answer: the message in any body, errors that look like answers, and pauses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databricks_async import error_bodies, errors
from databricks_async.errors import (
    DatabricksError,
    asked_to_wait,
    error_from,
    is_expired_token,
    is_quota,
    retry_after_seconds,
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


# How often it is read


class CountingLoads:
    """In the place of orjson, and counts what is parsed."""

    def __init__(self) -> None:
        self.count = 0

    def loads(self, data: bytes | str) -> Any:
        self.count += 1
        return orjson.loads(data)


@pytest.mark.parametrize(
    ("status", "code"), [(429, "RESOURCE_EXHAUSTED"), (403, "PERMISSION_DENIED"), (503, "TEMPORARILY_UNAVAILABLE")]
)
def test_an_error_body_is_parsed_once(monkeypatch, status: int, code: str) -> None:
    """By the layers of the session together: whether to wait, whether the token is to blame, which error it is."""
    parser = CountingLoads()
    monkeypatch.setattr(error_bodies, "orjson", parser)
    response = answer(status, {"error_code": code, "message": "the quota of tokens is used up"})
    is_quota(response)
    is_expired_token(response)
    asked_to_wait(response)
    assert error_from(GET, response) is not None
    assert parser.count == 1


# What the body says


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (b"", "Bad Request", None),
        (b"  \n", "Bad Request", None),
        (b'{"error_code": "X", "message": "m"}', "m", "X"),
        (b'\xef\xbb\xbf{"error_code": "X", "message": "m"}', "m", "X"),
        (b'{"message": null}', "Bad Request", None),
        (b"{}", "Bad Request", None),
        (b'{"error_code": 401, "message": "m"}', "m", "401"),
        (b'{"error_code": "403", "message": "m"}', "m", "403"),
        (b'{"error_code": true, "message": ["m"]}', "Bad Request", None),
        (b'{"error_code": "X", "message": "m", "error": "older text"}', "older text", "X"),
        (b'{"error": {"code": "X", "message": "m"}}', "m", "X"),
        (b'{"error": "invalid_client", "error_description": "unknown id"}', "unknown id", "invalid_client"),
        (b'{"error": "invalid_client"}', "invalid_client", "invalid_client"),
        (b'{"detail": "no such user", "status": "404", "scimType": "noTarget"}', "noTarget no such user", "SCIM_404"),
        (b'{"detail": "no such user", "status": 404}', "no such user", "SCIM_404"),
        (b'{"detail": "null", "status": "500"}', "SCIM API Internal Error", "SCIM_500"),
        (b'{"error_code": "X", "message": "m", "detail": "d"}', "m", "X"),
        (b"INVALID_STATE: not now", "not now", "INVALID_STATE"),
        (b"upstream connect error", "upstream connect error", None),
        (b'"INVALID_STATE: not now"', "not now", "INVALID_STATE"),
        (b'"just text"', "just text", None),
        (b'[{"error_code": "X", "message": "m"}]', "m", "X"),
        (b"[]", "Bad Request", None),
        (b"[1, 2]", "Bad Request", None),
        (b'{"error_code": "X", "mess', "Bad Request; the answer is not valid JSON", None),
        (b'{"message": "caf\xe9"}', "caf\ufffd", None),
        (b"\xff\xfe\x00", "\ufffd\ufffd", None),
        (b"<html><pre>Invalid &lt;token&gt;</pre></html>", "Invalid <token>", None),
        (b"<html><head><title> Error\n 403 </title>", "Error 403", None),
        (b"<html></html>", "Bad Request", None),
        (b"[" * 5000, "Bad Request; the answer is not valid JSON", None),
    ],
)
def test_any_body_gives_a_clear_message(body: bytes, message: str, code: str | None) -> None:
    """Whatever shape the body has, the message is what it says, or the status in words."""
    error = raised(400, body)
    assert (error.message, error.error_code) == (message, code)


def test_a_wrong_content_type_does_not_hide_the_json() -> None:
    """Some gateways call their JSON a web page."""
    assert raised(400, {"error_code": "INVALID_STATE", "message": "m"}, content_type="text/html").message == "m"


def test_a_long_message_is_cut_and_kept_on_one_line() -> None:
    """A stack trace in the message does not flood a log, nor does it forge lines in it."""
    error = raised(500, {"message": "first\r\nsecond\x1b[31m\x00" + "x" * 100_000})
    assert error.message.startswith("first second [31m xxx")
    assert len(error.message) == 500
    assert str(error).isprintable()


@pytest.mark.parametrize(
    "secret", ["dapi0123456789abcdef0123456789abcdef", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"]
)
def test_a_token_that_the_service_repeats_is_not_repeated(secret: str) -> None:
    """A message never holds a token, also not one that came back from the service."""
    assert secret not in str(raised(403, {"message": f"Invalid access token {secret}"}))
    assert secret not in str(DatabricksError(f"refused {secret}"))


@settings(deadline=None, derandomize=True, database=None)
@given(st.integers(100, 700), st.binary(max_size=60), st.sampled_from(["", "text/html", "application/json"]))
def test_no_answer_crashes_the_reader(status: int, body: bytes, content_type: str) -> None:
    """Any bytes with any status are a good answer or an error with a message."""
    error = error_from(GET, answer(status, body, content_type=content_type))
    if error is None:
        assert 200 <= status < 300
    else:
        assert str(error)
        assert str(error).isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error_code", "message", "error", "details", "detail", "status", "@type", "retry_delay"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, derandomize=True, database=None)
@given(st.sampled_from([200, 302, 400, 429, 503]), JSON)
def test_no_json_crashes_the_reader(status: int, value: Any) -> None:
    """Fields of any type are read or passed over."""
    response = answer(status, value)
    error = error_from(GET, response)
    assert error is None or str(error).isprintable()
    assert is_quota(response) in (True, False)
    assert is_expired_token(response) is False


# Answers whose status says that all is well


@pytest.mark.parametrize("status", [200, 400])
def test_an_error_object_is_an_error_whatever_its_status(status: int) -> None:
    """The service answers 200 with MAX_NOTEBOOK_SIZE_EXCEEDED: the same error as with 400."""
    error = raised(status, {"error_code": "MAX_NOTEBOOK_SIZE_EXCEEDED", "message": "Size exceeds 10485760 bytes"})
    assert type(error) is errors.MaxNotebookSizeExceeded
    assert (error.status, error.error_code) == (status, "MAX_NOTEBOOK_SIZE_EXCEEDED")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("RESOURCE_DOES_NOT_EXIST", errors.ResourceDoesNotExist),
        ("PERMISSION_DENIED", errors.PermissionDenied),
        ("INTERNAL_ERROR", errors.InternalError),
        ("403", errors.PermissionDenied),
        (503, errors.TemporarilyUnavailable),
        ("SOMETHING", errors.BadRequest),
    ],
)
def test_without_a_status_the_code_alone_chooses_the_class(code: str | int, kind: type[DatabricksError]) -> None:
    """The code of a 200 decides, also one that is a status."""
    assert type(raised(200, {"message": "m" * 300, "error_code": code})) is kind


@pytest.mark.parametrize("filler", ["", "m" * 2000])
@pytest.mark.parametrize("more", [{"cluster_id": "1"}, {"status": 400, "trace": []}, {"details": []}])
def test_an_error_with_200_may_have_fields_of_its_own(more: dict[str, Any], filler: str) -> None:
    """Unknown ones too, and its code may come last: no good answer has one."""
    error = raised(200, {"filler": filler, **more, "message": "no", "error_code": "INVALID_STATE"})
    assert (type(error), error.message, error.status) == (errors.InvalidState, "no", 200)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"status": {"error_code": "X", "message": "m"}}',
        b'{"error_code": null, "message": "m"}',
        b'{"error_code": "", "message": "m"}',
        b'{"error_code": 0, "message": "m"}',
        b'{"items": [{"error_code": "X", "message": "m"}]}',
        b'[{"error_code": "X", "message": "m"}]',
        b'{"error_code": "X", "mess',
        b'{"error_code": "X", "message": "' + b"m" * 100_000 + b'"}',
        b'{"state_message": "<html>"}',
    ],
)
def test_an_ordinary_answer_is_not_taken_for_an_error(body: bytes) -> None:
    """A field of that name makes no error where it is deeper, empty, or in what cannot be read."""
    assert error_from(GET, answer(200, body)) is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "application/json"),
        (b"\n <html><title>Sign in</title>", ""),
        (b"Sign in", "text/html; charset=utf-8"),
    ],
)
def test_a_web_page_with_200_is_no_answer(body: bytes, content_type: str) -> None:
    """A login page means that the host is wrong, instead of a JSON error."""
    error = raised(200, body, content_type=content_type)
    assert type(error) is errors.InvalidResponse
    assert "a login page? check the host" in str(error)


@pytest.mark.parametrize("body", [b"<html>my notebook</html>", b'{"error_code": "X", "message": "my own file"}'])
def test_a_downloaded_file_may_look_like_anything(body: bytes) -> None:
    """A file's own bytes are never taken for a page or for an error."""
    download = Request("GET /api/2.0/workspace/export", "/api/2.0/workspace/export", "path=%2Fx&direct_download=true")
    assert error_from(download, answer(200, body, content_type="application/octet-stream")) is None
    attached = answer(200, body, content_type="text/html", content_disposition="attachment; filename=x")
    assert error_from(download, attached) is None


@pytest.mark.parametrize("query", ["path=%2Fx.html&format=AUTO", "path=%2Fx.HTM&format=AUTO", "path=%2Fx&format=HTML"])
def test_a_page_may_be_downloaded(query: str) -> None:
    """When it was asked for; in place of anything else it is a login page."""
    for asked, is_page in ((query, True), ("path=%2Fx&format=AUTO", False)):
        download = Request("GET /api/2.0/workspace/export", "/x", f"{asked}&direct_download=true")
        error = error_from(download, answer(200, b"<html>", content_type="text/html"))
        assert (error is None) == is_page


def test_a_download_may_end_in_an_error_object() -> None:
    """JSON that is declared as such and says that the file is too large is not the file."""
    download = Request("GET /api/2.0/workspace/export", "/api/2.0/workspace/export", "path=%2Fx&direct_download=true")
    body = {"error_code": "MAX_NOTEBOOK_SIZE_EXCEEDED", "message": "too large"}
    assert raised(200, body, download, content_type="application/json").error_code == "MAX_NOTEBOOK_SIZE_EXCEEDED"


# Waiting


def http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("3600", 3600.0),
        ("0.5", 0.5),
        ("-5", None),
        ("-0.5", None),
        ("", None),
        ("soon", None),
        ("1e3", None),
        ("nan", None),
        ("inf", None),
        ("9" * 400, None),
        ("٣", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER"])
def test_retry_after_is_read_in_all_its_forms(name: str, value: str, seconds: float | None) -> None:
    """Numbers and past dates are seconds from 0; what makes no sense is None; the header's case does not matter."""
    assert retry_after_seconds({"content-type": "x", name: value}) == seconds


def test_retry_after_may_be_a_date_to_come() -> None:
    """A date is relative to now."""
    seconds = retry_after_seconds({"retry-after": http_date(60)})
    assert seconds is not None
    assert 50 < seconds <= 60


@pytest.mark.parametrize("ahead", [-3600, 0, 3600, 10**8])
def test_a_date_to_come_counts_from_the_date_of_the_answer(ahead: int) -> None:
    """The clock of the service may be wrong by an hour, or by years."""
    headers = {"Date": http_date(ahead), "Retry-After": http_date(ahead + 7)}
    assert retry_after_seconds(headers) == 7.0
    assert raised(503, **headers).retry_after == 7.0


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 31 Dec 10000 23:59:59 GMT"])
def test_an_answer_with_a_broken_date_counts_from_now(date: str) -> None:
    """As one without a date does."""
    seconds = retry_after_seconds({"date": date, "retry-after": http_date(60)})
    assert seconds is not None
    assert 50 < seconds <= 60


@settings(deadline=None, derandomize=True, database=None)
@given(st.text(max_size=40))
def test_retry_after_of_any_text_is_a_pause_or_none(value: str) -> None:
    """No header value crashes the reader or gives a negative pause."""
    seconds = retry_after_seconds({"retry-after": value})
    assert seconds is None or seconds >= 0


def test_without_the_header_there_is_no_pause() -> None:
    """None means that the service did not say."""
    assert retry_after_seconds({}) is None
    assert raised(429).retry_after is None


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [("2.5s", 2.5), ("3s", 3.0), ({"seconds": 2, "nanos": 500_000_000}, 2.5), ({"seconds": "4"}, 4.0), ("soon", None)],
)
def test_the_details_may_ask_for_a_pause(delay: Any, seconds: float | None) -> None:
    """A RetryInfo counts where there is no header."""
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retry_delay": delay}
    error = raised(429, {"error_code": "RESOURCE_EXHAUSTED", "message": "m", "details": [detail]})
    assert error.retry_after == seconds
    assert error.details == [detail]
    assert raised(429, {"message": "m", "details": [detail]}, retry_after="9").retry_after == 9.0


def test_a_quota_is_known_by_its_details() -> None:
    """A QuotaFailure, where the message does not say it; but a service that says when to come back is believed."""
    failure = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []}
    body = {"error_code": "RESOURCE_EXHAUSTED", "message": "no more clusters", "details": [failure]}
    assert is_quota(answer(429, body))
    assert not is_quota(answer(429, body | {"details": []}))
    assert not is_quota(answer(429, body, retry_after="2"))


# The request's id


@pytest.mark.parametrize("name", ["x-databricks-request-id", "X-Request-Id", "request-id"])
def test_the_request_id_is_kept(name: str) -> None:
    """Support finds a request by it, whichever header bears it."""
    error = error_from(GET, Response(500, {name: "abc-1"}, b""))
    assert error is not None
    assert error.request_id == "abc-1"
    assert "request id abc-1" in str(error)


def test_the_request_id_may_be_among_the_details() -> None:
    """Where no header has it, a RequestInfo may."""
    detail = {"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": "abc-2"}
    assert raised(500, {"message": "m", "details": [detail, "not a detail"]}).request_id == "abc-2"
