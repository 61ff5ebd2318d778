"""What every test can ask for."""

from tests.support.cluster import infra, network

__all__ = ["infra", "network"]
