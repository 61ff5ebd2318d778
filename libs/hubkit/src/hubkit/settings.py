"""What the setup of an installation is told, by its environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from hubkit.installation import Addresses


class SetupSettings(BaseSettings):
    """What the setup is told."""

    model_config = SettingsConfigDict(env_prefix="PEYVAND_", extra="ignore")

    setup_home: Path = Field(default=Path("/var/lib/peyvand/setup"))
    setup_folders: Path = Field(default=Path("/var/lib/peyvand/for"))
    broker_hosts: str = Field(default="broker")
    broker_port: int = Field(default=4222)
    leaves_port: int = Field(default=0)
    postgres: str = Field(default="postgres:5432")
    issuer: str = Field(default="")
    audience: str = Field(default="peyvand")
    database_urls: dict[str, str] = Field(default_factory=dict[str, str])

    @property
    def addresses(self) -> Addresses:
        """What the installation is reached by; the machine itself is always a name of it."""
        named = (host.strip() for host in self.broker_hosts.split(","))
        hosts = dict.fromkeys([*filter(None, named), "localhost", "127.0.0.1", "::1"])
        return Addresses([*hosts], self.broker_port, self.postgres, self.leaves_port)
