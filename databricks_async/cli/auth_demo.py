"""`databricks-async auth demo`: one call with each way to authorize, against identity peers on this machine."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import attrs

from databricks_async import WorkspaceClient
from databricks_async.auth import Token
from databricks_async.local import LocalIdentity, LocalWorkspace

CLIENT_ID = "6e2a7c1e-0000-4000-8000-0000000000a1"
PERSON = "ann@example.com"
_SECRET = "not-a-secret"  # noqa: S105 (opens nothing but the peers)
_EXCHANGE = "api://AzureADTokenExchange"
_OURS = ("DATABRICKS_", "ARM_", "AZURE_", "ACTIONS_", "SYSTEM_", "IDENTITY_", "MSI_", "IMDS_")


@attrs.frozen
class Peers:
    """What the ways talk to."""

    workspace: LocalWorkspace
    identity: LocalIdentity
    folder: Path
    """For files that a way needs. It is also the home directory, and the first one on the PATH."""


Setup: TypeAlias = tuple[dict[str, Any], dict[str, str]]
"""Arguments of `WorkspaceClient`, and variables of the environment."""


def pat(peers: Peers) -> Setup:
    """A personal access token."""
    return {}, {"DATABRICKS_TOKEN": peers.workspace.token}


def oauth_m2m(peers: Peers) -> Setup:
    """Databricks OAuth of a service principal."""
    peers.workspace.add_service_principal(CLIENT_ID, _SECRET)
    return {}, {"DATABRICKS_CLIENT_ID": CLIENT_ID, "DATABRICKS_CLIENT_SECRET": _SECRET}


def azure_client_secret(peers: Peers) -> Setup:
    """An Entra service principal with a secret; its tenant is found from the workspace."""
    peers.identity.add_application(CLIENT_ID, client_secret=_SECRET)
    return {}, {**_entra(peers), "ARM_CLIENT_SECRET": _SECRET}


def azure_client_certificate(peers: Peers) -> Setup:
    """An Entra service principal with a certificate."""
    certificate, key = make_certificate()
    path = peers.folder / "certificate.pem"
    path.touch(mode=0o600)
    path.write_bytes(certificate + key)
    peers.identity.add_application(CLIENT_ID, certificate=certificate)
    return {}, {**_entra(peers), "ARM_CLIENT_CERTIFICATE_PATH": str(path)}


def azure_workload_identity(peers: Peers) -> Setup:
    """A pod in AKS: what its webhook sets."""
    subject = "system:serviceaccount:jobs:etl"
    path = peers.folder / "azure-identity-token"
    path.write_text(peers.identity.id_token(subject, _EXCHANGE), encoding="utf-8")
    peers.identity.add_application(CLIENT_ID, federated=(subject, _EXCHANGE))
    return {}, {
        "AZURE_CLIENT_ID": CLIENT_ID,
        "AZURE_TENANT_ID": peers.identity.tenant_id,
        "AZURE_FEDERATED_TOKEN_FILE": str(path),
        "AZURE_AUTHORITY_HOST": f"{peers.identity.url}/",
    }


def azure_msi(peers: Peers) -> Setup:
    """The managed identity of a virtual machine, from IMDS."""
    peers.identity.add_managed_identity(CLIENT_ID)
    return {}, {"ARM_ENVIRONMENT": "public", **peers.identity.imds_environment()}


def azure_msi_in_app_service(peers: Peers) -> Setup:
    """The managed identity of an app, one of several, picked by its client id."""
    peers.identity.add_managed_identity("another")
    peers.identity.add_managed_identity(CLIENT_ID)
    environment = peers.identity.app_service_environment()
    return {}, {"ARM_ENVIRONMENT": "public", "ARM_CLIENT_ID": CLIENT_ID, **environment}


def azure_cli(peers: Peers) -> Setup:
    """The person who ran `az login`."""
    peers.identity.write_az(peers.folder, PERSON)
    return {}, {"ARM_ENVIRONMENT": "public"}


def azure_browser(peers: Peers) -> Setup:
    """A person, by Entra's login page."""
    peers.identity.add_application(CLIENT_ID)
    browser = {"BROWSER": str(peers.identity.write_browser(peers.folder))}
    return {}, {**_entra(peers), **browser, "DATABRICKS_AUTH_TYPE": "azure-browser"}


def github_oidc(peers: Peers) -> Setup:
    """A GitHub workflow, exchanged at the workspace."""
    peers.identity.add_federation_policy(client_id=CLIENT_ID)
    return {}, {"DATABRICKS_CLIENT_ID": CLIENT_ID, **peers.identity.github_environment()}


def github_oidc_azure(peers: Peers) -> Setup:
    """A GitHub workflow, for an application of Entra."""
    subject = "repo:octo-org/octo-repo:environment:production"
    peers.identity.add_application(CLIENT_ID, federated=(subject, _EXCHANGE))
    return {}, {**_entra(peers), **peers.identity.github_environment(subject)}


def azure_devops_oidc(peers: Peers) -> Setup:
    """A pipeline of Azure DevOps."""
    peers.identity.add_federation_policy(client_id=CLIENT_ID, audience=_EXCHANGE)
    return {}, {"DATABRICKS_CLIENT_ID": CLIENT_ID, **peers.identity.azure_devops_environment()}


