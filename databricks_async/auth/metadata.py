"""The metadata service: a token from a helper on this machine, such as the one of an IDE."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from databricks_async.auth.token import Credential, Token
from databricks_async.auth.token_endpoint import grant_in
from databricks_async.auth.web import Web, is_success, json_object, refusal
from databricks_async.config import Config, is_loopback
from databricks_async.errors import AuthError, DatabricksError
from databricks_async.secret import reveal

_WHAT = "no token from the metadata service"


def metadata_service(config: Config, web: Web) -> Credential:
    """DATABRICKS_METADATA_SERVICE_URL, which must lie on this machine."""

    async def fetch() -> Token:
        url = reveal(config.metadata_service_url)
        try:
            name = urlsplit(url).hostname or ""
        except ValueError:
            name = ""
        if not is_loopback(name):
            raise AuthError(
                f"{_WHAT}: DATABRICKS_METADATA_SERVICE_URL must be an address on this machine (localhost), not {name!r}"
            )
        asked_at = time.monotonic()
        headers = {"X-Databricks-Metadata-Version": "1", "X-Databricks-Host": config.host}
        try:
            response = await web.send("GET", url, headers=headers, direct=True, seconds=10.0)
        except AuthError:
            raise
        except DatabricksError as error:
            raise AuthError(f"{_WHAT}: {error.message}", **error.about()) from error
        endpoint = "GET the metadata service"  # its path is a secret
        if not is_success(response):
            raise refusal(_WHAT, response, endpoint)
        return grant_in(json_object(response) or {}, asked_at, response, endpoint, what=_WHAT).token()

    return fetch
