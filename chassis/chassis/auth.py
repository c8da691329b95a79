"""Who calls, and what a role permits.

Tokens are JWTs of a trusted issuer, verified by its key set (JWKS file); a principal acts for the one organization of the
claim `org`. Roles bring the permissions that the contract gives them (`alliance.common.v1.Role`).
"""

import json
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

    def principal(self, header: str | None) -> Principal | None:
        """The principal of an `authorization` header; None without one. Raises `Unauthenticated` for a bad token."""
        if not header:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("令牌须以 Bearer 方式提供", "the token has to come as Bearer")
        try:
            claims = jwt.decode(
                token,
                self._key(token),
                algorithms=list(ALGORITHMS),
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, OSError) as error:
            raise Unauthenticated(
                f"令牌无效（{type(error).__name__}）；请重新登录",
                f"invalid token ({type(error).__name__}); log in again",
            ) from error
        return Principal(claims["sub"], str(claims.get("org", "")))

    def _key(self, token: str) -> jwt.PyJWK:
        changed = self._file.stat().st_mtime_ns
        if changed != self._read_at:
            keys = jwt.PyJWKSet.from_dict(json.loads(self._file.read_text(encoding="utf-8"))).keys
            self._keys = {key.key_id: key for key in keys if key.key_id}
            self._read_at = changed
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
