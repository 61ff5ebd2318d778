"""The dossier of a project over gRPC: whole, sealed, in one snapshot, and for whom it is."""

import asyncio
import contextlib
import copy
import hashlib
import json
from collections.abc import AsyncGenerator, Iterator
from typing import Any, cast

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.codec import to_json
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import (
    awards_pb2,
    decisions_pb2,
    dossier_pb2,
    outputs_pb2,
    panel_pb2,
    readiness_pb2,
    waivers_pb2,
)
from peyvandctl import dossier_check
from projects.api.awards import awards_api
from projects.api.dossier import dossiers_api
from projects.api.outputs import outputs_api
from projects.domain import dossier as domain
from projects.use_cases import dossier as use_cases
from servicekit.json_form import to_plain
from tests.integration.projects.conftest import ProjectsBench, condition, project
from tests.support.rpc import RpcBench, serve

Json = dict[str, Any]

GO = decisions_pb2.DECISION_KIND_GO
CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO
RECYCLE = decisions_pb2.DECISION_KIND_RECYCLE


@pytest.fixture
async def dossiers(bench: ProjectsBench) -> AsyncGenerator[RpcBench]:
    service = dossier_pb2.DESCRIPTOR.services_by_name["Dossiers"]
    async with serve(service, dossiers_api(bench.database)) as rpc:
        yield rpc


async def ask(rpc: RpcBench, project_id: str, **who: Any) -> dossier_pb2.ProjectDossier:
    request = dossier_pb2.GetProjectDossierRequest(project_id=project_id)
    return cast("dossier_pb2.ProjectDossier", await rpc.call("GetProjectDossier", request, **who))


def as_given(answer: dossier_pb2.ProjectDossier) -> Json:
    """The dossier as a caller of the public API has it."""
    return dossier_check.read(to_json(answer))


async def lived(bench: ProjectsBench, readiness: RpcBench) -> str:
    """A project that has one of everything; gives its id."""
    lead, other = await bench.center(), await bench.center()
    participant = {"center_id": other, "role": types_pb2.LocalizedText(en="Cells")}
    made = await bench.create(project(lead, participants=[participant]))
    leave = waivers_pb2.Waiver(
        project_id=made.id,
        criterion="unmet-need",
        reason="It is known.",
        expiry_date="2099-01-01",
    )
    request = waivers_pb2.CreateWaiverRequest(waiver=leave, idempotency_key=bench.key())
    waiver: Any = await bench.criteria.call("CreateWaiver", request, subject="kian")
    grant = waivers_pb2.WaiverStepRequest(
        waiver_id=waiver.id, etag=waiver.etag, idempotency_key=bench.key()
    )
    await bench.criteria.call("GrantWaiver", grant, subject="mina")
    made = await bench.decide(made, CONDITIONAL_GO, conditions=[condition()])
    await bench.decide(made, RECYCLE, to_stage=1)
    gate = await bench.open_gate(made.id, "dana", "mina")
    await bench.declare(gate.id, "mina", panel_pb2.CONFLICT_FINANCIAL, "Shares <b>#x</b>.")
    claim = readiness_pb2.ReadinessClaim(
        project_id=made.id,
        dimension=readiness_pb2.READINESS_DIMENSION_TEAM,
        level=1,
        statement=types_pb2.LocalizedText(en="Two biologists and a physician."),
    )
    await readiness.call(
        "CreateReadinessClaim",
        readiness_pb2.CreateReadinessClaimRequest(
            readiness_claim=claim, idempotency_key=bench.key()
        ),
    )
    async with contextlib.AsyncExitStack() as served:
        outputs = await served.enter_async_context(
            serve(
                outputs_pb2.DESCRIPTOR.services_by_name["Outputs"],
                outputs_api(bench.database),
            )
        )
        awards = await served.enter_async_context(
            serve(awards_pb2.DESCRIPTOR.services_by_name["Awards"], awards_api(bench.database))
        )
        output = outputs_pb2.Output(
            project_id=made.id,
            titles=types_pb2.LocalizedText(en="On cartilage"),
            publication=outputs_pb2.Publication(doi="10.1016/j.cell.2006.07.024"),
        )
        await outputs.call(
            "CreateOutput",
            outputs_pb2.CreateOutputRequest(output=output, idempotency_key=bench.key()),
        )
        money = awards_pb2.Money(amount="1000", currency="IRR")
        award = awards_pb2.Award(
            project_id=made.id,
            titles=types_pb2.LocalizedText(en="Start"),
            funder=awards_pb2.Funder(names=types_pb2.LocalizedText(en="Fund")),
            amount=money,
            milestones=[
                awards_pb2.Milestone(code="m1", text=types_pb2.LocalizedText(en="Three runs"))
            ],
            tranches=[awards_pb2.Tranche(code="t1", amount=money, milestone_code="m1")],
        )
        await awards.call(
            "CreateAward",
            awards_pb2.CreateAwardRequest(award=award, idempotency_key=bench.key()),
        )
    return made.id


