"""The identity peers by themselves: what they check, and how they refuse.

Of `local/identity_peers/`.
"""

from __future__ import annotations

import time

import aiohttp
import pytest

from databricks_async.cli.auth_demo import make_certificate
from databricks_async.local import LocalIdentity
from databricks_async.local.identity_peers import tokens

DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ID = "client-1"
NO_SECRET = {"client_secret": None, "client_assertion_type": JWT_BEARER}
IMDS = f"/metadata/identity/oauth2/token?resource={DATABRICKS}&api-version="
TRUE = {"Metadata": "true"}


@pytest.fixture
async def identity():
    async with LocalIdentity() as identity:
        identity.add_application(ID, client_secret="secret")
        yield identity


@pytest.fixture
async def http(identity):
    async with aiohttp.ClientSession(base_url=identity.url) as http:
        yield http


@pytest.fixture
def ask(identity, http):
    """Posts a form for a token, which is right but for these fields; returns the status and the answer."""

    async def ask(path="oauth2/v2.0/token", **changes):
        form = {"grant_type": "client_credentials", "client_id": ID, "client_secret": "secret"}
        form |= {"scope": f"{DATABRICKS}/.default"} | changes
        form = {name: value for name, value in form.items() if value is not None}
        async with http.post(f"/{identity.tenant_id}/{path}", data=form) as answer:
            return answer.status, await answer.json()

    return ask


async def test_a_token_is_signed_for_its_audience(identity, ask):
    status, answer = await ask()
    claims = tokens.verify(answer["access_token"])
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3600)
    assert (claims["aud"], claims["appid"], claims["idtyp"]) == (DATABRICKS, ID, "app")
    assert claims["tid"] == identity.tenant_id
    assert claims["exp"] - claims["iat"] == 3600


async def test_version_1_takes_a_resource_and_says_numbers_as_text(ask):
    status, answer = await ask("oauth2/token", scope=None, resource=DATABRICKS)
    assert (status, answer["expires_in"], answer["resource"]) == (200, "3600", DATABRICKS)
    assert abs(int(answer["expires_on"]) - time.time() - 3600) < 60


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": None}, 401, "invalid_client", 7000215),
        ({"client_id": "nobody"}, 400, "unauthorized_client", 700016),
        ({"scope": DATABRICKS}, 400, "invalid_scope", 1002012),
        ({"scope": f"{DATABRICKS}/.default offline_access"}, 400, "invalid_scope", 1002012),
        ({"scope": "https://other.example/.default"}, 400, "invalid_resource", 500011),
        ({"grant_type": "password"}, 401, "invalid_client", 7000215),
        ({"client_assertion": "a.b.c"}, 401, "invalid_client", 50027),
        (
            NO_SECRET | {"client_assertion": "x"},
            401,
            "invalid_client",
            700027,
        ),
    ],
)
async def test_entra_refuses(changes, status, error, number, ask):
    """With the service's statuses, codes and numbers."""
    if changes.get("grant_type") == "password":
        changes = {**changes, "client_secret": "wrong"}
    answer = await ask(**changes)
    assert (answer[0], answer[1]["error"], answer[1]["error_codes"]) == (status, error, [number])
    assert answer[1]["error_description"].startswith(f"AADSTS{number}: ")


