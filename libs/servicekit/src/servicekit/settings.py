"""Settings that every service reads from its environment, prefix ``PEYVAND_``."""

from typing import Self

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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

    listen: str = Field(default="127.0.0.1:0", description="host:port that callers reach")
    metrics_listen: str = Field(
        default="127.0.0.1:0", description="host:port of /livez, /readyz and /metrics"
    )
    nats_url: str = Field(default="nats://127.0.0.1:4222", description="broker, with credentials")
    issuer: str = Field(default="", description="issuer of the tokens that are trusted")
    audience: str = Field(default="peyvand", description="audience that tokens must name")
    jwks: str = Field(
        default="", description="key set of the issuer: path or URL; empty: discovered"
    )
    roles_claim: str = Field(default="roles", description="dotted path of the claim with roles")
    otlp_endpoint: str | None = Field(default=None, description="collector for traces, gRPC")
    trace_ratio: float = Field(default=0.1, ge=0, le=1, description="share of traces recorded")
    log_level: str = Field(default="info", description="debug, info, warning or error")
    drain_seconds: float = Field(default=5.0, description="time that running calls get at the end")


class DatabaseSettings(ServiceSettings):
    """Settings of a service that owns a database."""

    database_url: str = Field(description="postgresql+asyncpg://user:password@host:port/name")
    migrate: bool = Field(
        default=False, description="bring the schema up to date before serving; else a job does"
    )
    database_pool: int = Field(default=10, ge=1, description="greatest number of connections")
