"""Ways to get a token, one file a family, and the choice between them.

Without `auth_type` the first way of this table that is configured and there is used. `auth_type` (argument,
`DATABRICKS_AUTH_TYPE`, or the profile's) picks one. "Set" names environment variables; each is an argument of
`WorkspaceClient` and a key of a profile too (`Config` lists them). All but the first rows need a host:
`DATABRICKS_HOST`, or with Azure's ways `DATABRICKS_AZURE_RESOURCE_ID`, by which the host is found.

| way in                          | auth_type                | set                                                    |
| ------------------------------- | ------------------------ | ------------------------------------------------------ |
| personal access token           | pat                      | DATABRICKS_TOKEN                                       |
| metadata service, on loopback   | metadata-service         | DATABRICKS_METADATA_SERVICE_URL                        |
| Databricks OAuth, service       | oauth-m2m                | DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET         |
| id token in the environment     | env-oidc                 | DATABRICKS_OIDC_TOKEN, or DATABRICKS_OIDC_TOKEN_ENV    |
| id token in a file              | file-oidc                | DATABRICKS_OIDC_TOKEN_FILEPATH                         |
| GitHub workflow                 | github-oidc              | DATABRICKS_CLIENT_ID; `permissions: id-token: write`   |
| Entra application, secret       | azure-client-secret      | ARM_CLIENT_ID, ARM_CLIENT_SECRET, ARM_TENANT_ID (1)    |
| Entra application, certificate  | azure-client-certificate | ARM_CLIENT_ID, ARM_CLIENT_CERTIFICATE_PATH, (1), (2)   |
| managed identity                | azure-msi                | ARM_USE_MSI=true; ARM_CLIENT_ID if user-assigned       |
| GitHub workflow, by Entra       | github-oidc-azure        | ARM_CLIENT_ID, (1); `permissions: id-token: write`     |
| pod in AKS                      | azure-workload-identity  | nothing: its webhook sets AZURE_FEDERATED_TOKEN_FILE … |
| Azure CLI                       | azure-cli                | nothing, after `az login`                              |
| Azure DevOps pipeline           | azure-devops-oidc        | DATABRICKS_CLIENT_ID; `SYSTEM_ACCESSTOKEN` mapped (3)  |
| person, Databricks' login page  | external-browser         | nothing, after `databricks-async auth login --host H`  |
| person, Entra's login page      | azure-browser (4)        | ARM_CLIENT_ID, ARM_TENANT_ID                           |
| Databricks CLI                  | databricks-cli           | nothing, after `databricks auth login`                 |
| notebook or job in Databricks   | runtime                  | nothing                                                |
| a credential of the Azure SDK   |                          | `credential=` (5)                                      |
| a function of your own          |                          | `credential=` (5)                                      |

(1) The tenant is found from the workspace if ARM_TENANT_ID is not set. (2) PEM or PKCS12, with
ARM_CLIENT_CERTIFICATE_PASSWORD if it has one; needs `pip install 'databricks-async[azure]'`. (3) `env:
SYSTEM_ACCESSTOKEN: $(System.AccessToken)`. (4) Only if `auth_type` names it. Where there is no browser:
`databricks-async auth login --device-code`. (5) Examples:

```python
WorkspaceClient(host=H, token="dapi...")                                    # pat
WorkspaceClient(profile="work")                                             # what that profile has
WorkspaceClient(host=H, client_id=ID, client_secret=SECRET)                 # oauth-m2m
WorkspaceClient(host=H, client_id=ID)                                       # github-oidc, azure-devops-oidc
WorkspaceClient(host=H, azure_client_id=ID, azure_client_secret=SECRET)     # azure-client-secret
WorkspaceClient(host=H, azure_client_id=ID, azure_client_certificate_path="/etc/sp.pem")
WorkspaceClient(host=H, azure_use_msi=True)                                 # the machine's only identity
WorkspaceClient(host=H, auth_type="azure-msi", azure_client_id=ID)          # one of several
WorkspaceClient(host=H, auth_type="azure-cli")
WorkspaceClient(host=H, auth_type="azure-browser", azure_client_id=ID, azure_tenant_id=TENANT)
WorkspaceClient(azure_workspace_resource_id="/subscriptions/...")           # the host is found

async with DefaultAzureCredential() as credential:                          # from azure.identity.aio; you close it
    async with WorkspaceClient(host=H, credential=credential) as w: ...

async def credential() -> Token:
    return Token(await my_vault.read("databricks"), expires_in=3600)
WorkspaceClient(host=H, credential=credential)
```

`databricks-async auth demo` makes one call with each of them against peers on this machine, and
`databricks_async/cli/auth_demo.py` is its source. Each token is fetched once for all callers, and renewed early.

Public Azure, US government and China are told apart by the host's suffix, else by ARM_ENVIRONMENT (PUBLIC,
USGOVERNMENT, CHINA). With DATABRICKS_AZURE_RESOURCE_ID, service principals and managed identities that are no users of
the workspace, but have a role on it in Azure, are let in. Logins of persons are kept in `~/.databricks-async` and, with
`pip install 'databricks-async[login]'`, their refresh tokens in the system's keyring.

If it does not work, `databricks-async auth describe` shows what is set, and where; `auth check` makes a call. Errors:

- `no credentials: no way to authorize serves. ...`: after it stands why each way that was tried did not serve, and what
  each of the others lacks.
- `more than one authorization method configured (...)`: settings of two ways. Unset one, or set `auth_type`.
- `AADSTS7000215: Invalid client secret provided.`: ARM_CLIENT_SECRET holds the secret's id, or another secret.
- `AADSTS7000222`: the secret has ended. `AADSTS700016`: the client id is not of this tenant. `AADSTS90002`: there is no
  such tenant in this cloud. `AADSTS700213`, `AADSTS70021`: no federated credential of the application has this issuer,
  subject and audience; they are compared letter by letter. `AADSTS700024`: an old token file, or a wrong clock.
- `No federation policy fits the issuer, subject and audience of the token.`, or another `invalid_grant` of an
  exchange: the service principal's policy at Databricks; DATABRICKS_TOKEN_AUDIENCE sets the audience that is asked for.
- `which cloud of Azure ... belongs to is not known`: a host of your own name. Set ARM_ENVIRONMENT.
- `the tenant of ... was not found, set ARM_TENANT_ID`: the workspace's login page did not name it.
- `az is not logged in, or its login has ended; run az login`.
- `az is not installed, or not on PATH`; `databricks is not installed, or not on PATH`.
- `not logged in: run databricks-async auth login --host ...`; `the login has ended (...)`: the same.
- `no browser can be opened here, run databricks-async auth login ...`: with `--device-code` for azure-browser.
- `AADSTS50011`: add `http://localhost` to the redirect addresses of the application's platform "Mobile and desktop".
- `no token for the managed identity: Identity not found`: this machine has no such identity.
- `no token for the managed identity: Multiple user assigned identities exist, ...`: set ARM_CLIENT_ID.
- `...; is this a machine of Azure with a managed identity?`: nothing answers at 169.254.169.254.
- `the token_endpoint that ... names lies on another host`: a proxy, or a wrong DATABRICKS_HOST. No secret was sent.
- `credential is a ..., whose get_token is synchronous`: use the class of the same name from `azure.identity.aio`.
- `a client certificate needs the package cryptography`: `pip install 'databricks-async[azure]'`.
- 401 or 403 of a call: the error says which host, which way, and where the settings came from. With a token that is
  good elsewhere the workspace id may be missing: give the address with its `?o=`, or DATABRICKS_WORKSPACE_ID.
"""

from __future__ import annotations

from databricks_async.auth.token import Credential, Token

__all__ = ["Credential", "Token"]
