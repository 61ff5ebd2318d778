"""Nodes as callers of the API see them: asked for, approved, given a token, cut off."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask

from centers.api.nodes import nodes_api
from centers.settings import CentersSettings
from nodekit.join_token import JoinToken, JoinTokenError, secret_digest
from peyvand.centers.v1 import centers_pb2, nodes_pb2
from servicekit.errors import Fault
from servicekit.mapping import to_datetime
from tests.support.hub_line import until
from tests.support.joining import FINGERPRINT, NothingHeard
from tests.support.rpc import serve

if TYPE_CHECKING:
    from tests.support.joining import JoiningBench


async def _token_answer(
    hub: JoiningBench, request: nodes_pb2.CreateJoinTokenRequest
) -> nodes_pb2.JoinToken:
    return cast("nodes_pb2.JoinToken", await hub.nodes.call("CreateJoinToken", request))


async def test_a_node_is_asked_for_by_its_center_and_approved_by_the_headquarters(
    hub: JoiningBench,
) -> None:
    center = await hub.center()
    own: dict[str, Any] = {"role": "center_admin", "center_ids": [center.id]}
    request = hub.node_request(center.id, external_key=hub.key())
    node = cast("nodes_pb2.Node", await hub.nodes.call("CreateNode", request, **own))
    assert node.state == nodes_pb2.NODE_STATE_APPLIED
    assert list(node.allowed_actions) == ["withdraw"]
    fault = await hub.nodes.fault("ApproveNode", hub.step_request(node), **own)
    assert fault.reason == "PERMISSION_DENIED"
    approved = await hub.step("Approve", node)
    assert list(approved.allowed_actions) == ["withdraw", "revoke"]
    listed = nodes_pb2.ListNodeStepsRequest(node_id=node.id)
    answer = await hub.nodes.call("ListNodeSteps", listed, **own)
    steps = cast("nodes_pb2.ListNodeStepsResponse", answer).steps
    assert [(step.action, step.actor) for step in steps] == [
        ("created", "local:center_admin"),
        ("approved", "local:hq_admin"),
    ]
    again = await hub.nodes.fault("CreateNode", hub.node_request(center.id, name=" "))
    assert [(v.field, v.reason) for v in again.violations] == [("name", "REQUIRED")]
    taken = hub.node_request(center.id, external_key=request.node.external_key)
    assert (await hub.nodes.fault("CreateNode", taken)).reason == "EXTERNAL_KEY_TAKEN"


async def test_a_foreign_node_is_not_there(hub: JoiningBench) -> None:
    node = await hub.approved()
    foreign: dict[str, Any] = {
        "role": "center_admin",
        "center_ids": ["ctr_01k00000000000000000000000"],
    }
    get = nodes_pb2.GetNodeRequest(node_id=node.id)
    for name, request in (
        ("GetNode", get),
        ("GetNodeHealth", get),
        ("ListNodeSteps", nodes_pb2.ListNodeStepsRequest(node_id=node.id)),
        ("WithdrawNode", hub.step_request(node)),
        ("CreateNode", hub.node_request(node.center_id)),
    ):
        assert (await hub.nodes.fault(name, request, **foreign)).reason == "NOT_FOUND", name
    listing = await hub.nodes.call("ListNodes", nodes_pb2.ListNodesRequest(), **foreign)
    assert not cast("nodes_pb2.ListNodesResponse", listing).nodes
    own: dict[str, Any] = {"role": "center_operator", "center_ids": [node.center_id]}
    listing = await hub.nodes.call("ListNodes", nodes_pb2.ListNodesRequest(), **own)
    assert [n.id for n in cast("nodes_pb2.ListNodesResponse", listing).nodes] == [node.id]
    for role in ("partner", None):
        fault = await hub.nodes.fault("GetNode", get, role)
        assert fault.reason in {"PERMISSION_DENIED", "UNAUTHENTICATED"}


async def test_lists_are_filtered(hub: JoiningBench) -> None:
    first = await hub.applied(external_key=hub.key())
    second = await hub.approved(first.center_id)

    async def listed(**filters: Any) -> list[str]:
        request = nodes_pb2.ListNodesRequest(**filters)
        answer = await hub.nodes.call("ListNodes", request)
        return [node.id for node in cast("nodes_pb2.ListNodesResponse", answer).nodes]

    of_center = first.center_id
    assert await listed(center_id=of_center) == [first.id, second.id]
    approved = nodes_pb2.NODE_STATE_APPROVED
    assert await listed(center_id=of_center, state=approved) == [second.id]
    assert await listed(external_key=first.external_key) == [first.id]


@pytest.mark.parametrize("verb", ["Cancel", "Close"])
async def test_an_ended_center_gets_no_node(hub: JoiningBench, verb: str) -> None:
    center = await hub.center()
    for step in ["Cancel"] if verb == "Cancel" else ["Establish", "Open", "Close"]:
        request = centers_pb2.CenterStepRequest(
            center_id=center.id, etag=center.etag, reason="Over.", idempotency_key=hub.key()
        )
        center = cast("centers_pb2.Center", await hub.centers.call(f"{step}Center", request))
    fault = await hub.nodes.fault("CreateNode", hub.node_request(center.id))
    assert fault.reason == "CENTER_HAS_ENDED"
    nowhere = hub.node_request("ctr_01k00000000000000000000000")
    assert (await hub.nodes.fault("CreateNode", nowhere)).reason == "NOT_FOUND"


async def test_with_a_center_its_nodes_leave(hub: JoiningBench) -> None:
    center = await hub.center()
    request = centers_pb2.CenterStepRequest(
        center_id=center.id, etag=center.etag, idempotency_key=hub.key()
    )
    center = cast("centers_pb2.Center", await hub.centers.call("EstablishCenter", request))
    joined, key = await hub.joined((await hub.approved(center.id)).id)
    party = await hub.connected(joined, key)
    waiting = await hub.approved(center.id)
    token = await hub.token(waiting.id)
    revoked = await hub.step("Revoke", await hub.approved(center.id), "Never came.")
    request = centers_pb2.CenterStepRequest(
        center_id=center.id, etag=center.etag, reason="Not built.", idempotency_key=hub.key()
    )
    await hub.centers.call("CancelCenter", request)
    for node_id in (joined.node_id, waiting.id):
        left = await hub.node(node_id)
        assert left.state == nodes_pb2.NODE_STATE_WITHDRAWN
        assert left.state_reason == "Not built."
    assert (await hub.node(revoked.id)).etag == revoked.etag
    await until(lambda: party.disconnected == 1)
    joiner = await hub.line.joiner()
    refused = await hub.ask_to_join(joiner, token.secret)
    assert refused.refusal.reason == "JOIN_TOKEN_UNKNOWN"
    await joiner.client.close()


async def test_an_import_that_ends_a_center_lets_its_nodes_go(hub: JoiningBench) -> None:
    center = await hub.center(external_key=hub.key())
    node = await hub.approved(center.id)
    expected = centers_pb2.Expectations(report_days=20)
    given = centers_pb2.Center(
        external_key=center.external_key,
        code=center.code,
        names=center.names,
        province=center.province,
        expectations=expected,
        state=centers_pb2.CENTER_STATE_CANCELLED,
    )
    row = centers_pb2.CenterRow(center=given, reason="Not built.")
    rehearsal = centers_pb2.ImportCentersRequest(rows=[row], validate_only=True)
    await hub.centers.call("ImportCenters", rehearsal)
    assert (await hub.node(node.id)).state == nodes_pb2.NODE_STATE_APPROVED
    for _ in range(2):
        await hub.centers.call("ImportCenters", centers_pb2.ImportCentersRequest(rows=[row]))
    left = await hub.node(node.id)
    assert (left.state, left.state_reason) == (nodes_pb2.NODE_STATE_WITHDRAWN, "Not built.")
    assert (await hub.events(node.id)).count("withdrawn") == 1
    request = centers_pb2.GetCenterRequest(center_id=center.id)
    kept = cast("centers_pb2.Center", await hub.centers.call("GetCenter", request))
    assert kept.expectations == expected


async def test_a_token_is_shown_once_and_kept_nowhere(hub: JoiningBench) -> None:
    node = await hub.approved()
    request = hub.token_request(node.id)
    shown = await _token_answer(hub, request)
    token = JoinToken.decode(shown.token)
    assert (shown.node_id, shown.hub) == (node.id, "hub.example:4443")
    assert shown.authority_fingerprint == FINGERPRINT
    assert (token.hub, token.fingerprint) == ("hub.example:4443", FINGERPRINT)
    left = to_datetime(shown.expires_at) - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    again = await _token_answer(hub, request)
    assert again.token == ""
    shown.ClearField("token")
    assert again == shown
    assert (await hub.events(node.id)).count("token_issued") == 1

    # Neither the text nor the secret stands anywhere in the database.
    async with hub.database.engine.connect() as connection:
        tables = (
            await connection.execute(
                sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            )
        ).scalars()
        for table in tables.all():
            rows = sa.func.string_agg(sa.literal_column("t::text"), "|")
            whole = sa.select(rows).select_from(sa.table(table).alias("t"))
            content = (await connection.execute(whole)).scalar() or ""
            for text in (token.secret, token.secret.encode().hex(), token.encode()):
                assert text not in content, table
        kept = await connection.execute(
            sa.text("SELECT count(*) FROM join_token WHERE digest = :digest"),
            {"digest": secret_digest(token.secret)},
        )
        assert kept.scalar_one() == 1


async def test_ten_calls_with_one_key_make_one_token(hub: JoiningBench) -> None:
    node = await hub.approved()
    request = hub.token_request(node.id)

    async def ask() -> str:
        try:
            return "shown" if (await _token_answer(hub, request)).token else "kept"
        except Fault as fault:
            return fault.reason

    outcomes = Counter(await asyncio.gather(*(ask() for _ in range(10))))
    assert outcomes["shown"] == 1
    assert set(outcomes) <= {"shown", "kept", "IDEMPOTENCY_KEY_IN_USE"}


async def test_a_token_is_good_for_a_day_at_most(hub: JoiningBench) -> None:
    node = await hub.approved()
    longest = await _token_answer(hub, hub.token_request(node.id, 86400))
    left = to_datetime(longest.expires_at) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(days=1)
    fault = await hub.nodes.fault("CreateJoinToken", hub.token_request(node.id, 86401))
    assert [(v.field, v.reason) for v in fault.violations] == [("valid_seconds", "OUT_OF_RANGE")]


async def test_no_token_is_made_for_who_cannot_join(hub: JoiningBench) -> None:
    applied = await hub.applied()
    fault = await hub.nodes.fault("CreateJoinToken", hub.token_request(applied.id))
    assert (fault.reason, fault.params["state"]) == ("NODE_CANNOT_JOIN", "applied")
    joined, _ = await hub.joined()
    await hub.step("Suspend", await hub.node(joined.node_id), "Looked into.")
    fault = await hub.nodes.fault("CreateJoinToken", hub.token_request(joined.node_id))
    assert (fault.reason, fault.params["state"]) == ("NODE_CANNOT_JOIN", "suspended")


async def test_where_joining_is_not_set_up_that_is_said(hub: JoiningBench) -> None:
    node = await hub.approved()
    service = nodes_pb2.DESCRIPTOR.services_by_name["Nodes"]
    async with serve(service, nodes_api(hub.database, None, NothingHeard())) as nodes:
        fault = await nodes.fault("CreateJoinToken", hub.token_request(node.id))
    assert fault.reason == "JOINING_NOT_SET_UP"


async def test_of_two_who_cut_a_node_off_one_is_told(hub: JoiningBench) -> None:
    joined, _ = await hub.joined()
    node = await hub.node(joined.node_id)

    async def suspend() -> str:
        try:
            await hub.nodes.call("SuspendNode", hub.step_request(node, "Looked into."))
        except Fault as fault:
            return fault.reason
        return "done"

    outcomes = Counter(await asyncio.gather(*(suspend() for _ in range(10))))
    assert outcomes == {"done": 1, "STALE_ETAG": 9}
    bare = hub.step_request(await hub.node(node.id))
    fault = await hub.nodes.fault("RevokeNode", bare)
    assert [(v.field, v.reason) for v in fault.violations] == [("reason", "REASON_REQUIRED")]
    fault = await hub.nodes.fault("ApproveNode", bare)
    assert (fault.reason, fault.allowed) == ("ILLEGAL_TRANSITION", ("resume", "withdraw", "revoke"))


async def test_health_of_a_node_that_nobody_listens_to_is_unknown(hub: JoiningBench) -> None:
    node = await hub.approved()
    answer = await hub.nodes.call("GetNodeHealth", nodes_pb2.GetNodeRequest(node_id=node.id))
    health = cast("nodes_pb2.NodeHealth", answer)
    assert (health.node_id, health.center_id) == (node.id, node.center_id)
    assert {feed.liveness for feed in health.feeds} == {nodes_pb2.FEED_LIVENESS_UNKNOWN}
    assert not health.HasField("vitals")


async def test_what_is_expected_of_a_center_is_kept_and_shapes_its_node(hub: JoiningBench) -> None:
    expected = centers_pb2.Expectations(late_seconds=90, offline_seconds=1200)
    center = await hub.center(expectations=expected)
    assert center.expectations == expected
    node = await hub.approved(center.id)
    joined, _ = await hub.joined(node.id)
    assert joined.settings.heartbeat_seconds == 30
    request = centers_pb2.UpdateCenterRequest(
        center_id=center.id,
        etag=center.etag,
        center=centers_pb2.Center(
            expectations=centers_pb2.Expectations(late_seconds=300, stale_seconds=200)
        ),
        update_mask=FieldMask(paths=["expectations"]),
    )
    fault = await hub.centers.fault("UpdateCenter", request)
    assert [(v.field, v.reason) for v in fault.violations] == [
        ("expectations.stale_seconds", "OUT_OF_RANGE")
    ]


async def test_the_settings_name_the_hub_as_a_token_will(hub: JoiningBench) -> None:
    server = hub.line.server
    values = {
        "database_url": hub.line.database_url,
        "node_hub": server.hub,
        "node_ca": server.authority.certificate,
        "node_keys": server.node_keys,
        "node_credential_days": 7,
    }
    settings = CentersSettings.model_validate(values)
    address, issuing = settings.hub_address(), settings.issuing()
    assert address is not None
    assert issuing is not None
    assert (address.hub, len(address.fingerprint)) == (server.hub, 64)
    assert issuing.life == timedelta(days=7)
    assert CentersSettings.model_validate(values | {"node_hub": ""}).hub_address() is None
    nameless = CentersSettings.model_validate(values | {"node_hub": "hub without a port"})
    with pytest.raises(JoinTokenError):
        nameless.hub_address()
