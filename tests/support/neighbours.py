"""Events of neighbours, as a service that keeps copies of them gets to hear of them."""

from datetime import UTC, datetime

from google.protobuf.message import Message

from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2
from servicekit.broker import Broker
from servicekit.delivery import Delivery
from servicekit.ids import uuid7


def heard(kind: str, id: str, version: int, event: Message) -> Delivery:
    """An event of a neighbour as it is delivered."""
    service = "centers" if kind == "center" else "partners"
    return Delivery(
        event_id=uuid7(),
        type=f"peyvand.{service}.v1.{kind}.updated",
        subject=f"evt.{service}.{kind}.updated.{id}",
        aggregate_id=id,
        aggregate_version=version,
        time=datetime.now(UTC),
        payload=event.SerializeToString(),
        headers={},
        stream=f"EVT_{service.upper()}",
        stream_seq=version,
    )


def center_event(
    id: str, state: "centers_pb2.CenterState" = centers_pb2.CENTER_STATE_OPERATIONAL, key: str = ""
) -> centers_pb2.CenterEvent:
    """What the centers service announces of a center."""
    center = centers_pb2.Center(
        id=id,
        external_key=key,
        code="TBZ",
        province="IR-03",
        names=types_pb2.LocalizedText(en="Tabriz"),
        state=state,
    )
    return centers_pb2.CenterEvent(center=center)


async def publish(broker: Broker, kind: str, id: str, version: int, event: Message) -> None:
    delivery = heard(kind, id, version, event)
    await broker.jetstream.publish(
        delivery.subject,
        delivery.payload,
        headers={
            "ce-id": str(uuid7()),
            "ce-type": delivery.type,
            "ce-time": datetime.now(UTC).isoformat(),
            "ce-partitionkey": id,
            "ce-sequence": str(version),
        },
    )
