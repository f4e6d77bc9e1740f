"""The ways to authorize as the configuration sees them: their names, what each needs, what belongs together."""

from __future__ import annotations

# The official SDK's names for `auth_type`, in the order of its chain, with the settings that each cannot do without.
# Ways that it does not have stand beside their kin.
NEEDS: dict[str, tuple[str, ...]] = {
    "pat": ("token",),
    "metadata-service": ("metadata_service_url",),
    "oauth-m2m": ("client_id", "client_secret"),
    "env-oidc": (),
    "file-oidc": ("oidc_token_filepath",),
    "github-oidc": ("client_id",),
    "azure-client-secret": ("azure_client_id", "azure_client_secret"),
    "azure-client-certificate": ("azure_client_id", "azure_client_certificate_path"),
    "azure-msi": (),
    "github-oidc-azure": ("azure_client_id",),
    "azure-workload-identity": ("azure_federated_token_file",),
    "azure-cli": (),
    "azure-devops-oidc": ("client_id",),
    "external-browser": (),
    "azure-browser": ("azure_client_id",),
    "databricks-cli": (),
    "runtime": (),
}

COMPLETE = ("pat", "oauth-m2m", "azure-client-secret")
"""Settled by their settings alone: nothing that is found out later could lead past them."""

NOT_OFFERED = {
    "basic": "user names and passwords no longer work at Azure Databricks",
    "google-credentials": "it is not for Azure",
    "google-id": "it is not for Azure",
    "model-serving": "it works in serving endpoints only",
    "runtime-oauth": "use runtime, or a service principal",
}
"""Official names that are recognised, and why they lead nowhere here."""

FOREIGN = {
    "username": ("basic", ("DATABRICKS_USERNAME",)),
    "password": ("basic", ("DATABRICKS_PASSWORD",)),
    "google_service_account": ("google", ("DATABRICKS_GOOGLE_SERVICE_ACCOUNT",)),
    "google_credentials": ("google", ("GOOGLE_CREDENTIALS",)),
}
"""Official attributes without an effect here: each is a second way to authorize, which must not be passed over."""

COMPANIONS = frozenset({"azure_tenant_id", "azure_workspace_resource_id"})
"""These say where, and not who: beside a token they are no second way."""


def ways_among(names: dict[str, str]) -> set[str]:
    """The ways that settings stand for, from their names and the groups that these belong to."""
    ways = {group for name, group in names.items() if name not in COMPANIONS}
    if "client_id" in names and "client_secret" not in names and ways & {"env-oidc", "file-oidc"}:
        # Which service principal's policy the OIDC token is exchanged by: part of that way.
        ways.discard("oauth")
    return ways
