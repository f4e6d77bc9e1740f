"""Config: arguments, environment and one profile of a file become one validated value. No I/O but that file."""

# A field of attrs is no default that instances share.
# ruff: noqa: RUF009

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Unpack, cast

import attrs

from databricks_async.config.arguments import INSTEAD, Arguments
from databricks_async.config.file import read_sections, warn_if_readable_by_others
from databricks_async.config.methods import COMPANIONS, COMPLETE, FOREIGN, NEEDS, NOT_OFFERED, ways_among
from databricks_async.config.values import (
    ids_in_host,
    is_off,
    read_azure_environment,
    read_bytes,
    read_count,
    read_flag,
    read_header,
    read_host,
    read_positive_seconds,
    read_product,
    read_proxy,
    read_scopes,
    read_seconds,
    read_secret,
    read_secret_header,
    read_text,
)
from databricks_async.documentation import Documented
from databricks_async.errors import ConfigError
from databricks_async.secret import MASK, Secret, hide, reveal
from databricks_async.suggest import did_you_mean

Sourced = Mapping[str, tuple[Any, str]]
"""Attribute names with their values and where these come from."""

_SETTINGS = "__settings__"
FILE_NAMES = {"audience": "token_audience"}
"""Keys by which the Databricks CLI knows an attribute that the Python SDK calls otherwise."""
_MIN_MASKED = 6
"""So short a secret is not looked for in foreign text: it would be found in innocent words."""


def _attribute(convert: Callable[[Any], Any], *env: str, default: Any = None, group: str | None = None) -> Any:
    secret = convert in (read_secret, read_secret_header, read_proxy)
    return attrs.field(default=default, metadata={"convert": convert, "env": env, "group": group, "secret": secret})


@attrs.frozen
class _Origin:
    """Where the values of a Config come from, for its error messages."""

    sources: Mapping[str, str] = attrs.field(factory=dict)
    foreign: Mapping[str, str] = attrs.field(factory=dict)
    looked: str = "the arguments"
    in_notebook: bool = False
    """Whether a Databricks runtime is around, which knows its host."""
    found: dict[str, str] = attrs.field(factory=dict, eq=False)
    """What the first call found out: the way in use, and the host of a resource id."""

    def of(self, name: str) -> str:
        source = {**self.sources, **self.foreign}.get(name, "argument")
        return f"{name} ({source})"


