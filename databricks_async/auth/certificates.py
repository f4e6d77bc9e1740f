"""A client certificate as proof: the assertion that Entra wants, signed with the key of a PEM or PKCS12 file."""

from __future__ import annotations

import base64
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from databricks_async.config.file import warn_if_readable_by_others
from databricks_async.errors import AuthError
from databricks_async.secret import HiddenBytes, HiddenStr

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

_LIFE_SECONDS = 600


def signed_assertion(path: str, password: str | None, *, client_id: str, audience: str) -> HiddenStr:
    """The assertion for a token endpoint: PS256 with the certificate's SHA-256 thumbprint, good for ten minutes.

    Reads the file and signs: for a thread. Raises `AuthError` that says what is wrong with the file.
    learn.microsoft.com/entra/identity-platform/certificate-credentials
    """
    try:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding
    except ImportError:
        raise AuthError(
            "a client certificate needs the package cryptography: pip install 'databricks-async[azure]'"
        ) from None
    key, certificate = _load(path, password)
    now = int(time.time())
    header = {"alg": "PS256", "typ": "JWT", "x5t#S256": _base64url(certificate.fingerprint(hashes.SHA256()))}
    claims = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "exp": now + _LIFE_SECONDS,
    }
    signing = f"{_base64url(orjson.dumps(header))}.{_base64url(orjson.dumps(claims))}"
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
    return HiddenStr(f"{signing}.{_base64url(key.sign(signing.encode(), pss, hashes.SHA256()))}")


def _load(path: str, password: str | None) -> tuple[RSAPrivateKey, Certificate]:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    try:
        content = HiddenBytes(Path(path).read_bytes())
        warn_if_readable_by_others(path)
    except OSError as error:
        raise _unusable(path, error.strerror or type(error).__name__) from None
    secret = HiddenBytes(password.encode()) if password else None
    try:
        if b"-----BEGIN" in bytes(content):
            key, certificates = _from_pem(content, secret)
        else:
            key, certificates = _from_pkcs12(content, secret)
    except AuthError:
        raise
    except (ValueError, TypeError) as error:
        # The library's own words hold neither the key nor the password.
        wanted = "password" in str(error).lower()
        reason = "its password is wrong or missing (ARM_CLIENT_CERTIFICATE_PASSWORD)" if wanted else str(error)
        raise _unusable(path, reason or "it is neither PEM nor PKCS12") from None
    if not isinstance(key, RSAPrivateKey):
        raise _unusable(path, "it holds no RSA private key, which Entra asks for")
    public = key.public_key().public_numbers()
    for certificate in certificates:
        if getattr(certificate.public_key(), "public_numbers", lambda: None)() == public:
            return key, certificate
    raise _unusable(path, "it holds no certificate that belongs to its private key")


def _from_pem(content: bytes, password: bytes | None) -> tuple[object, list[Certificate]]:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificates

    # A password for a key that has none is no fault: ARM_CLIENT_CERTIFICATE_PASSWORD may be set for both.
    encrypted = b"ENCRYPTED" in content
    key = load_pem_private_key(content, password if encrypted else None) if b"PRIVATE KEY-----" in content else None
    return key, load_pem_x509_certificates(content) if b"-----BEGIN CERTIFICATE" in content else []


def _from_pkcs12(content: bytes, password: bytes | None) -> tuple[object, list[Certificate]]:
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    bundle = load_pkcs12(content, password)
    found = [bundle.cert, *bundle.additional_certs]
    return bundle.key, [entry.certificate for entry in found if entry is not None]


def _unusable(path: str, reason: str) -> AuthError:
    return AuthError(f"the client certificate {path} cannot be used: {reason}")


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
