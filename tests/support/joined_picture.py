"""The same network after centers have joined: nodes, capacity, alerts, and 90 days."""

from datetime import datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from peyvand.centers.v1 import nodes_pb2, reports_pb2
from peyvand.observatory.v1 import alerts_pb2, network_pb2
from tests.support.gateway import FakeClients
from tests.support.network_picture import observe, stamp, text

GIB = 1024**3


def availability(now: datetime, center_id: str) -> alerts_pb2.Availability:
    """80 days without data, a week online, a bad day, and today so far."""
    made = alerts_pb2.Availability(center_id=center_id, as_of=stamp(now))
    for age in reversed(range(90)):
        day = made.days.add(date=(now - timedelta(days=age)).date().isoformat())
        if age > 8:
            day.unknown_seconds = 86_400
            day.worst = network_pb2.LIVENESS_UNKNOWN
        elif age == 8:
            day.unknown_seconds, day.online_seconds = 80_000, 6_400
            day.worst = network_pb2.LIVENESS_ONLINE
        elif age == 3:
            day.online_seconds, day.late_seconds, day.offline_seconds = 80_000, 400, 6_000
            day.worst = network_pb2.LIVENESS_OFFLINE
        elif age == 2:
            day.online_seconds, day.late_seconds = 86_310, 90
            day.worst = network_pb2.LIVENESS_LATE
        elif age == 1:
            # A blink, which is no mark of a whole day.
            day.online_seconds, day.late_seconds = 86_360, 40
            day.worst = network_pb2.LIVENESS_ONLINE
        else:
            day.online_seconds = 86_400 if age else 30_000
            day.worst = network_pb2.LIVENESS_ONLINE
    return made


def join(clients: FakeClients, now: datetime) -> None:
    """Make the stand-in answer as the services would, once nodes have joined."""
    observe(clients, now)
    status: Any = clients.answers["GetNetworkStatus"]
    razavi, shiraz = status.centers[1], status.centers[2]
    vitals = nodes_pb2.NodeVitals(
        software_version="0.1.0", clock_ahead_ms=-200, queued_reports=0, disk_free_bytes=41 * GIB
    )
    _node(razavi, "nod_1", "Server room", network_pb2.LIVENESS_ONLINE, vitals)
    bad = nodes_pb2.NodeVitals(
        software_version="0.1.0",
        clock_ahead_ms=95_000,
        queued_reports=1250,
        oldest_queued_seconds=7300,
        disk_free_bytes=GIB // 2,
    )
    _node(shiraz, "nod_2", "اتاق سرور", network_pb2.LIVENESS_OFFLINE, bad)
    shiraz.open_alerts = 1
    razavi.capacity.CopyFrom(
        reports_pb2.CapacitySnapshot(
            id="cap_1",
            observed_at=stamp(now - timedelta(minutes=20)),
            items=[
                reports_pb2.CapacityItem(
                    kind=reports_pb2.CAPABILITY_KIND_GMP_SUITE, total=4, used=3
                ),
                reports_pb2.CapacityItem(
                    kind=reports_pb2.CAPABILITY_KIND_CRYOSTORAGE, total=1200, used=310.5
                ),
            ],
        )
    )
    razavi.feeds.add(feed="capacity", liveness=network_pb2.LIVENESS_LATE)
    nodes = nodes_pb2.ListNodesResponse()
    for number, center, state, actions in (
        (1, razavi, nodes_pb2.NODE_STATE_ACTIVE, ("suspend", "withdraw", "revoke")),
        (2, shiraz, nodes_pb2.NODE_STATE_ACTIVE, ("suspend", "withdraw", "revoke")),
        (3, status.centers[0], nodes_pb2.NODE_STATE_APPLIED, ("approve", "withdraw")),
        (4, status.centers[3], nodes_pb2.NODE_STATE_APPROVED, ("withdraw",)),
        (5, status.centers[3], nodes_pb2.NODE_STATE_REVOKED, ()),
    ):
        node = nodes.nodes.add(
            id=f"nod_{number}",
            center_id=center.center_id,
            name=f"Node {number}",
            state=state,
            etag=f"v{number}",
            allowed_actions=actions,
        )
        if state == nodes_pb2.NODE_STATE_ACTIVE:
            node.software_version = "0.1.0"
            left = timedelta(days=29 if number == 1 else 3)
            node.credentials_expire_at.CopyFrom(stamp(now + left))
    alerts = alerts_pb2.ListAlertsResponse()
    alerts.alerts.add(
        id="alr_1",
        kind=alerts_pb2.ALERT_KIND_NODE_SILENT,
        state=alerts_pb2.ALERT_STATE_OPEN,
        center_id=shiraz.center_id,
        node_id="nod_2",
        summary=text("گره شیراز خاموش است", "The node of Shiraz is silent"),
        opened_at=stamp(now - timedelta(minutes=11)),
        occurrences=3,
        allowed_actions=["acknowledge"],
    )
    clients.answers |= {
        "ListNodes": nodes,
        "ListAlerts": alerts,
        "GetAvailability": availability(now, razavi.center_id),
    }


def _node(
    center: Any,
    node_id: str,
    name: str,
    liveness: network_pb2.Liveness,
    vitals: nodes_pb2.NodeVitals,
) -> None:
    since = Timestamp(seconds=center.state_since.seconds)
    center.liveness = liveness
    center.liveness_since.CopyFrom(since)
    center.nodes.add(
        node_id=node_id,
        name=name,
        state=nodes_pb2.NODE_STATE_ACTIVE,
        liveness=liveness,
        since=since,
        last_received_at=since,
        vitals=vitals,
        software_version="0.1.0",
    )
