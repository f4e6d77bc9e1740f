"""Signed tokens: made with a real key, and verified with the keys of certificates. Needs the package cryptography."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

_KEY_ID = "local"


class BadToken(Exception):
    """A token is not what it should be; the text says what is wrong."""


@cache
def _key() -> RSAPrivateKey:
    """Made once a process: it takes a tenth of a second."""
    try:
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError:
        raise RuntimeError("identity peers sign tokens: pip install 'databricks-async[azure]'") from None
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def sign(claims: dict[str, Any]) -> str:
    """A JWT with these claims, RS256 with this process's key."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    header = {"alg": "RS256", "typ": "JWT", "kid": _KEY_ID}
    signed = f"{encode(orjson.dumps(header))}.{encode(orjson.dumps(claims))}"
    return f"{signed}.{encode(_key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def verify(token: str) -> dict[str, Any]:
    """The claims of a token that `sign` made. Raises `BadToken`."""
    header, claims = parts(token)
    if header.get("kid") != _KEY_ID or header.get("alg") != "RS256":
        raise BadToken("signed with an unknown key")
    _check_signature(token, "RS256", _key().public_key())
    return claims


def jwks() -> dict[str, Any]:
    """The public key, as an issuer publishes it."""
    numbers = _key().public_key().public_numbers()
    n, e = (encode(value.to_bytes((value.bit_length() + 7) // 8)) for value in (numbers.n, numbers.e))
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": _KEY_ID, "n": n, "e": e}]}


def thumbprints(certificate: bytes) -> tuple[str, str, RSAPublicKey]:
    """The SHA-1 and SHA-256 thumbprints of a PEM certificate, base64url, and its public key."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_certificate

    loaded = load_pem_x509_certificate(certificate)
    der, key = loaded.public_bytes(Encoding.DER), loaded.public_key()
    if not isinstance(key, RSAPublicKey):
        raise ValueError("the certificate of an application has an RSA key")  # noqa: TRY004
    return encode(hashlib.sha1(der, usedforsecurity=False).digest()), encode(hashlib.sha256(der).digest()), key


def verify_assertion(token: str, certificates: list[bytes]) -> dict[str, Any]:
    """The claims of a client assertion that one of these PEM certificates' keys signed. Raises `BadToken`.

    learn.microsoft.com/entra/identity-platform/certificate-credentials: PS256 with `x5t#S256`, or RS256 with `x5t`.
    """
    header, claims = parts(token)
    alg = header.get("alg")
    if alg not in ("PS256", "RS256") or header.get("typ") != "JWT":
        raise BadToken(f"alg {alg!r} or typ {header.get('typ')!r} is not supported")
    for certificate in certificates:
        sha1, sha256, key = thumbprints(certificate)
        # Some clients pad them.
        if header.get("x5t#S256", "").rstrip("=") == sha256 or header.get("x5t", "").rstrip("=") == sha1:
            _check_signature(token, alg, key)
            return claims
    raise BadToken("the key was not found")


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT, unverified. Raises `BadToken`."""
    try:
        header, claims, _ = token.split(".")
        read = orjson.loads(decode(header)), orjson.loads(decode(claims))
    except ValueError:
        raise BadToken("not a JWT") from None
    if not all(isinstance(part, dict) for part in read):
        raise BadToken("not a JWT")
    return read


def encode(content: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The reverse of `encode`. Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _check_signature(token: str, alg: str, key: RSAPublicKey) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    signed, _, signature = token.rpartition(".")
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    if alg == "PS256":
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
    try:
        key.verify(decode(signature), signed.encode(), scheme, hashes.SHA256())
    except (InvalidSignature, ValueError):
        raise BadToken("the signature is not valid") from None
