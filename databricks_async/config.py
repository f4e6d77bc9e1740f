"""Config: arguments, environment and one profile of a file become one validated value. No I/O but that file."""

from __future__ import annotations

import configparser
import ipaddress
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict, Unpack
from urllib.parse import urlsplit

import attrs

from databricks_async.errors import ConfigError
from databricks_async.suggest import did_you_mean

Sourced = Mapping[str, tuple[Any, str]]
"""Attribute names with their values and where these come from."""

_SETTINGS = "__settings__"

# What the official SDK calls the ways to authorize. The first two work here, the others are only recognised.
_NEEDED = {"pat": ("token",), "oauth-m2m": ("client_id", "client_secret")}
_NOT_YET = (
    "azure-cli",
    "azure-client-secret",
    "azure-devops-oidc",
    "basic",
    "databricks-cli",
    "env-oidc",
    "external-browser",
    "file-oidc",
    "github-oidc",
    "github-oidc-azure",
    "google-credentials",
    "google-id",
    "metadata-service",
    "model-serving",
    "runtime",
    "runtime-oauth",
)
_TYPE_OF_GROUP = {"pat": "pat", "oauth": "oauth-m2m"}

# Official attributes without an effect here, but each is a second way to authorize, which must not be passed over.
_FOREIGN = {
    "username": ("basic", ("DATABRICKS_USERNAME",)),
    "password": ("basic", ("DATABRICKS_PASSWORD",)),
    "google_service_account": ("google", ("DATABRICKS_GOOGLE_SERVICE_ACCOUNT",)),
    "google_credentials": ("google", ("GOOGLE_CREDENTIALS",)),
    "metadata_service_url": ("metadata-service", ("DATABRICKS_METADATA_SERVICE_URL",)),
    "oidc_token_env": ("env-oidc", ("DATABRICKS_OIDC_TOKEN_ENV",)),
    "oidc_token_filepath": ("file-oidc", ("DATABRICKS_OIDC_TOKEN_FILEPATH", "DATABRICKS_OIDC_TOKEN_FILE")),
}

_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "off", "f", "n"})
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?")


def is_loopback(name: str) -> bool:
    """Whether a host name or address is this machine: localhost, 127.0.0.0/8 or ::1."""
    try:
        return name.lower() == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


# Each of these takes a value from an argument, a variable or a profile. A ValueError says what is wrong with it,
# without the value where that may be a secret.


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # ids are numbers for many people
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004
    text: str = value.strip()
    if not text:
        raise ValueError("is empty")
    if not text.isprintable():
        raise ValueError("has control characters")
    return text


def _header(value: Any) -> str:
    text = _text(value)
    if not text.isascii() or " " in text:
        raise ValueError("has characters that cannot be part of it (spaces, or not ASCII)")
    return text


def _host(value: Any) -> str:
    text = _text(value)
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
    # What follows, as in an address pasted from the browser, is a page of the web interface.
    return f"{scheme}://{name}" + ("" if port in (None, 443 if scheme == "https" else 80) else f":{port}")


def _flag(value: Any) -> bool:
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"is {value!r}: must be true or false")


def _seconds(value: Any) -> float:
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"is {value!r}: must be a number of seconds")
    return seconds


def _some_seconds(value: Any) -> float:
    if (seconds := _seconds(value)) > 0:
        return seconds
    raise ValueError(f"is {value!r}: must be more than 0 seconds")


def _count(value: Any) -> int:
    text = str(value).strip()
    if re.fullmatch("[0-9]{1,9}", text) and int(text) > 0:
        return int(text)
    raise ValueError(f"is {value!r}: must be a whole number from 1")


def _proxy(value: Any) -> str:
    text = _text(value)
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() not in ("http", "https"):
        raise ValueError(f"has the scheme {scheme!r}: only http and https proxies are supported")
    return text


