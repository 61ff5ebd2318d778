"""Settings that every service reads from its environment, prefix ``PEYVAND_``.

What nobody may see in a list of processes or in the description of a container stands in
a file instead: ``PEYVAND_SECRETS`` names a folder whose files are named like the variables.
"""

import os
from pathlib import Path
from typing import Self

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from servicekit.broker_access import BrokerAccess
from servicekit.identity import KEYS_KEPT


class ServiceSettings(BaseSettings):
    """What any process of the network is told at start."""

    # What is wrong with a setting is told without the others, which hold passwords.
    model_config = SettingsConfigDict(
        env_prefix="PEYVAND_", extra="ignore", hide_input_in_errors=True
    )

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings; raises `pydantic.ValidationError` naming what is missing."""
        return cls()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment comes before the folder of secrets, whose place it names."""
        folder = os.environ.get("PEYVAND_SECRETS")
        files = (SecretsSettingsSource(settings_cls, folder),) if folder else ()
        return (init_settings, env_settings, dotenv_settings, file_secret_settings, *files)

    listen: str = Field(default="127.0.0.1:0", description="host:port that callers reach")
    metrics_listen: str = Field(
        default="127.0.0.1:0", description="host:port of /livez, /readyz and /metrics"
    )
    nats_url: str = Field(default="nats://127.0.0.1:4222", description="nats:// or tls:// broker")
    nats_credentials: Path | None = Field(
        default=None, description="credentials file; None where the URL has them or none are asked"
    )
    nats_ca: Path | None = Field(
        default=None, description="authorities that the broker's certificate may be from, PEM"
    )
    nats_tls_first: bool = Field(
        default=True, description="false for a broker that greets before TLS begins"
    )
    stream_replicas: int = Field(
        default=1, ge=1, le=5, description="servers of the broker that keep each stream"
    )
    issuer: str = Field(default="", description="issuer of the tokens that are trusted")
    audience: str = Field(default="peyvand", description="audience that tokens must name")
    jwks: str = Field(
        default="", description="key set of the issuer: path or URL; empty: discovered"
    )
    key_set_seconds: float = Field(
        default=KEYS_KEPT, gt=0, description="age at which the key set is looked at again"
    )
    roles_claim: str = Field(default="roles", description="dotted path of the claim with roles")
    otlp_endpoint: str | None = Field(default=None, description="collector for traces, gRPC")
    trace_ratio: float = Field(default=0.1, ge=0, le=1, description="share of traces recorded")
    log_level: str = Field(default="info", description="debug, info, warning or error")
    linger_seconds: float = Field(
        default=0.0,
        ge=0,
        description="time of answering on after it was told that this process goes",
    )
    drain_seconds: float = Field(default=5.0, description="time that running calls get at the end")

    @property
    def broker(self) -> BrokerAccess:
        """The broker; raises `OSError` or `BadKey` when the credentials file is unfit."""
        return BrokerAccess.from_files(
            self.nats_url, self.nats_credentials, self.nats_ca, tls_first=self.nats_tls_first
        )


class DatabaseSettings(ServiceSettings):
    """Settings of a service that owns a database."""

    database_url: str = Field(description="postgresql+asyncpg://user:password@host:port/name")
    migrate: bool = Field(
        default=False, description="bring the schema up to date before serving; else a job does"
    )
    database_pool: int = Field(default=10, ge=1, description="greatest number of connections")
