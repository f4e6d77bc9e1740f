"""What an answer says went wrong: the many shapes of an error body, and Retry-After, as plain values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import attrs
import orjson

from databricks_async.message import Response
from databricks_async.nesting import is_too_deep

Detail: TypeAlias = dict[str, Any]

MAX_MESSAGE_LENGTH = 500
"""A service message is cut here: some hold whole stack traces or plans."""

# An error page repeats itself; whatever is to be found is at its start.
_PAGE = 64 * 1024
_HTML = 4 * 1024
"""A hostile page costs the square of this."""
# Patterns are texts, which `re` compiles when they are first used and keeps: most programs see no error at all.
# Databricks' own prefixes; a JWT; what follows a scheme of HTTP; an Entra secret, whose fourth to sixth are "8Q~".
_SECRETS = (
    r"(?i)\b(?:dapi|dose|doau)[\w-]{4,}|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"
    r"|(?<=\bBearer )[\w.~+/=-]+|(?<=\bBasic )[\w+/=-]{8,}"
    r"|(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}"
)
# A secret by the name in front of it, in a form, JSON or a query.
_NAMED_SECRETS = (
    r"(?i)(\b(?:client_secret|client_assertion|access_token|refresh_token|id_token|subject_token|code_verifier|password)"
    r"[\"']?\s?[=:]\s?[\"']?)[^\s\"'&,;}]+"
)
_CODE_AND_TEXT = r"(?s)([A-Z][A-Z0-9_]{2,}): (.+)"
_IN_HTML = (r"(?is)<pre[^>]*>(.*?)</pre>", r"(?is)<title[^>]*>(.*?)</title>")
_OAUTH_CODE = r"[a-z]+(?:_[a-z]+)+"
_TAG = r"<[^>]*>"
_SECONDS = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_REQUEST_IDS = ("x-databricks-request-id", "x-request-id", "request-id")

# A file may well be a JSON object with a field of that name: an error has no fields but these.
_ERROR_FIELDS = {"error_code", "message", "details", "error", "request_id", "stack_trace"}

_LOGIN_PAGE = r"(?i)/(?:login\b|signin\b|aad/|oidc/|saml/|oauth2/|[^/]+/oauth2/)"
_WORKSPACE_ID = "the workspace id is missing (workspace_id, DATABRICKS_WORKSPACE_ID, or ?o= in the host)"

PRIVATE_LINK = "PRIVATE_LINK_VALIDATION_ERROR"
_PRIVATE_LINKS = {".cloud.databricks.com": "AWS PrivateLink", ".gcp.databricks.com": "Private Service Connect"}


@attrs.frozen
class ErrorBody:
    """An error body of any shape, read."""

    message: str
    error_code: str | None = None
    details: list[Detail] = attrs.field(factory=list)


def one_line(text: str, limit: int = MAX_MESSAGE_LENGTH) -> str:
    """Foreign text for one line of a message: printable, without tokens, at most `limit` characters."""
    # Cut before and after: cleaning megabytes for 500 characters would hold up the loop.
    line = text[: 4 * limit]
    if not line.isprintable():
        line = "".join(char if char.isprintable() else " " for char in line)
    line = re.sub(_NAMED_SECRETS, r"\1***", re.sub(_SECRETS, "***", " ".join(line.split())))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def header(headers: Mapping[str, str], name: str) -> str | None:
    """The header of this lower-case name, whatever the case in which the mapping keeps its names."""
    value = headers.get(name)
    if value is not None:
        return value
    return next((value for key, value in headers.items() if key.lower() == name), None)


def read_disguised(response: Response, *, raw: bool) -> ErrorBody | None:
    """The error in an answer whose status says that all is well: an error object, or a web page (without a code).

    No good answer of the API has an `error_code` at its top. A `raw` answer is a file's own bytes: it is an error
    object only if it has nothing else and is declared as JSON, and not as a file.
    """
    body = response.body
    if is_plainly_good(body):
        return None
    if raw and (
        "json" not in (header(response.headers, "content-type") or "")
        or header(response.headers, "content-disposition")
    ):
        return None
    if _is_html(response):
        title = one_line(html_text(body[:_PAGE].decode("utf-8", "replace")), 80)
        said = f" ({title})" if title else ""
        return ErrorBody(
            f"answered with a web page{said} instead of JSON: a login page? check the host, and whether {_WORKSPACE_ID}"
        )
    if len(body) > _PAGE:
        return None
    try:
        value = orjson.loads(body)
    except ValueError:
        return None
    if not isinstance(value, dict) or not _code(value.get("error_code")) or is_too_deep(body, value):
        return None
    if raw and not value.keys() <= _ERROR_FIELDS:
        return None
    return _finished(_from_json(value), response.status)


def is_plainly_good(body: bytes) -> bool:
    """Whether nothing in the body of a good status needs a closer look, as in nearly every answer of a busy client."""
    return not body or (body.startswith(b"{") and body.find(b'"error_code"', 0, _PAGE) < 0)


def is_page_for_file(headers: Mapping[str, str], query: str) -> bool:
    """Whether a web page, of a login for example, has come in place of a file's own bytes.

    A file comes with a `Content-Disposition`, and only these are pages themselves: `format=HTML`, and `*.html`.
    """
    if "text/html" not in (header(headers, "content-type") or "") or header(headers, "content-disposition"):
        return False
    asked = dict(parse_qsl(query))
    return asked.get("format") != "HTML" and not asked.get("path", "").lower().endswith((".html", ".htm"))


def read_redirect(response: Response) -> ErrorBody:
    """What a redirect says: where to, without its query, or that a private link is missing."""
    try:
        target = urlsplit(header(response.headers, "location") or "")
        host = target.netloc.rpartition("@")[2]
        query = parse_qsl(target.query)
    except ValueError:
        return ErrorBody("answered with a redirect to an invalid address")
    if target.path == "/login.html" and any(
        name == "error" and value.startswith("private-link-validation-error") for name, value in query
    ):
        kind = next((kind for end, kind in _PRIVATE_LINKS.items() if host.endswith(end)), "Azure Private Link")
        return ErrorBody(
            f"the workspace is reached only over {kind}, and this request did not come over it: "
            "check the private endpoint, DNS, and the workspace's public network access",
            PRIVATE_LINK,
        )
    where = (f"{target.scheme}://{host}" if target.scheme else host) + target.path
    said = f"to {one_line(where, 200)}" if where else "without an address"
    if re.search(_LOGIN_PAGE, target.path):
        said = f"{said}, a login page"
        return ErrorBody(f"answered with a redirect {said}: check the host, and whether {_WORKSPACE_ID}")
    return ErrorBody(f"answered with a redirect {said}, which is not followed: check the host")


def read_error(response: Response) -> ErrorBody:
    """What the body of a failed answer says. Any bytes have a result, and its message is never empty."""
    if response.error_body is None:
        response.error_body = _read_error(response)
    read: ErrorBody = response.error_body
    return read


def _read_error(response: Response) -> ErrorBody:
    text = response.body.decode("utf-8-sig", "replace").strip()
    read = ErrorBody("")
    if _is_html(response):
        # Some gateways call every error HTML.
        read = ErrorBody(html_text(text)) if text.startswith("<") else _from_text(text)
        if response.status in (404, 405) and text.startswith("<"):  # the service itself has no pages there
            title = one_line(read.message, 80)
            read = ErrorBody(f"answered with a web page ({title}): is this the address of a workspace?")
    elif text.startswith(("{", "[", '"')):
        try:
            value = orjson.loads(text)
            if is_too_deep(text, value):
                raise ValueError("nested too deep")
            read = _from_json(value)
        except ValueError:
            read = ErrorBody(f"{reason(response.status)}; the answer is not valid JSON")
    elif text:
        read = _from_text(text)
    return _finished(read, response.status)


def reason(status: int) -> str:
    """The standard's words for a status, such as `Bad Gateway`."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP status {status}"


