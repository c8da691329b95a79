"""The issuer of tokens on this machine: a key of its own, a JWKS file that the services trust, 1 h tokens."""

import json
import time
import uuid
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "alliance-local"
AUDIENCE = "alliance"
HOUR = 3600  # seconds that a token holds


class Issuer:
    """Signs tokens with the key in a folder; makes the key at its first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key_file = folder / "private.pem"
        if not self._key_file.exists():
            self._make_key()

    @property
    def jwks_file(self) -> Path:
        """The public key set."""
        return self._folder / "jwks.json"

    def mint(self, sub: str, org: str = "", seconds: int = HOUR) -> str:
        """A token for a principal that acts for an organization ("" for none)."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": sub, "org": org, "iat": now, "exp": now + seconds}
        kid = json.loads(self.jwks_file.read_text(encoding="utf-8"))["keys"][0]["kid"]
        headers = {"kid": kid}
        return jwt.encode({**claims, "jti": uuid.uuid4().hex}, self._key_file.read_bytes(), "ES256", headers)

    def _make_key(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        public |= {"kid": uuid.uuid4().hex[:16], "use": "sig", "alg": "ES256"}
        self.jwks_file.write_text(json.dumps({"keys": [public]}), encoding="utf-8")
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self._key_file.touch(mode=0o600)
        self._key_file.write_bytes(pem)


def write_token(file: Path, token: str) -> None:
    """Put a token in place at once, readable by its owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".tmp")
    scratch.touch(mode=0o600)
    scratch.write_text(token, encoding="utf-8")
    scratch.replace(file)