def env_oidc(peers: Peers) -> Setup:
    """An id token in the environment."""
    peers.identity.add_federation_policy(subject="ci", audience="databricks")
    return {}, {"DATABRICKS_OIDC_TOKEN": peers.identity.id_token("ci", "databricks")}


def file_oidc(peers: Peers) -> Setup:
    """An id token in a file."""
    peers.identity.add_federation_policy(subject="ci", audience="databricks")
    path = peers.folder / "id-token"
    path.write_text(peers.identity.id_token("ci", "databricks") + "\n", encoding="utf-8")
    return {}, {"DATABRICKS_OIDC_TOKEN_FILEPATH": str(path)}


def external_browser(peers: Peers) -> Setup:
    """A person, by Databricks' own login page."""
    browser = peers.identity.write_browser(peers.folder)
    return {}, {"BROWSER": str(browser), "DATABRICKS_AUTH_TYPE": "external-browser"}


def databricks_cli(peers: Peers) -> Setup:
    """The person who ran `databricks auth login`."""
    peers.identity.write_databricks(peers.folder, PERSON)
    return {}, {}


def metadata_service(peers: Peers) -> Setup:
    """A helper on this machine, such as an IDE's."""
    return {}, peers.identity.metadata_environment()


def runtime(peers: Peers) -> Setup:
    """Inside Databricks: a runtime that knows its host and token."""
    package = peers.folder / "dbruntime"
    package.mkdir(exist_ok=True)
    context = f"workspaceUrl={peers.workspace.url!r}, apiToken={peers.workspace.token!r}"
    (package / "__init__.py").touch()
    (package / "databricks_repl_context.py").write_text(
        f"from types import SimpleNamespace\ndef get_context():\n    return SimpleNamespace({context})\n",
        encoding="utf-8",
    )
    return {}, {"DATABRICKS_RUNTIME_VERSION": "16.4"}


def azure_credential(peers: Peers) -> Setup:
    """An async credential of the Azure SDK; `DefaultAzureCredential()` is handed in the same way."""

    class AccessToken(attrs.make_class("AccessToken", ["token", "expires_on"])):  # type: ignore[misc]
        """As `azure.core.credentials.AccessToken`."""

    class Credential:
        async def get_token(self, *scopes: str, **_: Any) -> Any:
            end = int(datetime.now(UTC).timestamp()) + 3600
            return AccessToken(peers.identity.access_token(PERSON, person=True), end)

    return {"credential": Credential()}, {}


def function(peers: Peers) -> Setup:
    """A function of your own."""

    async def credential() -> Token:
        return Token(peers.identity.access_token(PERSON, person=True), expires_in=3600)

    return {"credential": credential}, {}


WAYS: tuple[Callable[[Peers], Setup], ...] = (
    pat,
    oauth_m2m,
    azure_client_secret,
    azure_client_certificate,
    azure_workload_identity,
    azure_msi,
    azure_msi_in_app_service,
    azure_cli,
    azure_browser,
    github_oidc,
    github_oidc_azure,
    azure_devops_oidc,
    env_oidc,
    file_oidc,
    external_browser,
    databricks_cli,
    metadata_service,
    runtime,
    azure_credential,
    function,
)


def make_certificate() -> tuple[bytes, bytes]:
    """A self-signed certificate and its private key, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "databricks-async demo")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return certificate, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@contextmanager
def environment(peers: Peers, variables: Mapping[str, str]) -> Iterator[None]:
    """These variables and no other ones of any way; a home directory, PATH and Python path without settings."""
    before = dict(os.environ)
    path_before = list(sys.path)
    for name in before:
        if name.startswith(_OURS):
            del os.environ[name]
    home = str(peers.folder)
    os.environ |= {"HOME": home, "USERPROFILE": home, "PATH": f"{home}{os.pathsep}/usr/bin{os.pathsep}/bin"}
    os.environ |= {"DATABRICKS_HOST": peers.workspace.url, "DATABRICKS_CONFIG_FILE": str(peers.folder / "none")}
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # the demo's logins are not kept
    os.environ |= variables
    sys.path.insert(0, home)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        sys.path[:] = path_before
        for module in [name for name in sys.modules if name.partition(".")[0] == "dbruntime"]:
            del sys.modules[module]


def _entra(peers: Peers) -> dict[str, str]:
    return {"ARM_CLIENT_ID": CLIENT_ID, "AZURE_AUTHORITY_HOST": peers.identity.url}


async def call(way: Callable[[Peers], Setup]) -> str:
    """One call with one way, against peers of its own. Returns the name of the user that it is made as."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalWorkspace() as workspace, LocalIdentity(workspace) as identity:
            peers = Peers(workspace, identity, Path(folder))
            settings, variables = way(peers)
            with environment(peers, variables):
                async with WorkspaceClient(**settings) as w:
                    return (await w.current_user.me()).user_name or ""


async def main() -> None:
    for way in WAYS:
        name = await call(way)
        print(f"{way.__name__.replace('_', '-'):26} {name:40} {way.__doc__}")


def run() -> int:
    """Make the calls, and return 0; 1 without the package that the peers sign with."""
    if find_spec("cryptography") is None:
        print("the peers sign tokens with cryptography: pip install 'databricks-async[azure]'", file=sys.stderr)
        return 1
    asyncio.run(main())
    return 0


if __name__ == "__main__":
    sys.exit(run())
