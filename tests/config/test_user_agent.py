"""Who the service is told has asked: the program's name before this library's, and nothing that is no name."""

from __future__ import annotations

import re
from typing import Any

import pytest

from databricks_async import Config
from databricks_async.config.user_agent import user_agent
from databricks_async.errors import ConfigError
from databricks_async.version import __version__

HOST = "https://adb-1.2.azuredatabricks.net"
OURS = rf"databricks-async/{re.escape(__version__)} python/3\.\d+\.\d+ os/\w+"


def made(**settings: Any) -> str:
    return user_agent(Config(host=HOST, needs_credential=False, **settings))


@pytest.mark.parametrize(
    ("settings", "before", "after"),
    [
        ({}, "", ""),
        ({"product": "acme-etl", "product_version": "1.2.3-rc.1+5"}, "acme-etl/1.2.3-rc.1+5 ", ""),
        ({"product": "acme"}, "acme/0.0.0 ", ""),
        ({"sdk_upstream": "terraform", "sdk_upstream_version": "1.9"}, "", " upstream/terraform upstream-version/1.9"),
        ({"sdk_upstream": "terraform"}, "", ""),
        ({"sdk_upstream_version": "1.9"}, "", ""),
    ],
)
def test_the_parts(settings: dict[str, str], before: str, after: str) -> None:
    """The product first, then this library, Python and the system, then the tool that has started it."""
    assert re.fullmatch(re.escape(before) + OURS + re.escape(after), made(**settings))


def test_the_tool_is_read_from_the_official_variables(env: Any) -> None:
    """As the official SDK does."""
    env(DATABRICKS_SDK_UPSTREAM="databricks-cli", DATABRICKS_SDK_UPSTREAM_VERSION="0.270.0")
    config = Config.resolve(host=HOST, needs_credential=False)
    assert user_agent(config).endswith(" upstream/databricks-cli upstream-version/0.270.0")


@pytest.mark.parametrize("name", ["product", "product_version", "sdk_upstream", "sdk_upstream_version"])
@pytest.mark.parametrize(
    "value", ["a b", "a/b", "a\nX-Evil: 1", "a\r\nb", "a\0", "ä", "(a)", "a;b", " ", "a" * 129, 'a"b', ["a"]]
)
def test_what_is_no_name_is_refused_before_anything_is_sent(name: str, value: Any) -> None:
    """No value can begin a header of its own."""
    with pytest.raises(ConfigError, match=name):
        made(**{"product": "x", name: value})


def test_a_version_belongs_to_a_product() -> None:
    """Alone it is the version of nothing."""
    with pytest.raises(ConfigError, match=r"product_version .* needs a product"):
        made(product_version="1")