def html_text(page: str) -> str:
    """What an error page says in its `<pre>`, else in its `<title>`; empty if neither says anything."""
    import html  # here, as email.utils below: only errors need them, and they take longer to import than this package

    for pattern in _IN_HTML:
        found = re.search(pattern, page[:_HTML])
        text = html.unescape(re.sub(_TAG, " ", found[1])).strip() if found else ""
        if text:
            return text
    return ""


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks to wait, from `Retry-After` as a number or as an HTTP date.

    A date counts from the answer's own `Date`: the clock of the service need not agree with the one here. One in the
    past is 0.0; None if the header is absent or makes no sense.
    """
    value = (header(headers, "retry-after") or "").strip()
    if re.fullmatch(_SECONDS, value):
        seconds = float(value)
        return seconds if math.isfinite(seconds) else None
    if (when := http_date(value)) is None:
        return None
    asked_at = http_date(header(headers, "date") or "") or datetime.now(UTC)
    return max(0.0, (when - asked_at).total_seconds())


def http_date(value: str) -> datetime | None:
    """An HTTP date; None if it is none."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
        # A date without a zone is UTC in HTTP; the parser leaves it naive.
        return moment.replace(tzinfo=moment.tzinfo or UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def retry_info_seconds(details: list[Detail]) -> float | None:
    """Seconds to wait from a RetryInfo among the details: `"2.5s"`, or seconds and nanos."""
    delay = _of_type(details, "RetryInfo", "retry_delay", "retryDelay")
    if isinstance(delay, str):
        delay = delay.strip().removesuffix("s")
        return float(delay) if re.fullmatch(_SECONDS, delay) and math.isfinite(float(delay)) else None
    if isinstance(delay, dict):
        seconds = _number(delay.get("seconds")) + _number(delay.get("nanos")) / 1e9
        return seconds if seconds >= 0 else None
    return None


def find_request_id(headers: Mapping[str, str], details: list[Detail]) -> str | None:
    """The id by which the service's operators find this request, from the headers or a RequestInfo."""
    found: object = next((value for name in _REQUEST_IDS if (value := header(headers, name))), None)
    found = found or _of_type(details, "RequestInfo", "request_id", "requestId")
    return (one_line(found, 100) or None) if isinstance(found, str) else None


def _is_html(response: Response) -> bool:
    start = response.body[:200].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"{", b"[")):
        return False
    return start.startswith(b"<") or "text/html" in (header(response.headers, "content-type") or "").lower()


