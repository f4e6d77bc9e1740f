"""Where a configuration comes from, what it accepts, and what it says when something is missing."""

from __future__ import annotations

import copy
import inspect
from pathlib import Path
from typing import Any

import attrs
import pytest

from databricks_async.config import Arguments, Config
from databricks_async.errors import ConfigError

HOST = "https://adb-1.2.azuredatabricks.net"
TOKEN = "dapi-secret-1"
SECRET = "oauth-secret-2"
OTHER = "azure-secret-3"


def databrickscfg(home: Path, text: str) -> None:
    (home / ".databrickscfg").write_text(inspect.cleandoc(text), encoding="utf-8")


def refused(**arguments: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        Config.resolve(**arguments)
    return str(caught.value)


# Arguments, environment, file


def test_arguments_win_over_the_environment_and_the_environment_over_the_profile(home: Path, env: Any) -> None:
    """Each attribute has the first value found."""
    databrickscfg(home, f"[p]\nhost = https://file\ntoken = {TOKEN}\ncluster_id = file\naccount_id = file")
    env(DATABRICKS_CLUSTER_ID="env", DATABRICKS_CONFIG_PROFILE="p")
    config = Config.resolve(host="https://argument")
    assert (config.host, config.cluster_id, config.account_id) == ("https://argument", "env", "file")
    assert (config.token, config.auth_type) == (TOKEN, "pat")


def test_a_profile_as_an_argument_wins_over_the_environment(home: Path, env: Any) -> None:
    """Its token goes to its own host, whatever other workspace the environment names."""
    databrickscfg(home, f"[p]\nhost = {HOST}\ntoken = {TOKEN}\ncluster_id = file")
    env(DATABRICKS_HOST="https://env", DATABRICKS_CLIENT_ID="id", DATABRICKS_CLIENT_SECRET=SECRET)
    env(DATABRICKS_AUTH_TYPE="oauth-m2m", DATABRICKS_CLUSTER_ID="env")
    config = Config.resolve(profile="p")
    assert (config.host, config.token, config.auth_type, config.cluster_id) == (HOST, TOKEN, "pat", "file")
    assert config.client_secret is None


def test_a_host_and_a_profile_of_the_environment_must_agree(home: Path, env: Any) -> None:
    """Else the token of one workspace would go to the other."""
    databrickscfg(home, f"[p]\nhost = {HOST}\ntoken = {TOKEN}")
    env(DATABRICKS_CONFIG_PROFILE="p", DATABRICKS_HOST=HOST)
    assert Config.resolve().token == TOKEN
    env(DATABRICKS_HOST=HOST.removeprefix("https://").upper() + "/")
    assert Config.resolve().token == TOKEN
    env(DATABRICKS_HOST="https://env")
    message = refused()
    assert "host (from DATABRICKS_HOST) and host (from profile p of" in message
    assert "differ" in message


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("DATABRICKS_ACCOUNT_ID", "account_id"),
        ("DATABRICKS_WORKSPACE_ID", "workspace_id"),
        ("DATABRICKS_DISCOVERY_URL", "discovery_url"),
        ("DATABRICKS_CLUSTER_ID", "cluster_id"),
        ("DATABRICKS_AZURE_RESOURCE_ID", "azure_workspace_resource_id"),
        ("ARM_CLIENT_ID", "azure_client_id"),
        ("ARM_CLIENT_SECRET", "azure_client_secret"),
        ("ARM_TENANT_ID", "azure_tenant_id"),
        ("DATABRICKS_CLIENT_ID", "client_id"),
        ("DATABRICKS_CLIENT_SECRET", "client_secret"),
        ("DATABRICKS_TOKEN", "token"),
    ],
)
def test_the_official_variables_are_read(env: Any, variable: str, name: str) -> None:
    """An attribute without an argument comes from its variable."""
    env(**{variable: "value"})
    config = Config.resolve(host=HOST, needs_credential=False)
    assert getattr(config, name) == "value"