async def test_an_unknown_tenant_is_refused(http):
    async with http.post("/other/oauth2/v2.0/token", data={"client_id": ID}) as answer:
        assert (answer.status, (await answer.json())["error_codes"]) == (400, [90002])


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({}, None),
        ({"aud": "https://login.microsoftonline.com/x"}, 700023),
        ({"iss": "other"}, 700021),
        ({"sub": "other"}, 700021),
        ({"exp": 1000}, 700024),
        ({"nbf": 9e9}, 700024),
        ({"jti": ""}, 700030),
    ],
)
async def test_an_assertion_is_verified(change, number, identity, ask, tmp_path):
    """Signature, audience, issuer, subject, times, and that it is used once."""
    import orjson
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    certificate, key = make_certificate()
    identity.add_application(ID, certificate=certificate)
    now = time.time()
    endpoint = f"{identity.url}/{identity.tenant_id}/oauth2/v2.0/token"
    claims = {"aud": endpoint, "iss": ID, "sub": ID, "jti": "1", "nbf": now, "exp": now + 600} | change
    header = {"alg": "RS256", "typ": "JWT", "x5t": tokens.thumbprints(certificate)[0]}
    signed = f"{tokens.encode(orjson.dumps(header))}.{tokens.encode(orjson.dumps(claims))}"
    private = load_pem_private_key(key, None)
    signature = private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    answers = [await ask(client_assertion=f"{signed}.{tokens.encode(signature)}", **NO_SECRET) for _ in range(2)]
    refused = [answer.get("error_codes") for _, answer in answers]
    assert refused == ([None, [700030]] if number is None else [[number]] * 2)
    forged = await ask(client_assertion=f"{signed}.{tokens.encode(b'0' * 256)}", **NO_SECRET)
    assert forged[1]["error_codes"] == [700027]


async def test_an_assertion_of_another_certificate_is_refused(identity, ask, tmp_path):
    from databricks_async.auth.certificates import signed_assertion

    certificate, key = make_certificate()
    (tmp_path / "c.pem").write_bytes(certificate + key)
    identity.add_application(ID, certificate=make_certificate()[0])
    endpoint = f"{identity.url}/{identity.tenant_id}/oauth2/v2.0/token"
    assertion = signed_assertion(str(tmp_path / "c.pem"), None, client_id=ID, audience=endpoint)
    _, answer = await ask(client_secret=None, client_assertion=assertion, client_assertion_type=JWT_BEARER)
    assert answer["error_codes"] == [700027]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"{IMDS}2018-02-01", TRUE, 200),
        (f"{IMDS}2018-02-01", {}, 400),
        (f"{IMDS}1", TRUE, 400),
        (IMDS.replace(DATABRICKS, f"{DATABRICKS}/.default") + "2018-02-01", TRUE, 400),
        (f"{IMDS}2018-02-01", TRUE | {"Via": "1.1 proxy"}, 400),
        (f"/msi/token?api-version=2019-08-01&resource={DATABRICKS}", {}, 401),
        ("/github/token?job=1&audience=x", {}, 401),
        ("/metadata-service", {}, 400),
        ("/metadata-service", {"X-Databricks-Metadata-Version": "1"}, 200),
        ("/no/such/page", {}, 404),
        ("/issuer/.well-known/openid-configuration", {}, 200),
        ("/issuer/jwks", {}, 200),
    ],
)
async def test_the_other_peers(path, headers, status, identity, http):
    """Each asks for its own headers and versions."""
    identity.add_managed_identity("mine")
    async with http.get(path, headers=headers) as answer:
        assert answer.status == status, await answer.text()


async def test_the_published_key_verifies_an_id_token(identity, http):
    """As any relying party would: with the issuer's own documents."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    token = identity.id_token("me", "you")
    async with http.get("/issuer/.well-known/openid-configuration") as answer:
        told = await answer.json()
    assert told["issuer"] == tokens.parts(token)[1]["iss"] == identity.issuer
    async with http.get(told["jwks_uri"].removeprefix(identity.url)) as answer:
        (key,) = (await answer.json())["keys"]
    n, e = (int.from_bytes(tokens.decode(key[name])) for name in ("n", "e"))
    signed, _, signature = token.rpartition(".")
    public = RSAPublicNumbers(e, n).public_key()
    public.verify(tokens.decode(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())


async def test_the_journal_holds_no_secret(identity, ask):
    await ask()
    (call,) = identity.journal.entries
    assert call.body["client_secret"] == "***"
    assert call.body["scope"] == f"{DATABRICKS}/.default"


def test_it_has_no_address_before_it_is_started():
    with pytest.raises(RuntimeError, match="has no address"):
        _ = LocalIdentity().url