def _finished(read: ErrorBody, status: int) -> ErrorBody:
    message = one_line(read.message) or reason(status)
    return ErrorBody(message, one_line(read.error_code or "", 100) or None, read.details)


def _from_json(value: Any) -> ErrorBody:
    if isinstance(value, list):
        value = next((item for item in value if item), "")
    if isinstance(value, str):
        return _from_text(value)
    if not isinstance(value, dict):
        return ErrorBody("")
    details = [item for item in _list(value.get("details")) if isinstance(item, dict)]
    inner = value.get("error")
    if isinstance(inner, dict):
        # The gateways in front of the service, and Azure itself: {"error": {"code": ..., "message": ...}}.
        read = _from_json({"error_code": inner.get("code"), **inner})
        return ErrorBody(read.message, read.error_code or _code(value.get("error_code")), details or read.details)
    message, code = _text(value.get("message")), _code(value.get("error_code"))
    if "error_description" in value:
        return ErrorBody(_text(value["error_description"]) or message, _code(inner) or code, details)
    if not message and not code and ("detail" in value or "scimType" in value):
        return _from_scim(value)
    if not message and not code and re.fullmatch(_OAUTH_CODE, _text(inner)):
        code = _text(inner)
    # API 1.2 has `error`, which says more than its `message`.
    return ErrorBody(_text(inner) or message, code, details)


def _from_scim(value: Mapping[str, Any]) -> ErrorBody:
    detail, kind, status = (_text(value.get(name)) for name in ("detail", "scimType", "status"))
    # The service writes the word when it has nothing to say.
    detail = "SCIM API Internal Error" if detail == "null" else detail
    return ErrorBody(f"{kind} {detail}".strip(), f"SCIM_{status}" if status else None)


def _from_text(text: str) -> ErrorBody:
    found = re.fullmatch(_CODE_AND_TEXT, text.strip())
    return ErrorBody(found[2], found[1]) if found else ErrorBody(text)


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _code(value: object) -> str | None:
    # Some gateways send the status as the code, as a number or as text; 0 is no error.
    code = _text(value).strip()
    return code if code not in ("", "0") else None


def _number(value: object) -> float:
    # int64 is text in the JSON of protocol buffers.
    text = _text(value) if not isinstance(value, float) else str(value)
    return float(text) if re.fullmatch(_SECONDS, text) and len(text) < 20 else 0.0


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def has_type(detail: Detail, kind: str) -> bool:
    """Whether this detail is of the type whose last word is `kind`."""
    return _text(detail.get("@type")).rpartition(".")[2] == kind


def _of_type(details: list[Detail], kind: str, *names: str) -> object:
    for detail in details:
        if has_type(detail, kind):
            return next((detail[name] for name in names if name in detail), None)
    return None
