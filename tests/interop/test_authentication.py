"""The official SDK and this library with the same settings, against the same peers: both pick the same way to
authorize, or the difference is listed here with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import databricks.sdk
import pytest
from databricks.sdk import environments
from databricks.sdk.environments import AzureEnvironment, Cloud, DatabricksEnvironment

from databricks_async import WorkspaceClient
from databricks_async.cli.auth_demo import CLIENT_ID, PERSON, Peers, environment, make_certificate
from databricks_async.errors import AuthError, ConfigError
from databricks_async.local import LocalIdentity, LocalWorkspace

SECRET = "not-a-secret"
PRINCIPAL = "11111111-2222-3333-4444-555555555555"
EXCHANGE = "api://AzureADTokenExchange"
RESOURCE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Databricks/workspaces/w"
SUBJECT = "repo:octo-org/octo-repo:environment:production"

NOT_OFFERED = "the official SDK has no such way"
ONE_WAY = "one way, not two"
NO_WAY = "it says where, and not who"


@attrs.frozen
class Row:
    """What is set, in the words below, and which way each picks; the reason where they differ."""

    set: str
    official: str
    ours: str = ""
    why: str = ""
    file: str = ""
    arguments: dict[str, str] = attrs.field(factory=dict)

    @property
    def picked(self) -> str:
        return self.ours or self.official


PROFILES = "[DEFAULT]\nhost = {host}\ntoken = {token}\n[dev]\nhost = {host}\ntoken = {token}\n"
SETTINGS = "[__settings__]\ndefault_profile = dev\n" + PROFILES
BARE = "[DEFAULT]\nhost = {host}\ntoken = {token}\n[bare]\nhost = {host}\n"
SP = "[sp]\nhost = {host}\nazure_client_id = {id}\nazure_client_secret = {secret}\nazure_tenant_id = {tenant}\n"

ROWS = [
    Row("host TOKEN", "pat"),
    Row("TOKEN", "error"),
    Row("host", "error"),
    Row("", "pat", file=PROFILES),
    Row("", "pat", file=PROFILES, arguments={"profile": "dev"}),
    Row("PROFILE=dev", "pat", file=PROFILES),
    Row("", "pat", file=SETTINGS),
    Row("TOKEN", "error", file=PROFILES),
    Row("PROFILE=bare", "error", file=BARE),
    Row("PROFILE=missing", "error", file=PROFILES),
    Row("PROFILE=__settings__", "error", file=SETTINGS),
    Row("host TOKEN az", "pat"),
    Row("host TOKEN databricks", "pat"),
    Row("host TOKEN AUTH_TYPE=azure-cli az", "azure-cli"),
    Row("host TOKEN AUTH_TYPE=azure-magic", "error"),
    Row("host M2M", "oauth-m2m"),
    Row("host M2M TOKEN", "error"),
    Row("host M2M TOKEN AUTH_TYPE=oauth-m2m", "oauth-m2m"),
    Row("host M2M TOKEN AUTH_TYPE=pat", "pat"),
    Row("host M2M GITHUB", "oauth-m2m"),
    Row("host WRONG_M2M az", "error"),
    Row("host CLIENT_ID", "error"),
    Row("host ENTRA", "azure-client-secret"),
    Row("host ENTRA_WITHOUT_TENANT", "azure-client-secret"),
    Row("host ENTRA RESOURCE_ID", "azure-client-secret"),
    Row("PROFILE=sp", "azure-client-secret", file=SP),
    Row("host ENTRA az", "azure-client-secret"),
    Row("host ENTRA GITHUB", "azure-client-secret"),
    Row("host ENTRA M2M", "error"),
    Row("host ENTRA M2M AUTH_TYPE=azure-client-secret", "azure-client-secret"),
    Row("host ENTRA TOKEN", "error"),
    Row("host ENTRA TOKEN AUTH_TYPE=pat", "pat"),
    Row("host WRONG_ENTRA az", "error"),
    Row("host TENANT TOKEN", "error", "pat", NO_WAY),
    Row("host RESOURCE_ID TOKEN", "error", "pat", NO_WAY),
    Row("host ARM_CLIENT_ID TOKEN", "error"),
    Row("host CERTIFICATE", "error", "azure-client-certificate", NOT_OFFERED),
    Row("host AKS", "error", "azure-workload-identity", NOT_OFFERED),
    Row("host AKS az", "azure-cli", "azure-workload-identity", NOT_OFFERED),
    Row("host AKS TOKEN", "pat"),
    Row("host MSI", "error", "azure-msi", NOT_OFFERED),
    Row("host MSI az", "azure-cli", "azure-msi", NOT_OFFERED),
    Row("host APP_SERVICE", "error", "azure-msi", NOT_OFFERED),
    Row("host MSI AUTH_TYPE=azure-msi", "error", "azure-msi", NOT_OFFERED),
    Row("host MSI TOKEN", "error"),
    Row("host MSI_OFF TOKEN", "error", "pat", "the text false is false"),
    Row("host MSI_OFF az", "azure-cli"),
    Row("host az", "azure-cli"),
    Row("host az_principal", "azure-cli"),
    Row("host az RESOURCE_ID", "azure-cli"),
    Row("host az TENANT", "azure-cli"),
    Row("host az databricks", "azure-cli"),
    Row("host az_logged_out databricks", "databricks-cli"),
    Row("host az_logged_out", "error"),
    Row("host az_broken databricks", "error", "databricks-cli", "az was not asked for, so its failure is no end"),
    Row("host databricks", "databricks-cli"),
    Row("host databricks AUTH_TYPE=databricks-cli", "databricks-cli"),
    Row("host databricks_logged_out", "error"),
    Row("host GITHUB CLIENT_ID", "github-oidc"),
    Row("host GITHUB CLIENT_ID az", "github-oidc"),
    Row("host GITHUB ARM_CLIENT_ID TENANT", "github-oidc-azure"),
    Row("host GITHUB CLIENT_ID ARM_CLIENT_ID TENANT", "error"),
    Row("host GITHUB CLIENT_ID ARM_CLIENT_ID AUTH_TYPE=github-oidc", "github-oidc"),
    Row("host DEVOPS CLIENT_ID", "azure-devops-oidc"),
    Row("host OIDC_TOKEN", "env-oidc"),
    Row("host OIDC_TOKEN CLIENT_ID", "env-oidc"),
    Row("host OIDC_TOKEN CLIENT_ID GITHUB", "env-oidc"),
    Row("host OIDC_ENV", "env-oidc"),
    Row("host OIDC_ENV CLIENT_ID", "error", "env-oidc", ONE_WAY),
    Row("host OIDC_ENV M2M", "error"),
    Row("host OIDC_FILE", "file-oidc"),
    Row("host OIDC_FILE CLIENT_ID", "error", "file-oidc", ONE_WAY),
    Row("host OIDC_FILE CLIENT_ID AUTH_TYPE=file-oidc", "file-oidc"),
    Row("host OIDC_FILE OIDC_ENV", "error"),
    Row("host METADATA", "metadata-service", why="its expires_on is a number here"),
    Row("host METADATA az", "metadata-service"),
    Row("host METADATA TOKEN", "error"),
    Row("host BASIC", "basic", "error", "Azure Databricks takes no passwords any more"),
    Row("host GOOGLE TOKEN", "error"),
    Row("host TOKEN", "pat", arguments={"profile": "dev"}, file=PROFILES),
    Row("host M2M", "error", "pat", "arguments win over the environment", arguments={"token": "{token}"}),
    Row("other_host PROFILE=dev", "pat", "error", "the profile's token would go to the other host", file=PROFILES),
]


def ingredients(peers: Peers) -> dict[str, dict[str, str]]:
    """What the words of the rows set."""
    identity, workspace, folder = peers.identity, peers.workspace, peers.folder
    entra = {"ARM_CLIENT_ID": CLIENT_ID, "ARM_CLIENT_SECRET": SECRET}
    tenant = {"ARM_TENANT_ID": identity.tenant_id}
    m2m = {"DATABRICKS_CLIENT_ID": PRINCIPAL, "DATABRICKS_CLIENT_SECRET": SECRET}
    for name in ("id-token", "aks-token"):
        audience, subject = ("databricks", "ci") if name == "id-token" else (EXCHANGE, SUBJECT)
        (folder / name).write_text(identity.id_token(subject, audience), encoding="utf-8")
    return {
        "host": {"DATABRICKS_HOST": workspace.url},
        "other_host": {"DATABRICKS_HOST": workspace.url.replace("127.0.0.1", "localhost")},
        "TOKEN": {"DATABRICKS_TOKEN": workspace.token},
        "M2M": m2m,
        "WRONG_M2M": m2m | {"DATABRICKS_CLIENT_SECRET": "another"},
        "CLIENT_ID": {"DATABRICKS_CLIENT_ID": PRINCIPAL},
        "ENTRA": entra | tenant,
        "ENTRA_WITHOUT_TENANT": entra,
        "WRONG_ENTRA": entra | tenant | {"ARM_CLIENT_SECRET": "another"},
        "TENANT": tenant,
        "ARM_CLIENT_ID": {"ARM_CLIENT_ID": CLIENT_ID},
        "RESOURCE_ID": {"DATABRICKS_AZURE_RESOURCE_ID": RESOURCE_ID},
        "CERTIFICATE": {"ARM_CLIENT_ID": CLIENT_ID, "ARM_CLIENT_CERTIFICATE_PATH": str(folder / "cert.pem")} | tenant,
        "AKS": {
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AZURE_TENANT_ID": identity.tenant_id,
            "AZURE_FEDERATED_TOKEN_FILE": str(folder / "aks-token"),
        },
        "MSI": identity.imds_environment(),
        "APP_SERVICE": identity.app_service_environment(),
        "MSI_OFF": {"ARM_USE_MSI": "false"},
        "GITHUB": identity.github_environment(SUBJECT),
        "DEVOPS": identity.azure_devops_environment(SUBJECT),
        "OIDC_TOKEN": {"DATABRICKS_OIDC_TOKEN": identity.id_token("ci", "databricks")},
        "OIDC_ENV": {"DATABRICKS_OIDC_TOKEN_ENV": "MY_TOKEN", "MY_TOKEN": identity.id_token("ci", "databricks")},
        "OIDC_FILE": {"DATABRICKS_OIDC_TOKEN_FILEPATH": str(folder / "id-token")},
        "METADATA": identity.metadata_environment(),
        "BASIC": {"DATABRICKS_USERNAME": "u", "DATABRICKS_PASSWORD": "p"},
        "GOOGLE": {"GOOGLE_CREDENTIALS": "{}"},
    }


def write_tools(peers: Peers, words: list[str]) -> None:
    """The executables that the words name, on the PATH."""
    identity, folder = peers.identity, peers.folder
    for word in words:
        if word == "az":
            identity.write_az(folder, PERSON)
        elif word == "az_principal":
            identity.write_az(folder, CLIENT_ID, person=False)
        elif word == "databricks":
            identity.write_databricks(folder, PERSON)
        elif word in SAYINGS:
            path = folder / word.partition("_")[0]
            path.write_text(f"#!/bin/sh\n{SAYINGS[word]}\n", encoding="utf-8")
            path.chmod(0o755)


VERSION = '{"Major": 0, "Minor": 296, "Patch": 0, "Version": "0.296.0"}'
SAYINGS = {
    "az_logged_out": "echo \"Please run 'az login' to setup account.\" >&2; exit 1",
    "az_broken": "echo nonsense",
    "databricks_logged_out": f"case $1 in version) echo '{VERSION}';; *) "
    "echo 'Error: databricks OAuth is not configured for this host' >&2; exit 1;; esac",
}


@pytest.fixture
async def peers(tmp_path: Path) -> AsyncIterator[Peers]:
    """A workspace and the peers that it trusts, which know an application of each kind."""
    async with LocalWorkspace() as workspace, LocalIdentity(workspace) as identity:
        workspace.add_service_principal(PRINCIPAL, SECRET)
        certificate, key = make_certificate()
        path = tmp_path / "cert.pem"
        path.touch(mode=0o600)
        path.write_bytes(certificate + key)
        identity.add_application(
            CLIENT_ID, client_secret=SECRET, certificate=certificate, federated=(SUBJECT, EXCHANGE)
        )
        identity.add_managed_identity(CLIENT_ID)
        identity.add_federation_policy(subject="ci", audience="databricks")
        identity.add_federation_policy(client_id=PRINCIPAL)
        identity.add_federation_policy(client_id=PRINCIPAL, audience=EXCHANGE)
        identity.add_federation_policy(client_id=PRINCIPAL, subject="ci", audience="databricks")
        yield Peers(workspace, identity, tmp_path)


@pytest.fixture
def azure_zone(peers: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the official SDK the local workspace's address is a host of Azure, whose Entra is the peer's."""
    entra = AzureEnvironment(
        "PUBLIC", "https://management.core.windows.net/", f"{peers.identity.url}/", f"{peers.identity.url}/"
    )
    zone = DatabricksEnvironment(
        Cloud.AZURE,
        f":{peers.workspace.url.rpartition(':')[2]}",
        azure_application_id=environments.ARM_DATABRICKS_RESOURCE_ID,
        azure_environment=entra,
    )
    monkeypatch.setattr(environments, "ALL_ENVS", [zone, *environments.ALL_ENVS])


