"""Which hosts and values a configuration accepts, and what it makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from databricks_async.config import Config, is_loopback
from databricks_async.errors import ConfigError

HOST = "https://adb-1.2.azuredatabricks.net"
TOKEN = "dapi-secret-1"


def refused(**arguments: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        Config(**arguments)
    return str(caught.value)


# Hosts


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("https://adb-1.2.azuredatabricks.net", HOST),
        ("adb-1.2.azuredatabricks.net", HOST),
        ("https://adb-1.2.azuredatabricks.net/", HOST),
        ("https://adb-1.2.azuredatabricks.net///", HOST),
        ("https://adb-1.2.azuredatabricks.net:443", HOST),
        ("HTTPS://ADB-1.2.AzureDatabricks.NET", HOST),
        ("https://adb-1.2.azuredatabricks.net/?o=123#job/5", HOST),
        ("https://adb-1.2.azuredatabricks.net/jobs/5?o=123", HOST),
        ("adb-1.2.azuredatabricks.net/?o=123", HOST),
        (" https://adb-1.2.azuredatabricks.net\n", HOST),
        ("https://adb-1.2.azuredatabricks.net:8443/x", HOST + ":8443"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.8.9.1:443", "http://127.8.9.1:443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("localhost:8080", "https://localhost:8080"),
        ("https://my_host", "https://my_host"),
    ],
)
def test_a_host_is_its_scheme_name_and_port(given: str, host: str) -> None:
    """Also one pasted from the browser; and what is a host stays one."""
    assert Config(host=given, token=TOKEN).host == host
    assert Config(host=host, token=TOKEN).host == host


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("http://adb-1.2.azuredatabricks.net", "plain http"),
        ("http://localhost.evil.example", "plain http"),
        ("http://10.0.0.1", "plain http"),
        ("ftp://adb-1.2.azuredatabricks.net", "the scheme 'ftp'"),
        ("databricks://adb-1.2.azuredatabricks.net", "the scheme 'databricks'"),
        ("https://user:secret@adb-1.2.azuredatabricks.net", "a user name or password"),
        ("secret@adb-1.2.azuredatabricks.net", "a user name or password"),
        ("https://adb 1.2.azuredatabricks.net", "not a valid address"),
        ("https://adb\n.azuredatabricks.net", "control characters"),
        ("https://", "not a valid address"),
        ("https:///path", "not a valid address"),
        ("https://[::1", "not a valid address"),
        ("https://[x:y]", "not a valid address"),
        ("https://[v1.x:y]", "not a valid address"),
        ("https://host:port", "not a valid address"),
        ("https://host:0", "not a valid address"),
        ("https://host:70000", "not a valid address"),
        ("https://höst", "not a valid address"),
        ("https://host\\@evil.example", "a user name or password"),
        (" ", "is empty"),
        (7.5, "must be text"),
    ],
)
def test_what_is_no_safe_host_is_refused(given: Any, said: str) -> None:
    """The error says why, without repeating a password."""
    message = refused(host=given, token=TOKEN)
    assert said in message
    assert "host (argument)" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("128.0.0.1", False),
        ("::2", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_else(name: str, expected: bool) -> None:
    """Only there is plain http safe."""
    assert is_loopback(name) is expected


# Values


@pytest.mark.parametrize("given", [f" {TOKEN}", f"{TOKEN}\n", f"\t{TOKEN}\r\n"])
def test_space_around_a_token_is_cut(given: str) -> None:
    """A token read from a file ends in a new line."""
    assert Config(host=HOST, token=given).token == TOKEN


@pytest.mark.parametrize("name", ["token", "workspace_id", "client_id", "client_secret", "cluster_id"])
@pytest.mark.parametrize("bad", ["a\r\nX-Evil: secret", "a\x00secret"])
def test_control_characters_are_refused(name: str, bad: str) -> None:
    """No value can add a header to a request."""
    message = refused(host=HOST, **{name: bad})
    assert f"{name} (argument) has control characters" in message
    assert "secret" not in message.replace("client_secret", "")


@pytest.mark.parametrize("bad", ["Bearer dapi1", "“dapi1”"])
def test_what_cannot_be_a_token_is_refused(bad: str) -> None:
    """A word before it, or typographic quotes, would only give a 401."""
    assert "token (argument) has characters that cannot be part of it" in refused(host=HOST, token=bad)


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize(
    "words", [("true", "false"), ("True", "FALSE"), ("1", "0"), (" yes\n", "no"), ("on", "off"), (1, 0)]
)
def test_a_switch_says_what_it_says(words: tuple[Any, Any], value: bool) -> None:
    """The text `false` is false."""
    config = Config(host=HOST, token=TOKEN, auth_type="pat", azure_use_msi=words[0] if value else words[1])
    assert config.azure_use_msi is value


@pytest.mark.parametrize(
    ("name", "bad"),
    [(name, bad) for name in ("http_timeout_seconds", "poll_interval_seconds") for bad in (0, -1, "x", "nan", "inf")]
    + [("retry_timeout_seconds", bad) for bad in (-1, "5 min", True, float("inf"), [])]
    + [("max_connections", bad) for bad in (0, -1, "x", 1.5, True, 10**10)]
    + [("azure_use_msi", bad) for bad in ("perhaps", 2, "tru")]
    + [("scopes", 7)],
)
def test_a_wrong_value_names_its_source(name: str, bad: Any) -> None:
    """The error says which value, and where it is from."""
    assert f"{name} (argument) " in refused(host=HOST, token=TOKEN, **{name: bad})


def test_ids_may_be_numbers() -> None:
    """They are sent as text."""
    assert Config(host=HOST, token=TOKEN, workspace_id=123).workspace_id == "123"  # type: ignore[arg-type]


def test_scopes_may_be_a_list() -> None:
    """Sorted, each once."""
    assert Config(host=HOST, token=TOKEN, scopes=["sql", "jobs", "sql"]).scopes == ("jobs", "sql")
