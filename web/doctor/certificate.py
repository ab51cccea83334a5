"""Whether a TLS certificate fits its key, its date and the address that people type."""

import ipaddress
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtensionOID

from records.model import Text
from web.doctor.findings import Finding, bad, fine, warn

ABOUT = "certificate"
SOON = timedelta(days=14)
RENEW = Text("请更新证书，然后重新启动。", "Renew the certificate and restart.")


def certificate(cert: Path, key: Path, host: str, now: datetime) -> Iterator[Finding]:
    """Findings about the first certificate in ``cert`` (PEM), for browsers that go to ``host``. ``now`` is
    an aware datetime."""
    try:
        leaf = x509.load_pem_x509_certificates(cert.read_bytes())[0]
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as why:
        yield bad(
            ABOUT,
            Text(f"证书或私钥无法读取：{why}", f"The certificate or its key cannot be read: {why}"),
            Text(
                "检查 web.tls_cert 和 web.tls_key（PEM 格式，私钥不加密）。",
                "Check web.tls_cert and web.tls_key (PEM, no passphrase).",
            ),
        )
        return
    found = [*_dates(leaf, now), *_name(leaf, host), *_match(leaf, private.public_key())]
    until = leaf.not_valid_after_utc.date()
    yield from found or [
        fine(ABOUT, f"证书有效，到期日 {until}。", f"The certificate is good until {until}.")
    ]
    if key.stat().st_mode & 0o077:
        yield warn(
            ABOUT,
            Text(f"其他用户可以读取私钥 {key}。", f"Other users can read the private key {key}."),
            Text(f"运行 chmod 600 {key}", f"Run chmod 600 {key}"),
        )


def _dates(leaf: x509.Certificate, now: datetime) -> Iterator[Finding]:
    since, until = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if now < since:
        clock = Text(
            "检查本机时钟，或换一张证书。", "Check this machine's clock, or use another certificate."
        )
        yield bad(
            ABOUT,
            Text(
                f"证书从 {since:%Y-%m-%d} 起才有效。", f"The certificate is valid only from {since:%Y-%m-%d}."
            ),
            clock,
        )
    elif now >= until:
        yield bad(
            ABOUT,
            Text(f"证书已于 {until:%Y-%m-%d} 过期。", f"The certificate expired on {until:%Y-%m-%d}."),
            RENEW,
        )
    elif until - now < SOON:
        yield warn(
            ABOUT,
            Text(f"证书将于 {until:%Y-%m-%d} 过期。", f"The certificate expires on {until:%Y-%m-%d}."),
            RENEW,
        )


def _name(leaf: x509.Certificate, host: str) -> Iterator[Finding]:
    names = _names(leaf)
    if not any(_covers(name, host) for name in names):
        shown = ", ".join(names) or "—"
        yield bad(
            ABOUT,
            Text(
                f"证书属于 {shown}，浏览器访问的却是 {host}。",
                f"The certificate is for {shown}, but browsers go to {host}.",
            ),
            Text(
                "换一张包含该域名的证书，或修改 web.public_url。",
                "Use a certificate for that name, or correct web.public_url.",
            ),
        )


def _names(leaf: x509.Certificate) -> list[str]:
    """Browsers read the subject alternative names only (RFC 9525, section 6.3)."""
    try:
        names = leaf.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return []
    assert isinstance(names, x509.SubjectAlternativeName)
    return [str(name.value) for name in names if isinstance(name, x509.DNSName | x509.IPAddress)]


def _covers(name: str, host: str) -> bool:
    """A wildcard stands for exactly the first label (RFC 9525, section 6.3)."""
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(host)
    except ValueError:
        pass
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    return name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:] != "")


def _match(leaf: x509.Certificate, public: object) -> Iterator[Finding]:
    if _raw(leaf.public_key()) != _raw(public):
        yield bad(
            ABOUT,
            Text("证书和私钥不是一对。", "The certificate and the private key do not belong together."),
            Text(
                "检查 web.tls_cert 和 web.tls_key 是否同时更新。",
                "See whether web.tls_cert and web.tls_key were renewed together.",
            ),
        )


def _raw(public: object) -> bytes:
    return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))  # type: ignore[attr-defined]
