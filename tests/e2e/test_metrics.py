"""What rules and dashboards ask for is told by the network that runs."""

import asyncio

import pytest

from peyvandctl.cluster import Cluster
from tests.support.http import client
from tests.support.metrics import exposed, queries, recorded, selectors

# Told by Prometheus itself and by the operators of an installation; see deploy/k8s/README.md.
OF_OTHERS = {
    "up",
    "alertmanager_notifications_failed_total",
    "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
    "cnpg_collector_pg_wal_archive_status",
    "certmanager_certificate_expiration_timestamp_seconds",
    "gnatsd_healthz_status",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "kubelet_volume_stats_inodes_free",
    "kubelet_volume_stats_inodes",
}
# Given to each series by the configuration of the scrape.
SCRAPED = {"job", "service", "instance", "slo"}


@pytest.fixture(scope="module")
async def told(seeded: Cluster) -> dict[str, set[str]]:
    async with client(seeded.gateway_url) as http:
        assert (await http.get("/v1/centers")).status_code < 500
    # Relay and projector tell of themselves within seconds of their start.
    for _ in range(300):
        found = await exposed(seeded)
        if found.get("projection_delay_seconds_bucket"):
            return found
        await asyncio.sleep(0.2)
    raise AssertionError("no event was measured on its way")


async def test_every_metric_that_is_asked_for_is_told(told: dict[str, set[str]]) -> None:
    known = told.keys() | recorded() | OF_OTHERS
    missing = {
        f"{place}: {name}"
        for place, query in queries().items()
        for name, _ in selectors(query)
        if name not in known
    }
    assert missing == set()


async def test_every_label_that_is_asked_for_is_told(told: dict[str, set[str]]) -> None:
    unknown = {
        f"{place}: {name} has no {label}"
        for place, query in queries().items()
        for name, labels in selectors(query)
        # Without a sample its labels cannot be seen: no node has asked anything here.
        if told.get(name)
        for label in labels - told[name] - SCRAPED
    }
    assert unknown == set()


async def test_one_relay_leads_for_each_stream_and_one_projector(
    seeded: Cluster, told: dict[str, set[str]]
) -> None:
    assert {"outbox_leads", "projection_leads", "projection_following"} <= told.keys()
    others = ("projection_leads{", "database_reachable", "broker_connected{")
    leads: list[str] = []
    relays: list[str] = []
    missing = set(others)
    # Any of them may be away in the moment in which it is asked.
    for _ in range(300):
        leads = await _leading(seeded)
        relays = [line for line in leads if line.startswith("outbox_leads{")]
        missing = {name for name in others if not any(line.startswith(name) for line in leads)}
        if len(relays) == 4 and not missing:
            break
        await asyncio.sleep(0.2)
    assert len(relays) == len(set(relays)) == 4
    assert missing == set()


async def _leading(cluster: Cluster) -> list[str]:
    """The series of all services that are 1."""
    found: list[str] = []
    for service in cluster.services:
        async with client(cluster.metrics_url(service.name)) as http:
            page = (await http.get("/metrics")).text
            found += [line for line in page.splitlines() if line.endswith(" 1.0")]
    return found
