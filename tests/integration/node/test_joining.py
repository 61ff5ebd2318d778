"""Joining with a token: all or nothing, and nothing is sent to a stranger."""

import asyncio
import json
import os
import re
import signal
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from node_agent.home import Home
from nodekit.join_token import JoinToken
from tests.integration.node.conftest import command, eventually, joined, refused
from tests.support.fault_proxy import FaultProxy
from tests.support.http import PATIENCE_SECONDS
from tests.support.hub_line import until
from tests.support.small_hub import NODE, SmallHub, small_hub


async def test_one_command_brings_a_node_online_and_another_takes_it_out(
    hub: SmallHub, tmp_path: Path
) -> None:
    folder = str(tmp_path / "node")
    status, out = await command("join", hub.token(), "--home", folder)
    try:
        assert status == 0, out
        assert "online: Razavi Khorasan (RKH)" in out
        assert (await command("status", "--home", folder))[0] == 0
        status, out = await command("doctor", "--json", "--home", folder)
        assert status == 0, out
        assert {finding["check"] for finding in json.loads(out)["findings"]} > {
            "permissions",
            "hub",
            "line",
            "clock",
        }
    finally:
        status, out = await command("leave", "--reason", "the test is over", "--home", folder)
    assert status == 0, out
    assert hub.left == ["the test is over"]
    assert not Home(Path(folder)).is_locked()
    assert (await command("status", "--home", folder))[0] == 1


