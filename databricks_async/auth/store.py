"""Where logins of persons are kept: refresh tokens in the system's keyring, or in files that only their owner reads."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import orjson

from databricks_async.aio import off_loop
from databricks_async.config.file import warn_if_readable_by_others
from databricks_async.errors import AuthError
from databricks_async.secret import HiddenBytes, HiddenStr, hide

log = logging.getLogger("databricks_async.auth")

_SERVICE = "databricks-async"
_LOCK_POLL_SECONDS = 0.05


@attrs.define
class Login:
    """A person's login: the token that renews it, and the last access token."""

    refresh_token: str | None = attrs.field(default=None, repr=False)
    access_token: str | None = attrs.field(default=None, repr=False)
    expires_at: float | None = None
    """Seconds since the epoch, of the access token."""


class LoginStore:
    """One login, in a file named by a hash of what it is for: `~/.databricks-async/logins/<hash>.json`, mode 0600.

    The refresh token is in the system's keyring instead where there is one (the extra `login`). All processes of a
    person share a login; who renews it holds its lock, since a refresh token is good for one use.
    """

    def __init__(self, *names: str) -> None:
        """`names` say whose login it is and where: it is found by the same ones."""
        self._name = hashlib.sha256("\0".join(names).encode()).hexdigest()[:32]
        self._folder = Path.home() / ".databricks-async" / "logins"
        self._path = self._folder / f"{self._name}.json"

    @contextlib.asynccontextmanager
    async def locked(self, seconds: float) -> AsyncIterator[None]:
        """The login's lock, between tasks and processes. Raises `AuthError` when it is not free within `seconds`."""
        file = await off_loop(self._open_lock, undo=os.close)
        try:
            deadline = asyncio.get_running_loop().time() + seconds
            while not _try_lock(file):
                if asyncio.get_running_loop().time() > deadline:
                    raise AuthError(f"another process has been renewing this login for {seconds:g} s ({self._path})")
                await asyncio.sleep(_LOCK_POLL_SECONDS)
            yield
        finally:
            os.close(file)  # which unlocks it

    async def exists(self) -> bool:
        """Whether there may be a login; leaves no trace."""
        return await asyncio.to_thread(self._path.exists)

    async def load(self) -> Login | None:
        """The login, None if there is none."""
        return await asyncio.to_thread(self._load)

    async def save(self, login: Login) -> None:
        """Keep a login, to its end also when the caller is cancelled: an older refresh token is dead by now."""
        await off_loop(self._save, login)

    async def delete(self) -> None:
        """Forget the login."""
        await asyncio.to_thread(self._delete)

    def _open_lock(self) -> int:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._folder / f"{self._name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise AuthError(f"logins cannot be kept in {self._folder}: {error.strerror}") from error

    def _load(self) -> Login | None:
        try:
            content = HiddenBytes(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AuthError(f"the login in {self._path} cannot be read: {error.strerror}") from error
        warn_if_readable_by_others(str(self._path))
        try:
            fields: dict[str, Any] = {name: hide(value) for name, value in orjson.loads(memoryview(content)).items()}
            login = Login(fields.get("refresh_token"), fields.get("access_token"), fields.get("expires_at"))
        except (ValueError, AttributeError):
            return None  # half a file, or none of ours: the person logs in again
        if login.refresh_token is None and fields.get("in_keyring"):
            login.refresh_token = self._from_keyring()
        return login

    def _save(self, login: Login) -> None:
        in_keyring = self._to_keyring(login.refresh_token)
        fields = attrs.asdict(login) | {"in_keyring": in_keyring}
        if in_keyring:
            fields["refresh_token"] = None
        try:
            # Made with mode 0600, and moved into its place whole.
            descriptor, name = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(descriptor, "wb") as file:
                file.write(orjson.dumps(fields))
            os.replace(name, self._path)
        except OSError as error:
            raise AuthError(f"the login cannot be kept in {self._path}: {error.strerror}") from error

    def _delete(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def _from_keyring(self) -> HiddenStr | None:
        keyring = _keyring()
        if keyring is None:
            return None
        try:
            return HiddenStr(keyring.get_password(_SERVICE, self._name) or "") or None
        except Exception as error:
            log.warning("the system's keyring cannot be read: %s", type(error).__name__)
            return None

    def _to_keyring(self, refresh_token: str | None) -> bool:
        keyring = _keyring()
        if keyring is None or refresh_token is None:
            return False
        try:
            keyring.set_password(_SERVICE, self._name, str(refresh_token))
        except Exception as error:
            # Locked, no desktop, or the token too long for it (Windows).
            log.info("the system's keyring does not take the login (%s): it is kept in a file", type(error).__name__)
            return False
        return True


def _keyring() -> Any:
    """The module keyring if it is installed and has somewhere to keep things; in containers it mostly has not."""
    try:
        import keyring
        from keyring.backends.fail import Keyring
    except ImportError:
        return None
    return None if isinstance(keyring.get_keyring(), Keyring) else keyring


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks: better a login that may be renewed twice than none
        return True
