"""Hashing and random secrets 密码: the one place that a change to SM3 has to touch."""

import hashlib
import hmac
import secrets


def digest(content: bytes) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(content).digest()


def hex_digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return digest(content).hex()


def secret(size: int = 32) -> bytes:
    """Random bytes that nobody can guess."""
    return secrets.token_bytes(size)


def keyed_digest(key: bytes, content: bytes) -> str:
    """HMAC-SHA-256 in hex: of what has few values (a phone number), nobody without the key finds out which it was."""
    return hmac.digest(key, content, "sha256").hex()