async def test_the_private_key_stays_and_only_its_owner_reads_it(
    hub: SmallHub, tmp_path: Path
) -> None:
    home, findings = await joined(tmp_path / "node", hub.token())
    assert stat.S_IMODE(home.identity_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    identity = home.identity()
    assert identity.node_id == NODE
    (request,) = hub.joins
    assert request.public_key == identity.credentials.public_key
    assert identity.credentials.seed.encode() not in request.SerializeToString()
    assert all(finding.good for finding in findings)
    assert [finding.check for finding in findings] == [
        "token",
        "home",
        "version",
        "reachability",
        "fingerprint",
        "tls",
        "answer",
        "clock",
    ]


async def test_nothing_is_sent_to_who_is_not_the_hub_of_the_token(
    hub: SmallHub, tmp_path: Path
) -> None:
    finding = await refused(tmp_path / "node", hub.token(fingerprint="ab" * 32))
    assert finding.check == "fingerprint"
    assert hub.fingerprint in finding.says
    assert finding.mend
    assert hub.joins == []
    assert not (tmp_path / "node").exists()


async def test_a_token_of_another_hub_than_was_heard_is_not_used(
    hub: SmallHub, tmp_path: Path
) -> None:
    home = str(tmp_path / "node")
    grouped = " ".join(re.findall("....", hub.fingerprint))
    arguments = ("join", hub.token(), "--no-start", "--home", home, "--fingerprint")
    for heard in ("abcd " * 16, ""):  # the latter as of a variable that is not set
        status, out = await command(*arguments, heard)
        assert (status, "heard. Nothing was sent" in out) == (1, True), out
    assert hub.joins == []
    assert not Path(home).exists()
    status, out = await command(*arguments, f" {grouped.upper()} ")
    assert (status, grouped in out) == (0, True), out


async def test_another_hub_at_the_address_gets_no_secret(hub: SmallHub, tmp_path: Path) -> None:
    async with small_hub() as stranger:
        token = hub.token(hub=stranger.server.hub)
        finding = await refused(tmp_path / "node", token)
        assert finding.check == "fingerprint"
        assert stranger.joins == []


@pytest.mark.parametrize(
    ("reason", "check"),
    [
        ("JOIN_TOKEN_EXPIRED", "token"),
        ("CLOCK_TOO_FAR_OFF", "clock"),
        ("PROTOCOL_NOT_SPOKEN", "version"),
    ],
)
async def test_a_refusal_of_the_hub_leaves_nothing_half_done(
    hub: SmallHub, tmp_path: Path, reason: str, check: str
) -> None:
    hub.refuses_join = reason
    finding = await refused(tmp_path / "node", hub.token())
    assert finding.check == check
    assert reason in finding.says
    assert finding.says_fa
    assert not (tmp_path / "node").exists()


async def test_a_used_and_a_foreign_token_are_refused(hub: SmallHub, tmp_path: Path) -> None:
    token = hub.token()
    await joined(tmp_path / "first", token)
    assert "JOIN_TOKEN_USED" in (await refused(tmp_path / "second", token)).says
    unknown = JoinToken(hub.server.hub, hub.fingerprint, "x" * 43).encode()
    assert "JOIN_TOKEN_UNKNOWN" in (await refused(tmp_path / "third", unknown)).says
    assert not (tmp_path / "second").exists()
    assert not (tmp_path / "third").exists()


async def test_the_command_ends_with_status_1_and_a_way_to_mend_it(
    hub: SmallHub, tmp_path: Path
) -> None:
    folder = tmp_path / "node"
    status, out = await command(
        "join", hub.token(fingerprint="ab" * 32), "--home", str(folder), "--json"
    )
    assert status == 1
    result = json.loads(out)
    assert not result["joined"]
    assert result["findings"][-1]["mend"]
    assert not folder.exists()
    status, out = await command("join", "pvn1.nonsense", "--home", str(folder))
    assert status == 1
    assert "no join token" in out


async def test_what_does_not_answer_is_named(tmp_path: Path) -> None:
    token = JoinToken("127.0.0.1:1", "ab" * 32, "x" * 43).encode()
    assert (await refused(tmp_path / "node", token)).check == "reachability"
    token = JoinToken("no-such-host.invalid:4443", "ab" * 32, "x" * 43).encode()
    assert (await refused(tmp_path / "node", token)).check == "reachability"


async def test_what_speaks_no_tls_is_named(tmp_path: Path) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 welcome\r\n" * 50)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        token = JoinToken(f"127.0.0.1:{port}", "ab" * 32, "x" * 43).encode()
        assert (await refused(tmp_path / "node", token)).check == "tls"


async def test_a_hub_that_is_silent_behind_its_port_is_named(
    hub: SmallHub, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node_agent.joining._ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("node_agent.joining._AGAIN_SECONDS", 0.05)
    hub.silent.add("join")
    finding = await refused(tmp_path / "node", hub.token(proxy))
    assert finding.check == "answer"
    assert not (tmp_path / "node").exists()


async def test_a_folder_that_holds_a_node_is_not_overwritten(hub: SmallHub, tmp_path: Path) -> None:
    home, _ = await joined(tmp_path / "node", hub.token())
    before = home.identity_file.read_bytes()
    finding = await refused(home.path, hub.token())
    assert finding.check == "home"
    assert "--again" in finding.mend
    assert home.identity_file.read_bytes() == before
    assert len(hub.joins) == 1
    await joined(home.path, hub.token(), again=True)
    assert home.identity_file.read_bytes() != before


async def test_a_damaged_identity_is_replaced_by_joining_again(
    hub: SmallHub, tmp_path: Path
) -> None:
    home, _ = await joined(tmp_path / "node", hub.token())
    home.identity_file.write_text('{"node_id": "nod_')
    status, out = await command("doctor", "--home", str(home.path))
    assert (status, "--again" in out) == (1, True)
    assert (await refused(home.path, hub.token())).check == "home"
    await joined(home.path, hub.token(), again=True)
    assert home.identity().node_id == NODE


async def test_a_token_of_another_node_does_not_take_over_the_reports_of_this_one(
    hub: SmallHub, tmp_path: Path
) -> None:
    home, _ = await joined(tmp_path / "node", hub.token())
    home.keep(replace(home.identity(), node_id="nod_01k0000000000000000000000b"))
    before = home.identity_file.read_bytes()
    token = hub.token()
    finding = await refused(home.path, token, again=True)
    assert (finding.check, "JOIN_TOKEN_OF_ANOTHER_NODE" in finding.says) == ("token", True)
    assert home.identity_file.read_bytes() == before
    # Where its own node is to be the token is good, and a hub of before is seen through.
    await joined(tmp_path / "its own", token)
    hub.looks_at_no_node = True
    finding = await refused(home.path, hub.token(), again=True)
    assert (finding.check, NODE in finding.says) == ("home", True)
    assert home.identity_file.read_bytes() == before


async def test_a_refusal_keeps_the_identity_that_was_there(hub: SmallHub, tmp_path: Path) -> None:
    home, _ = await joined(tmp_path / "node", hub.token())
    before = home.identity_file.read_bytes()
    hub.refuses_join = "JOIN_TOKEN_EXPIRED"
    await refused(home.path, hub.token(), again=True)
    assert home.identity_file.read_bytes() == before
    assert [path.name for path in home.path.iterdir()] == ["node.json"]


async def test_a_folder_that_cannot_be_written_is_named_before_anything_is_sent(
    hub: SmallHub, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    finding = await refused(tmp_path / "file" / "node", hub.token())
    assert finding.check == "home"
    assert hub.joins == []


async def test_a_clock_that_is_off_is_told(hub: SmallHub, tmp_path: Path) -> None:
    hub.clock_ahead = timedelta(seconds=60)
    _, findings = await joined(tmp_path / "node", hub.token())
    (clock,) = [finding for finding in findings if finding.check == "clock"]
    assert not clock.good
    assert "behind" in clock.says


async def test_what_the_hub_refuses_is_shown_until_it_was_seen(
    hub: SmallHub, tmp_path: Path
) -> None:
    folder, hub.bad_total = str(tmp_path / "node"), 13.0
    status, out = await command("join", hub.token(), "--home", folder, "--json")
    assert status == 0, out
    url, value = json.loads(out)["url"], {"observed_at": "2026-11-22T10:00:00Z"}
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        for total in (4, 13):
            items = [{"kind": "gmp_suite", "total": total, "used": 1}]
            answer = await client.post(
                f"{url}/reports/capacity",
                json=value | {"items": items},
                headers={"Idempotency-Key": f"k{total}"},
            )
            assert answer.status_code == 202
    key = answer.json()["key"]

    async def refused() -> bool:
        return key in (await command("receipts", "--home", folder))[1]

    try:
        await eventually(refused)
        status, out = await command("doctor", "--home", folder)
        assert (status, "peyvand-node receipts" in out) == (1, True)
        status, out = await command("receipts", "--seen", "--home", folder)
        assert (status, "OUT_OF_RANGE" in out, "نه." in out) == (0, True, True)
        assert not await refused()
        status, out = await command("doctor", "--home", folder)
        assert (status, "1 reports were refused by the hub" in out) == (0, True)
    finally:
        await command("leave", "--reason", "the test is over", "--home", folder)
    # When no agent runs the store is asked itself.
    joined_anew, _ = await joined(Path(folder), hub.token())
    assert not joined_anew.is_locked()
    status, out = await command("receipts", "--all", "--json", "--home", folder)
    assert (status, len(json.loads(out)["receipts"])) == (0, 2)


async def test_an_agent_that_is_killed_and_started_again_goes_on_alone(
    hub: SmallHub, tmp_path: Path
) -> None:
    folder = tmp_path / "node"
    status, out = await command("join", hub.token(), "--home", str(folder), "--json")
    assert status == 0, out
    result = json.loads(out)
    os.kill(result["pid"], signal.SIGKILL)
    home = Home(folder)
    await until(lambda: not home.is_locked())
    assert (await command("status", "--home", str(folder)))[0] == 1
    status, out = await command("doctor", "--home", str(folder))
    assert (status, "The agent does not run" in out) == (1, True)
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(result["url"] + "/livez")
