"""Requests that reach a service, and what comes back."""

from typing import Any

import httpx
import orjson
from google.protobuf.timestamp_pb2 import Timestamp

from peyvand.centers.v1 import centers_pb2 as pb
from peyvand.observatory.v1 import network_pb2
from servicekit.errors import Fault, Violation
from servicekit.ids import new_id
from tests.support.gateway import FakeClients

ADMIN = {"Authorization": "Bearer hq_admin"}
ID = new_id("ctr")


def center(**values: Any) -> pb.Center:
    return pb.Center(
        id=ID,
        code="TBZ",
        province="IR-03",
        state=pb.CENTER_STATE_PLANNED,
        etag="3",
        created_at=Timestamp(seconds=1_745_569_800),
        **values,
    )


async def test_one_resource_is_read_with_every_field_and_its_version(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["GetCenter"] = center(names={"fa": "مرکز تبریز"})
    answer = await http.get(f"/v1/centers/{ID}")
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"3"'
    body = answer.json()
    assert body["names"] == {"fa": "مرکز تبریز", "en": None}
    assert body["state"] == "planned"
    assert body["created_at"] == "2025-04-25T08:30:00Z"
    assert body["position"] is None
    assert body["external_key"] is None
    assert body["citations"] == []
    assert body["sample"] is False
    assert list(body) == [field.name for field in pb.Center.DESCRIPTOR.fields]
    assert clients.calls[0][1] == pb.GetCenterRequest(center_id=ID)


async def test_an_unchanged_resource_is_not_sent_again(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["GetCenter"] = center()
    for tag in ('"3"', 'W/"3"', '"1", "3"', "*"):
        answer = await http.get(f"/v1/centers/{ID}", headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == '"3"'
    answer = await http.get(f"/v1/centers/{ID}", headers={"If-None-Match": '"2"'})
    assert answer.status_code == 200


async def test_the_picture_of_the_network_has_a_tag_that_holds_while_only_times_change(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["GetNetworkStatus"] = network_pb2.NetworkStatus(etag="abc")
    first = await http.get("/v1/network/status")
    assert (first.status_code, first.headers["etag"]) == (200, 'W/"abc"')
    for tag in ('W/"abc"', '"abc"'):
        same = await http.get("/v1/network/status", headers={"If-None-Match": tag})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == 'W/"abc"'
    clients.answers["GetNetworkStatus"] = network_pb2.NetworkStatus(etag="abd")
    other = await http.get("/v1/network/status", headers={"If-None-Match": 'W/"abc"'})
    assert (other.status_code, other.headers["etag"]) == (200, 'W/"abd"')


async def test_a_list_takes_typed_filters(http: httpx.AsyncClient, clients: FakeClients) -> None:
    clients.answers["ListCenters"] = pb.ListCentersResponse()
    answer = await http.get(
        "/v1/centers",
        params={
            "page_size": "7",
            "state": "suspended",
            "province": "IR-03",
            "updated_since": "2025-04-25T12:00:00+03:30",
        },
    )
    assert answer.json() == {"centers": [], "next_page_token": None}
    request = clients.calls[0][1]
    assert request == pb.ListCentersRequest(
        page_size=7,
        state=pb.CENTER_STATE_SUSPENDED,
        province="IR-03",
        updated_since=Timestamp(seconds=1_745_569_800),
    )


async def test_creating_says_where_the_new_resource_is(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["CreateCenter"] = center()
    body = {"code": "TBZ", "names": {"fa": "تبریز"}, "province": "IR-03", "position": None}
    headers = ADMIN | {"Idempotency-Key": "k-1"}
    answer = await http.post("/v1/centers", json=body, headers=headers)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/centers/{ID}"
    assert answer.headers["etag"] == '"3"'
    _, request, context = clients.calls[0]
    assert request == pb.CreateCenterRequest(
        center=pb.Center(code="TBZ", names={"fa": "تبریز"}, province="IR-03"),
        idempotency_key="k-1",
    )
    assert context.token == "hq_admin"


async def test_a_change_names_the_keys_that_were_sent(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["UpdateCenter"] = center()
    body = {"names": {"en": "Tabriz"}, "position": None, "sample": False}
    headers = ADMIN | {"If-Match": 'W/"3"', "Accept-Language": "fa"}
    answer = await http.patch(f"/v1/centers/{ID}", json=body, headers=headers)
    assert answer.status_code == 200
    _, request, context = clients.calls[0]
    assert set(request.update_mask.paths) == {"names", "position", "sample"}
    assert request.etag == "3"
    assert not request.center.HasField("position")
    assert request.center.names.en == "Tabriz"
    assert context.language == "fa"


async def test_a_custom_verb_is_told_from_an_id(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["SuspendCenter"] = center()
    headers = ADMIN | {"If-Match": '"3"', "Idempotency-Key": "k-2"}
    answer = await http.post(
        f"/v1/centers/{ID}:suspend",
        json={"reason": "The clean room is being rebuilt.", "effective_date": {"value": "2025-04"}},
        headers=headers,
    )
    assert answer.status_code == 200
    request = clients.calls[0][1]
    assert (request.center_id, request.etag) == (ID, "3")
    assert request.effective_date.value == "2025-04"
    assert (await http.get(f"/v1/centers/{ID}:suspend")).status_code == 405
    assert (await http.get(f"/v1/centers/{ID}:explode")).status_code == 404


async def test_a_verb_with_nothing_required_takes_no_body_at_all(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["OpenCenter"] = center()
    headers = ADMIN | {"If-Match": '"3"', "Idempotency-Key": "k-3"}
    answer = await http.post(f"/v1/centers/{ID}:open", headers=headers)
    assert answer.status_code == 200


async def test_head_answers_like_get(http: httpx.AsyncClient, clients: FakeClients) -> None:
    clients.answers["GetCenter"] = center()
    answer = await http.head(f"/v1/centers/{ID}")
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')


async def test_rules_broken_in_the_service_are_told_by_place(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["UpdateCenter"] = Fault.invalid(
        Violation("center.names.fa", "TOO_LONG", {"max": "5"}),
        Violation("center.citations[2].source", "REQUIRED"),
        Violation("center", "NAME_REQUIRED"),
        Violation("etag", "TOO_LONG", {"max": "9"}),
        Violation("center_id", "WRONG_ID_KIND", {"expected": "ctr_…"}),
    )
    headers = ADMIN | {"If-Match": '"3"'}
    answer = await http.patch(f"/v1/centers/{ID}", json={"sample": True}, headers=headers)
    assert answer.status_code == 422
    places = [
        {k: v for k, v in error.items() if k not in ("detail", "rule")}
        for error in answer.json()["errors"]
    ]
    assert places == [
        {"pointer": "/names/fa"},
        {"pointer": "/citations/2/source"},
        {"pointer": ""},
        {"header": "If-Match"},
        {"parameter": "center_id"},
    ]
    assert answer.json()["errors"][0]["detail"] == "At most 5 characters are accepted."


async def test_an_illegal_step_lists_those_that_are_legal(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["OpenCenter"] = Fault(
        "ILLEGAL_TRANSITION",
        {"action": "open", "state": "planned", "allowed": "establish, cancel"},
        allowed=["establish", "cancel"],
    )
    headers = ADMIN | {"If-Match": '"3"', "Idempotency-Key": "k-4"}
    answer = await http.post(f"/v1/centers/{ID}:open", headers=headers)
    assert answer.status_code == 409
    assert answer.json()["allowed"] == ["establish", "cancel"]
    assert answer.json()["reason"] == "ILLEGAL_TRANSITION"


async def test_probes_tell_which_service_is_missing(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    assert (await http.get("/livez")).json() == {"status": "alive"}
    assert (await http.get("/readyz")).status_code == 200
    clients.serving["centers"] = False
    answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["services"] == {"centers": False}


async def test_large_numbers_are_texts_and_times_keep_microseconds(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["ListCenterSteps"] = pb.ListCenterStepsResponse(
        steps=[{"version": 2**62, "at": Timestamp(seconds=-1, nanos=999_999_000)}]
    )
    answer = await http.get(f"/v1/centers/{ID}/steps", headers=ADMIN)
    step = orjson.loads(answer.content)["steps"][0]
    assert step["version"] == str(2**62)
    assert step["at"] == "1969-12-31T23:59:59.999999Z"
    assert step["effective_date"] is None


async def test_a_trace_that_came_in_is_named_in_the_answer(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-00"}
    clients.answers["GetCenter"] = Fault.not_found("center", ID)
    answer = await http.get(f"/v1/centers/{ID}", headers=headers)
    assert answer.headers["x-trace-id"] == trace
    assert answer.json()["trace_id"] == trace