@attrs.frozen(kw_only=True, init=False)
class Config(metaclass=Documented):
    """Which workspace, on whose behalf, and with which limits. Always complete and free of contradictions.

    `Config(...)` takes just what it is given; `Config.resolve(...)` also looks into the environment and the
    configuration file. Both raise `ConfigError`. Secrets are held as `Secret`: no view of a configuration shows one,
    and a configuration that holds one is not pickled.
    """

    host: str = _attribute(read_host, "DATABRICKS_HOST", default="")
    """The workspace's address, scheme and port included: `https://adb-1.2.azuredatabricks.net`. Empty while it is not
    known yet, when `azure_workspace_resource_id` stands for it."""
    token: Secret | None = _attribute(read_secret_header, "DATABRICKS_TOKEN", group="pat")
    """A personal access token, or a Microsoft Entra token."""
    client_id: str | None = _attribute(read_text, "DATABRICKS_CLIENT_ID", group="oauth")
    """The application id of the service principal whose OAuth secret is `client_secret`."""
    client_secret: Secret | None = _attribute(read_secret, "DATABRICKS_CLIENT_SECRET", group="oauth")
    """The OAuth secret of the service principal `client_id`."""
    profile: str | None = _attribute(read_text, "DATABRICKS_CONFIG_PROFILE")
    """The profile that was asked for, or that the file names as its default."""
    config_file: str | None = _attribute(read_text, "DATABRICKS_CONFIG_FILE")
    """None is `~/.databrickscfg`."""
    auth_type: str | None = _attribute(read_text, "DATABRICKS_AUTH_TYPE")
    """The one way to authorize that is tried; None for the first that serves. Found from the other values where these
    settle it: `pat`, `oauth-m2m`, `azure-client-secret`."""
    account_id: str | None = _attribute(read_text, "DATABRICKS_ACCOUNT_ID")
    """The id of the account, a GUID."""
    workspace_id: str | None = _attribute(read_header, "DATABRICKS_WORKSPACE_ID")
    """Which of the workspaces of one host. Taken from `?o=` of the host, as `account_id` from `?a=`, if not set."""
    discovery_url: str | None = _attribute(read_text, "DATABRICKS_DISCOVERY_URL")
    """The address of an OpenID configuration that names the token endpoint, in place of the host's."""
    scopes: tuple[str, ...] = _attribute(read_scopes, default=())
    """OAuth scopes, sorted; empty means all that the service principal may do."""
    token_audience: str | None = _attribute(read_text, "DATABRICKS_TOKEN_AUDIENCE")
    """The audience that a pipeline's id token is asked for."""
    oidc_token_env: str | None = _attribute(read_text, "DATABRICKS_OIDC_TOKEN_ENV", group="env-oidc")
    """The variable that holds an id token; None is DATABRICKS_OIDC_TOKEN."""
    oidc_token_filepath: str | None = _attribute(
        read_text, "DATABRICKS_OIDC_TOKEN_FILEPATH", "DATABRICKS_OIDC_TOKEN_FILE", group="file-oidc"
    )
    """The file that holds an id token, read anew for each exchange."""
    metadata_service_url: Secret | None = _attribute(
        read_secret, "DATABRICKS_METADATA_SERVICE_URL", group="metadata-service"
    )
    """The address of a local metadata service that gives tokens; its path is a secret."""
    databricks_cli_path: str | None = _attribute(read_text, "DATABRICKS_CLI_PATH")
    """The Databricks CLI's file; None is `databricks` on the PATH."""
    azure_workspace_resource_id: str | None = _attribute(read_text, "DATABRICKS_AZURE_RESOURCE_ID", group="azure")
    """The Azure resource id of the workspace: `/subscriptions/.../workspaces/...`."""
    azure_use_msi: bool | None = _attribute(read_flag, "ARM_USE_MSI", group="azure")
    """Whether to use the managed identity of the machine."""
    azure_client_id: str | None = _attribute(read_text, "ARM_CLIENT_ID", group="azure")
    """The application id of an Entra service principal, or of a user-assigned managed identity."""
    azure_client_secret: Secret | None = _attribute(read_secret, "ARM_CLIENT_SECRET", group="azure")
    """The secret of the Entra service principal."""
    azure_tenant_id: str | None = _attribute(read_text, "ARM_TENANT_ID", group="azure")
    """The id of the Entra tenant; found from the workspace if not given."""
    azure_environment: str | None = _attribute(read_azure_environment, "ARM_ENVIRONMENT")
    """`PUBLIC`, `USGOVERNMENT` or `CHINA`; None is found from the host."""
    azure_client_certificate_path: str | None = _attribute(read_text, "ARM_CLIENT_CERTIFICATE_PATH", group="azure")
    """The certificate of the service principal `azure_client_id` with its private key: PEM or PKCS12."""
    azure_client_certificate_password: Secret | None = _attribute(
        read_secret, "ARM_CLIENT_CERTIFICATE_PASSWORD", group="azure"
    )
    """The password of the certificate file."""
    azure_msi_object_id: str | None = _attribute(read_text, "ARM_MSI_OBJECT_ID", group="azure")
    """Picks a user-assigned managed identity, as `azure_client_id` and `azure_msi_resource_id` do."""
    azure_msi_resource_id: str | None = _attribute(read_text, "ARM_MSI_RESOURCE_ID", group="azure")
    """The Azure resource id of a user-assigned managed identity."""
    # What the webhook of AKS puts into every pod: no way that anybody chose, so no second one beside another.
    azure_federated_token_file: str | None = _attribute(read_text, "AZURE_FEDERATED_TOKEN_FILE")
    """The file with a federated token, as AKS mounts it."""
    azure_federated_client_id: str | None = _attribute(read_text, "AZURE_CLIENT_ID")
    """The application id that the federated token is for."""
    azure_federated_tenant_id: str | None = _attribute(read_text, "AZURE_TENANT_ID")
    """The Entra tenant of the federated token."""
    azure_authority_host: str | None = _attribute(read_text, "AZURE_AUTHORITY_HOST")
    """Microsoft Entra's address, in place of the cloud's."""
    cluster_id: str | None = _attribute(read_text, "DATABRICKS_CLUSTER_ID")
    """The id of a cluster for programs to read; this library sends it nowhere."""
    warehouse_id: str | None = _attribute(read_text, "DATABRICKS_WAREHOUSE_ID")
    """The id of a SQL warehouse for programs to read; this library sends it nowhere."""
    serverless_compute_id: str | None = _attribute(read_text, "DATABRICKS_SERVERLESS_COMPUTE_ID")
    """The serverless compute for programs to read; this library sends it nowhere."""
    http_timeout_seconds: float = _attribute(read_positive_seconds, default=60.0)
    """How long one request may take."""
    retry_timeout_seconds: float = _attribute(read_seconds, default=300.0)
    """How long one call may go on trying, where the settings below do not say otherwise for a class of failures."""
    connect_retry_seconds: float | None = _attribute(read_seconds)
    """How long a call is sent again while no connection can be had; None is `retry_timeout_seconds`, and 30 at most. A
    host that refuses and has never answered is then given up after 4."""
    connect_retry_attempts: int | None = _attribute(read_count)
    """How many tries of a call may fail to connect; None is as many as the time allows, 1 sends nothing again."""
    server_retry_seconds: float | None = _attribute(read_seconds)
    """How long a call is sent again after an answer of 408, 500, 502, 503 or 504, a lost connection, or no answer in
    time; None is `retry_timeout_seconds`."""
    server_retry_attempts: int | None = _attribute(read_count)
    """How many tries of a call may fail so; None is as many as the time allows, 1 sends nothing again."""
    throttled_retry_seconds: float | None = _attribute(read_seconds)
    """How long a call waits out refusals for a rate limit; None is `retry_timeout_seconds`."""
    throttled_retry_attempts: int | None = _attribute(read_count)
    """How many tries of a call may be refused so; None is as many as the time allows, 1 sends nothing again."""
    poll_interval_seconds: float = _attribute(read_positive_seconds, default=1.0)
    """The first pause of a wait; later ones are longer."""
    max_connections: int = _attribute(read_count, default=100)
    """Connections, and calls in flight, at most."""
    max_answer_bytes: int = _attribute(read_count, default=64 * 2**20)
    """How long an answer may be, decompressed; a longer one is an `InvalidResponse`. Downloads have no limit."""
    proxy: Secret | None = _attribute(read_proxy)
    """An http or https proxy, in place of the environment's `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`."""
    ca_bundle: str | None = _attribute(read_text)
    """A PEM file, or a folder, with the authorities that are trusted, in place of the machine's; without it the
    environment's `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE`, else `SSL_CERT_FILE`."""
    product: str | None = _attribute(read_product)
    """The name of the program that uses this library, for the `User-Agent`: letters, digits and `_ . + -`."""
    product_version: str | None = _attribute(read_product)
    """Its version; without it 0.0.0 is sent."""
    sdk_upstream: str | None = _attribute(read_product, "DATABRICKS_SDK_UPSTREAM")
    """The tool that starts the program, for the `User-Agent`, when its version is set too."""
    sdk_upstream_version: str | None = _attribute(read_product, "DATABRICKS_SDK_UPSTREAM_VERSION")
    """The version of that tool."""
    debug_truncate_bytes: int = _attribute(read_bytes, "DATABRICKS_DEBUG_TRUNCATE_BYTES", default=0)
    """So many bytes of each body, secrets masked, are in the debug log; 0 is none."""
    debug_headers: bool = _attribute(read_flag, "DATABRICKS_DEBUG_HEADERS", default=False)
    """Whether the debug log has the headers too, secrets masked."""
    needs_credential: bool = attrs.field(default=True, repr=False)
    """False if the caller brings a credential: then a host is enough, and other ways to authorize are not looked at."""
    _origin: _Origin = attrs.field(factory=_Origin, repr=False, eq=False, alias="origin")

    def __init__(
        self, *, needs_credential: bool = True, origin: _Origin | None = None, **settings: Unpack[Arguments]
    ) -> None:
        given: dict[str, Any] = dict(hidden(settings))
        del settings  # the traceback of an error shows what a frame holds
        _check_names(given)
        origin = attrs.evolve(origin or _Origin(), found={})
        sources = dict(origin.sources)
        for name, value in ids_in_host(given.get("host")).items():
            if given.get(name) is None:
                given[name] = value
                sources[name] = f"from the address in {origin.of('host')}"
        origin = attrs.evolve(origin, sources=sources)
        for name, value in given.items():
            field = _FIELDS[name]
            problem = ""
            try:
                # None and the default need no check, and mean the same to a caller that passes arguments on.
                same = value is None or value == field.default
                given[name] = field.default if same else field.metadata["convert"](value)
            except ValueError as error:
                problem = str(error)
            if problem:
                raise ConfigError(f"{origin.of(name)} {problem}")
        self.__attrs_init__(  # pyright: ignore[reportAttributeAccessIssue]
            **given, needs_credential=needs_credential, origin=origin
        )
        if self.product_version and not self.product:
            raise ConfigError(f"{origin.of('product_version')} needs a product")
        missing = [] if self.host or self._host_comes_later() else ["host (DATABRICKS_HOST)"]
        if needs_credential:
            object.__setattr__(self, "auth_type", self._chosen())
            missing += self._lacking()
        if missing:
            raise ConfigError(f"no {' and no '.join(missing)}; looked in {origin.looked}")

    @classmethod
    def resolve(cls, *, needs_credential: bool = True, **arguments: Unpack[Arguments]) -> Config:
        """The configuration from the arguments, over the environment, over one profile of the configuration file.

        With `profile` as an argument, that profile comes before the environment, whose host and credentials are not
        looked at; with credentials as arguments, other ways to authorize are not looked at anywhere else.
        Reads `os.environ` and at most one file. Raises `ConfigError` if anything needed is missing, wrong or
        contradictory, and names where it was found or looked for.
        """
        given = hidden(arguments)
        del arguments
        _check_names(given)
        given_here = {name: (value, "argument") for name, value in given.items() if value is not None}
        environment: Sourced = _without_other_ways(_from_environment(), given_here)
        if "profile" in given_here:
            # The caller means the profile's host and token: those of the environment are another workspace's.
            environment = {name: found for name, found in environment.items() if not _says_who_or_where(name, found)}
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
            {name: source for name, (_, source) in found.items() if name in FOREIGN},
            f"the arguments, the environment, {file}",
            "DATABRICKS_RUNTIME_VERSION" in os.environ,
        )
        values = {name: value for name, (value, _) in found.items() if name in _FIELDS}
        if values.get("host") == "":
            raise ConfigError(f"{origin.of('host')} is empty")
        return cls(**values, needs_credential=needs_credential, origin=origin)

    def describe(self) -> str:
        """What is set, where it comes from, and which way to authorize is in use, for people; secrets are `***`.

        Where the settings leave the way open, the first call picks it.
        """
        return ", ".join(f"{name}={value}" + (f" ({source})" if source else "") for name, value, source in self.shown())

    def shown(self) -> list[tuple[str, str, str]]:
        """The name of each setting that has a value, the value, and where it comes from, empty if that is plain."""
        found = self._origin.found
        rows = [(name, value, self._origin.sources.get(name, "")) for name, value in self._values()]
        if not self.host and "host" in found:
            rows.insert(0, ("host", found["host"], found["host_source"]))
        if not self.needs_credential:
            rows.append(("credential", "given", "argument"))
        elif self.auth_type is None:
            chosen = found.get("auth_type")
            rows.append(("auth_type", chosen, "in use") if chosen else ("auth_type", "open", "the first call picks it"))
        return rows

    def remember(self, *, auth_type: str | None = None, host: str | None = None, source: str = "") -> None:
        """Note what the first call found out, for `describe` and for errors."""
        if auth_type:
            self._origin.found["auth_type"] = auth_type
        if host:
            self._origin.found.update(host=host, host_source=source)

    def credentials_origin(self) -> str:
        """Which way is in use, and where its settings come from, for error messages."""
        if not self.needs_credential:
            return "the credential that was passed"
        way = self.auth_type or self._origin.found.get("auth_type") or "no way to authorize yet"
        names = [name for name in NEEDS.get(way, ()) if getattr(self, name) is not None]
        return f"{way}: {', '.join(map(self._origin.of, names))}" if names else way

    def known_host(self) -> str:
        """The host, also one that was found out."""
        return self.host or self._origin.found.get("host") or ""

    def hide_secrets(self, text: str) -> str:
        """Foreign text without the secrets of this configuration."""
        for name, field in _FIELDS.items():
            if field.metadata["secret"] and len(secret := reveal(getattr(self, name))) >= _MIN_MASKED:
                text = text.replace(secret, MASK)
        return text

    def looked_in(self) -> str:
        """Where settings were looked for, for error messages."""
        return self._origin.looked

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{name}={value}' for name, value in self._values())})"

    # Not left to attrs, which would compile a line of code for each field.

    def __eq__(self, other: object) -> bool:
        return self._compared() == other._compared() if isinstance(other, Config) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._compared())

    def _compared(self) -> tuple[Any, ...]:
        return (self.needs_credential, *(getattr(self, name) for name in _FIELDS))

    def _values(self) -> list[tuple[str, str]]:
        return [
            (name, MASK if field.metadata["secret"] else str(getattr(self, name)))
            for name, field in _FIELDS.items()
            if getattr(self, name, field.default) != field.default  # a traceback shows it half made
        ]

    def _host_comes_later(self) -> bool:
        return self.azure_workspace_resource_id is not None or (self.needs_credential and self._origin.in_notebook)

    def _groups(self) -> dict[str, str]:
        names = (*_FIELDS, *self._origin.foreign)
        return {name: group for name in names if (group := _group(name, getattr(self, name, True)))}

    def _chosen(self) -> str | None:
        if self.auth_type is not None:
            if self.auth_type in NEEDS:
                return self.auth_type
            which = f"{self._origin.of('auth_type')} is {self.auth_type!r}"
            if self.auth_type in NOT_OFFERED:
                raise ConfigError(f"{which}, which is not supported: {NOT_OFFERED[self.auth_type]}")
            hint = did_you_mean(self.auth_type, (*NEEDS, *NOT_OFFERED), f"known are {', '.join(NEEDS)}")
            raise ConfigError(f"{which}: {hint}")
        names = self._groups()
        ways = sorted(ways_among(names))
        said = [f"{way}: {', '.join(self._origin.of(name) for name in names if names[name] == way)}" for way in ways]
        if len(ways) > 1:
            raise ConfigError(
                f"more than one authorization method configured ({'; '.join(said)}): set auth_type to say which"
            )
        if ways in (["basic"], ["google"]):
            raise ConfigError(
                f"authorization by {said[0]} is not supported: use one of {', '.join(NEEDS)}, or pass a credential"
            )
        return next((way for way in COMPLETE if all(getattr(self, name) is not None for name in NEEDS[way])), None)

    def _lacking(self) -> list[str]:
        if self.auth_type is not None:
            return [
                f"{name} ({_FIELDS[name].metadata['env'][0]}) for {self.auth_type}"
                for name in NEEDS[self.auth_type]
                if getattr(self, name) is None
            ]
        if self.client_secret is not None and self.client_id is None:
            return ["client_id (DATABRICKS_CLIENT_ID) for oauth-m2m"]
        if not self.host and not self._host_comes_later() and not self._groups():
            return [
                "credentials (token, DATABRICKS_TOKEN; or client_id and client_secret, "
                "DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET; or another way: see databricks_async.auth)"
            ]
        return []


