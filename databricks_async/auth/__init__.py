"""Ways to get a token, one file a family, and the choice between them."""

from __future__ import annotations

from databricks_async.auth.token import Credential, Token

__all__ = ["Credential", "Token"]
