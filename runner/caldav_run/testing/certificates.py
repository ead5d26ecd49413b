"""Certificates for servers and clients of this machine, good for a day."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key.

    Attributes:
        file: The certificate, as PEM.
        key: The private key, as PEM.
        fingerprint: The SHA-256 of the certificate, 64 hex digits.
    """

    file: Path
    key: Path
    fingerprint: str

    def server_side(self) -> ssl.SSLContext:
        """Return a server's side of TLS with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


class Authority:
    """Issues certificates for 127.0.0.1 and localhost.

    Args:
        folder: Where everything is written.
        name: What it is called; also the beginning of its file's name.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        """Make its key and its certificate."""
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self._certificate = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, password: str = "") -> Issued:
        """Return a new certificate.

        Args:
            name: Whom it names.
            password: What locks its key; empty for a key that is not locked.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.IPAddress(IPv4Address("127.0.0.1")),
            *map(x509.DNSName, ("localhost", "example.test")),
        ]
        made = (
            _builder(_named(name), self._name, key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password:
            lock = serialization.BestAvailableEncryption(password.encode())
        file, private = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
        )
        return Issued(file, private, made.fingerprint(hashes.SHA256()).hex())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