async def official(arguments: dict[str, str]) -> str:
    """Which way the official SDK picks, with one call to show that it serves."""

    def pick() -> str:
        w = databricks.sdk.WorkspaceClient(config=databricks.sdk.config.Config(**arguments, retry_timeout_seconds=2))
        w.current_user.me()
        assert w.config.auth_type
        return w.config.auth_type

    try:
        return await asyncio.to_thread(pick)
    except ValueError as error:
        return "error" if str(error) else ""
    except databricks.sdk.errors.DatabricksError:
        # A user name and password: sent, and the workspace knows none.
        return "basic"


async def ours(arguments: dict[str, Any]) -> str:
    try:
        async with WorkspaceClient(**arguments) as w:
            await w.current_user.me()
            return w.config.credentials_origin().partition(":")[0]
    except (ConfigError, AuthError):
        return "error"


def prepare(row: Row, peers: Peers) -> tuple[dict[str, str], dict[str, str]]:
    """The variables and arguments of a row; its tools and its file are written."""
    facts = {
        "host": peers.workspace.url,
        "token": peers.workspace.token,
        "id": CLIENT_ID,
        "secret": SECRET,
        "tenant": peers.identity.tenant_id,
    }
    words = row.set.split()
    write_tools(peers, words)
    path = peers.folder / "cfg"
    path.touch(mode=0o600)
    path.write_text(row.file.format(**facts), encoding="utf-8")
    # What makes the local workspace one of Azure, for this library.
    variables = {"AZURE_AUTHORITY_HOST": peers.identity.url, "ARM_ENVIRONMENT": "PUBLIC", "DATABRICKS_HOST": ""}
    variables |= {"DATABRICKS_CONFIG_FILE": str(path)}
    known = ingredients(peers)
    for word in words:
        name, _, value = word.partition("=")
        if value:
            variables[{"PROFILE": "DATABRICKS_CONFIG_PROFILE", "AUTH_TYPE": "DATABRICKS_AUTH_TYPE"}[name]] = value
        else:
            variables |= known.get(word, {})
    return variables, {name: value.format(**facts) for name, value in row.arguments.items()}


@pytest.mark.usefixtures("azure_zone")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.set or 'file'} {' '.join(row.arguments)}".strip())
async def test_the_same_settings_pick_the_same_way(row: Row, peers: Peers) -> None:
    """With one call each, so that the way does not only look configured."""
    variables, arguments = prepare(row, peers)
    with environment(peers, variables):
        assert (await official(arguments), await ours(arguments)) == (row.official, row.picked)


def test_each_difference_has_its_reason() -> None:
    """A row in which the two differ says why."""
    assert [row.set for row in ROWS if row.ours and not row.why] == []
