"""The way to a host and whom to trust there: proxies and certificates, of the settings or of the environment."""

from __future__ import annotations

import base64
import ipaddress
import os
import ssl
from collections.abc import Callable
from functools import partial
from urllib.parse import unquote_to_bytes, urlsplit

from databricks_async.config import is_loopback
from databricks_async.errors import ConfigError
from databricks_async.secret import hide, reveal

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Files that replace the certificates of the machine, as requests and curl read them, the first one first."""
_ADDITIONS = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""OpenSSL's own: it reads them whenever the certificates of the machine are loaded."""

# Codes of OpenSSL's X509_verify_cert_error_string.
_EXPIRED = 10
_NOT_YET_VALID = 9
_OTHER_NAME = (62, 64)
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21, 24)
_WHAT_TO_SET = (
    "set ca_bundle, or one of REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and SSL_CERT_FILE, to a PEM file that has it"
)


def find_proxy(host: str, setting: str | None = None) -> tuple[str | None, dict[str, str]]:
    """The proxy for this address, and the headers for it: aiohttp's errors would show a password in its address.

    A setting is always used; without one the environment counts, as it does for requests and curl: `HTTPS_PROXY`,
    `ALL_PROXY`, `NO_PROXY`. This machine itself is never looked for behind the environment's proxy. aiohttp's own
    look-up would also read the netrc file and send what stands there.
    """
    from urllib.request import getproxies, proxy_bypass  # brings a whole HTTP client with it

    parts = urlsplit(host)
    name = parts.hostname or ""
    if setting is None:
        if is_loopback(name) or proxy_bypass(parts.netloc) or _in_networks(name):
            return None, {}
        # Not in a variable: a traceback of an error would show the passwords of all of them.
        setting, source = (
            hide(getproxies().get(parts.scheme) or getproxies().get("all")),
            "the proxy of the environment",
        )
        if not setting:
            return None, {}
    else:
        source = "proxy"
    proxy, login = parse_proxy(reveal(setting), source)
    if parts.scheme == "http" and not is_loopback(urlsplit(proxy).hostname or ""):
        raise ConfigError(f"{host} is plain http, and a proxy would see the token: unset proxy for it")
    if not login:
        return proxy, {}
    return proxy, {"Proxy-Authorization": hide(f"Basic {base64.b64encode(unquote_to_bytes(login)).decode()}")}


def parse_proxy(address: str, source: str) -> tuple[str, str]:
    """The address of a proxy, and its login as it stands in there. Raises `ConfigError` for what cannot be one."""
    scheme, where, login = _parts_of(hide(address))
    if not where:
        raise ConfigError(f"{source} has no valid address")
    if scheme not in ("http", "https"):
        raise ConfigError(f"{source} has the scheme {scheme!r}: only http and https work")
    return f"{scheme}://{where}", login


def _parts_of(proxy: str) -> tuple[str, str, str]:
    """The scheme, the address and the login of a proxy; no address if it is not a valid one."""
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        is_valid = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return "", "", ""
    login, _, where = parts.netloc.rpartition("@")
    return parts.scheme, where if is_valid else "", hide(login)


def _in_networks(name: str) -> bool:
    """Whether an address is in one of the networks of `NO_PROXY`, such as 10.0.0.0/8: urllib knows names only."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    for entry in listed.split(","):
        try:
            if "/" in entry and address in ipaddress.ip_network(entry.strip(), strict=False):
                return True
        except ValueError:
            continue  # an entry for others
    return False


def find_authorities(setting: str | None) -> Callable[[], ssl.SSLContext] | None:
    """How to load what certificates are checked against; None for those of the machine, as aiohttp has them.

    A bundle of the settings or of the environment replaces those of the machine, as with requests and curl. Loading
    takes milliseconds, reads files, and raises `ConfigError`.
    """
    if setting:
        return partial(_load, setting, "ca_bundle")
    for name in _BUNDLES:
        if path := os.environ.get(name):
            return partial(_load, path, name)
    if any(os.environ.get(name) for name in _ADDITIONS):
        return partial(_load, None, "")  # aiohttp's own were loaded when it was imported
    return None


def _load(path: str | None, source: str) -> ssl.SSLContext:
    is_folder = path is not None and os.path.isdir(path)
    try:
        context = ssl.create_default_context(cafile=None if is_folder else path, capath=path if is_folder else None)
    except ssl.SSLError:
        raise ConfigError(f"{source} names {path!r}, which holds no certificates in the PEM format") from None
    except OSError as error:
        raise ConfigError(f"{source} names {path!r}, which cannot be read: {error.strerror}") from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def certificate_problem(error: Exception) -> str:
    """What is wrong with a certificate, and what to do about it."""
    code = getattr(error, "verify_code", None)
    if code == _EXPIRED:
        return "it has expired; its owner has to renew it, unless the clock of this machine is wrong"
    if code == _NOT_YET_VALID:
        return "it is not yet valid; check the clock of this machine"
    if code in _OTHER_NAME:
        return "it was issued for another name; check the host"
    if code in _UNKNOWN_AUTHORITY:
        return f"its authority is unknown; if it is your company's own, {_WHAT_TO_SET}"
    said = getattr(error, "verify_message", None) or "it cannot be verified"
    return f"{said}; if its authority is your company's own, {_WHAT_TO_SET}"
