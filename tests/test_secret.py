"""Secrets are in no view: of settings, of configurations, of requests, of errors and their tracebacks, of logs."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import orjson
import pytest

from databricks_async import Config, DatabricksError, Token, WorkspaceClient
from databricks_async.local import Fault, LocalWorkspace
from databricks_async.message import Request
from databricks_async.secret import HiddenBytes, HiddenStr, Secret, hide, reveal

HOST = "https://adb-1.2.azuredatabricks.net"
LIST = "GET /api/2.1/clusters/list"
PLANTED = "planted-Secret-3141"


def shown(error: BaseException) -> str:
    """All that Python can show of an error: each cause, each frame, each variable."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def in_library(error: BaseException) -> str:
    """The same for the frames of this library and of what it calls: a test's own variables hold its own secrets."""
    below: BaseException | None = error
    while below is not None:
        below.__traceback__ = _without_test(below.__traceback__)
        below = below.__cause__ or below.__context__
    return shown(error)


def _without_test(trace: Any) -> Any:
    while trace is not None and "/tests/" in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    return trace


@pytest.mark.parametrize(
    "view",
    [
        str,
        repr,
        "{}".format,
        "%s".__mod__,
        lambda secret: f"{secret}{secret!r}{secret!s:>9}",
        json.dumps,
        lambda secret: orjson.dumps(secret).decode(),
        pprint.pformat,
        ascii,
        lambda secret: secret + "",
        lambda secret: "".join(secret),
        lambda secret: secret.encode().decode(),
        lambda secret: str(copy.deepcopy([copy.copy(secret)])),
    ],
)
def test_no_view_of_a_secret_setting_shows_it(view: Callable[[Any], str]) -> None:
    """It is the text *** to whatever does not ask for it by name."""
    assert PLANTED not in view(Secret(PLANTED))
    assert "***" in view(Secret(PLANTED))


def test_a_secret_setting_gives_its_value_when_asked() -> None:
    """To compare it, no one needs to."""
    secret = Secret(PLANTED)
    assert secret.get_secret_value() == reveal(secret) == reveal(PLANTED) == PLANTED
    assert (secret == PLANTED, secret == Secret(PLANTED), secret != "***", secret != Secret("x")) == (True,) * 4
    assert hash(secret) == hash(PLANTED)
    assert reveal(None) == ""


def test_hidden_text_is_itself_but_for_its_repr() -> None:
    """So that it goes over the wire as it is, and a traceback shows nothing."""
    text, data = HiddenStr(PLANTED), HiddenBytes(PLANTED.encode())
    assert (text, data, repr(text), repr({"a": data})) == (PLANTED, PLANTED.encode(), "***", "{'a': ***}")
    assert (repr(hide(PLANTED)), repr(hide(b"x")), hide(5), hide(None)) == ("***", "***", 5, None)


SECRET_SETTINGS = [name for name, field in attrs.fields_dict(Config).items() if field.metadata.get("secret")]


def test_which_settings_are_secret() -> None:
    """Those that the official SDK marks so, a certificate's password, and a proxy, which may have one."""
    assert set(SECRET_SETTINGS) == {
        "token",
        "client_secret",
        "metadata_service_url",
        "azure_client_secret",
        "azure_client_certificate_password",
        "proxy",
    }


@pytest.mark.parametrize("name", SECRET_SETTINGS)
def test_no_view_of_a_configuration_shows_a_secret(name: str) -> None:
    """Not as text, as a mapping, as JSON, or pickled: it refuses that."""
    config = Config(host=HOST, **{name: PLANTED}, needs_credential=False)
    views = [repr(config), str(config), config.describe(), str(config.shown()), str(attrs.asdict(config))]
    views += [json.dumps(attrs.asdict(config)), pprint.pformat(attrs.astuple(config))]
    assert not any(PLANTED in view for view in views)
    assert getattr(config, name).get_secret_value() == PLANTED
    assert getattr(copy.deepcopy(attrs.evolve(config, host="https://other")), name) == PLANTED
    with pytest.raises(TypeError, match="a secret is not pickled"):
        pickle.dumps(config)


def test_a_configuration_without_a_secret_is_pickled() -> None:
    """So another process can get it."""
    config = Config(host=HOST, azure_use_msi=True)
    assert pickle.loads(pickle.dumps(config)) == config


