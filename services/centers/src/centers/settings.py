"""What this service is told at start, besides what every service is told."""

import hashlib
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import Field

from centers.use_cases.joining import Issuing
from centers.use_cases.nodes import HubAddress
from nodekit.accounts import NodeSigner
from nodekit.join_token import JoinToken, new_secret
from servicekit.settings import DatabaseSettings


class CentersSettings(DatabaseSettings):
    """Settings of the centers service. Without those of nodes, no node can join."""

    node_hub: str = Field(default="", description="host:port at which nodes reach the broker")
    node_ca: Path | None = Field(
        default=None, description="certificate of the authority that nodes know the hub by, PEM"
    )
    node_keys: Path | None = Field(
        default=None, description="file with the key that signs the credentials of nodes"
    )
    node_credential_days: int = Field(
        default=90, ge=1, le=365, description="how long credentials of a node are good"
    )

    def hub_address(self) -> HubAddress | None:
        """Where nodes reach the hub; `None` if that is not set.

        Raises `OSError` or `ValueError` when the certificate cannot be read.
        """
        if not self.node_hub or self.node_ca is None or self.node_keys is None:
            return None
        certificate = x509.load_pem_x509_certificate(self.node_ca.read_bytes())
        der = certificate.public_bytes(Encoding.DER)
        fingerprint = hashlib.sha256(der).hexdigest()
        # What cannot stand in a token is told at start, not to who asks for one.
        JoinToken(self.node_hub, fingerprint, new_secret())
        return HubAddress(self.node_hub, fingerprint)

    def issuing(self) -> Issuing | None:
        """How credentials of nodes are made; `None` if that is not set.

        Raises `OSError` or `ValueError` when the key cannot be read.
        """
        if self.node_keys is None:
            return None
        signer = NodeSigner.from_text(self.node_keys.read_text(encoding="utf-8"))
        return Issuing(signer, timedelta(days=self.node_credential_days))