@pytest.mark.parametrize("nothing", ["", " "])
def test_none_and_empty_variables_are_nothing(home: Path, env: Any, nothing: str) -> None:
    """The next source is asked."""
    databrickscfg(home, f"[DEFAULT]\nhost = {HOST}\ntoken = {TOKEN}\ncluster_id =")
    env(DATABRICKS_HOST=nothing, DATABRICKS_TOKEN=nothing, DATABRICKS_CONFIG_PROFILE=nothing, DATABRICKS_CONFIG_FILE="")
    config = Config.resolve(host=None, token=None, http_timeout_seconds=None)
    assert (config.host, config.token, config.cluster_id, config.http_timeout_seconds) == (HOST, TOKEN, None, 60.0)


@pytest.mark.parametrize("name", ["host", "token", "profile"])
def test_an_empty_argument_is_refused(env: Any, name: str) -> None:
    """Falling back to the environment could mean another workspace than the one that was meant."""
    env(DATABRICKS_HOST=HOST, DATABRICKS_TOKEN=TOKEN)
    assert f"{name} (argument) is empty" in refused(**{name: ""})


def test_the_defaults() -> None:
    """Settings that are not set."""
    config = Config(host=HOST, token=TOKEN)
    assert (config.http_timeout_seconds, config.retry_timeout_seconds) == (60.0, 300.0)
    assert (config.poll_interval_seconds, config.max_connections, config.scopes) == (1.0, 100, ())
    assert (config.workspace_id, config.profile, config.azure_use_msi) == (None, None, None)


def test_the_constructor_looks_nowhere(home: Path, env: Any) -> None:
    """Only `resolve` reads the environment and the file."""
    databrickscfg(home, f"[DEFAULT]\nhost = {HOST}\ntoken = {TOKEN}")
    env(DATABRICKS_CLUSTER_ID="env")
    assert Config(host=HOST, token=TOKEN).cluster_id is None
    with pytest.raises(ConfigError, match=r"no host .* and no credentials .* looked in the arguments$"):
        Config()


# The profile


def test_the_default_profile_is_used_without_being_named(home: Path) -> None:
    """DEFAULT stands in, and is not then the profile."""
    databrickscfg(home, f"[DEFAULT]\nHost = {HOST}\ntoken = {TOKEN}\n[other]\nhost = https://other")
    config = Config.resolve()
    assert (config.host, config.token, config.profile) == (HOST, TOKEN, None)


def test_settings_may_name_the_default_profile(home: Path) -> None:
    """`default_profile` wins over DEFAULT, and a requested profile over both."""
    databrickscfg(
        home,
        f"""
        [__settings__]
        default_profile = chosen
        [DEFAULT]
        host = https://default
        token = {TOKEN}
        [chosen]
        host = https://chosen
        token = {TOKEN}
        """,
    )
    assert (Config.resolve().host, Config.resolve().profile) == ("https://chosen", "chosen")
    assert (Config.resolve(profile="DEFAULT").host, Config.resolve(profile="DEFAULT").profile) == (
        "https://default",
        "DEFAULT",
    )


def test_the_profile_may_come_from_the_environment(tmp_path: Path, env: Any) -> None:
    """So may the file."""
    path = tmp_path / "elsewhere.cfg"
    path.write_text(f"[p]\nhost = {HOST}\ntoken = {TOKEN}\n")
    env(DATABRICKS_CONFIG_FILE=str(path), DATABRICKS_CONFIG_PROFILE="p")
    assert (Config.resolve().host, Config.resolve().profile) == (HOST, "p")


def test_a_profile_does_not_inherit_from_default(home: Path) -> None:
    """What the profile lacks is missing."""
    databrickscfg(home, f"[DEFAULT]\nhost = {HOST}\ntoken = {TOKEN}\n[p]\nhost = https://p")
    assert Config.resolve(profile="p").token is None


def test_a_profile_is_not_interpolated(home: Path) -> None:
    """A percent sign in a secret is a percent sign."""
    databrickscfg(home, f"[p]\nhost = {HOST}\ntoken = a%b%(host)s")
    assert Config.resolve(profile="p").token == "a%b%(host)s"


def test_unknown_keys_of_a_profile_are_harmless(home: Path) -> None:
    """They neither fail nor overwrite methods, nor move the file's own choice."""
    databrickscfg(
        home,
        f"""
        [p]
        host = {HOST}
        token = {TOKEN}
        describe = x
        needs_credential = false
        origin = x
        jobs-api-version = 2.1
        profile = other
        config_file = /other
        """,
    )
    config = Config.resolve(profile="p")
    assert (config.profile, config.config_file, config.needs_credential) == ("p", None, True)
    assert "token=***" in config.describe()


