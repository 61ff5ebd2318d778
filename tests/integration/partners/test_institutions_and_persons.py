"""Institutions and persons over gRPC against a real database."""

import asyncio
from collections import Counter

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp

from partners import tables
from peyvand.partners.v1 import agreements_pb2 as agr
from peyvand.partners.v1 import institutions_pb2 as ins
from peyvand.partners.v1 import partners_pb2 as pb
from servicekit.errors import Fault
from tests.integration.partners.conftest import PartnersBench, text
from tests.support.rpc import outbox

TUMS = "01c4pz451"


async def test_a_ror_id_belongs_to_one_institution(bench: PartnersBench) -> None:
    first = await bench.institution("TUMS", ror_id=TUMS)
    assert first.ror_id == f"https://ror.org/{TUMS}"
    second = await bench.institution("Another")
    fault = await bench.fault(*bench.updating(second, ror_id=f"ror.org/{TUMS}"))
    assert (fault.reason, fault.params["id"]) == ("ROR_TAKEN", first.id)


async def test_of_many_at_once_one_gets_the_ror_id(bench: PartnersBench) -> None:
    async def create(number: int) -> str:
        try:
            return (await bench.institution(f"I{number}", ror_id=TUMS)).ror_id
        except Fault as fault:
            return fault.reason

    outcomes = Counter(await asyncio.gather(*(create(number) for number in range(8))))
    assert outcomes == {f"https://ror.org/{TUMS}": 1, "ROR_TAKEN": 7}


async def test_parents_make_no_circle_neither_one_by_one_nor_at_once(
    bench: PartnersBench,
) -> None:
    a = await bench.institution("A")
    b = await bench.institution("B", parent_id=a.id)
    c = await bench.institution("C", parent_id=b.id, predecessor_id=a.id)
    fault = await bench.fault(*bench.updating(a, parent_id=c.id))
    assert [(v.field, v.reason) for v in fault.violations] == [("parent_id", "PARENT_CYCLE")]
    fault = await bench.fault(*bench.updating(a, predecessor_id=c.id))
    assert [(v.field, v.reason) for v in fault.violations] == [("predecessor_id", "PARENT_CYCLE")]

    x, y = await bench.institution("X"), await bench.institution("Y")

    async def put_under(one: ins.Institution, other: ins.Institution) -> str:
        try:
            return (await bench.update(one, parent_id=other.id)).parent_id
        except Fault as fault:
            return fault.violations[0].reason

    outcomes = await asyncio.gather(put_under(x, y), put_under(y, x))
    assert Counter(outcomes)["PARENT_CYCLE"] == 1


async def test_a_national_id_is_no_key_and_stands_in_no_reason(bench: PartnersBench) -> None:
    def create(key: str) -> ins.CreatePersonRequest:
        names = [ins.Name(text="A", language="en")]
        return ins.CreatePersonRequest(person=ins.Person(external_key=key, names=names))

    for key in ("0013542419", "001-354241-9"):
        fault = await bench.fault("CreatePerson", create(key))
        assert [(v.field, v.reason) for v in fault.violations] == [
            ("external_key", "PERSONAL_DATA")
        ]
    made = await bench.call("CreatePerson", create("0013542418"))
    row = pb.PartnersRow(
        person=ins.PersonRow(
            person=ins.Person(external_key="b", names=made.names), reason="As 001-354241-9 asked."
        )
    )
    (result,) = await bench.import_rows([row])
    assert [(v.field, v.reason) for v in result.violations] == [("reason", "PERSONAL_DATA")]
    # Who came with such a key before it was refused can still be deleted.
    async with bench.database.engine.begin() as connection:
        await connection.execute(sa.update(tables.person).values(external_key="0013542419"))
    delete = ins.DeletePersonRequest(person_id=made.id, etag=made.etag)
    assert (await bench.call("DeletePerson", delete)).HasField("deleted_at")


async def test_a_signature_keeps_the_name_as_it_was(bench: PartnersBench) -> None:
    person = await bench.person("Maryam Behfar", "Director")
    found = await bench.agreement(
        witnesses=[agr.Witness(person_id=person.id)],
    )
    found = await bench.step("NegotiateAgreement", found)
    found = await bench.sign(found, "iran", person_id=person.id)
    renamed = await bench.update(
        person, names=[ins.Name(text="Somebody Else", language="en")], positions=[]
    )
    deletion = ins.DeletePersonRequest(person_id=person.id, etag=renamed.etag, reason="Asked.")
    await bench.call("DeletePerson", deletion)

    kept = await bench.get(found.id)
    for value in (kept.signatures[0], kept.witnesses[0]):
        assert (value.person_id, value.name.en, value.title.en) == (
            person.id,
            "Maryam Behfar",
            "Director",
        )
    # The agreement lives on, and can be changed, though it refers to someone who is gone.
    changed = await bench.update(kept, note=text("n"))
    assert (await bench.sign(changed, "russia")).state == agr.AGREEMENT_STATE_SIGNED
    # But nobody who is gone signs anything new.
    other = await bench.step("NegotiateAgreement", await bench.agreement())
    request = agr.SignAgreementRequest(
        agreement_id=other.id,
        etag=other.etag,
        signature=agr.Signature(party="iran", person_id=person.id),
    )
    fault = await bench.fault("SignAgreement", request)
    assert [(v.field, v.reason) for v in fault.violations] == [
        ("signature.person_id", "UNKNOWN_REFERENCE")
    ]


async def test_of_a_deleted_person_a_tombstone_is_left(bench: PartnersBench) -> None:
    person = await bench.person("Maryam Behfar", "Director")
    request = ins.DeletePersonRequest(person_id=person.id)
    assert (await bench.fault("DeletePerson", request)).reason == "PRECONDITION_REQUIRED"
    request.etag = person.etag
    left = await bench.call("DeletePerson", request)
    told = {field.name for field, _ in left.ListFields()}
    assert told == {"id", "etag", "created_at", "updated_at", "deleted_at"}
    assert (await bench.fault("DeletePerson", request)).reason == "NOT_FOUND"
    assert (await bench.fault(*bench.reading(person.id))).reason == "NOT_FOUND"

    plain = await bench.call("ListPersons", ins.ListPersonsRequest())
    assert list(plain.persons) == []
    since = ins.ListPersonsRequest(updated_since=Timestamp(seconds=1))
    followed = await bench.call("ListPersons", since)
    assert list(followed.persons) == [left]
    kinds = [kind.rsplit(".", 1)[1] for kind, _, _ in await outbox(bench.database)]
    assert kinds == ["created", "deleted"]


async def test_persons_are_found_by_their_institution(bench: PartnersBench) -> None:
    tums = await bench.institution("TUMS")
    position = ins.PersonPosition(title=text("Dean"), institution_id=tums.id)
    dean = await bench.person("Dean")
    await bench.update(dean, positions=[position])
    await bench.person("Another")
    found = await bench.call("ListPersons", ins.ListPersonsRequest(institution_id=tums.id))
    assert [person.id for person in found.persons] == [dean.id]
