"""Certificates for tests, of CAs that are made up."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.tls import Files


@dataclass
class Authority:
    """A CA that issues certificates for 127.0.0.1."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    name: x509.Name = field(default_factory=lambda: _name(f"ca {os.urandom(4).hex()}"))

    def issue(
        self,
        folder: Path,
        days: int = 1,
        *,
        since: int = -30,
        ca_days: int = 1,
        uses: Sequence[x509.ObjectIdentifier] = (),
        names: Sequence[str] = (),
    ) -> Files:
        """A new certificate and key in a folder, beside this CA's own, with the days from today between which they are valid,
        what alone it is for, and its names beside the address.
        """
        folder.mkdir(exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        files = Files(folder / "tls.crt", folder / "tls.key", folder / "ca.crt")
        files.cert.write_bytes(self._signed(_name("service"), key, (since, days), uses, names))
        files.key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        files.ca.write_bytes(self._signed(self.name, self.key, (-30, ca_days)))
        return files

    def vouch(self, other: "Authority") -> bytes:
        """A certificate of this CA for another one, which so stands between."""
        return self._signed(other.name, other.key, (-30, 1))

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        days: tuple[int, int],
        uses: Sequence[x509.ObjectIdentifier] | None = None,
        names: Sequence[str] = (),
    ) -> bytes:
        """Of a CA where no uses are given, be it none."""
        now = datetime.now(UTC)
        named = [x509.IPAddress(IPv4Address("127.0.0.1")), *map(x509.DNSName, names)]
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days[0]))
            .not_valid_after(now + timedelta(days[1]))
            .add_extension(x509.SubjectAlternativeName(named), critical=False)
            .add_extension(x509.BasicConstraints(ca=uses is None, path_length=None), critical=True)
        )
        if uses:
            made = made.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        return made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])
