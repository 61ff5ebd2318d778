"""Two processes of the service look after conditions and files: each thing is done once."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from projects.watches.file_sweep import KEPT
from tests.integration.projects.test_conditions import held_events, overdue, overdue_told
from tests.integration.projects.test_file_sweep import made
from tests.support.messaging import eventually
from tests.support.watchers import two_watchers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.projects.conftest import ProjectsBench
    from tests.support.criteria import CriteriaBench


async def test_what_is_overdue_is_told_and_held_once(bench: ProjectsBench) -> None:
    lead = await bench.center()
    ids: list[str] = []

    async def all_are_held() -> bool:
        return sorted(await held_events(bench)) == sorted(ids)

    async with two_watchers("conditions", bench.database, datetime.now(UTC)) as (one, other):
        for _ in range(3):
            ids.append((await overdue(bench, lead)).id)
            await eventually(all_are_held, within=60)
        ids.append((await overdue(bench, lead)).id)
        await one.kill()
        ids.append((await overdue(bench, lead)).id)
        await eventually(all_are_held, within=60)
        await other.looks_again()
        assert await all_are_held()
        looks = one.looks + other.looks
    late = [
        condition.id
        for id in ids
        for condition in await bench.conditions(project_id=id, overdue=True)
    ]
    assert await overdue_told(bench) == dict.fromkeys(late, 1)
    assert len(late) == 2 * len(ids)
    assert set(looks) == {"0"}


async def test_each_file_is_forgotten_once(
    bench: ProjectsBench, criteria: CriteriaBench, tmp_path: Path
) -> None:
    project_id = await made(bench)
    named = await criteria.file(b"named")
    await criteria.submit(project_id, "prior-art", file=named)
    unnamed = [(await criteria.file(f"unnamed {n}".encode())).sha256 for n in range(40)]
    now, folder = datetime.now(UTC), tmp_path / "objects"
    paths = [path for path in folder.rglob("*") if path.name in unnamed]

    def store_at(moment: datetime) -> None:
        for path in paths:
            os.utime(path, (moment.timestamp(), moment.timestamp()))

    async def all_are_gone() -> bool:
        return not [sha256 for sha256 in unnamed if await criteria.objects.find(sha256)]

    # None is due before both look, and then all are.
    store_at(now + timedelta(hours=1))
    async with two_watchers("files", bench.database, now + KEPT, str(folder)) as (one, other):
        store_at(now - timedelta(hours=1))
        await eventually(all_are_gone, within=60)
        await one.looks_again()
        await other.looks_again()
        looks = one.looks + other.looks
    assert sum(int(look or 0) for look in looks) == len(unnamed)
    assert await criteria.objects.find(named.sha256)
