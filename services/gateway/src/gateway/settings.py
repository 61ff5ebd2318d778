"""What the gateway is told at start."""

import os
from collections.abc import Iterable

from pydantic import Field, SecretStr

from servicekit.object_store import ObjectSettings


class GatewaySettings(ObjectSettings):
    """Settings of the gateway, from the environment, prefix ``PEYVAND_``."""

    call_timeout: float = Field(default=5.0, gt=0, description="seconds that one call may take")
    body_limit: int = Field(default=1_048_576, gt=0, description="greatest body, in bytes")
    rate_limit: int = Field(default=6000, gt=0, description="calls that a caller has in a window")
    rate_window: int = Field(default=60, gt=0, description="length of the window, in seconds")
    stream_limit: int = Field(
        default=200, gt=0, description="streams that a caller may have open at once"
    )
    import_wait: float = Field(
        default=5.0,
        ge=0,
        description="seconds that whoever sends a file waits for its check to end",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1", description="addresses whose X-Forwarded-* headers are believed"
    )
    allowed_origins: list[str] = Field(
        default_factory=list,
        description="origins of web applications elsewhere that may call, as a JSON list",
    )

    signing_key: str = Field(
        default="",
        description="path of the private JWK with which this machine signs tokens for itself",
    )

    oidc_client: str = Field(
        default="",
        description="id of the client at the issuer with which people sign in; empty: not offered",
    )
    oidc_secret: SecretStr = Field(
        default=SecretStr(""), description="secret of that client; empty for a public one"
    )
    oidc_scope: str = Field(default="openid profile", description="what is asked of the issuer")
    oidc_discovery: str = Field(
        default="",
        description="where the gateway reads the issuer's description; empty: below the issuer",
    )

    site: str = Field(
        default="https://peyvand.example", description="site of who runs this network"
    )
    organization: str = Field(
        default="Peyvand", min_length=1, description="name of who runs this network"
    )
    environment: str = Field(
        default="",
        max_length=20,
        description="prod, test, staging or dev; dev where this machine signs its own tokens",
    )
    contact: str = Field(
        default="api@peyvand.example", description="mail address for questions about the API"
    )

    @property
    def environment_name(self) -> str:
        """What this installation is for, as the registry of services names it."""
        return self.environment or ("dev" if self.signing_key else "prod")

    def targets(self, services: Iterable[str]) -> dict[str, str]:
        """Where the named services listen, ``host:port``: ``PEYVAND_<NAME>_TARGET`` for each.

        The names come from the contract, so that a new service needs no change
        here. One without a target is answered for with ``UNAVAILABLE``.
        """
        found = {name: os.environ.get(f"PEYVAND_{name.upper()}_TARGET", "") for name in services}
        return {name: target for name, target in found.items() if target}
