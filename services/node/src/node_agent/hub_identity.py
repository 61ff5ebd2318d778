"""Finds out whether who answers at the hub's address is the hub, before anything is said.

The certificate of the hub's authority comes with the handshake. Its fingerprint came by
another way, in the token. When both agree, that certificate alone is trusted from then on.
"""

import hashlib
import socket
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from node_agent.findings import halt

_SECONDS = 10.0

Certificates = Callable[[str, int], tuple[list[x509.Certificate], str]]
"""Gives what who answers at a host and port shows, and the version of TLS; or `Halted`."""


@dataclass(frozen=True)
class Shown:
    """What the other end has shown: its authority in PEM, and the version of TLS."""

    authority: str
    tls_version: str


def reach(host: str, port: int, seconds: float = _SECONDS) -> socket.socket:
    """Open a connection. Raises `Halted`."""
    try:
        return socket.create_connection((host, port), timeout=seconds)
    except socket.gaierror as error:
        raise halt(
            "reachability",
            f"The name {host} is not known here: {error}",
            "Look at the name servers of this machine (/etc/resolv.conf), or ask for a token"
            " with an address that is known here.",
        ) from None
    except OSError as error:
        raise halt(
            "reachability",
            f"{host} port {port} is out of reach: {error}",
            f"Let this machine open TCP connections to {host} port {port}; it is the only port"
            " that is needed. Ask the headquarters whether the hub runs.",
        ) from None


def shown_certificates(host: str, port: int) -> tuple[list[x509.Certificate], str]:
    """Have the certificates shown. Nothing is sent but the handshake. Raises `Halted`."""
    raw = reach(host, port)
    try:
        return _handshake(raw, host, _SECONDS)
    except (SSL.Error, OSError) as error:
        raise halt(
            "tls",
            f"No TLS connection with {host} port {port}: {error or type(error).__name__}",
            "Something between this machine and the hub answers in its place, or another"
            " program listens there. Ask your network's people to let TLS through untouched.",
        ) from None
    finally:
        raw.close()


def shown_by(
    host: str, port: int, fingerprint: str, certificates: Certificates = shown_certificates
) -> Shown:
    """Look at the certificates and find the authority. Raises `Halted`."""
    chain, version = certificates(host, port)
    seen = [hashlib.sha256(item.public_bytes(Encoding.DER)).hexdigest() for item in chain]
    if fingerprint not in seen:
        last = seen[-1] if seen else "none"
        raise halt(
            "fingerprint",
            f"Who answers at {host} port {port} is not the hub of this token: its authority is"
            f" {last}, the token names {fingerprint}. Nothing was sent.",
            "Compare the fingerprint with the headquarters by telephone. If theirs is the"
            " token's, someone stands in between: do not go on. If not, ask for a new token.",
        )
    found = chain[seen.index(fingerprint)]
    return Shown(found.public_bytes(Encoding.PEM).decode(), version)


def _handshake(raw: socket.socket, host: str, seconds: float) -> tuple[list[x509.Certificate], str]:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_timeout(int(seconds))
    # Whom to trust is what is being found out; nothing but the handshake goes out here.
    context.set_verify(SSL.VERIFY_NONE, lambda *_: True)
    raw.settimeout(seconds)
    raw.setblocking(True)
    _set_deadline(raw, seconds)
    connection = SSL.Connection(context, raw)
    if not _is_address(host):
        connection.set_tlsext_host_name(host.encode("idna"))
    connection.set_connect_state()
    connection.do_handshake()
    chain = connection.get_peer_cert_chain(as_cryptography=True) or []
    return list(chain), connection.get_protocol_version_name()


def _set_deadline(raw: socket.socket, seconds: float) -> None:
    # pyOpenSSL wants a blocking socket; the system then keeps the deadline.
    whole = int(seconds).to_bytes(8, "little") + bytes(8)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, whole)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, whole)


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False
