"""Certificates signed by themselves, for whatever in a test must show one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Pair = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def self_signed(
    common_name: str, names: Sequence[str] = (), since: datetime | None = None, days: float = 90
) -> Pair:
    """A key on P-256 and its certificate. ``names`` are what it is good for: host names and IP addresses.
    Good from an hour ago on when ``since`` is not said."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    since = datetime.now(UTC) - timedelta(hours=1) if since is None else since
    built = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(since).not_valid_after(since + timedelta(days=days))
    if names:
        alternatives: list[x509.GeneralName] = [
            x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
        ]
        built = built.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return key, built.sign(key, hashes.SHA256())


def as_files(pair: Pair, folder: Path, stem: str = "cert") -> tuple[Path, Path]:
    """The certificate and its key in PEM; the key is its owner's alone."""
    key, certificate = pair
    cert_file, key_file = folder / f"{stem}.pem", folder / f"{stem}-key.pem"
    cert_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key_file.chmod(0o600)
    return cert_file, key_file