@pytest.mark.parametrize("already", [{"host": HOST}, {"token": TOKEN}, {"azure_client_id": "x"}])
def test_the_file_is_not_read_for_what_is_already_half_there(home: Path, already: dict[str, str]) -> None:
    """A host of here and a token of there do not belong together, unless the profile is asked for."""
    databrickscfg(home, f"[DEFAULT]\nhost = {HOST}\ntoken = {TOKEN}\ncluster_id = file")
    config = Config.resolve(needs_credential=False, **{"host": HOST, **already})
    assert config.cluster_id is None
    assert Config.resolve(needs_credential=False, profile="DEFAULT", **already).cluster_id == "file"


@pytest.mark.parametrize("variable", ["DATABRICKS_PASSWORD", "GOOGLE_CREDENTIALS", "DATABRICKS_OIDC_TOKEN_FILE"])
def test_the_file_is_not_read_next_to_another_authorization(home: Path, env: Any, variable: str) -> None:
    """That counts for ways that are only recognised, too."""
    databrickscfg(home, f"[DEFAULT]\nhost = {HOST}\ntoken = {TOKEN}")
    env(**{variable: SECRET})
    assert "no host" in refused(needs_credential=False)


def test_azure_use_msi_set_to_false_is_no_authorization(home: Path, env: Any) -> None:
    """A switch that is off neither hides the file nor contradicts the token."""
    databrickscfg(home, f"[DEFAULT]\nhost = {HOST}\ntoken = {TOKEN}")
    env(ARM_USE_MSI="false")
    config = Config.resolve()
    assert (config.azure_use_msi, config.auth_type) == (False, "pat")


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("[a]\nhost = h", {"profile": "b"}, "has no b profile configured (asked for)"),
        ("[a]\nhost = h", {"profile": "DEFAULT"}, "has no DEFAULT profile configured"),
        ("[DEFAULT]", {"profile": "DEFAULT"}, "has no DEFAULT profile configured"),
        ("[a]\nhost = h", {"profile": "__settings__"}, "__settings__ is a reserved section"),
        ("[__settings__]\ndefault_profile = b", {}, "has no b profile configured (named in __settings__)"),
        ("[__settings__]\ndefault_profile = __settings__", {}, "__settings__ is a reserved section"),
        ("[a]\nhost = h", {}, "(no DEFAULT profile)"),
        ("[DEFAULT]\n[a]\nhost = h", {}, "(no DEFAULT profile)"),
        ("[__settings__]\ndefault_profile =", {}, "(no DEFAULT profile)"),
        (None, {}, "(no such file)"),
        (None, {"profile": "a"}, "(no such file)"),
        (f"[a]\nhost = h\n{TOKEN}", {}, "is not a valid configuration file (line 3): neither a section nor a key"),
    ],
)
def test_what_is_wrong_with_the_file_is_said(
    home: Path, text: str | None, arguments: dict[str, str], said: str
) -> None:
    """The error names the file and the profile, and never a line of it."""
    if text is not None:
        databrickscfg(home, text)
    message = refused(**arguments)
    assert said in message
    assert str(home / ".databrickscfg") in message
    assert TOKEN not in message


def test_an_unreadable_file_is_said() -> None:
    """A directory, or bytes that are no text, is a ConfigError like the others."""
    assert "cannot be read" in refused(config_file="~")
    Path("~/x").expanduser().write_bytes(b"[DEFAULT]\nhost = \xff\xfe")
    assert "is not a valid configuration file" in refused(config_file="~/x")


def test_a_byte_order_mark_does_not_matter(home: Path) -> None:
    """Some editors write one."""
    (home / ".databrickscfg").write_text(f"[DEFAULT]\nhost = {HOST}\ntoken = {TOKEN}", encoding="utf-8-sig")
    assert Config.resolve().host == HOST


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("30", "http_timeout_seconds", 30.0),
        ("0.5", "http_timeout_seconds", 0.5),
        ("0", "retry_timeout_seconds", 0.0),
        ("0.01", "poll_interval_seconds", 0.01),
        ("7", "max_connections", 7),
        ("b a,b", "scopes", ("a", "b")),
        ("all-apis", "scopes", ("all-apis",)),
        (" , ", "scopes", ()),
        ("AzureUSGovernmentCloud", "azure_environment", "USGOVERNMENT"),
        ("public", "azure_environment", "PUBLIC"),
    ],
)
def test_a_profile_gives_numbers_and_lists(home: Path, text: str, name: str, value: Any) -> None:
    """What is text in the file has its own type in the configuration."""
    databrickscfg(home, f"[p]\nhost = {HOST}\ntoken = {TOKEN}\n{name} = {text}")
    assert getattr(Config.resolve(profile="p"), name) == value