@pytest.mark.parametrize("name", SECRET_SETTINGS)
@pytest.mark.parametrize(
    "bad",
    [
        {"max_connections": "many"},
        {"hots": "x"},
        {"auth_type": "zzz"},
        {"host": "http://adb-1.2.azuredatabricks.net"},
        {"profile": "absent"},
        {"host": None},
    ],
    ids=str,
)
def test_no_error_of_a_configuration_shows_a_secret(
    name: str, bad: dict[str, Any], monkeypatch: pytest.MonkeyPatch, empty_environment: Path
) -> None:
    """Nor do the variables of the frames that it passes, whether the secret is an argument or in the environment."""
    arguments = {"host": HOST, name: PLANTED, **bad}
    path = empty_environment / ".databrickscfg"
    path.touch(mode=0o600)
    path.write_text(f"[other]\ntoken = {PLANTED}\n", encoding="utf-8")
    for make in (WorkspaceClient, Config.resolve, Config):
        if make is Config and "profile" in bad:
            continue  # it does not look for one
        with pytest.raises((DatabricksError, TypeError)) as caught:
            make(**arguments)
        assert PLANTED not in in_library(caught.value)
    variables = attrs.fields_dict(Config)[name].metadata["env"]
    if not variables:
        return
    monkeypatch.setenv(variables[0], PLANTED)
    with pytest.raises((DatabricksError, TypeError)) as caught:
        WorkspaceClient(**{key: value for key, value in arguments.items() if key != name})
    assert PLANTED not in in_library(caught.value)


@pytest.mark.parametrize("value", [f"{PLANTED} two", f"{PLANTED}\x00", PLANTED.encode(), f"Bearer {PLANTED}"])
def test_no_error_about_a_secret_shows_it(value: Any) -> None:
    """What is wrong with it is said, and it is not quoted."""
    with pytest.raises(DatabricksError) as caught:
        WorkspaceClient(host=HOST, token=value)
    assert PLANTED not in in_library(caught.value)
    with pytest.raises(ValueError, match="a token is ASCII text without spaces, and this one") as wrong:
        Token(value)
    assert PLANTED not in in_library(wrong.value)


@pytest.fixture
async def workspace() -> Any:
    async with LocalWorkspace(token=f"dapi{PLANTED}") as workspace:
        yield workspace


@pytest.mark.parametrize(
    "fault",
    [
        Fault.answer(401, f"bad token dapi{PLANTED}"),
        Fault.error(403, "PERMISSION_DENIED", f"token dapi{PLANTED} is not allowed"),
        Fault.answer(500, f"dapi{PLANTED}"),
        Fault.answer(200, f"<html><title>dapi{PLANTED}</title>"),
        Fault.answer(302, headers={"Location": f"https://evil.example/login?token={PLANTED}"}),
        Fault.drop(),
        Fault.drop(after=True),
        Fault.cut(),
        Fault.delay(5),
    ],
    ids=["401", "403", "500", "page", "redirect", "drop", "lost", "cut", "late"],
)
async def test_no_failed_call_shows_its_token(
    workspace: LocalWorkspace, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """In no log at any level, message, repr, frame of ours or of aiohttp, or journal."""
    workspace.faults.add(LIST, fault, times=10)
    with caplog.at_level(logging.DEBUG):
        async with WorkspaceClient(
            host=workspace.url, token=workspace.token, http_timeout_seconds=0.3, retry_timeout_seconds=0
        ) as w:
            with pytest.raises(DatabricksError) as caught:
                await w.clusters.list().collect()
            text = in_library(caught.value) + repr(caught.value) + str(vars(caught.value)) + repr(w) + repr(w.config)
    assert "in retry" in text
    assert PLANTED not in text
    assert PLANTED not in caplog.text
    assert PLANTED not in str([attrs.asdict(call) for call in workspace.journal.entries if fault.kind != "answer"])


async def test_the_bytes_on_the_wire_are_the_token(workspace: LocalWorkspace) -> None:
    """Hidden text is sent as it is, also by a lent session with headers of its own."""
    async with aiohttp.ClientSession(headers={"X-Mine": "1"}) as session:
        for extra in ({}, {"session": session}):
            async with WorkspaceClient(host=workspace.url, token=workspace.token, **extra) as w:
                assert await w.clusters.list().collect() == []
    assert workspace.journal.count(LIST) == 2


async def test_a_redirect_gets_no_token(workspace: LocalWorkspace) -> None:
    """Not even one to the same host: it is not followed."""
    async with LocalWorkspace() as elsewhere:
        location = f"{elsewhere.url}/api/2.1/clusters/list"
        workspace.faults.add(LIST, Fault.answer(307, headers={"Location": location}))
        async with WorkspaceClient(host=workspace.url, token=workspace.token) as w:
            with pytest.raises(DatabricksError, match="answered with a redirect to"):
                await w.clusters.list().collect()
        assert elsewhere.journal.connections_opened == 0


def test_a_request_shows_the_names_of_its_headers() -> None:
    """And nothing of its body."""
    request = Request(
        "GET /x", "/x", body=b"secret", headers=Token(PLANTED, extra_headers={"X-Other": PLANTED}).headers
    )
    assert "['Authorization', 'X-Other']" in repr(request)
    assert PLANTED not in repr(request) + repr(request.headers) + repr(Token(PLANTED))
    assert request.headers["Authorization"] == f"Bearer {PLANTED}"
