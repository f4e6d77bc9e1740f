"""ApiError: a refusal, as the service words it; StorageError: a file that cannot be used."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """Raised by an endpoint's function; the server turns it into the JSON error body."""

    def __init__(self, status: int, error_code: str | int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message
        self.headers: dict[str, str] = {}

    def body(self) -> dict[str, Any]:
        return {"error_code": self.error_code, "message": self.message}


class OAuthError(ApiError):
    """A refusal of the token endpoint, which speaks RFC 6749 and not the workspace's own error format."""

    def body(self) -> dict[str, Any]:
        return {"error": self.error_code, "error_description": self.message}


class StorageError(RuntimeError):
    """The file of a local workspace cannot be used: in use, of a newer release, none of a workspace, not writable."""


def invalid(message: str) -> ApiError:
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def does_not_exist(cluster_id: str) -> ApiError:
    return invalid(f"Cluster {cluster_id} does not exist")


def unexpected_state(cluster_id: str, state: str) -> ApiError:
    return ApiError(400, "INVALID_STATE", f"Cluster {cluster_id} is in unexpected state {state.capitalize()}.")


def permission_denied(message: str) -> ApiError:
    return ApiError(403, "PERMISSION_DENIED", message)
