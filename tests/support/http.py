"""Clients of a network that wait for its answers as long as a busy machine needs."""

import httpx

from peyvandctl.cluster import Cluster

PATIENCE_SECONDS = 60.0


def client(url: str, token: str = "") -> httpx.AsyncClient:
    """A client of an address; with a token, as its bearer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_SECONDS)


def headquarters(cluster: Cluster, role: str = "hq_admin") -> httpx.AsyncClient:
    """A client of a network for somebody at the headquarters."""
    return client(cluster.gateway_url, cluster.token(role))