@pytest.fixture
async def whole(bench: ProjectsBench, readiness: RpcBench, dossiers: RpcBench) -> Json:
    """The dossier of a project that has one of everything."""
    return as_given(await ask(dossiers, await lived(bench, readiness)))


async def test_a_dossier_holds_the_whole_history_and_vouches_for_it(
    bench: ProjectsBench, whole: Json
) -> None:
    assert dossier_check.check(whole) == []
    names = {part["name"]: part["count"] for part in whole["manifest"]["parts"]}
    assert set(names) == set(whole) - {"manifest"}
    assert all(names.values()), "the project has one of everything"
    assert [item["kind"] for item in whole["decisions"]] == ["conditional_go", "recycle"]
    assert whole["manifest"]["chain_head"] == whole["decisions"][-1]["record_hash"]
    assert whole["manifest"]["template_version"] == whole["project"]["template_version"]
    assert [item["action"] for item in whole["steps"]][:2] == ["created", "gate_opened"]
    for item in whole["evidence"]:
        assert [step["action"] for step in item["steps"]] == ["created", "verified"]
        assert [step["actor"] for step in item["steps"]] == ["kian", "verifier"]
    assert whole["waivers"][0]["steps"][1]["actor"] == "mina"
    assert whole["gates"][2]["gate"]["declarations"][0]["note"] == "Shares <b>#x</b>."
    centers = {whole["project"]["lead_center_id"], whole["project"]["participants"][0]["center_id"]}
    assert {item["id"] for item in whole["names"]} == centers
    stages = {item["stage"] for item in whole["criteria"]}
    assert stages == {f"s{number}" for number in range(8)}
    # The last change is the newest thing that it tells.
    told = [step["at"] for _, step in _steps(whole)]
    assert whole["manifest"]["as_of"] >= max(told)


async def test_the_same_history_is_the_same_dossier_whoever_asks(
    bench: ProjectsBench, readiness: RpcBench, dossiers: RpcBench
) -> None:
    id = await lived(bench, readiness)
    first = to_json(await ask(dossiers, id))
    lead = json.loads(first)["project"]["lead_center_id"]
    again = to_json(await ask(dossiers, id, role="center_operator", center_ids=[lead]))
    assert first == again
    assert json.loads(first)["project"]["allowed_actions"] == []
    await bench.evidence(id, "disclosure")
    changed = to_json(await ask(dossiers, id))
    hashes = [json.loads(text)["manifest"]["sha256"] for text in (first, changed)]
    assert len(set(hashes)) == 2


async def test_who_does_not_see_the_project_does_not_see_its_dossier(
    bench: ProjectsBench, dossiers: RpcBench
) -> None:
    made = await bench.create(project(await bench.center()))
    request = dossier_pb2.GetProjectDossierRequest(project_id=made.id)
    elsewhere = await bench.center()
    fault = await dossiers.fault(
        "GetProjectDossier", request, "center_admin", center_ids=[elsewhere]
    )
    assert fault.reason == "NOT_FOUND"
    assert (
        await dossiers.fault("GetProjectDossier", request, "partner")
    ).reason == "PERMISSION_DENIED"
    assert (await dossiers.fault("GetProjectDossier", request, None)).reason == "UNAUTHENTICATED"


async def test_a_panel_from_elsewhere_is_told_what_was_withheld(
    bench: ProjectsBench, readiness: RpcBench, dossiers: RpcBench
) -> None:
    id, elsewhere = await lived(bench, readiness), await bench.center()
    await bench.declare((await bench.get(id)).open_gate_id, "dana")
    found = as_given(
        await ask(dossiers, id, role="center_operator", subject="dana", center_ids=[elsewhere])
    )
    assert dossier_check.check(found) == []
    assert found["manifest"]["withheld"] == [
        "awards",
        "conditions",
        "evidence",
        "outputs",
        "readiness",
        "readiness_claims",
        "waivers",
    ]
    assert all(not found[name] for name in found["manifest"]["withheld"])
    # Of the three gates the one that she reviews now, while it is open.
    (gate,) = found["gates"]
    assert gate["gate"]["state"] == "open"
    assert len(found["decisions"]) == 2
    # What was withheld cannot be put in by somebody else.
    found["waivers"] = [{"waiver": {"id": "wvr_1", "project_id": id}, "steps": []}]
    assert [str(item) for item in dossier_check.check(found)] == [
        "waivers: it is there although it was withheld"
    ]


