"""What each kind of setting accepts: a value of an argument, a variable or a profile becomes one of its own type.

A `ValueError` says what is wrong with it, without the value where that may be a secret.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from databricks_async.secret import HiddenStr, Secret, hide, reveal

_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "off", "f", "n"})
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?")
_PRODUCT = r"[A-Za-z0-9_.+-]{1,128}"
_ACCOUNTS = r"accounts[a-z-]*\.(.+\.)?(azuredatabricks\.net|databricks\.[a-z.]+)$"
_NO_WORKSPACES = {
    "databricks.com": "a website's",
    "www.databricks.com": "a website's",
    "azure.microsoft.com": "a website's",
    "learn.microsoft.com": "a website's",
    "portal.azure.com": "the Azure portal's",
    "login.databricks.com": "a login page's",
    "login.microsoftonline.com": "a login page's",
}
# What an address pasted from the browser says of itself, and of which setting that is.
_IDS = {"o": "workspace_id", "workspace_id": "workspace_id", "a": "account_id", "account_id": "account_id"}


def is_loopback(name: str) -> bool:
    """Whether a host name or address is this machine: localhost, 127.0.0.0/8 or ::1."""
    try:
        return name.lower() == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def read_text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # ids are numbers for many people
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004
    text = str(value).strip()
    if not text:
        raise ValueError("is empty")
    if not text.isprintable():
        raise ValueError("has control characters")
    return text


def read_header(value: Any) -> str:
    text = read_text(value)
    if not text.isascii() or " " in text:
        raise ValueError("has characters that cannot be part of it (spaces, or not ASCII)")
    return text


def read_secret(value: Any) -> Secret:
    return Secret(_hidden(value, read_text))


def read_secret_header(value: Any) -> Secret:
    return Secret(_hidden(value, read_header))


def _hidden(value: Any, read: Any) -> HiddenStr:
    value = reveal(value) if isinstance(value, str) else hide(value)
    try:
        return HiddenStr(read(value))
    except ValueError as error:
        problem = str(error)
    # Outside of the frame that had the text in a variable, and without it as the context.
    raise ValueError(problem)


def read_host(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text, the address of a workspace: https://adb-....azuredatabricks.net")  # noqa: TRY004
    text = read_text(value)
    if re.match(r"https?:(?!//)", text):
        raise ValueError("is not a valid address")
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        text = "https://" + text
    try:
        parts = urlsplit(text)
        scheme, name, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not a valid address") from None
    if "@" in parts.netloc:
        raise ValueError("has a user name or password in it")
    if scheme not in ("https", "http"):
        raise ValueError(f"has the scheme {scheme!r}: only https is supported")
    if ":" in name:
        try:
            name = f"[{ipaddress.IPv6Address(name)}]"
        except ValueError:
            raise ValueError("is not a valid address") from None
    elif not _HOST_NAME.fullmatch(name) or port == 0:
        raise ValueError("is not a valid address")
    if scheme == "http" and not is_loopback(name.strip("[]")):
        raise ValueError("is plain http, which would send the token unencrypted: use https")
    if kind := _NO_WORKSPACES.get(name) or ("an account's" if _is_of_accounts(name) else None):
        raise ValueError(f"is {kind} address: give that of a workspace, https://adb-....azuredatabricks.net")
    # What follows, as in an address pasted from the browser, is a page of the web interface.
    return f"{scheme}://{name}" + ("" if port in (None, 443 if scheme == "https" else 80) else f":{port}")


def ids_in_host(value: Any) -> dict[str, str]:
    """The `workspace_id` and `account_id` that an address pasted from the browser holds as `?o=` and `?a=`."""
    if not isinstance(value, str) or "?" not in value:
        return {}
    query = value.partition("#")[0].partition("?")[2]
    # A workspace with an address of its own is number 0 there.
    return {_IDS[name]: text for name, text in parse_qsl(query) if name in _IDS and text.strip() not in ("", "0")}


def _is_of_accounts(name: str) -> bool:
    return name.startswith("accounts") and re.match(_ACCOUNTS, name) is not None


def read_flag(value: Any) -> bool:
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"is {value!r}: must be true or false")


def is_off(value: Any) -> bool:
    """Whether a switch is set to off."""
    return str(value).strip().lower() in _FALSE


def read_seconds(value: Any) -> float:
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"is {value!r}: must be a number of seconds")
    return seconds


def read_positive_seconds(value: Any) -> float:
    if (seconds := read_seconds(value)) > 0:
        return seconds
    raise ValueError(f"is {value!r}: must be more than 0 seconds")


def read_count(value: Any) -> int:
    text = str(value).strip()
    if re.fullmatch("[0-9]{1,9}", text) and int(text) > 0:
        return int(text)
    raise ValueError(f"is {value!r}: must be a whole number from 1")


def read_bytes(value: Any) -> int:
    text = str(value).strip()
    if re.fullmatch("[0-9]{1,9}", text):
        return int(text)
    raise ValueError(f"is {value!r}: must be a whole number of bytes")


def read_product(value: Any) -> str:
    """A part of the `User-Agent`, with the characters that the official SDK allows in one."""
    text = read_text(value)
    if not re.fullmatch(_PRODUCT, text):
        raise ValueError(f"is {text!r}: only letters, digits and _ . + - may be in it, 128 at most")
    return text


def read_proxy(value: Any) -> Secret:
    text = _hidden(value, read_text)
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() not in ("http", "https"):
        raise ValueError(f"has the scheme {scheme!r}: only http and https proxies are supported")
    return Secret(text)


def read_scopes(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = re.split(r"[,\s]+", value)
    if not isinstance(value, Iterable):
        raise ValueError("must be a list of names, or names divided by commas or spaces")  # noqa: TRY004
    return tuple(sorted({read_header(scope) for scope in value if scope}))


def read_azure_environment(value: Any) -> str:
    text = read_text(value)
    name = text.upper().removeprefix("AZURE").removesuffix("CLOUD")
    if name not in ("PUBLIC", "USGOVERNMENT", "CHINA"):
        raise ValueError(f"is {text!r}: must be PUBLIC, USGOVERNMENT or CHINA")
    return name