def test_a_wrong_value_names_the_variable_or_the_profile(home: Path, env: Any) -> None:
    """The error says what to change."""
    databrickscfg(home, f"[p]\nhost = {HOST}\ntoken = {TOKEN}\nmax_connections = many")
    path = home / ".databrickscfg"
    assert f"max_connections (from profile p of {path}) is 'many'" in refused(profile="p")
    env(ARM_USE_MSI="perhaps", DATABRICKS_TOKEN=TOKEN)
    assert "azure_use_msi (from ARM_USE_MSI) is 'perhaps'" in refused(host=HOST)


def test_an_unknown_argument_is_a_type_error() -> None:
    """It names the argument, and the nearest that there is."""
    with pytest.raises(TypeError, match=r"has no attribute 'tokn': did you mean 'token'\?"):
        Config.resolve(tokn="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"has no attribute 'zzz'$"):
        Config.resolve(zzz="x")  # type: ignore[call-arg]


# Authorization


@pytest.mark.parametrize(
    ("arguments", "auth_type"),
    [
        ({"token": TOKEN}, "pat"),
        ({"client_id": "id", "client_secret": SECRET}, "oauth-m2m"),
        ({"token": TOKEN, "client_id": "id", "client_secret": SECRET, "auth_type": "pat"}, "pat"),
        ({"token": TOKEN, "client_id": "id", "client_secret": SECRET, "auth_type": "oauth-m2m"}, "oauth-m2m"),
        ({"token": TOKEN, "azure_client_id": "id", "auth_type": "pat"}, "pat"),
    ],
)
def test_the_way_to_authorize_is_found_or_chosen(arguments: dict[str, Any], auth_type: str) -> None:
    """From what is set, or by auth_type where there is more than one."""
    assert Config.resolve(host=HOST, **arguments).auth_type == auth_type
    assert Config(host=HOST, **arguments).auth_type == auth_type


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"DATABRICKS_CLIENT_ID": "id"},
            "(oauth: client_id (from DATABRICKS_CLIENT_ID); pat: token (from DATABRICKS_TOKEN)): set auth_type",
        ),
        ({"ARM_CLIENT_SECRET": SECRET}, "azure: azure_client_secret (from ARM_CLIENT_SECRET); pat: "),
        ({"DATABRICKS_PASSWORD": SECRET}, "basic: password (from DATABRICKS_PASSWORD); pat: "),
        ({"GOOGLE_CREDENTIALS": SECRET}, "google: google_credentials (from GOOGLE_CREDENTIALS); pat: "),
        ({"DATABRICKS_OIDC_TOKEN_FILE": "x"}, "file-oidc: oidc_token_filepath (from DATABRICKS_OIDC_TOKEN_FILE)"),
    ],
)
def test_two_ways_to_authorize_are_a_contradiction(env: Any, variables: dict[str, str], said: str) -> None:
    """The error names both and their sources, but no secret. Credentials as arguments settle it."""
    env(**variables)
    assert Config.resolve(host=HOST, token=TOKEN).auth_type == "pat"
    env(DATABRICKS_TOKEN=TOKEN)
    message = refused(host=HOST)
    assert message.startswith("more than one authorization method configured")
    assert said in message
    assert TOKEN not in message
    assert SECRET not in message


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"auth_type": "basic"},
            "auth_type (argument) is 'basic', which is not supported: user names and",
        ),
        ({"auth_type": "google-id"}, "which is not supported: it is not for Azure"),
        ({"auth_type": "oauth_m2m"}, "auth_type (argument) is 'oauth_m2m': did you mean 'oauth-m2m'?"),
        ({"auth_type": "zzz"}, "auth_type (argument) is 'zzz': known are pat, metadata-service, oauth-m2m, "),
        ({"auth_type": "pat"}, "no token (DATABRICKS_TOKEN) for pat; looked in the arguments, the environment, "),
        ({"auth_type": "oauth-m2m", "client_id": "x"}, "no client_secret (DATABRICKS_CLIENT_SECRET) for oauth-m2m"),
        (
            {"auth_type": "azure-client-secret"},
            "no azure_client_id (ARM_CLIENT_ID) for azure-client-secret and no",
        ),
        ({"client_secret": SECRET}, "no client_id (DATABRICKS_CLIENT_ID) for oauth-m2m"),
    ],
)
def test_what_is_missing_or_unsupported_is_said(arguments: dict[str, str], said: str) -> None:
    """The error says what to set, and where it was looked for."""
    message = refused(host=HOST, **arguments)
    assert said in message
    assert SECRET not in message


