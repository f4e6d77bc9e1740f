"""Ways to get a token, one file a family, and the choice between them."""

from __future__ import annotations

from databricks_async.auth.token import Credential, Token
from databricks_async.config import Config
from databricks_async.message import Send

__all__ = ["Credential", "Token", "credential_for"]


def credential_for(config: Config, send: Send) -> Credential:
    """The credential that the configuration describes; `send` reaches the host without a token."""
    if config.auth_type == "oauth-m2m":
        from databricks_async.auth.oauth import client_credentials

        return client_credentials(
            send,
            host=config.host,
            client_id=config.client_id or "",
            client_secret=config.client_secret or "",
            scopes=" ".join(config.scopes) or "all-apis",
        )
    from databricks_async.auth.pat import personal_access_token

    return personal_access_token(config.token or "")
