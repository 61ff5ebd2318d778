"""The check of a file that takes long: it shows how far it is, and ends in any case."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import httpx
import pytest

from gateway.auth import Caller
from gateway.closing import Closing
from gateway.imports import runner, store
from gateway.imports.rows import FileRow
from gateway.imports.service import YAML, Imports, Upload
from gateway.imports.store import ImportStore
from peyvand.api.v1 import imports_pb2 as pb
from peyvandctl.cluster import Cluster
from servicekit.identity import Principal
from servicekit.rpc_client import RpcClients
from tests.support.held_rows import check_held
from tests.support.messaging import eventually

Json = dict[str, Any]
Seen = list[tuple[pb.ImportState, int]]

SOME = 300


@pytest.fixture
async def imports(network: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Imports]:
    """A gateway's imports of which nobody waits for the check."""
    # Where it is kept may be late on a machine that stands still, and is not away then.
    monkeypatch.setattr(store, "_PATIENCE", 60.0)
    clients = RpcClients({"partners": network.target("partners")})
    found = Imports(ImportStore(network.nats.access), clients, Closing(0), wait=0)
    yield found
    await found.close()
    await clients.close()


@pytest.fixture
def admin(network: Cluster) -> Caller:
    who = Principal(f"admin-{secrets.token_hex(4)}", "An admin", frozenset({"hq_admin"}))
    return Caller(who, network.token("hq_admin"))


@pytest.fixture
def mark() -> str:
    """Makes the keys of a test its own."""
    return secrets.token_hex(4)


def institutions(mark: str, number: int, last_country: str = "IR") -> str:
    """A file of institutions, of three lines each; the last one is of another country."""
    countries = [*["IR"] * (number - 1), last_country]
    rows = (
        f"  - external_key: ins-{mark}-{n}\n    country: {country}\n"
        f"    names: [{{text: Institute {n}, language: en}}]\n"
        for n, country in enumerate(countries)
    )
    return "institutions:\n" + "".join(rows)


def upload(content: str) -> Upload:
    return Upload(content.encode(), YAML)


async def ended(imports: Imports, begun: pb.Import) -> tuple[pb.Import, Seen]:
    """An import as it ended, and all (state, rows that were looked at) on its way."""
    seen: Seen = [(begun.state, begun.done)]
    async with asyncio.timeout(300):
        while True:
            found = (await imports.find(begun.id)).progress
            if seen[-1] != (found.state, found.done):
                seen.append((found.state, found.done))
            if found.HasField("finished_at"):
                return found, seen
            await asyncio.sleep(0.05)


async def is_known(http: httpx.AsyncClient, mark: str, number: int = 0) -> bool:
    query = {"external_key": f"ins-{mark}-{number}"}
    answer = await http.get("/v1/institutions", params=query)
    return bool(answer.raise_for_status().json()["institutions"])


async def record(http: httpx.AsyncClient, mark: str, number: int) -> str:
    """Record the institution of a row before; a check of the file can then be held there."""
    key = f"ins-{mark}-{number}"
    names = [{"text": "Known before", "language": "en"}]
    answer = await http.post(
        "/v1/institutions",
        json={"names": names, "country": "IR", "external_key": key},
        headers={"Idempotency-Key": key},
    )
    assert answer.status_code == 201, answer.text
    return key


async def checked(imports: Imports, begun: pb.Import, number: int) -> None:
    """Wait until a check shows that it has looked at so many rows."""

    async def is_shown() -> bool:
        found = (await imports.find(begun.id)).progress
        return (found.state, found.done) == (pb.IMPORT_STATE_CHECKING, number)

    await eventually(is_shown)


async def test_a_long_check_shows_its_rows_and_then_those_that_are_applied(
    network: Cluster, imports: Imports, admin: Caller, http: httpx.AsyncClient, mark: str
) -> None:
    file = upload(institutions(mark, SOME))
    async with check_held(network, await record(http, mark, SOME - 1)):
        begun = await imports.begin(file, admin, mark, "en", dry_run=False)
        assert (begun.state, begun.rows, begun.done) == (pb.IMPORT_STATE_CHECKING, SOME, 0)
        await checked(imports, begun, SOME - 1)
    last, seen = await ended(imports, begun)
    assert (last.state, last.done) == (pb.IMPORT_STATE_DONE, SOME)
    assert (last.sections[0].created, last.sections[0].updated) == (SOME - 1, 1)
    states = list(dict.fromkeys(state for state, _ in seen))
    assert states == [pb.IMPORT_STATE_CHECKING, pb.IMPORT_STATE_RUNNING, pb.IMPORT_STATE_DONE]
    assert await is_known(http, mark, SOME - 2)