def test_everything_missing_is_said_at_once(home: Path) -> None:
    """One error for the host and the credentials."""
    message = refused()
    assert message.startswith("no host (DATABRICKS_HOST) and no credentials (")
    assert message.endswith(f"looked in the arguments, the environment, and {home / '.databrickscfg'} (no such file)")


@pytest.mark.parametrize("variables", [{}, {"DATABRICKS_TOKEN": TOKEN, "ARM_CLIENT_ID": "x"}])
def test_with_the_callers_own_credential_a_host_is_enough(env: Any, variables: dict[str, str]) -> None:
    """Whatever else is set then is no contradiction; the host is still needed."""
    env(**variables)
    assert Config.resolve(host=HOST, needs_credential=False).host == HOST
    assert Config(host=HOST, needs_credential=False).auth_type is None
    assert refused(needs_credential=False).startswith("no host")


# The value


def test_no_text_of_a_configuration_shows_a_secret() -> None:
    """Neither repr nor str nor describe."""
    config = Config.resolve(
        host=HOST, token=TOKEN, client_secret=SECRET, azure_client_secret=OTHER, cluster_id="c", auth_type="pat"
    )
    for text in (repr(config), str(config), config.describe(), f"{config}"):
        assert "token=***" in text
        assert " client_secret=***" in text
        assert "azure_client_secret=***" in text
        assert not any(secret in text for secret in (TOKEN, SECRET, OTHER))
    assert repr(Config(host=HOST, token=TOKEN)) == f"Config(host={HOST}, token=***, auth_type=pat)"


def test_configurations_are_equal_when_all_settings_are() -> None:
    """Wherever they come from."""
    one, other = Config(host=HOST, token=TOKEN), Config(host=HOST, token=TOKEN, product="p")
    assert one == Config(host=HOST, token=TOKEN)
    assert hash(one) == hash(Config(host=HOST, token=TOKEN))
    assert (
        len({one, other, Config(host=HOST, token=TOKEN, needs_credential=False), Config(host=HOST, token=OTHER)}) == 4
    )
    assert one != HOST


def test_describe_tells_where_values_come_from(home: Path, env: Any) -> None:
    """For a person who wonders why."""
    databrickscfg(home, f"[__settings__]\ndefault_profile = p\n[p]\ntoken = {TOKEN}\nhost = {HOST}")
    env(DATABRICKS_CLUSTER_ID="c")
    path = home / ".databrickscfg"
    assert Config.resolve(workspace_id="7").describe() == (
        f"host={HOST} (from profile p of {path}), token=*** (from profile p of {path}), "
        f"profile=p (from __settings__ of {path}), auth_type=pat, workspace_id=7 (argument), "
        "cluster_id=c (from DATABRICKS_CLUSTER_ID)"
    )


def test_a_configuration_is_a_value() -> None:
    """Equal, hashable, unchangeable, and it survives copies."""
    config = Config.resolve(host=HOST, token=TOKEN)
    assert config == Config(host=HOST + "/", token=TOKEN)
    assert hash(config) == hash(Config(host=HOST, token=TOKEN))
    assert copy.deepcopy(config) == copy.copy(config) == config
    assert attrs.evolve(config, host="https://other").host == "https://other"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        config.host = "x"  # type: ignore[misc]


def test_the_arguments_are_the_attributes() -> None:
    """What can be read can be given."""
    attributes = {field.name for field in attrs.fields(Config)} - {"needs_credential", "_origin"}
    assert set(Arguments.__annotations__) == attributes
