"""Where the broker is, and what a client shows it."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from nodekit.keys import UserCredentials


@dataclass(frozen=True)
class BrokerAccess:
    """What it takes to connect.

    Attributes:
        url: `tls://host:port`, or `nats://[user:password@]host:port` without TLS.
        credentials: a JWT and its key; None where the URL holds a password, or where the
            broker asks for nothing.
        ca: PEM file of the authorities that the broker's certificate may be from; those of
            the system when None. It makes the connection one of TLS.
        tls_first: whether TLS begins with the first byte, as Peyvand's own broker wants.
    """

    url: str
    credentials: UserCredentials | None = field(default=None, repr=False)
    ca: Path | None = None
    tls_first: bool = True

    @classmethod
    def from_files(
        cls, url: str, credentials: Path | None, ca: Path | None, *, tls_first: bool = True
    ) -> Self:
        """Read the credentials file.

        Raises:
            OSError: it cannot be read.
            BadKey: it is no credentials file.
        """
        known = credentials and UserCredentials.from_text(credentials.read_text(encoding="ascii"))
        return cls(url, known or None, ca, tls_first)

    def options(self) -> dict[str, Any]:
        """Return the arguments for `nats.connect`."""
        options: dict[str, Any] = {"servers": [self.url]}
        if self.ca is not None or self.url.startswith("tls://"):
            options["tls"] = ssl.create_default_context(cafile=self.ca)
            options["tls_handshake_first"] = self.tls_first
        if self.credentials is not None:
            options |= self.credentials.callbacks()
        return options