async def test_a_long_dry_run_ends_as_checked_and_writes_nothing(
    imports: Imports, admin: Caller, http: httpx.AsyncClient, mark: str
) -> None:
    file = upload(institutions(mark, SOME))
    begun = await imports.begin(file, admin, mark, "en", dry_run=True)
    again = await imports.begin(file, admin, mark, "en", dry_run=True)
    assert (again.id, again.dry_run) == (begun.id, True), "the same key, the same import"
    last, _ = await ended(imports, begun)
    assert (last.state, last.sections[0].created) == (pb.IMPORT_STATE_CHECKED, SOME)
    assert not await is_known(http, mark)
    # The key of a dry run is not that of the import.
    applied = await imports.begin(file, admin, mark, "en", dry_run=False)
    assert applied.id != begun.id
    assert (await ended(imports, applied))[0].state == pb.IMPORT_STATE_DONE


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "import"])
async def test_a_file_with_faults_ends_as_rejected_and_tells_them(
    imports: Imports, admin: Caller, http: httpx.AsyncClient, mark: str, *, dry_run: bool
) -> None:
    file = upload(institutions(mark, SOME, last_country="XX"))
    begun = await imports.begin(file, admin, mark, "en", dry_run=dry_run)
    last, _ = await ended(imports, begun)
    assert last.state == pb.IMPORT_STATE_REJECTED
    told: dict[str, Json] = {}
    for language in ("en", "fa"):
        headers = {"Accept-Language": language}
        answer = await http.get(f"/v1/imports/{begun.id}", headers=headers)
        (told[language],) = answer.raise_for_status().json()["refusals"]
    detail = {language: refusal.pop("detail") for language, refusal in told.items()}
    assert told["en"] == told["fa"]
    assert told["en"] == {
        "section": "institutions",
        # A heading, and three lines for each row before it; the country is on the second.
        "line": 3 * (SOME - 1) + 3,
        "external_key": f"ins-{mark}-{SOME - 1}",
        "field": "country",
        "rule": "UNKNOWN_COUNTRY",
        "params": told["en"]["params"],
    }
    assert detail["en"].isascii()
    assert not detail["fa"].isascii()
    again = await imports.begin(file, admin, mark, "en", dry_run=dry_run)
    assert (again.id, again.state) == (begun.id, pb.IMPORT_STATE_REJECTED)
    assert not await is_known(http, mark)


async def test_one_key_makes_one_import_also_when_the_check_is_long(
    imports: Imports, admin: Caller, mark: str
) -> None:
    file = upload(institutions(mark, SOME))
    begun = await asyncio.gather(
        *(imports.begin(file, admin, mark, "en", dry_run=False) for _ in range(5))
    )
    assert len({item.id for item in begun}) == 1
    last, _ = await ended(imports, begun[0])
    assert (last.state, last.sections[0].created) == (pb.IMPORT_STATE_DONE, SOME)


async def test_a_check_is_taken_up_again_when_its_service_was_killed(
    network: Cluster, imports: Imports, admin: Caller, http: httpx.AsyncClient, mark: str
) -> None:
    file = upload(institutions(mark, SOME))
    async with check_held(network, await record(http, mark, SOME - 1)):
        begun = await imports.begin(file, admin, mark, "en", dry_run=True)
        await checked(imports, begun, SOME - 1)
        service = network.process("partners")
        await service.kill()
        await asyncio.sleep(0.5)
        await service.start()
    last, _ = await ended(imports, begun)
    assert last.state == pb.IMPORT_STATE_CHECKED, last.interruption
    assert (last.done, last.sections[0].created) == (SOME, SOME - 1)


