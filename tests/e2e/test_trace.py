"""One request is one trace, from the edge to what the headquarters sees."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from peyvandctl.cluster import Cluster
from tests.support.cluster import PATIENT, fresh_home, remove_abandoned_homes
from tests.support.collector import CollectedSpan, TraceCollector
from tests.support.http import headquarters

CLIENT_SPAN = "00f067aa0ba902b7"
CENTER = {"code": "TBZ", "names": {"en": "Tabriz"}, "province": "IR-03"}
CREATED = "peyvand.centers.v1.center.created"
CREATE = "peyvand.centers.v1.Centers/CreateCenter"


@dataclass(frozen=True)
class Traced:
    """A network that exports all its traces to a collector of the test."""

    cluster: Cluster
    collector: TraceCollector

    async def post(self, trace_id: str, *, sampled: bool = True, **body: Any) -> httpx.Response:
        """Create a center as a client that traces its own work."""
        headers = {
            "Idempotency-Key": trace_id,
            "traceparent": f"00-{trace_id}-{CLIENT_SPAN}-{int(sampled):02x}",
        }
        async with headquarters(self.cluster) as http:
            return await http.post("/v1/centers", json=CENTER | body, headers=headers)

    async def event_of(self, id: str) -> Any:
        """The first event of a resource, once it is on the timeline."""
        async with headquarters(self.cluster) as http:
            for _ in range(600):
                page = await http.get("/v1/events", params={"subject": id})
                if events := page.json()["events"]:
                    return events[0]
                await asyncio.sleep(0.1)
        raise AssertionError(f"nothing of {id} is on the timeline")

    async def answers(self) -> None:
        """Return once centers are read again."""
        async with headquarters(self.cluster) as http:
            for _ in range(600):
                if (await http.get("/v1/centers")).status_code == 200:
                    return
                await asyncio.sleep(0.1)
        raise AssertionError("centers are not read again")

    def logs(self, service: str) -> list[dict[str, Any]]:
        lines = self.cluster.process(service).log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture(scope="module")
async def traced() -> AsyncGenerator[Traced]:
    await remove_abandoned_homes()
    async with TraceCollector() as collector:
        settings = {"PEYVAND_OTLP_ENDPOINT": collector.endpoint, "PEYVAND_TRACE_RATIO": "1"}
        services = ["centers", "projects", "observatory", "gateway"]
        with fresh_home() as home:
            async with Cluster(
                home.root, services=services, port=0, env=settings | PATIENT
            ) as cluster:
                yield Traced(cluster, collector)


async def test_a_write_is_one_trace_from_the_request_to_the_projection(traced: Traced) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await traced.post(trace_id)
    assert answer.status_code == 201
    assert answer.headers["X-Trace-Id"] == trace_id
    wanted = {
        "request": ("gateway", "server", "POST /v1/centers"),
        "call": ("centers", "server", CREATE),
        "transaction": ("centers", "client", "database transaction"),
        "publish": ("centers", "producer", f"publish {CREATED}"),
        "projection": ("observatory", "consumer", f"picture {CREATED}"),
        "effect": ("projects", "consumer", f"projects-centers {CREATED}"),
    }

    def complete(spans: list[CollectedSpan]) -> bool:
        return {_place(span) for span in spans} >= set(wanted.values())

    spans = await traced.collector.wait_for(trace_id, complete)
    assert sorted(_place(span) for span in spans) == sorted(wanted.values())
    found = {_place(span): span for span in spans}
    by_role = {role: found[place] for role, place in wanted.items()}
    assert {role: span.parent_id for role, span in by_role.items()} == {
        "request": CLIENT_SPAN,
        "call": by_role["request"].span_id,
        "transaction": by_role["call"].span_id,
        # What is made of the event hangs on the transaction that recorded it.
        "publish": by_role["transaction"].span_id,
        "projection": by_role["transaction"].span_id,
        "effect": by_role["transaction"].span_id,
    }
    assert by_role["request"].end >= by_role["call"].end >= by_role["transaction"].end
    assert by_role["publish"].start >= by_role["transaction"].start
    assert by_role["projection"].start >= by_role["publish"].start


async def test_the_event_carries_the_trace_of_its_transaction(traced: Traced) -> None:
    trace_id = "5bf92f3577b34da6a3ce929d0e0e4736"
    answer = await traced.post(trace_id, code="SHZ")

    spans = await traced.collector.wait_for(
        trace_id, lambda spans: "database transaction" in {span.name for span in spans}
    )
    (transaction,) = (span for span in spans if span.name == "database transaction")
    event = await traced.event_of(answer.json()["id"])
    assert event["traceparent"] == f"00-{trace_id}-{transaction.span_id}-01"


async def test_what_the_client_does_not_record_is_not_recorded_here(traced: Traced) -> None:
    unrecorded, recorded = "6bf92f3577b34da6a3ce929d0e0e4736", "7bf92f3577b34da6a3ce929d0e0e4736"
    answer = await traced.post(unrecorded, sampled=False, code="KRM")
    assert answer.status_code == 201
    assert answer.headers["X-Trace-Id"] == unrecorded
    # Spans are exported in order, so those of an earlier request would be there by now.
    await traced.post(recorded, code="RSH")
    services = {"gateway", "centers", "observatory", "projects"}
    await traced.collector.wait_for(
        recorded, lambda spans: {span.service for span in spans} == services
    )
    assert {span.service for span in traced.collector.trace(recorded)} == services
    assert traced.collector.trace(unrecorded) == []


async def test_a_problem_names_its_trace(traced: Traced) -> None:
    trace_id = "8bf92f3577b34da6a3ce929d0e0e4736"
    answer = await traced.post(trace_id, code="ISF", province="IR-31")
    assert answer.status_code == 422
    assert answer.headers["X-Trace-Id"] == trace_id
    assert answer.json()["trace_id"] == trace_id


async def test_logs_name_the_trace_that_they_belong_to(traced: Traced) -> None:
    postgres = traced.cluster.process("postgres")
    lines: list[dict[str, Any]] = []
    # A gateway that was told first of the loss refuses the call itself; then once more.
    for attempt in range(10):
        trace_id = f"{attempt}bf92f3577b34da6a3ce929d0e0e4736"
        await traced.answers()
        await postgres.kill()
        try:
            answer = await traced.post(trace_id, code="MHD")
        finally:
            await postgres.start()
        assert answer.status_code == 503
        assert answer.json()["trace_id"] == trace_id
        # A call with an idempotency key is made once more when nobody could answer it.
        lines = [line for line in traced.logs("centers") if line.get("trace_id") == trace_id]
        if lines:
            break
    assert {line["event"] for line in lines} == {"dependency out of reach"}
    assert {line["service"] for line in lines} == {"centers"}


def _place(span: CollectedSpan) -> tuple[str, str, str]:
    return span.service, span.kind, span.name
