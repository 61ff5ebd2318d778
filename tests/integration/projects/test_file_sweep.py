"""Files that no evidence names are forgotten after a day, and no file that evidence names."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from peyvand.projects.v1 import stages_pb2
from projects.repository.criteria import hold_file
from projects.use_cases.evidence import SWEEP_SECONDS, sweep_file
from projects.watches.file_sweep import KEPT, FileSweep
from servicekit.database import WriteSession
from servicekit.errors import Fault
from servicekit.object_store import ObjectStore, StoredObject
from tests.integration.projects.conftest import ProjectsBench, project
from tests.support.criteria import CriteriaBench
from tests.support.messaging import eventually

LATER = timedelta(hours=1)


async def made(bench: ProjectsBench) -> str:
    given = project(
        await bench.center(),
        initial_stage=stages_pb2.STAGE_S1,
        initial_stage_reason="Under way.",
    )
    return (await bench.create(given)).id


async def test_a_file_is_kept_for_a_day_and_as_long_as_evidence_names_it(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    named, unnamed = await criteria.file(b"named"), await criteria.file(b"unnamed")
    project_id = await made(bench)
    first = await criteria.submit(project_id, "prior-art", file=named)
    # Superseded evidence is a record too: its file stays.
    await criteria.submit(project_id, "prior-art", supersedes_id=first.id)
    sweep = FileSweep(bench.database, criteria.objects)
    now = datetime.now(UTC)
    assert await sweep.look(now + KEPT - LATER) == 0
    assert await criteria.objects.find(unnamed.sha256)
    assert await sweep.look(now + KEPT + LATER) == 1
    assert await criteria.objects.find(unnamed.sha256) is None
    assert await criteria.objects.find(named.sha256)
    late = await criteria.fault(
        "CreateEvidence", criteria.submission(project_id, "prior-art", file=unnamed)
    )
    assert [item.reason for item in late.violations] == ["FILE_NOT_STORED"]


async def test_a_file_that_is_sent_again_is_kept_for_another_day(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    file = await criteria.file(b"twice")
    before = (await found(criteria, file.sha256)).stored_at
    await asyncio.sleep(0.05)
    await criteria.file(b"twice")
    assert (await found(criteria, file.sha256)).stored_at > before
    sweep = partial(sweep_file, sha256=file.sha256, objects=criteria.objects)
    between = before + timedelta(milliseconds=20)
    assert not await bench.database.write(partial(sweep, before=between))
    assert await criteria.objects.find(file.sha256)


async def found(criteria: CriteriaBench, sha256: str) -> StoredObject:
    stored = await criteria.objects.find(sha256)
    assert stored is not None
    return stored


async def test_a_file_that_evidence_is_about_to_name_is_left_alone(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    file = await criteria.file(b"about to be named")
    project_id = await made(bench)
    sweep = FileSweep(bench.database, criteria.objects)
    later = datetime.now(UTC) + KEPT + LATER

    async def hold(session: WriteSession) -> None:
        await hold_file(session, file.sha256)
        assert await sweep.look(later) == 0
        # Neither is who names it beside the one that holds it kept waiting.
        await criteria.submit(project_id, "prior-art", file=file)

    await bench.database.write(hold)
    assert await sweep.look(later) == 0
    assert await criteria.objects.find(file.sha256)


async def test_a_file_that_was_to_be_named_and_was_not_goes_with_the_next_sweep(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    file = await criteria.file(b"not named after all")
    sweep = FileSweep(bench.database, criteria.objects)
    later = datetime.now(UTC) + KEPT + LATER

    async with bench.database.rehearsal() as session:
        await hold_file(session, file.sha256)
        assert await sweep.look(later) == 0
    assert await sweep.look(later) == 1


async def test_under_a_storm_no_evidence_names_what_is_gone(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    project_id = await made(bench)
    files = [await criteria.file(f"file {n}".encode()) for n in range(12)]
    sweep = FileSweep(bench.database, criteria.objects)

    async def name(number: int) -> str:
        try:
            await criteria.submit(project_id, "prior-art", file=files[number])
        except Fault:
            return ""
        return files[number].sha256

    sweeps = [sweep.look(datetime.now(UTC) + KEPT + LATER) for _ in range(3)]
    named, *_ = await asyncio.gather(asyncio.gather(*map(name, range(12))), *sweeps)
    for file in files:
        kept = await criteria.objects.find(file.sha256) is not None
        assert kept == (file.sha256 in named)


class SlowStore(ObjectStore):
    """A store that answers, but takes its time over it."""

    seconds = 0.0

    async def find(self, sha256: str) -> StoredObject | None:
        await asyncio.sleep(self.seconds)
        return await super().find(sha256)


async def test_a_store_that_is_slow_does_not_outlive_the_lock_of_the_file(
    bench: ProjectsBench, criteria: CriteriaBench, tmp_path: Path
) -> None:
    """Later than that the database may have ended the transaction, and with it the lock."""
    file = await criteria.file(b"kept, if late")
    slow = SlowStore.in_folder(tmp_path / "objects")
    assert isinstance(slow, SlowStore)
    slow.seconds = 30.0
    later = datetime.now(UTC) + KEPT + LATER
    sweep = partial(sweep_file, sha256=file.sha256, objects=slow, before=later, seconds=0.2)
    with pytest.raises(TimeoutError):
        await bench.database.write(sweep)
    assert await criteria.objects.find(file.sha256)
    # The lock is free again, and who wants the file has it.
    await criteria.submit(await made(bench), "prior-art", file=file)
    async with bench.database.engine.connect() as connection:
        setting = sa.text("SELECT setting::int FROM pg_settings WHERE name = :name")
        name = "idle_in_transaction_session_timeout"  # in milliseconds
        idle = (await connection.execute(setting, {"name": name})).scalar_one()
    assert idle / 2 >= SWEEP_SECONDS * 1000


async def test_the_sweep_goes_on_by_itself(
    bench: ProjectsBench, criteria: CriteriaBench, tmp_path: Path
) -> None:
    file = await criteria.file(b"old")
    (path,) = tmp_path.rglob(file.sha256)
    old = (datetime.now(UTC) - KEPT - LATER).timestamp()
    os.utime(path, (old, old))
    half = path.with_name(f"{'c' * 64}#1")
    half.write_bytes(b"half")
    os.utime(half, (old, old))
    sweep = FileSweep(bench.database, criteria.objects, interval=0.05)
    await sweep.start()

    async def gone() -> bool:
        return not path.exists() and not half.exists()

    await eventually(gone)
    await sweep.stop()