async def test_rows_that_somebody_holds_for_longer_than_a_call_are_waited_for(
    imports: Imports,
    admin: Caller,
    network: Cluster,
    mark: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = await imports.begin(upload(institutions(mark, 2)), admin, mark, "en", dry_run=False)
    assert (await ended(imports, first))[0].state == pb.IMPORT_STATE_DONE
    # What takes a minute each is a second here; the file is checked before the row is held.
    monkeypatch.setattr(runner, "_CHUNK_TIMEOUT", 1.0)
    monkeypatch.setattr(runner, "_PATIENCE", 1.0)
    held = await asyncpg.connect(network.postgres.dsn("partners").replace("+asyncpg", ""))
    applies, goes_on = runner.Run._apply_all, asyncio.Event()

    async def applies_later(run: runner.Run, rows: Sequence[FileRow]) -> None:
        await goes_on.wait()
        await applies(run, rows)

    monkeypatch.setattr(runner.Run, "_apply_all", applies_later)
    try:
        changed = institutions(mark, 2, last_country="RU")
        second = await imports.begin(upload(changed), admin, f"{mark}-2", "en", dry_run=False)

        async def is_checked() -> bool:
            return (await imports.find(second.id)).progress.state == pb.IMPORT_STATE_RUNNING

        await eventually(is_checked)
        async with held.transaction():
            key = f"ins-{mark}-1"
            query = "SELECT id FROM institution WHERE external_key = $1 FOR UPDATE"
            assert await held.fetchval(query, key)
            goes_on.set()
            await asyncio.sleep(4)
            assert (await imports.find(second.id)).progress.state == pb.IMPORT_STATE_RUNNING
        last, _ = await ended(imports, second)
        assert (last.state, last.sections[0].updated) == (pb.IMPORT_STATE_DONE, 1)
    finally:
        await held.close()


async def test_a_check_whose_gateway_ends_is_interrupted(
    network: Cluster, imports: Imports, admin: Caller, mark: str
) -> None:
    clients = RpcClients({"partners": network.target("partners")})
    other = Imports(ImportStore(network.nats.access), clients, Closing(0), wait=0)
    file = upload(institutions(mark, SOME))
    begun = await other.begin(file, admin, mark, "en", dry_run=True)
    await other.close()
    await clients.close()
    left = (await imports.find(begun.id)).progress
    assert (left.state, left.interruption) == (pb.IMPORT_STATE_INTERRUPTED, "UNAVAILABLE")
    again = await imports.begin(file, admin, mark, "en", dry_run=True)
    assert again.id == begun.id
    assert (await ended(imports, again))[0].state == pb.IMPORT_STATE_CHECKED


async def test_a_large_file_is_answered_soon_and_outlives_the_kill_of_its_gateway(
    network: Cluster, http: httpx.AsyncClient, mark: str
) -> None:
    file = institutions(mark, SOME)
    stops = (SOME // 3, SOME // 2)
    first, second = [await record(http, mark, number) for number in stops]

    async def send() -> httpx.Response:
        """Send the file; it takes longer to check than whoever sends it is kept waiting."""
        headers = {"Content-Type": YAML, "Idempotency-Key": mark}
        query = {"dry_run": "true"}
        answer = await http.post("/v1/imports", content=file, headers=headers, params=query)
        assert (answer.status_code, answer.json()["state"]) == (202, "checking"), answer.text
        return answer

    async def look(answer: httpx.Response) -> Json:
        return (await http.get(answer.headers["location"])).raise_for_status().json()

    async def is_at(answer: httpx.Response, number: int) -> bool:
        progress = await look(answer)
        return (progress["state"], progress["done"]) == ("checking", number)

    async with check_held(network, second):
        async with check_held(network, first):
            answer = await send()
            await eventually(lambda: is_at(answer, stops[0]))
        await eventually(lambda: is_at(answer, stops[1]))
        assert (await look(answer))["rows"] == SOME
        gateway = network.process("gateway")
        await gateway.kill()
        await gateway.start()

        async def is_interrupted() -> bool:
            return (await look(answer))["state"] == "interrupted"

        await eventually(is_interrupted)
        again = await send()
        assert again.json()["id"] == answer.json()["id"], "the same key goes on with the same one"

    async def is_over() -> bool:
        return (await look(again))["state"] != "checking"

    await eventually(is_over, within=240)
    progress = await look(again)
    assert (progress["state"], progress["done"]) == ("checked", SOME)
    (section,) = (item for item in progress["sections"] if item["name"] == "institutions")
    assert (section["created"], section["updated"]) == (SOME - 2, 2)
    assert not await is_known(http, mark)