async def test_a_history_that_is_too_long_is_refused(
    bench: ProjectsBench,
    readiness: RpcBench,
    dossiers: RpcBench,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    id = await lived(bench, readiness)
    request = dossier_pb2.GetProjectDossierRequest(project_id=id)
    size = (await ask(dossiers, id)).ByteSize()
    monkeypatch.setattr(use_cases, "MAX_ITEMS", 20)
    fault = await dossiers.fault("GetProjectDossier", request)
    assert (fault.reason, fault.params) == ("DOSSIER_TOO_LARGE", {"items": "20", "mebibytes": "24"})
    monkeypatch.undo()
    monkeypatch.setattr(use_cases, "MAX_BYTES", size // 2)
    assert (await dossiers.fault("GetProjectDossier", request)).reason == "DOSSIER_TOO_LARGE"


async def test_it_is_read_in_pages_that_lose_nothing(
    bench: ProjectsBench,
    readiness: RpcBench,
    dossiers: RpcBench,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    id = await lived(bench, readiness)
    at_once = to_json(await ask(dossiers, id))
    for size in (1, 2, 3):
        monkeypatch.setattr("projects.repository.dossier._PAGE", size)
        assert to_json(await ask(dossiers, id)) == at_once


async def test_it_is_one_snapshot(
    bench: ProjectsBench,
    readiness: RpcBench,
    dossiers: RpcBench,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Evidence that comes while the dossier is read is not half in it."""
    id = await lived(bench, readiness)
    reached, go_on = asyncio.Event(), asyncio.Event()
    read = use_cases._put_project

    async def waiting(*arguments: Any) -> None:
        await read(*arguments)
        reached.set()
        await go_on.wait()

    before = to_json(await ask(dossiers, id))
    monkeypatch.setattr(use_cases, "_put_project", waiting)
    asked = asyncio.create_task(ask(dossiers, id))
    await reached.wait()
    await bench.verified(id, "disclosure")
    go_on.set()
    assert to_json(await asked) == before
    monkeypatch.undo()
    assert to_json(await ask(dossiers, id)) != before


async def test_what_the_public_api_gives_is_what_was_sealed(whole: Json) -> None:
    """The service seals its own form of the JSON; the gateway writes it by another way."""
    parts = {part["name"]: part["sha256"] for part in whole["manifest"]["parts"]}
    given = {name: value for name, value in whole.items() if name != "manifest"}
    assert {part.name: part.sha256 for part in domain.parts_of(given)} == parts


def test_nothing_in_a_dossier_is_written_in_more_than_one_way() -> None:
    """Whole numbers alone: RFC 8785 and this canonical form then agree."""
    seen: set[str] = set()
    waiting = [dossier_pb2.ProjectDossier.DESCRIPTOR]
    while waiting:
        message = waiting.pop()
        if message.full_name in seen or message.full_name.startswith("google."):
            continue
        seen.add(message.full_name)
        for field in message.fields:
            assert field.type not in (field.TYPE_DOUBLE, field.TYPE_FLOAT, field.TYPE_BYTES)
            assert field.name.isascii()
            if field.message_type is not None:
                waiting.append(field.message_type)
    assert len(seen) > 40
    assert domain.canonical({"b": '\u20ac\n"\\\x1f', "a": [1, True, None]}) == (
        b'{"a":[1,true,null],"b":"\xe2\x82\xac\\n\\"\\\\\\u001f"}'
    )


async def test_no_single_value_can_be_changed_unseen(whole: Json) -> None:
    """Every value of the document, one after another."""
    changed = 0
    for path, value in _leaves(whole):
        for other in _others(value):
            damaged = copy.copy(whole)
            _put(damaged, path, other)
            assert dossier_check.check(damaged), f"{path}: {value!r} became {other!r}"
            changed += 1
    assert changed > 2000


async def test_changes_of_every_kind_are_seen(whole: Json) -> None:
    """Members and items that are taken out, put in, doubled, moved or replaced."""
    places = [path for path, _ in _containers(whole)]

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def tamper(data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(places))
        damaged = copy.deepcopy(whole)
        box = _at(damaged, path)
        if isinstance(box, dict):
            name = data.draw(st.one_of(st.sampled_from(sorted(box) or [""]), st.text(min_size=1)))
            kind = data.draw(st.sampled_from(["out", "in"]))
            if kind == "out":
                box.pop(name, None)
            else:
                box[name] = data.draw(_VALUES)
        else:
            kind = data.draw(st.sampled_from(["out", "in", "double", "turn"]))
            place = data.draw(st.integers(0, max(0, len(box) - 1)))
            if kind == "in":
                box.insert(place, data.draw(_VALUES))
            elif box and kind == "out":
                del box[place]
            elif box and kind == "double":
                box.insert(place, copy.deepcopy(box[place]))
            else:
                box.reverse()
        same = json.dumps(damaged, sort_keys=True) == json.dumps(whole, sort_keys=True)
        assert bool(dossier_check.check(damaged)) != same, (path, kind)

    tamper()


async def test_a_forger_who_makes_all_digests_anew_is_seen_by_the_chain(whole: Json) -> None:
    def forged(change: Any) -> list[str]:
        damaged = copy.deepcopy(whole)
        change(damaged)
        given = {name: value for name, value in damaged.items() if name != "manifest"}
        manifest = damaged["manifest"]
        manifest["parts"] = [vars(part) for part in domain.parts_of(given)]
        del manifest["sha256"]
        manifest["sha256"] = domain.digest(manifest)
        return [str(item) for item in dossier_check.check(damaged)]

    assert forged(lambda _: None) == []
    first, second = (f"decision {item['id']}" for item in whole["decisions"])
    reason = {"reason": "Another one."}
    assert forged(lambda d: d["decisions"][0].update(reason)) == [
        f"{first}: it was changed: it does not have the digest that it carries"
    ]
    assert f"{second}: it does not follow the decision before it" in forged(
        lambda d: d["decisions"].pop(0)
    )
    assert "manifest.chain_head: it is not the digest of the last decision" in forged(
        lambda d: d["decisions"].pop()
    )
    code = whole["decisions"][0]["criteria"][0]["code"]
    named = whole["decisions"][0]["criteria"][0]["evidence_ids"][0]
    place = next(n for n, item in enumerate(whole["evidence"]) if item["evidence"]["id"] == named)
    other = hashlib.sha256(b"another file").hexdigest()
    assert forged(lambda d: d["evidence"][place]["evidence"]["reference"].update(sha256=other)) == [
        f"{first}, criterion {code}: the evidence is not that which it was decided on"
    ]
    assert forged(lambda d: d["waivers"][0]["waiver"].update(project_id="prj_other")) == [
        f"waiver {whole['waivers'][0]['waiver']['id']}: it is of another project"
    ]
    assert forged(lambda d: d["project"].update(latest_decision_id=None)) == [
        "project.latest_decision_id: it is not the last of the decisions"
    ]


async def test_a_decision_from_before_there_were_digests_is_linked_to(
    bench: ProjectsBench, dossiers: RpcBench
) -> None:
    """The digest of one that carries none is made when the next one links to it."""
    made = await bench.decide(await bench.create(project(await bench.center())), GO)
    async with bench.database.engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE decision DISABLE TRIGGER USER"))
        await connection.execute(
            sa.text(
                "UPDATE decision SET decision = decision"
                ' || \'{"record_hash": "", "previous_hash": "", "gate_id": ""}\''
                " WHERE project_id = :id"
            ),
            {"id": made.id},
        )
    found = as_given(await ask(dossiers, made.id))
    assert found["decisions"][0]["record_hash"] is None
    assert len(found["manifest"]["chain_head"]) == 64
    assert dossier_check.check(found) == []
    await bench.decide(await bench.get(made.id), RECYCLE, to_stage=1)
    found = as_given(await ask(dossiers, made.id))
    assert dossier_check.check(found) == []
    assert found["decisions"][1]["previous_hash"]


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**31), 2**31),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.just([]),
    st.just({}),
)


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from _leaves(member, (*path, name))
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            yield from _leaves(item, (*path, place))
    else:
        yield path, value


def _containers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict | list):
        yield path, value
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in inner:
            yield from _containers(member, (*path, name))


def _others(value: Any) -> list[Any]:
    """Other values in the place of one, such that say something and such that do not."""
    found: list[Any] = [None, "", False, 0, [], {}, "other", True, 1]
    if isinstance(value, str):
        found += [value + " ", value.upper(), value[:-1]]
    plain = json.dumps(value)
    return [other for other in found if json.dumps(other) != plain]


def _put(document: Json, path: tuple[Any, ...], value: Any) -> None:
    """Put a value in its place; what is on the way there is copied, the rest is shared."""
    box: Any = document
    for name in path[:-1]:
        box[name] = copy.copy(box[name])
        box = box[name]
    box[path[-1]] = value


def _at(document: Json, path: tuple[Any, ...]) -> Any:
    box: Any = document
    for name in path:
        box = box[name]
    return box


def _steps(document: Json) -> Iterator[tuple[str, Json]]:
    for step in document["steps"]:
        yield "project", step
    for member, items in document.items():
        for item in items if isinstance(items, list) else ():
            for step in item.get("steps", ()):
                yield member, step


async def test_the_form_that_is_sealed_is_the_one_of_stored_json(
    bench: ProjectsBench, readiness: RpcBench, dossiers: RpcBench
) -> None:
    answer = await ask(dossiers, await lived(bench, readiness))
    assert json.loads(json.dumps(to_plain(answer))) == as_given(answer)