def _scopes(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = re.split(r"[,\s]+", value)
    if not isinstance(value, Iterable):
        raise ValueError("must be a list of names, or names divided by commas or spaces")  # noqa: TRY004
    return tuple(sorted({_header(scope) for scope in value if scope}))


def _azure_environment(value: Any) -> str:
    return _text(value).upper().removeprefix("AZURE").removesuffix("CLOUD")


def _attribute(
    convert: Callable[[Any], Any], *env: str, default: Any = None, group: str | None = None, secret: bool = False
) -> Any:
    return attrs.field(default=default, metadata={"convert": convert, "env": env, "group": group, "secret": secret})


@attrs.frozen
class _Origin:
    """Where the values of a Config come from, for its error messages."""

    sources: Mapping[str, str] = attrs.field(factory=dict)
    foreign: Mapping[str, str] = attrs.field(factory=dict)
    looked: str = "the arguments"

    def of(self, name: str) -> str:
        source = {**self.sources, **self.foreign}.get(name, "argument")
        return f"{name} ({source})"


class Arguments(TypedDict, total=False):
    """The arguments of `Config.resolve`, all optional. None is as good as absent."""

    host: str | None
    token: str | None
    client_id: str | None
    client_secret: str | None
    profile: str | None
    config_file: str | None
    auth_type: str | None
    account_id: str | None
    workspace_id: str | None
    discovery_url: str | None
    scopes: str | Iterable[str] | None
    azure_workspace_resource_id: str | None
    azure_use_msi: bool | None
    azure_client_id: str | None
    azure_client_secret: str | None
    azure_tenant_id: str | None
    azure_environment: str | None
    cluster_id: str | None
    http_timeout_seconds: float | None
    retry_timeout_seconds: float | None
    poll_interval_seconds: float | None
    max_connections: int | None
    max_answer_bytes: int | None
    proxy: str | None
    ca_bundle: str | None


@attrs.frozen(kw_only=True)
class Config:
    """Which workspace, on whose behalf, and with which limits. Always complete and free of contradictions.

    `Config(...)` takes just what it is given; `Config.resolve(...)` also looks into the environment and the
    configuration file. Both raise `ConfigError`. The representation hides secrets.
    """

    host: str = _attribute(_host, "DATABRICKS_HOST", default="")
    """The workspace's address, scheme and port included: `https://adb-1.2.azuredatabricks.net`."""
    token: str | None = _attribute(_header, "DATABRICKS_TOKEN", group="pat", secret=True)
    """A personal access token, or a Microsoft Entra token."""
    client_id: str | None = _attribute(_text, "DATABRICKS_CLIENT_ID", group="oauth")
    client_secret: str | None = _attribute(_text, "DATABRICKS_CLIENT_SECRET", group="oauth", secret=True)
    """The OAuth secret of the service principal `client_id`."""
    profile: str | None = _attribute(_text, "DATABRICKS_CONFIG_PROFILE")
    """The profile that was asked for, or that the file names as its default."""
    config_file: str | None = _attribute(_text, "DATABRICKS_CONFIG_FILE")
    """None is `~/.databrickscfg`."""
    auth_type: str | None = _attribute(_text, "DATABRICKS_AUTH_TYPE")
    """`pat` or `oauth-m2m`, found from the other values if not given; may be None with `needs_credential=False`."""
    account_id: str | None = _attribute(_text, "DATABRICKS_ACCOUNT_ID")
    workspace_id: str | None = _attribute(_header, "DATABRICKS_WORKSPACE_ID")
    """Tells workspaces of one host apart."""
    discovery_url: str | None = _attribute(_text, "DATABRICKS_DISCOVERY_URL")
    scopes: tuple[str, ...] = _attribute(_scopes, default=())
    """OAuth scopes, sorted; empty means all that the service principal may do."""
    azure_workspace_resource_id: str | None = _attribute(_text, "DATABRICKS_AZURE_RESOURCE_ID", group="azure")
    azure_use_msi: bool | None = _attribute(_flag, "ARM_USE_MSI", group="azure")
    azure_client_id: str | None = _attribute(_text, "ARM_CLIENT_ID", group="azure")
    azure_client_secret: str | None = _attribute(_text, "ARM_CLIENT_SECRET", group="azure", secret=True)
    azure_tenant_id: str | None = _attribute(_text, "ARM_TENANT_ID", group="azure")
    azure_environment: str | None = _attribute(_azure_environment, "ARM_ENVIRONMENT")
    """`PUBLIC`, `USGOVERNMENT` or `CHINA`."""
    cluster_id: str | None = _attribute(_text, "DATABRICKS_CLUSTER_ID")
    http_timeout_seconds: float = _attribute(_some_seconds, default=60.0)
    """How long one request may take."""
    retry_timeout_seconds: float = _attribute(_seconds, default=300.0)
    """How long one call may go on trying."""
    poll_interval_seconds: float = _attribute(_some_seconds, default=1.0)
    """The first pause of a wait; later ones are longer."""
    max_connections: int = _attribute(_count, default=100)
    max_answer_bytes: int = _attribute(_count, default=64 * 2**20)
    """How long an answer may be, decompressed; a longer one is an `InvalidResponse`. Downloads have no limit."""
    proxy: str | None = _attribute(_proxy, secret=True)
    """An http or https proxy, in place of the environment's `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`."""
    ca_bundle: str | None = _attribute(_text)
    """A PEM file, or a folder, with the authorities that are trusted, in place of the machine's; without it the
    environment's `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE`, else `SSL_CERT_FILE`."""
    needs_credential: bool = attrs.field(default=True, repr=False)
    """False if the caller brings a credential: then a host is enough, and other ways to authorize are not looked at."""
    _origin: _Origin = attrs.field(factory=_Origin, repr=False, eq=False, alias="origin")

    def __attrs_post_init__(self) -> None:
        for name, field in _FIELDS.items():
            value = getattr(self, name)
            try:
                # None and the default need no check, and are the same to whoever passes arguments on.
                same = value is None or value == field.default
                object.__setattr__(self, name, field.default if same else field.metadata["convert"](value))
            except ValueError as error:
                # Without the cause: its traceback would show the value.
                raise ConfigError(f"{self._origin.of(name)} {error}") from None
        missing = [] if self.host else ["host (DATABRICKS_HOST)"]
        if self.needs_credential:
            object.__setattr__(self, "auth_type", self._chosen())
            missing += self._lacking()
        if missing:
            raise ConfigError(f"no {' and no '.join(missing)}; looked in {self._origin.looked}")

    @classmethod
    def resolve(cls, *, needs_credential: bool = True, **arguments: Unpack[Arguments]) -> Config:
        """The configuration from the arguments, over the environment, over one profile of the configuration file.

        With `profile` as an argument, that profile comes before the environment, whose host and credentials are not
        looked at; with credentials as arguments, other ways to authorize are not looked at anywhere else.
        Reads `os.environ` and at most one file. Raises `ConfigError` if anything needed is missing, wrong or
        contradictory, and names where it was found or looked for.
        """
        for name in arguments:
            if name not in _FIELDS:
                hint = did_you_mean(name, _FIELDS)
                raise TypeError(f"Config has no attribute {name!r}" + (f": {hint}" if hint else ""))
        given_here = {name: (value, "argument") for name, value in arguments.items() if value is not None}
        environment: Sourced = _without_other_ways(_from_environment(), given_here)
        if "profile" in given_here:
            # Whoever names a profile means its host and its token: those of the environment are another workspace's.
            environment = {name: found for name, found in environment.items() if not _tells_who_or_where(name, found)}
        from_file, file = _from_file({**environment, **given_here})
        from_file = _without_other_ways(from_file, given_here)
        if "host" in environment and "host" in from_file and not _same(environment["host"], from_file["host"]):
            # The credentials of one workspace would go to another.
            names = [f"host ({source})" for _, source in (environment["host"], from_file["host"])]
            raise ConfigError(f"{' and '.join(names)} differ: unset one of them, or give profile= as an argument")
        below = {**environment, **from_file} if "profile" in given_here else {**from_file, **environment}
        found: dict[str, tuple[Any, str]] = {**below, **given_here}
        origin = _Origin(
            {name: source for name, (_, source) in found.items() if name in _FIELDS},
            {name: source for name, (_, source) in found.items() if name in _FOREIGN},
            f"the arguments, the environment, {file}",
        )
        given = {name: value for name, (value, _) in found.items() if name in _FIELDS}
        if given.get("host") == "":
            raise ConfigError(f"{origin.of('host')} is empty")
        return cls(**given, needs_credential=needs_credential, origin=origin)

    def describe(self) -> str:
        """What is set, and where it comes from, for people; secrets are `***`."""
        return ", ".join(
            f"{name}={value}" + (f" ({self._origin.sources[name]})" if name in self._origin.sources else "")
            for name, value in self._shown()
        )

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{name}={value}' for name, value in self._shown())})"

    def _shown(self) -> list[tuple[str, str]]:
        return [
            (name, "***" if field.metadata["secret"] else str(getattr(self, name)))
            for name, field in _FIELDS.items()
            if getattr(self, name) != field.default
        ]

    def _chosen(self) -> str | None:
        if self.auth_type is not None:
            if self.auth_type in _NEEDED:
                return self.auth_type
            which = self._origin.of("auth_type")
            if self.auth_type in _NOT_YET:
                raise _unsupported(f"{which} is {self.auth_type!r}, which")
            hint = did_you_mean(self.auth_type, (*_NEEDED, *_NOT_YET), f"known are {' and '.join(_NEEDED)}")
            raise ConfigError(f"{which} is {self.auth_type!r}: {hint}")
        groups: dict[str, list[str]] = {}
        for name in (*_FIELDS, *self._origin.foreign):
            if group := _group(name, getattr(self, name, True)):
                groups.setdefault(group, []).append(self._origin.of(name))
        said = [f"{group}: {', '.join(names)}" for group, names in sorted(groups.items())]
        if len(groups) > 1:
            raise ConfigError(
                f"more than one authorization method configured ({'; '.join(said)}): set auth_type to say which"
            )
        for group in groups:
            if group not in _TYPE_OF_GROUP:
                raise _unsupported(f"authorization by {said[0]}")
            return _TYPE_OF_GROUP[group]
        return None

    def _lacking(self) -> list[str]:
        if self.auth_type is None:
            return [
                "credentials (token, DATABRICKS_TOKEN; or client_id and client_secret, "
                "DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET)"
            ]
        return [
            f"{name} ({_FIELDS[name].metadata['env'][0]}) for {self.auth_type}"
            for name in _NEEDED[self.auth_type]
            if getattr(self, name) is None
        ]


_FIELDS: dict[str, attrs.Attribute[Any]] = {f.name: f for f in attrs.fields(Config) if f.metadata}


def _group(name: str, value: Any) -> str | None:
    """The group of attributes that authorize together, if this value is of one; None for None and for "false"."""
    if name in _FOREIGN:
        return _FOREIGN[name][0]
    off = value is None or (_FIELDS[name].metadata["convert"] is _flag and str(value).strip().lower() in _FALSE)
    group: str | None = _FIELDS[name].metadata["group"]
    return None if off else group


def _same(host: tuple[Any, str], other: tuple[Any, str]) -> bool:
    """Whether two hosts are one, however they are written. What is no host is told of where it is used."""
    try:
        return _host(host[0]) == _host(other[0])
    except ValueError:
        return False


def _tells_who_or_where(name: str, found: tuple[Any, str]) -> bool:
    return name in ("host", "auth_type", "account_id", "workspace_id") or _group(name, found[0]) is not None


def _without_other_ways(found: Sourced, given_here: Sourced) -> Sourced:
    """What was found, without other ways to authorize than one that the arguments bring."""
    ways = {_group(name, value) for name, (value, _) in given_here.items()} - {None}
    if not ways:
        return found
    return {name: one for name, one in found.items() if name != "auth_type" and _group(name, one[0]) in {None, *ways}}


def _unsupported(what: str) -> ConfigError:
    return ConfigError(
        f"{what} is not supported yet: use a token, client_id and client_secret, or pass a credential of your own"
    )


def _from_environment() -> dict[str, tuple[str, str]]:
    variables = {name: field.metadata["env"] for name, field in _FIELDS.items()}
    variables.update((name, env) for name, (_, env) in _FOREIGN.items())
    found = {}
    for name, env in variables.items():
        for variable in env:
            if os.environ.get(variable, "").strip():
                found[name] = (os.environ[variable], f"from {variable}")
                break
    return found


def _from_file(found: Sourced) -> tuple[Sourced, str]:
    """The values of one profile, and words for where they were looked for."""
    path = os.path.expanduser(str(found["config_file"][0]) if "config_file" in found else "~/.databrickscfg")
    wanted = str(found["profile"][0]).strip() if "profile" in found else None
    if wanted is None:
        # Values of the file would mix with those of another workspace.
        for name, (value, _) in found.items():
            if name == "host" or _group(name, value):
                return {}, f"but not in {path}: no profile was asked for, and {name} is set"
    sections = _sections(path)
    if sections is None:
        return {}, f"and {path} (no such file)"
    default = sections.get(_SETTINGS, {}).get("default_profile", "").strip()
    profile = wanted or default or "DEFAULT"
    if profile == _SETTINGS:
        raise ConfigError(f"{_SETTINGS} is a reserved section of {path} and cannot be used as a profile")
    values = sections.get(profile)
    if values is None or (profile == "DEFAULT" and not values):
        if wanted or default:
            by = "asked for" if wanted else f"named in {_SETTINGS}"
            raise ConfigError(f"{path} has no {profile} profile configured ({by})")
        return {}, f"and {path} (no DEFAULT profile)"
    where = f"profile {profile} of {path}"
    taken = {
        name: (value, f"from {where}")
        for name, value in values.items()
        if (name in _FIELDS or name in _FOREIGN) and name not in ("profile", "config_file") and value.strip()
    }
    if default and not wanted:
        taken["profile"] = (default, f"from {_SETTINGS} of {path}")
    return taken, f"and {where}"


def _sections(path: str) -> dict[str, dict[str, str]] | None:
    # With a section name that no file has as the default one, DEFAULT is a profile like any other.
    parser = configparser.ConfigParser(interpolation=None, default_section="\n")
    line: int | None = None
    try:
        with open(path, encoding="utf-8-sig") as file:
            parser.read_file(file)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), 0)
    except ValueError:
        line = 0
    if line is not None:
        # The parser's own error quotes the line, and with it perhaps a secret.
        raise ConfigError(f"{path} is not a valid configuration file" + (f" (line {line})" if line else ""))
    return {name: dict(parser.items(name)) for name in parser.sections()}
