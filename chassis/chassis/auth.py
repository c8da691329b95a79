"""Who calls, and what a role permits.

Tokens are JWTs of a trusted issuer, verified by its key set (JWKS file); a principal acts for the one organization of the
claim `org`. Roles bring the permissions that the contract gives them (`alliance.common.v1.Role`).
"""

import json
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jwt

from alliance.common.v1 import access_pb2
from chassis.errors import Unauthenticated

ALGORITHMS = ("ES256", "RS256", "EdDSA")
PUBLIC = "public"
AUTHENTICATED = "authenticated"
_LEEWAY = 5  # seconds that clocks may differ
_KNOWN = 10_000  # verified tokens that are kept, at most


@dataclass(frozen=True)
class Principal:
    """A caller: `sub` is opaque, `organization` is `organizations/{organization}` or "" for none."""

    sub: str
    organization: str = ""


class Tokens:
    """Verifies bearer tokens; the key set is read again when its file changes."""

    def __init__(self, jwks_file: Path, issuer: str, audience: str) -> None:
        self._file = jwks_file
        self._issuer = issuer
        self._audience = audience
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = 0
        self._known: dict[str, tuple[Principal, float]] = {}
        """Headers that were verified with these keys, and until when they hold: a signature costs as much as a statement."""

    def principal(self, header: str | None) -> Principal | None:
        """The principal of an `authorization` header; None without one. Raises `Unauthenticated` for a bad token."""
        if not header:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("令牌须以 Bearer 方式提供", "the token has to come as Bearer")
        try:
            self._read_keys()
            known, until = self._known.get(token, (None, 0.0))
            return known if known and time.time() < until else self._verified(token)
        except (jwt.PyJWTError, ValueError, OSError) as error:
            raise Unauthenticated(
                f"令牌无效（{type(error).__name__}）；请重新登录",
                f"invalid token ({type(error).__name__}); log in again",
            ) from error

    def _verified(self, token: str) -> Principal:
        claims = jwt.decode(
            token,
            self._key(token),
            algorithms=list(ALGORITHMS),
            issuer=self._issuer,
            audience=self._audience,
            leeway=_LEEWAY,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        if len(self._known) >= _KNOWN:
            self._known.clear()
        principal = Principal(claims["sub"], str(claims.get("org", "")))
        self._known[token] = principal, claims["exp"] + _LEEWAY
        return principal

    def _read_keys(self) -> None:
        changed = self._file.stat().st_mtime_ns
        if changed != self._read_at:
            keys = jwt.PyJWKSet.from_dict(json.loads(self._file.read_text(encoding="utf-8"))).keys
            self._keys = {key.key_id: key for key in keys if key.key_id}
            self._known.clear()
            self._read_at = changed

    def _key(self, token: str) -> jwt.PyJWK:
        kid = jwt.get_unverified_header(token).get("kid", "")
        if kid not in self._keys:
            raise jwt.InvalidKeyError
        return self._keys[kid]


@cache
def permissions(role: int) -> frozenset[str]:
    """The permission patterns that the contract gives a role; none for an unknown one."""
    value = access_pb2.Role.DESCRIPTOR.values_by_number.get(role)
    if value is None:
        return frozenset()
    return frozenset(value.GetOptions().Extensions[access_pb2.permissions])


@cache
def allows(role: int, permission: str) -> bool:
    """Whether a role brings a permission with it: by name, by `service.resource.*` or by `*`."""
    resource = permission.rpartition(".")[0]
    return not permissions(role).isdisjoint({permission, f"{resource}.*", "*"})