_FIELDS: dict[str, attrs.Attribute[Any]] = {f.name: f for f in attrs.fields(Config) if f.metadata}


def hidden(settings: Arguments) -> Arguments:
    """The same settings, with secrets that no traceback shows."""
    shown = {name for name, field in _FIELDS.items() if not field.metadata["secret"]}
    return cast("Arguments", {name: value if name in shown else hide(value) for name, value in settings.items()})


def _check_names(settings: Mapping[str, Any]) -> None:
    for name in settings:
        if name not in _FIELDS:
            hint = INSTEAD.get(name) or did_you_mean(name, _FIELDS)
            raise TypeError(f"Config has no attribute {name!r}" + (f": {hint}" if hint else ""))


def _is_secret(name: str) -> bool:
    return name in FOREIGN or _FIELDS[name].metadata["secret"]


def _group(name: str, value: Any) -> str | None:
    """The group of attributes that authorize together, if this value is of one; None for None and for "false"."""
    if name in FOREIGN:
        return FOREIGN[name][0]
    off = value is None or (_FIELDS[name].metadata["convert"] is read_flag and is_off(value))
    group: str | None = _FIELDS[name].metadata["group"]
    return None if off else group


def _same(host: tuple[Any, str], other: tuple[Any, str]) -> bool:
    """Whether two hosts are one, however they are written. What is no host is reported where it is used."""
    try:
        ids = [ids_in_host(value).get("workspace_id") for value, _ in (host, other)]
        return read_host(host[0]) == read_host(other[0]) and (None in ids or ids[0] == ids[1])
    except ValueError:
        return False


