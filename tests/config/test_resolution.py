"""The official SDK's rules of resolution, one row each, and what a pasted address adds to them.

Of `config/methods.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from databricks_async.config import Config
from databricks_async.errors import ConfigError

HOST = "https://adb-1.2.azuredatabricks.net"
OTHER = "https://adb-3.4.azuredatabricks.net"

# The official SDK's attributes that have an effect here, with the variables that it reads.
OFFICIAL = {
    "host": ["DATABRICKS_HOST"],
    "account_id": ["DATABRICKS_ACCOUNT_ID"],
    "workspace_id": ["DATABRICKS_WORKSPACE_ID"],
    "discovery_url": ["DATABRICKS_DISCOVERY_URL"],
    "token": ["DATABRICKS_TOKEN"],
    "token_audience": ["DATABRICKS_TOKEN_AUDIENCE"],
    "oidc_token_env": ["DATABRICKS_OIDC_TOKEN_ENV"],
    "oidc_token_filepath": ["DATABRICKS_OIDC_TOKEN_FILEPATH", "DATABRICKS_OIDC_TOKEN_FILE"],
    "client_id": ["DATABRICKS_CLIENT_ID"],
    "client_secret": ["DATABRICKS_CLIENT_SECRET"],
    "profile": ["DATABRICKS_CONFIG_PROFILE"],
    "config_file": ["DATABRICKS_CONFIG_FILE"],
    "azure_workspace_resource_id": ["DATABRICKS_AZURE_RESOURCE_ID"],
    "azure_use_msi": ["ARM_USE_MSI"],
    "azure_client_id": ["ARM_CLIENT_ID"],
    "azure_client_secret": ["ARM_CLIENT_SECRET"],
    "azure_tenant_id": ["ARM_TENANT_ID"],
    "azure_environment": ["ARM_ENVIRONMENT"],
    "databricks_cli_path": ["DATABRICKS_CLI_PATH"],
    "auth_type": ["DATABRICKS_AUTH_TYPE"],
    "cluster_id": ["DATABRICKS_CLUSTER_ID"],
    "warehouse_id": ["DATABRICKS_WAREHOUSE_ID"],
    "serverless_compute_id": ["DATABRICKS_SERVERLESS_COMPUTE_ID"],
    "metadata_service_url": ["DATABRICKS_METADATA_SERVICE_URL"],
    "debug_truncate_bytes": ["DATABRICKS_DEBUG_TRUNCATE_BYTES"],
    "debug_headers": ["DATABRICKS_DEBUG_HEADERS"],
}
VALUES = {
    "host": HOST,
    "azure_use_msi": "true",
    "azure_environment": "PUBLIC",
    "auth_type": "azure-cli",
    "debug_truncate_bytes": "96",
    "debug_headers": "true",
}
READ = {"azure_use_msi": True, "debug_headers": True, "debug_truncate_bytes": 96}
SET = Callable[..., None]


def databrickscfg(home: Path, text: str) -> None:
    path = home / ".databrickscfg"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def resolved(**arguments: Any) -> Config:
    return Config.resolve(**{"needs_credential": False, **arguments})


@pytest.mark.parametrize(("name", "variable"), [(name, one) for name, env in OFFICIAL.items() for one in env])
def test_an_attribute_has_its_official_name_and_variable(env: SET, home: Path, name: str, variable: str) -> None:
    """It is an argument, a variable, and a key of a profile."""
    value = VALUES.get(name, "value")
    expected = READ.get(name, value)
    if name != "profile":
        env(**{variable: value})
        assert getattr(resolved(**({} if name == "host" else {"host": HOST})), name) == expected
        env(**{variable: ""})
    if name not in ("profile", "config_file"):
        databrickscfg(home, f"[p]\nhost = {HOST}\n{name.upper()} = {value}\n")
        assert getattr(resolved(profile="p"), name) == expected
        assert getattr(resolved(**{"host": HOST, name: value}), name) == expected


def test_the_attributes_of_the_official_sdk() -> None:
    """Its own list, read from the package: each is here, or has no effect in this library on purpose."""
    from databricks.sdk.config import Config as Official

    without_effect = {
        # Not for Azure, or for accounts.
        "google_credentials", "google_service_account", "cloud", "group_id", "username", "password",
        # Of the official SDK's own HTTP layer, or of settings that do nothing there either.
        "rate_limit", "skip_verify", "max_connection_pools",
        "max_connections_per_pool", "disable_async_token_refresh", "disable_experimental_files_api_client",
        "disable_oauth_refresh_token", "authorization_details", "databricks_environment",
    }  # fmt: skip
    official = {one.name: [one.env, *one.env_aliases] for one in Official.attributes()}
    ours = {name for name, field in attrs.fields_dict(Config).items() if field.metadata}
    assert {name for name in official if not name.startswith("files_ext")} - ours <= without_effect
    for name, variables in OFFICIAL.items():
        if name in official:
            assert official[name] == variables


def test_an_alias_is_asked_only_when_the_variable_is_empty(env: SET) -> None:
    """As the official SDK does."""
    env(DATABRICKS_OIDC_TOKEN_FILE="alias")
    assert resolved(host=HOST).oidc_token_filepath == "alias"
    env(DATABRICKS_OIDC_TOKEN_FILEPATH="first")
    assert resolved(host=HOST).oidc_token_filepath == "first"


def test_the_key_of_the_databricks_cli_for_the_audience(home: Path) -> None:
    """It says `audience`, and the Python SDK `token_audience`."""
    databrickscfg(home, f"[p]\nhost = {HOST}\naudience = databricks\n")
    assert resolved(profile="p").token_audience == "databricks"


@pytest.mark.parametrize(
    "already",
    [
        {"host": HOST},
        {"azure_workspace_resource_id": "/x"},
        *({name: "x"} for name in ("token", "client_id", "azure_tenant_id", "oidc_token_env", "metadata_service_url")),
    ],
    ids=str,
)
def test_the_file_is_skipped_beside_a_host_or_credentials(home: Path, env: SET, already: dict[str, str]) -> None:
    """Unless a profile is asked for."""
    databrickscfg(home, f"[DEFAULT]\nhost = {HOST}\ncluster_id = file\n")
    arguments = {"host": OTHER, **already}
    assert resolved(**arguments).cluster_id is None
    assert resolved(**arguments, profile="DEFAULT").cluster_id == "file"
    env(DATABRICKS_CONFIG_PROFILE="DEFAULT")
    assert resolved(**arguments).cluster_id == "file"


@pytest.mark.parametrize(
    ("words", "conflict"),
    [
        ("token client_id", True),
        ("token client_id client_secret", True),
        ("token azure_client_id", True),
        ("token azure_client_certificate_path", True),
        ("token azure_use_msi", True),
        ("token metadata_service_url", True),
        ("client_id client_secret oidc_token_env", True),
        ("client_id client_secret azure_client_id", True),
        ("oidc_token_env oidc_token_filepath", True),
        ("token azure_tenant_id", False),
        ("token azure_workspace_resource_id", False),
        ("token azure_environment", False),
        ("token azure_federated_token_file azure_federated_client_id azure_federated_tenant_id", False),
        ("client_id client_secret azure_tenant_id", False),
        ("client_id oidc_token_env", False),
        ("client_id oidc_token_filepath", False),
        ("azure_client_id azure_client_secret azure_tenant_id", False),
        ("azure_client_id azure_use_msi", False),
    ],
)
def test_which_settings_are_two_ways(env: SET, words: str, conflict: bool) -> None:
    """From the environment as from arguments; auth_type settles it."""
    settings = {name: VALUES.get(name, "value") for name in words.split()}
    if not conflict:
        assert Config(host=HOST, **settings).host == HOST
        return
    with pytest.raises(ConfigError, match="more than one authorization method configured"):
        Config(host=HOST, **settings)
    env(**{OFFICIAL[name][0]: value for name, value in settings.items() if name in OFFICIAL})
    if set(settings) <= set(OFFICIAL):
        with pytest.raises(ConfigError, match="more than one authorization method configured"):
            Config.resolve(host=HOST)
    assert Config(host=HOST, **settings, auth_type="azure-cli").auth_type == "azure-cli"


# An address pasted from the browser


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("/?o=123", ("123", None)),
        ("/?o=123#job/5", ("123", None)),
        ("/jobs/5?o=123&x=y", ("123", None)),
        ("?o=123&a=acc-1", ("123", "acc-1")),
        ("/?a=acc-1", (None, "acc-1")),
        ("/?account_id=acc-1", (None, "acc-1")),
        ("/?workspace_id=123", ("123", None)),
        ("/#setting?o=123", (None, None)),
        ("/?o=0", (None, None)),
        ("/?o=", (None, None)),
        ("", (None, None)),
    ],
)
def test_the_ids_in_an_address(home: Path, env: SET, query: str, ids: tuple[str | None, str | None]) -> None:
    """Wherever the host is set: as an argument, in the environment, in a profile."""
    databrickscfg(home, f"[p]\nhost = {HOST}{query}\ntoken = t\n")
    env(DATABRICKS_HOST=HOST + query, DATABRICKS_TOKEN="t")
    configs = [Config(host=HOST + query, token="t"), Config.resolve(), Config.resolve(profile="p")]
    configs.append(Config.resolve(host=HOST + query, token="t"))
    for config in configs:
        assert config.host == HOST
        assert (config.workspace_id, config.account_id) == ids


def test_ids_that_are_set_otherwise_are_kept(env: SET) -> None:
    """And describe says where an id comes from."""
    env(DATABRICKS_WORKSPACE_ID="9")
    config = Config.resolve(host=f"{HOST}/?o=123&a=5", token="t")
    assert (config.workspace_id, config.account_id) == ("9", "5")
    assert "account_id=5 (from the address in host (argument))" in config.describe()
    assert Config(host=f"{HOST}?o=1", workspace_id="2", token="t").workspace_id == "2"


def test_one_address_of_two_workspaces_is_two_hosts(home: Path, env: SET) -> None:
    """The token of the profile's would go to the other."""
    databrickscfg(home, f"[p]\nhost = {HOST}/?o=1\ntoken = t\n")
    env(DATABRICKS_CONFIG_PROFILE="p", DATABRICKS_HOST=f"{HOST}/?o=2")
    with pytest.raises(ConfigError, match="differ"):
        Config.resolve()
    env(DATABRICKS_HOST=HOST)
    assert Config.resolve().host == HOST


@pytest.mark.parametrize("value", ["a b", "é", "1\n2"])
def test_an_id_that_cannot_be_sent_is_refused(value: str) -> None:
    """The error says that it stands in the address."""
    with pytest.raises(
        ConfigError, match=r"workspace_id \(from the address in host \(argument\)\) has|control characters"
    ):
        Config(host=f"{HOST}/?o={value}", token="t")
