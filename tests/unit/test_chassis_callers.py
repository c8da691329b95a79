"""The chassis: who calls, and what a request is about."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from alliance.listings.v1 import listings_service_pb2 as listings
from alliance.matching.v1 import matching_service_pb2 as matching
from chassis.auth import Tokens, allows
from chassis.contract import resources
from chassis.errors import Unauthenticated

ISSUER, AUDIENCE = "https://issuer.example.com", "alliance"
KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


def key_set(file: Path, **keys: ec.EllipticCurvePrivateKey) -> None:
    known = [{**json.loads(ECAlgorithm.to_jwk(one.public_key())), "kid": kid} for kid, one in keys.items()]
    file.write_text(json.dumps({"keys": known}), encoding="utf-8")


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    key_set(tmp_path / "jwks.json", a=KEY)
    return Tokens(tmp_path / "jwks.json", ISSUER, AUDIENCE)


def claims(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC).timestamp()
    base = {"iss": ISSUER, "aud": AUDIENCE, "sub": "person-1", "org": "organizations/a", "iat": now, "exp": now + 60}
    return {name: value for name, value in {**base, **more}.items() if value is not None}


def bearer(content: dict[str, Any], key: Any = KEY, algorithm: str = "ES256", kid: str | None = "a") -> str:
    token = jwt.encode(content, key, algorithm=algorithm, headers={"kid": kid} if kid is not None else None)
    return f"Bearer {token}"


def test_a_good_token_says_who_it_is(tokens: Tokens) -> None:
    found = tokens.principal(bearer(claims()))
    assert found is not None
    assert (found.sub, found.organization) == ("person-1", "organizations/a")


def test_a_token_may_name_no_organization(tokens: Tokens) -> None:
    found = tokens.principal(bearer(claims(org=None)))
    assert found is not None
    assert found.organization == ""


@pytest.mark.parametrize("header", [None, ""])
def test_without_a_token_it_is_nobody(tokens: Tokens, header: str | None) -> None:
    assert tokens.principal(header) is None


def _now() -> float:
    return datetime.now(UTC).timestamp()


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(lambda: bearer(claims(exp=_now() - 6)), id="over"),
        pytest.param(lambda: bearer(claims(exp=None)), id="without an end"),
        pytest.param(lambda: bearer(claims(sub=None)), id="of nobody"),
        pytest.param(lambda: bearer(claims(iat=None)), id="without a beginning"),
        pytest.param(lambda: bearer(claims(iat=_now() + 60)), id="of the future"),
        pytest.param(lambda: bearer(claims(iss="https://other.example.com")), id="of another issuer"),
        pytest.param(lambda: bearer(claims(aud="other")), id="for somebody else"),
        pytest.param(lambda: bearer(claims(), key=OTHER), id="signed by another key"),
        pytest.param(lambda: bearer(claims(), kid="b"), id="key not known"),
        pytest.param(lambda: bearer(claims(), kid=None), id="key not named"),
        pytest.param(lambda: bearer(claims(), key="", algorithm="none"), id="not signed"),
        pytest.param(lambda: bearer(claims(), key="s" * 32, algorithm="HS256"), id="signed by a shared secret"),
        pytest.param(lambda: bearer(claims()) + "x", id="changed"),
        pytest.param(lambda: "Bearer nonsense", id="no token"),
        pytest.param(lambda: "Bearer ", id="empty"),
        pytest.param(lambda: "Basic cGVyc29uOnNlY3JldA==", id="another scheme"),
    ],
)
def test_a_bad_token_is_refused(tokens: Tokens, header: Any) -> None:
    with pytest.raises(Unauthenticated):
        tokens.principal(header())


def test_clocks_may_differ_by_five_seconds(tokens: Tokens) -> None:
    assert tokens.principal(bearer(claims(exp=_now() - 3)))


def test_keys_are_changed_without_a_restart(tokens: Tokens, tmp_path: Path) -> None:
    assert tokens.principal(bearer(claims()))
    key_set(tmp_path / "jwks.json", b=OTHER)
    later = time.time_ns() + 1_000_000_000
    os.utime(tmp_path / "jwks.json", ns=(later, later))
    assert tokens.principal(bearer(claims(), key=OTHER, kid="b"))
    with pytest.raises(Unauthenticated):
        tokens.principal(bearer(claims()))


def test_without_keys_nobody_is_let_in(tmp_path: Path) -> None:
    with pytest.raises(Unauthenticated):
        Tokens(tmp_path / "absent.json", ISSUER, AUDIENCE).principal(bearer(claims()))


def test_a_role_that_is_not_known_permits_nothing() -> None:
    assert not allows(0, "listings.listings.read")
    assert not allows(10_000, "listings.listings.read")


@pytest.mark.parametrize(
    ("request_", "path", "named"),
    [
        (listings.GetListingRequest(name="listings/a"), "name", ["listings/a"]),
        (listings.CreateListingRequest(), "listing.issuer", []),
        (matching.ListMatchesRequest(organization="organizations/a"), "listing|organization|body", ["organizations/a"]),
        (matching.ListMatchesRequest(listing="listings/a", body="bodies/a"), "listing|body", ["listings/a", "bodies/a"]),
        (listings.GetListingRequest(name="listings/a"), "", []),
    ],
)
def test_what_a_request_is_about(request_: Any, path: str, named: list[str]) -> None:
    assert resources(request_, path) == named


def test_every_resource_of_a_repeated_field_counts() -> None:
    request = listings.CreateListingRequest()
    request.listing.issuer = "organizations/a"
    request.listing.bodies[:] = ["bodies/a", "bodies/b"]
    assert resources(request, "listing.issuer|listing.bodies") == ["organizations/a", "bodies/a", "bodies/b"]
