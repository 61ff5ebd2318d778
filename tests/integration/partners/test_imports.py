"""Files of partners: rehearsed, applied, applied again."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.imports.documents import read_yaml
from gateway.imports.rows import read_rows
from peyvand.api.v1 import types_pb2
from peyvand.partners.v1 import activities_pb2 as act
from peyvand.partners.v1 import agreements_pb2 as agr
from peyvand.partners.v1 import institutions_pb2 as ins
from peyvand.partners.v1 import partners_pb2 as pb
from tests.integration.partners.conftest import PartnersBench, on, text
from tests.support.rpc import outbox

SEED = Path(__file__).parents[3] / "dev" / "data" / "network.yaml"


def seed_rows() -> list[pb.PartnersRow]:
    """The rows of the real input that this service takes, as the gateway sends them."""
    file = read_rows(read_yaml(SEED.read_bytes()))
    assert file.faults == []
    request = pb.ImportPartnersRequest()
    for row in file.rows:
        if row.section.rpc.service == "partners":
            row.section.add_to(request, row.message)
    return list(request.rows)


def institution_row(key: str, **values: Any) -> pb.PartnersRow:
    references = values.pop("references", {})
    given: dict[str, Any] = {"names": [ins.Name(text=key, language="en")], "country": "IR"}
    institution = ins.Institution(external_key=key, **(given | values))
    row = ins.InstitutionRow(institution=institution, references=references)
    return pb.PartnersRow(institution=row)


def agreement_row(key: str, reason: str = "", **values: Any) -> pb.PartnersRow:
    references = values.pop("references", {})
    given: dict[str, Any] = {
        "kind": agr.AGREEMENT_KIND_MOU,
        "titles": text("Memorandum"),
        "parties": [agr.Party(key="iran", country="IR"), agr.Party(key="russia", country="RU")],
    }
    agreement = agr.Agreement(external_key=key, **(given | values))
    row = agr.AgreementRow(agreement=agreement, references=references, reason=reason)
    return pb.PartnersRow(agreement=row)


def activity_row(key: str, **values: Any) -> pb.PartnersRow:
    references = values.pop("references", {})
    given: dict[str, Any] = {"kind": act.ACTIVITY_KIND_MEETING, "titles": text("Meeting")}
    activity = act.Activity(external_key=key, **(given | values))
    return pb.PartnersRow(activity=act.ActivityRow(activity=activity, references=references))


def signatures(*parties: str, signed: str = "2025-04-25") -> list[agr.Signature]:
    return [agr.Signature(party=p, name=text(p), signed_date=on(signed)) for p in parties]


def told(results: list[types_pb2.RowResult]) -> list[str]:
    return [
        types_pb2.RowAction.Name(result.action).removeprefix("ROW_ACTION_").lower()
        for result in results
    ]


def broken(result: types_pb2.RowResult) -> set[tuple[str, str]]:
    return {(item.field, item.reason) for item in result.violations}


async def count(bench: PartnersBench, table: str) -> int:
    async with bench.database.engine.connect() as connection:
        query = sa.select(sa.func.count()).select_from(sa.table(table))
        return (await connection.execute(query)).scalar_one()


async def test_the_real_input_is_rehearsed_applied_and_applied_again(bench: PartnersBench) -> None:
    rows = seed_rows()
    rehearsed = await bench.import_rows(rows, validate_only=True)
    assert set(told(rehearsed)) == {"created"}, [r for r in rehearsed if r.violations]
    assert [result.id for result in rehearsed] == [""] * len(rows)
    assert await outbox(bench.database) == []
    assert await count(bench, "institution") == 0

    applied = await bench.import_rows(rows)
    assert set(told(applied)) == {"created"}
    events = await outbox(bench.database)
    again = await bench.import_rows(rows)
    assert set(told(again)) == {"unchanged"}
    assert [result.id for result in again] == [result.id for result in applied]
    assert await outbox(bench.database) == events
    # Also a row that was not seen before in this form, but says nothing else.
    for row in rows:
        getattr(row, row.WhichOneof("row")).reason = "Read once more."
    assert set(told(await bench.import_rows(rows))) == {"unchanged"}
    assert await outbox(bench.database) == events


async def test_what_the_reports_say_is_what_is_found(bench: PartnersBench) -> None:
    rows = seed_rows()
    results = await bench.import_rows(rows)
    ids = {result.external_key: result.id for result in results}

    treaty = await bench.get(ids["treaty-iran-russia-2025"])
    assert treaty.state == agr.AGREEMENT_STATE_AWAITING_RATIFICATION
    assert (treaty.signed_date.value, treaty.signed_date.inferred) == ("2025-01-17", True)
    assert [(r.party, r.body.en, r.HasField("decided_date")) for r in treaty.ratifications] == [
        ("russia", "Federation Council", False),
        ("russia", "State Duma", False),
    ]
    assert "enter-force" not in treaty.allowed_actions

    mou = await bench.get(ids["mou-tums-hematology-2025"])
    assert mou.state == agr.AGREEMENT_STATE_SIGNED
    assert (mou.parent_id, mou.suggested_parent_id) == ("", treaty.id)
    assert mou.suggested_parent_note.en
    assert not mou.HasField("effective_date")
    assert not mou.HasField("expiry_date")
    assert "confirm-parent" in mou.allowed_actions
    assert {party.institution_id for party in mou.parties} == {
        ids["ins-pcgt"],
        ids["ins-ru-hematology"],
    }
    assert [witness.person_id for witness in mou.witnesses] == [
        ids["person-paknejad"],
        ids["person-tsivilev"],
    ]
    assert "conflict" in mou.note.en

    unit = await bench.get(ids["ins-pcgt"])
    assert unit.parent_id == ids["ins-tums"]

    proposals = act.ListActivitiesRequest(agreement_id=treaty.id)
    proposed = await bench.call("ListActivities", proposals)
    assert [item.state for item in proposed.activities] == [act.ACTIVITY_STATE_PROPOSED] * 4
    meeting = await bench.get(ids["act-joint-economic-committee-18"], None)
    assert meeting.state == act.ACTIVITY_STATE_DONE
    # Proposals are not for the public, nor is anything but what is signed.
    public = await bench.call("ListActivities", act.ListActivitiesRequest(), None)
    assert {item.external_key for item in public.activities} == {
        "act-plan-meeting",
        "act-joint-economic-committee-18",
    }


async def test_rows_find_one_another_in_whatever_order_they_stand(bench: PartnersBench) -> None:
    rows = list(reversed(seed_rows()))
    results = await bench.import_rows(rows, validate_only=True)
    assert set(told(results)) == {"created"}
    applied = await bench.import_rows(rows)
    assert [result.external_key for result in applied] == [
        result.external_key for result in results
    ]
    assert set(told(applied)) == {"created"}


async def test_rows_that_refer_in_a_circle_or_to_nothing_are_refused(bench: PartnersBench) -> None:
    rows = [
        institution_row("a", references={"parent_id": "b"}),
        institution_row("b", references={"parent_id": "a"}),
        institution_row("c", references={"parent_id": "nobody"}),
        institution_row("d", references={"names[0].text": "a"}),
        institution_row("e"),
    ]
    results = await bench.import_rows(rows)
    assert told(results) == ["refused"] * 4 + ["created"]
    assert broken(results[2]) == {("parent_id", "UNKNOWN_REFERENCE")}
    assert broken(results[3]) == {("names[0].text", "UNKNOWN_FIELD")}


async def test_a_row_without_key_or_kind_is_refused(bench: PartnersBench) -> None:
    results = await bench.import_rows([pb.PartnersRow(), institution_row("")])
    assert [broken(result) for result in results] == [{("external_key", "REQUIRED")}] * 2


@pytest.mark.parametrize(
    ("values", "reason", "state"),
    [
        ({}, "", agr.AGREEMENT_STATE_DRAFT),
        ({"state": agr.AGREEMENT_STATE_NEGOTIATING}, "", agr.AGREEMENT_STATE_NEGOTIATING),
        ({"signatures": signatures("iran")}, "", agr.AGREEMENT_STATE_PARTLY_SIGNED),
        ({"signatures": signatures("iran", "russia")}, "", agr.AGREEMENT_STATE_SIGNED),
        (
            {
                "signatures": signatures("iran", "russia"),
                "effective_date": on("2025-05"),
                "state": agr.AGREEMENT_STATE_IN_FORCE,
            },
            "",
            agr.AGREEMENT_STATE_IN_FORCE,
        ),
        (
            {
                "signatures": signatures("iran", "russia"),
                "state": agr.AGREEMENT_STATE_TERMINATED,
            },
            "Ended by both.",
            agr.AGREEMENT_STATE_TERMINATED,
        ),
    ],
)
async def test_the_facts_of_a_row_lead_to_the_state(
    bench: PartnersBench, values: dict[str, Any], reason: str, state: agr.AgreementState
) -> None:
    (result,) = await bench.import_rows([agreement_row("m", reason, **values)])
    found = await bench.get(result.id)
    assert found.state == state
    assert found.state_reason == reason


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ({"state": agr.AGREEMENT_STATE_SIGNED}, {("state", "UNREACHABLE_STATE")}),
        ({"state": 99}, {("state", "UNKNOWN_VALUE")}),
        ({"signatures": signatures("china")}, {("signatures[0].party", "UNKNOWN_PARTY")}),
        ({"signatures": signatures("iran", "iran", "russia")}, None),
        (
            {"signatures": signatures("iran", signed="2999")},
            {("signatures[0].signed_date.value", "DATE_IN_FUTURE")},
        ),
        (
            {"signatures": signatures("iran", signed="x")},
            {("signatures[0].signed_date.value", "TOO_SHORT")},
        ),
        (
            {"signatures": [agr.Signature(party="iran")]},
            {("signatures[0]", "SIGNATORY_REQUIRED")},
        ),
        (
            {
                "kind": agr.AGREEMENT_KIND_TREATY,
                "signatures": signatures("iran", "russia"),
                "state": agr.AGREEMENT_STATE_IN_FORCE,
            },
            {("", "RATIFICATION_MISSING")},
        ),
        (
            {
                "signatures": signatures("iran", "russia"),
                "effective_date": on("2024"),
            },
            {("effective_date", "EFFECTIVE_BEFORE_SIGNATURE")},
        ),
        (
            {
                "signatures": signatures("iran", "russia"),
                "state": agr.AGREEMENT_STATE_SUSPENDED,
            },
            {("reason", "REASON_REQUIRED")},
        ),
        (
            {
                "signatures": signatures("iran", "russia"),
                "ratifications": [agr.Ratification(party="iran", body=text("P"), approved=True)],
            },
            {("", "ILLEGAL_TRANSITION")},
        ),
    ],
)
async def test_facts_keep_the_rules_and_a_refused_row_leaves_nothing(
    bench: PartnersBench, values: dict[str, Any], rules: set[tuple[str, str]] | None
) -> None:
    for validate_only in (True, False):
        results = await bench.import_rows(
            [agreement_row("m", **values), agreement_row("n")], validate_only=validate_only
        )
        if rules is None:  # the same signature twice says nothing new
            assert told(results) == ["created", "created"]
        else:
            assert told(results) == ["refused", "created"]
            assert broken(results[0]) == rules
    assert await count(bench, "agreement") == (2 if rules is None else 1)


async def test_the_reason_of_a_row_stands_with_every_step_that_the_row_makes(
    bench: PartnersBench,
) -> None:
    async def reasons(id: str) -> list[tuple[str, str]]:
        request = agr.ListAgreementStepsRequest(agreement_id=id)
        found = await bench.call("ListAgreementSteps", request)
        return [(step.action, step.reason) for step in found.steps]

    (made,) = await bench.import_rows([agreement_row("m", "First file.")])
    both = signatures("iran", "russia")
    await bench.import_rows([agreement_row("m", "Signed.", signatures=both, note=text("n"))])
    await bench.import_rows([agreement_row("m", signatures=both, note=text("Nobody says why."))])
    assert await reasons(made.id) == [
        ("created", "First file."),
        ("updated", "Signed."),
        ("negotiation_opened", "Signed."),
        ("signed", "Signed."),
        ("signed", "Signed."),
        ("updated", ""),
    ]


async def test_a_later_file_goes_on_where_an_earlier_one_ended(bench: PartnersBench) -> None:
    await bench.import_rows([agreement_row("m", signatures=signatures("iran"))])
    both = agreement_row("m", signatures=signatures("iran", "russia"), note=text("n"))
    (result,) = await bench.import_rows([both])
    assert told([result]) == ["updated"]
    found = await bench.get(result.id)
    assert (found.state, len(found.signatures)) == (agr.AGREEMENT_STATE_SIGNED, 2)
    # What was signed cannot be made another signature by a file.
    other = agreement_row("m", signatures=signatures("iran", "russia", signed="2025-04-26"))
    (result,) = await bench.import_rows([other])
    assert told([result]) == ["refused"]
    frozen = agreement_row("m", notice_days=30)
    assert told(await bench.import_rows([frozen])) == ["updated"]
    (result,) = await bench.import_rows([agreement_row("m", notice_days=60)])
    assert broken(result) == {("", "TERMS_FROZEN")}


async def test_a_deleted_person_does_not_come_back_by_a_file(bench: PartnersBench) -> None:
    person = ins.Person(external_key="p", names=[ins.Name(text="A", language="en")])
    row = pb.PartnersRow(person=ins.PersonRow(person=person))
    (result,) = await bench.import_rows([row])
    found = await bench.get(result.id)
    deletion = ins.DeletePersonRequest(person_id=found.id, etag=found.etag)
    await bench.call("DeletePerson", deletion)
    row.person.person.note.en = "Back again."
    (result,) = await bench.import_rows([row])
    assert broken(result) == {("", "NOT_FOUND")}
    signed = agreement_row(
        "m",
        signatures=[agr.Signature(party="iran")],
        references={"signatures[0].person_id": "p"},
    )
    (result,) = await bench.import_rows([signed])
    assert broken(result) == {("signatures[0].person_id", "UNKNOWN_REFERENCE")}


async def test_a_name_that_the_file_leaves_to_the_person_stays_as_it_was(
    bench: PartnersBench,
) -> None:
    person = ins.Person(external_key="p", names=[ins.Name(text="Before", language="en")])
    rows = [
        pb.PartnersRow(person=ins.PersonRow(person=person)),
        agreement_row(
            "m",
            signatures=[agr.Signature(party="iran")],
            references={"signatures[0].person_id": "p"},
        ),
    ]
    results = await bench.import_rows(rows)
    found = await bench.get(results[0].id)
    await bench.update(found, names=[ins.Name(text="After", language="en")])
    rows[1].agreement.agreement.note.en = "Another look."
    (result,) = await bench.import_rows(rows[1:])
    assert told([result]) == ["updated"]
    assert (await bench.get(result.id)).signatures[0].name.en == "Before"
