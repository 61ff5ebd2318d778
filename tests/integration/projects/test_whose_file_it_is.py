"""A file is named by who sent it, or sees it as evidence: its SHA-256 is no secret."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from peyvand.projects.v1 import evidence_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from servicekit.errors import Fault
from tests.integration.projects.conftest import ProjectsBench, at_s1
from tests.support.criteria import OMID, CriteriaBench, Person


def refusals(fault: Fault) -> list[tuple[str, str, dict[str, str]]]:
    return [(item.field, item.reason, dict(item.params)) for item in fault.violations]


NOT_STORED = [("file.sha256", "FILE_NOT_STORED", {})]


async def lives(bench: ProjectsBench, name: str) -> tuple[Person, pb.Project]:
    """Somebody of a center, and a project that it leads."""
    center = await bench.center()
    return Person(name, "center_operator", (center,)), await at_s1(bench, center=center)


@pytest.mark.parametrize("size", ["right", "wrong"])
async def test_a_file_of_another_center_is_as_one_that_is_not_there(
    bench: ProjectsBench, criteria: CriteriaBench, size: str
) -> None:
    leila, hers = await lives(bench, "leila")
    thief, his = await lives(bench, "thief")
    file = await criteria.file(b"%PDF-1.7 what nobody else is to read", sender=leila)
    named = evidence_pb2.EvidenceFile()
    named.CopyFrom(file)
    if size == "wrong":
        named.size_bytes += 1
    request = criteria.submission(his.id, "prior-art", file=named)
    # Before it is evidence, and once it is.
    assert refusals(await criteria.fault("CreateEvidence", request, thief)) == NOT_STORED
    await criteria.submit(hers.id, "prior-art", leila, file=file)
    assert refusals(await criteria.fault("CreateEvidence", request, thief)) == NOT_STORED
    # It is the very same answer.
    named.sha256 = "b" * 64
    unknown = criteria.submission(his.id, "prior-art", file=named)
    assert refusals(await criteria.fault("CreateEvidence", unknown, thief)) == NOT_STORED


async def test_who_sees_it_as_evidence_may_name_it_and_who_sends_it_too(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    lead, part = await bench.center(), await bench.center()
    shared = await at_s1(bench, center=lead, participants=[pb.ProjectParticipant(center_id=part)])
    own = await at_s1(bench, center=part)
    leila = Person("leila", "center_operator", (lead,))
    parviz = Person("parviz", "center_operator", (part,))
    stranger, elsewhere = await lives(bench, "stranger")
    file = await criteria.file(b"shared", sender=leila)
    # Of the same center, but nobody has submitted it yet.
    early = criteria.submission(own.id, "prior-art", file=file)
    assert refusals(await criteria.fault("CreateEvidence", early, parviz)) == NOT_STORED
    await criteria.submit(shared.id, "prior-art", leila, file=file)
    assert (await criteria.submit(own.id, "prior-art", parviz, file=file)).file == file
    # The headquarters see all evidence, and a file that nobody submitted is nobody's.
    headquarters = await at_s1(bench)
    assert (await criteria.submit(headquarters.id, "prior-art", OMID, file=file)).file == file
    unnamed = await criteria.file(b"not submitted", sender=leila)
    request = criteria.submission(headquarters.id, "prior-art", file=unnamed)
    assert refusals(await criteria.fault("CreateEvidence", request, OMID)) == NOT_STORED
    # Who has the same bytes has no need to see those of others.
    await criteria.file(b"shared", sender=stranger)
    assert (await criteria.submit(elsewhere.id, "prior-art", stranger, file=file)).file == file


async def test_the_size_of_a_file_is_not_told(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    leila, hers = await lives(bench, "leila")
    file = await criteria.file(b"nineteen bytes long", sender=leila)
    file.size_bytes = 20
    request = criteria.submission(hers.id, "prior-art", file=file)
    assert refusals(await criteria.fault("CreateEvidence", request, leila)) == [
        ("file.size_bytes", "FILE_SIZE_DIFFERS", {})
    ]


async def test_of_many_who_name_a_file_at_once_only_its_sender_does(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    leila, hers = await lives(bench, "leila")
    others = [await lives(bench, f"thief-{number}") for number in range(4)]
    file = await criteria.file(b"raced for", sender=leila)

    async def name(who: Person, made: pb.Project) -> str:
        try:
            await criteria.submit(made.id, "prior-art", who, file=file)
        except Fault as fault:
            return ", ".join(item.reason for item in fault.violations)
        return who.subject

    outcomes = await asyncio.gather(name(leila, hers), *(name(*other) for other in others))
    assert Counter(outcomes) == {"leila": 1, "FILE_NOT_STORED": 4}


async def test_what_was_forgotten_has_no_sender_either(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    leila, _ = await lives(bench, "leila")
    file = await criteria.file(b"forgotten", sender=leila)
    await criteria.objects.delete(file.sha256)
    other = Person("other", "center_operator", leila.center_ids)
    await criteria.file(b"forgotten", sender=other)
    found = await criteria.objects.find(file.sha256)
    assert found is not None
    assert found.stored_at > datetime.now(UTC) - timedelta(minutes=5)
    assert not await criteria.objects.was_sent_by(file.sha256, leila.subject)
    assert await criteria.objects.was_sent_by(file.sha256, other.subject)
