"""The arguments that make a configuration."""

# Without postponed annotations: each would be compiled by itself as soon as the class is made.

from collections.abc import Iterable
from typing import TypedDict


class Arguments(TypedDict, total=False):
    """The arguments of `Config` and `Config.resolve`, all optional. None is as good as absent."""

    host: str | None
    """The workspace's address, scheme and port included: `https://adb-1.2.azuredatabricks.net`. Empty while it is not
    known yet, when `azure_workspace_resource_id` stands for it."""
    token: str | None
    """A personal access token, or a Microsoft Entra token."""
    client_id: str | None
    """The application id of the service principal whose OAuth secret is `client_secret`."""
    client_secret: str | None
    """The OAuth secret of the service principal `client_id`."""
    profile: str | None
    """The profile that was asked for, or that the file names as its default."""
    config_file: str | None
    """None is `~/.databrickscfg`."""
    auth_type: str | None
    """The one way to authorize that is tried; None for the first that serves. Found from the other values where these
    settle it: `pat`, `oauth-m2m`, `azure-client-secret`."""
    account_id: str | None
    """The id of the account, a GUID."""
    workspace_id: str | None
    """Which of the workspaces of one host. Taken from `?o=` of the host, as `account_id` from `?a=`, if not set."""
    discovery_url: str | None
    """The address of an OpenID configuration that names the token endpoint, in place of the host's."""
    scopes: str | Iterable[str] | None
    """OAuth scopes, sorted; empty means all that the service principal may do."""
    token_audience: str | None
    """The audience that a pipeline's id token is asked for."""
    oidc_token_env: str | None
    """The variable that holds an id token; None is DATABRICKS_OIDC_TOKEN."""
    oidc_token_filepath: str | None
    """The file that holds an id token, read anew for each exchange."""
    metadata_service_url: str | None
    """The address of a local metadata service that gives tokens; its path is a secret."""
    databricks_cli_path: str | None
    """The Databricks CLI's file; None is `databricks` on the PATH."""
    azure_workspace_resource_id: str | None
    """The Azure resource id of the workspace: `/subscriptions/.../workspaces/...`."""
    azure_use_msi: bool | None
    """Whether to use the managed identity of the machine."""
    azure_client_id: str | None
    """The application id of an Entra service principal, or of a user-assigned managed identity."""
    azure_client_secret: str | None
    """The secret of the Entra service principal."""
    azure_tenant_id: str | None
    """The id of the Entra tenant; found from the workspace if not given."""
    azure_environment: str | None
    """`PUBLIC`, `USGOVERNMENT` or `CHINA`; None is found from the host."""
    azure_client_certificate_path: str | None
    """The certificate of the service principal `azure_client_id` with its private key: PEM or PKCS12."""
    azure_client_certificate_password: str | None
    """The password of the certificate file."""
    azure_msi_object_id: str | None
    """Picks a user-assigned managed identity, as `azure_client_id` and `azure_msi_resource_id` do."""
    azure_msi_resource_id: str | None
    """The Azure resource id of a user-assigned managed identity."""
    azure_federated_token_file: str | None
    """The file with a federated token, as AKS mounts it."""
    azure_federated_client_id: str | None
    """The application id that the federated token is for."""
    azure_federated_tenant_id: str | None
    """The Entra tenant of the federated token."""
    azure_authority_host: str | None
    """Microsoft Entra's address, in place of the cloud's."""
    cluster_id: str | None
    """The id of a cluster for programs to read; this library sends it nowhere."""
    warehouse_id: str | None
    """The id of a SQL warehouse for programs to read; this library sends it nowhere."""
    serverless_compute_id: str | None
    """The serverless compute for programs to read; this library sends it nowhere."""
    http_timeout_seconds: float | None
    """How long one request may take."""
    retry_timeout_seconds: float | None
    """How long one call may go on trying, where the settings below do not say otherwise for a class of failures."""
    connect_retry_seconds: float | None
    """How long a call is sent again while no connection can be had; None is `retry_timeout_seconds`, and 30 at most. A
    host that refuses and has never answered is then given up after 4."""
    connect_retry_attempts: int | None
    """How many tries of a call may fail to connect; None is as many as the time allows, 1 sends nothing again."""
    server_retry_seconds: float | None
    """How long a call is sent again after an answer of 408, 500, 502, 503 or 504, a lost connection, or no answer in
    time; None is `retry_timeout_seconds`."""
    server_retry_attempts: int | None
    """How many tries of a call may fail so; None is as many as the time allows, 1 sends nothing again."""
    throttled_retry_seconds: float | None
    """How long a call waits out refusals for a rate limit; None is `retry_timeout_seconds`."""
    throttled_retry_attempts: int | None
    """How many tries of a call may be refused so; None is as many as the time allows, 1 sends nothing again."""
    poll_interval_seconds: float | None
    """The first pause of a wait; later ones are longer."""
    max_connections: int | None
    """Connections, and calls in flight, at most."""
    max_answer_bytes: int | None
    """How long an answer may be, decompressed; a longer one is an `InvalidResponse`. Downloads have no limit."""
    proxy: str | None
    """An http or https proxy, in place of the environment's `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`."""
    ca_bundle: str | None
    """A PEM file, or a folder, with the authorities that are trusted, in place of the machine's; without it the
    environment's `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE`, else `SSL_CERT_FILE`."""
    product: str | None
    """The name of the program that uses this library, for the `User-Agent`: letters, digits and `_ . + -`."""
    product_version: str | None
    """Its version; without it 0.0.0 is sent."""
    sdk_upstream: str | None
    """The tool that starts the program, for the `User-Agent`, when its version is set too."""
    sdk_upstream_version: str | None
    """The version of that tool."""
    debug_truncate_bytes: int | None
    """So many bytes of each body, secrets masked, are in the debug log; 0 is none."""
    debug_headers: bool | None
    """Whether the debug log has the headers too, secrets masked."""


_CREDENTIAL = (
    "write WorkspaceClient(credential=...), with an async function that returns a `Token`, or one of azure-identity"
)
_BASIC = "there is no basic authentication: give a token, or client_id and client_secret of a service principal"
_NO_USE = "this library has no use for it: leave it out"
_RENEWED = "tokens are renewed early, once for all callers: leave it out"
INSTEAD = {
    "authorization_details": "scopes= says what a token may do",
    "cloud": _NO_USE,
    "credentials_provider": _CREDENTIAL,
    "credentials_strategy": _CREDENTIAL,
    "custom_headers": "lend a session that has them: session=aiohttp.ClientSession(headers=...)",
    "disable_async_token_refresh": _RENEWED,
    "disable_experimental_files_api_client": _NO_USE,
    "disable_oauth_refresh_token": _RENEWED,
    "google_credentials": _NO_USE,
    "google_service_account": _NO_USE,
    "group_id": _NO_USE,
    "max_connection_pools": "there is one pool: max_connections= is its size",
    "max_connections_per_pool": "there is one pool: max_connections= is its size",
    "password": _BASIC,
    "rate_limit": 'limits are learned from refusals; WorkspaceClient(rate_limits={"clusters": 10}) sets one for an API',
    "skip_verify": "certificates are verified always: ca_bundle= names a file with authorities of your own",
    "username": _BASIC,
}
"""What to write instead of arguments that the official SDK has and this library has not."""
