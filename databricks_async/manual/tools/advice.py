"""What to do about each exception: the last column of the table in the chapter on errors."""

OTHERWISE = "as above"
"""Of an exception without advice of its own: that of the one above it."""

ADVICE = {
    "DatabricksError": "catch this one for whatever the service or the network does",
    "ConfigError": "mend the setting that it names, where it says the value came from",
    "LifecycleError": "make one client for each event loop, and use it before it is closed",
    "AuthError": "see [Authentication](authentication.md#troubleshooting)",
    "CredentialUnavailable": "install the tool, or log in, as it says",
    "InvalidCredential": "return a `Token`, from an asynchronous function or credential",
    "TransportError": "it was tried for as long as the settings allow: try later, or allow longer",
    "ConnectError": "check host, network and proxy; nothing was done",
    "CertificateError": "see [Proxies and certificates](proxies.md)",
    "ConnectionLost": "try later; calls that are not repeated raise `OutcomeUnknown` instead",
    "RequestTimeout": "try later, or raise `http_timeout_seconds`",
    "OutcomeUnknown": "do what its `lookup` says before calling again; "
    "see [what is never sent twice](limits.md#what-is-never-sent-twice)",
    "InvalidResponse": "check that the host is the workspace's, and what stands in between; else report it",
    "PagingError": "report it: the service repeats itself",
    "OperationFailed": "read `last`: its state message and termination reason",
    "RunFailed": "read `failed_tasks`; `repair_run` runs them again",
    "OperationTimeout": "wait again from the id: `wait_run(run_id)`, `wait_running(cluster_id)`",
    "BadRequest": "change what was asked: the message is the service's own",
    "InvalidState": "wait for the state that the call needs, or use `ensure_cluster_is_running`",
    "InvalidParameterValue": "change the argument that the message names",
    "MaxNotebookSizeExceeded": "use `upload` and `download`",
    "Unauthenticated": "the message says which host, which way in, and where its settings came from",
    "PermissionDenied": 'of "Invalid access token": check the token, the message says where it came from; '
    "else ask for the permission, or act as someone who has it",
    "PrivateLinkValidationError": "call from the network that has the private link",
    "NotFound": "check the path, and that the workspace has this API",
    "ResourceDoesNotExist": "check the id or path; what was deleted cannot come back",
    "ResourceConflict": "look at what is there, then decide",
    "Aborted": "call again: another call was in the way",
    "AlreadyExists": "use what exists, or another name",
    "ResourceAlreadyExists": "use what exists, another path, or `overwrite=True`",
    "TooManyRequests": "raised when waiting did not help, or a quota is used up: "
    "do less at once, see [Rate limits](limits.md#rate-limits)",
    "Cancelled": "call again",
    "InternalError": "try later; give the `request_id` to the service's support",
    "NotImplemented": "the workspace does not have this",
    "TemporarilyUnavailable": "try later, or raise `server_retry_seconds`",
    "DeadlineExceeded": "ask for less at once, or try later",
}
