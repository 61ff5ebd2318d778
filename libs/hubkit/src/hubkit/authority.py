"""The certificate authority of one hub, and the certificate of its broker.

A join token names the fingerprint of the authority, so it must stay while there are
nodes; the server's certificate is made anew whenever it nears its end or the hub is
reached by another name.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hubkit.errors import HubError
from hubkit.private_files import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_NAME = "tls"
_AUTHORITY_LIFE = timedelta(days=20 * 365)
_SERVER_LIFE = timedelta(days=397)
_RENEWED_BEFORE = timedelta(days=60)
# A node whose clock is behind finds that out in its preflight, not in a failed handshake.
_CLOCKS_MAY_BE_BEHIND = timedelta(days=2)


class Authority:
    """Keys and certificates in one folder, closed to others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def certificate(self) -> Path:
        """The authority's certificate, PEM."""
        return self._folder / "ca.pem"

    @property
    def server_chain(self) -> Path:
        """The server's certificate and then the authority's, PEM."""
        return self._folder / "server.pem"

    @property
    def server_key(self) -> Path:
        """The server's private key, PEM."""
        return self._folder / "server.key"

    def ensure(self, hosts: Sequence[str], now: datetime | None = None) -> bool:
        """Make what is missing, near its end, or not for these hosts.

        Args:
            hosts: DNS names and addresses under which clients reach the server.
            now: the time to judge by; that of the clock when None.

        Returns:
            Whether the server's certificate is a new one.

        Raises:
            HubError: the authority's key has gone while its certificate is there.
        """
        now = now or datetime.now(UTC)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not self.certificate.exists():
            self._make_authority(now)
        if self._server_is_good(hosts, now):
            return False
        self._make_server(hosts, now)
        return True

    def issue(self, hosts: Sequence[str], now: datetime) -> tuple[str, str]:
        """Make a certificate for a server that is reached by these hosts, and its key.

        Returns:
            The certificate followed by the authority's, and the private key, PEM.

        Raises:
            HubError: the authority's key has gone.
        """
        authority = _read(self.certificate)
        try:
            signer = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        except (OSError, ValueError) as error:
            raise HubError(
                f"The key of the hub's authority cannot be read: {self._key_file}.",
                "Restore it from a backup; with another authority every node must join again.",
            ) from error
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise HubError(f"{self._key_file} holds no key of an elliptic curve.")
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(_name(hosts[0]), authority.subject, key.public_key(), now, _SERVER_LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([*map(_host, hosts)]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
                critical=False,
            )
            .sign(signer, hashes.SHA256())
        )
        return _text(certificate) + _text(authority), _key_text(key)

    def identity(self) -> dict[str, str]:
        """Return the authority's key and certificate by name, what nodes know the hub by.

        Raises:
            HubError: they cannot be read.
        """
        files = (self._key_file, self.certificate)
        try:
            return {f"{_NAME}/{file.name}": file.read_text(encoding="utf-8") for file in files}
        except OSError as error:
            raise HubError(f"The authority of the hub cannot be read: {error}.") from error

    def adopt(self, identity: Mapping[str, str]) -> None:
        """Be the authority that `identity` returned elsewhere. Raises `HubError` if it lacks."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for file in (self._key_file, self.certificate):
            name = f"{_NAME}/{file.name}"
            if name not in identity:
                raise HubError(f"The keys lack {name}.", "Take the keys of another backup.")
            write_private(file, identity[name])

    @property
    def _key_file(self) -> Path:
        return self._folder / "ca.key"

    def _make_authority(self, now: datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Peyvand hub authority")
        certificate = (
            _builder(name, name, key.public_key(), now, _AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        # The key first: a certificate without its key could never be used.
        write_private(self._key_file, _key_text(key))
        write_private(self.certificate, _text(certificate))

    def _make_server(self, hosts: Sequence[str], now: datetime) -> None:
        chain, key = self.issue(hosts, now)
        write_private(self.server_key, key)
        write_private(self.server_chain, chain)

    def _server_is_good(self, hosts: Sequence[str], now: datetime) -> bool:
        try:
            certificate = _read(self.server_chain)
            key = serialization.load_pem_private_key(self.server_key.read_bytes(), None)
        except (OSError, ValueError):
            return False
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            # Two files are written one after the other, and a crash may come between.
            key.public_key() == certificate.public_key()
            and certificate.issuer == _read(self.certificate).subject
            and set(names) == set(map(_host, hosts))
            and certificate.not_valid_after_utc - now > _RENEWED_BEFORE
        )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_MAY_BE_BEHIND)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")