def _says_who_or_where(name: str, found: tuple[Any, str]) -> bool:
    return name in ("host", "auth_type", "account_id", "workspace_id") or _group(name, found[0]) is not None


def _without_other_ways(found: Sourced, given_here: Sourced) -> Sourced:
    """What was found, without other ways to authorize than one that the arguments bring."""
    given = {name: group for name, (value, _) in given_here.items() if (group := _group(name, value))}
    ways = ways_among(given)
    if not ways:
        return found
    if set(given) == {"client_id"}:
        ways |= {"env-oidc", "file-oidc"}

    def fits(name: str, value: Any) -> bool:
        if name == "client_id" and ways & {"env-oidc", "file-oidc"}:
            return True
        return name != "auth_type" and (name in COMPANIONS or _group(name, value) in {None, *ways})

    return {name: one for name, one in found.items() if fits(name, one[0])}


def _from_environment() -> dict[str, tuple[str, str]]:
    variables = {name: field.metadata["env"] for name, field in _FIELDS.items()}
    variables.update((name, env) for name, (_, env) in FOREIGN.items())
    found = {}
    for name, env in variables.items():
        for variable in env:
            if os.environ.get(variable, "").strip():
                value = hide(os.environ[variable])
                found[name] = (value if _is_secret(name) else str(value), f"from {variable}")
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
    sections = read_sections(path)
    if sections is None:
        if wanted:
            raise ConfigError(f"{path} (no such file): there is no {wanted} profile, which was asked for")
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
    taken = {}
    for key, value in values.items():
        name = FILE_NAMES.get(key, key)
        if (name in _FIELDS or name in FOREIGN) and name not in ("profile", "config_file") and value.strip():
            taken[name] = (value if _is_secret(name) else str(value), f"from {where}")
    if any(map(_is_secret, taken)):
        warn_if_readable_by_others(path)
    if default and not wanted:
        taken["profile"] = (default, f"from {_SETTINGS} of {path}")
    return taken, f"and {where}"
