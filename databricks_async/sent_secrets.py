"""The secret strings that were sent, so that no message repeats them, whatever the service answers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

_MIN_LENGTH: Final = 8
"""Shorter ones would mask words."""
_MAX_REMEMBERED: Final = 1000
_SECRET_HEADERS: Final = ("authorization", "proxy-authorization", "x-databricks-azure-sp-management-token")
_SECRET_FIELDS: Final = frozenset(
    {"client_secret", "client_assertion", "assertion", "password", "refresh_token", "code", "code_verifier"}
)

_remembered: dict[str, None] = {}


def remember_headers(headers: Mapping[str, str]) -> None:
    """Remember the credentials of a request that is about to be sent."""
    for name, value in headers.items():
        if name.lower() in _SECRET_HEADERS:
            scheme, space, credentials = value.partition(" ")
            _remember(credentials if space else scheme)
            if scheme.lower() == "basic":
                for part in _in_basic(credentials):
                    _remember(part)


def remember_form(body: bytes) -> None:
    """Remember the secret fields of a form that is about to be sent."""
    for name, value in parse_qsl(body.decode("latin-1")):
        if name in _SECRET_FIELDS:
            _remember(value)


def mask(text: str) -> str:
    """The text with `***` in place of whatever was sent as a secret."""
    # The longest first: one may be a part of another.
    for secret in sorted(_remembered, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, "***")
    return text


def _remember(secret: str) -> None:
    for form in (secret, quote(secret, safe="")):
        if len(form) >= _MIN_LENGTH:
            _remembered.pop(form, None)
            _remembered[form] = None
            if len(_remembered) > _MAX_REMEMBERED:
                del _remembered[next(iter(_remembered))]


def _in_basic(credentials: str) -> Iterator[str]:
    """The secret of a login, percent-encoded or not, and its Basic form in the other writing."""
    try:
        login = base64.b64decode(credentials).decode()
    except (binascii.Error, ValueError):
        return
    name, _, secret = login.partition(":")
    yield secret
    yield unquote(secret)
    yield base64.b64encode(f"{unquote(name)}:{unquote(secret)}".encode()).decode()
