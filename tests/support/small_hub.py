"""A hub for tests of the agent: the real broker, and behind it a few lines that answer.

It keeps in memory what the hub's service keeps in its database, and can be told to
misbehave: to refuse, to keep silent, to lose answers, to forget.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import nats
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nodekit import nats_jwt
from nodekit.accounts import HubKeys
from nodekit.batches import unpack
from nodekit.join_token import JoinToken, new_secret
from nodekit.subjects import from_any_node, sender, to_hub, wake
from peyvand.node.v1 import protocol_pb2 as pb
from peyvandctl.nats import NatsServer
from peyvandctl.processes import ManagedProcess
from peyvandctl.state import HomeLock, free_port
from tests.support.cluster import fresh_home

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from google.protobuf.message import Message
    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from tests.support.fault_proxy import FaultProxy

NODE = "nod_01k0000000000000000000000a"
CENTER = "ctr_01k0000000000000000000000a"
MONTH = timedelta(days=30)


@dataclass
class SmallHub:
    """What the hub knows, and how it behaves.

    Attributes:
        taken: by journal, key and content of the reports in the order in which they came.
        refuses: reason with which every hello and batch is refused; none when empty.
        bad_keys: reports whose `total` of the first item is this are refused.
        silent: asked things that get no answer.
        loses_answers: how many answers to batches are lost after they were committed.
        credentials_life: of those that nodes have; renewed ones live for a month.
        heartbeat_seconds: how often nodes are to say that they are alive.
        looks_at_no_node: lets in whoever has a token, as a hub of before did.
        clock_ahead: how far the hub's clock is ahead of this machine's.
    """

    server: NatsServer
    process: ManagedProcess
    keys: HubKeys
    client: Client
    credentials_life: timedelta = MONTH
    renew_before: int = 10 * 86400
    batch_reports: int = 500
    heartbeat_seconds: int = 1
    taken: dict[str, list[pb.Report]] = field(
        default_factory=lambda: defaultdict[str, list[pb.Report]](list)
    )
    receipts: list[pb.Receipt] = field(default_factory=list[pb.Receipt])
    heartbeats: list[pb.Heartbeat] = field(default_factory=list[pb.Heartbeat])
    hellos: list[pb.Hello] = field(default_factory=list[pb.Hello])
    joins: list[pb.JoinRequest] = field(default_factory=list[pb.JoinRequest])
    left: list[str] = field(default_factory=list[str])
    secrets: dict[str, bool] = field(default_factory=dict[str, bool])
    refuses: str = ""
    refuses_join: str = ""
    looks_at_no_node: bool = False
    bad_total: float = -1.0
    silent: set[str] = field(default_factory=set[str])
    loses_answers: int = 0
    clock_ahead: timedelta = timedelta()
    barred: dict[str, datetime] = field(default_factory=dict[str, datetime])

    @property
    def authority(self) -> str:
        """The authority's certificate in PEM."""
        return self.server.authority.certificate.read_text()

    @property
    def fingerprint(self) -> str:
        """Its fingerprint."""
        certificate = x509.load_pem_x509_certificate(self.authority.encode())
        return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()

    def token(self, proxy: FaultProxy | None = None, **changed: str) -> str:
        """Make a token."""
        secret = new_secret()
        self.secrets[secret] = False
        hub = self.server.hub if proxy is None else f"{proxy.address[0]}:{proxy.address[1]}"
        return replace(JoinToken(hub, self.fingerprint, secret), **changed).encode()

    def numbers(self) -> list[int]:
        """Numbers of all reports, in the order in which they came."""
        return [report.number for journal in self.taken.values() for report in journal]

    def keys_taken(self) -> list[str]:
        """Names of all reports, in the order in which they came."""
        return [report.key for journal in self.taken.values() for report in journal]

    def now(self) -> datetime:
        """Time by the hub's clock."""
        return datetime.now(UTC) + self.clock_ahead

    def issue(self, public_key: str) -> pb.Credentials:
        """Make credentials."""
        until = (self.now() + self.credentials_life).replace(microsecond=0)
        given = pb.Credentials(jwt=self.keys.node_signer().issue(public_key, NODE, until))
        given.expires_at.FromDatetime(until)
        return given

    async def bar(self, public_key: str) -> None:
        """Bar a key at the broker; its connections are cut."""
        self.barred[public_key] = datetime.now(UTC)
        await self.tell_accounts()

    async def let_in(self) -> None:
        """Bar no key any more."""
        self.barred.clear()
        await self.tell_accounts()

    async def wake(self) -> None:
        """Ask the node for a greeting."""
        await self.client.publish(wake(NODE))

    async def tell_accounts(self) -> None:
        """Tell the broker what the account of the nodes is."""
        system = await nats.connect(
            **replace(
                self.server.access, credentials=self.keys.system_credentials("test")
            ).options()
        )
        account = self.keys.platform_account(self.barred)
        jwt = nats_jwt.account(self.keys.operator, account)
        answer = await system.request("$SYS.REQ.CLAIMS.UPDATE", jwt.encode(), timeout=60)
        assert json.loads(answer.data)["data"]["code"] == 200, answer.data
        await system.close()

    # What nodes ask

    async def listen(self) -> None:
        """Begin to answer."""
        answers: dict[str, Callable[[Msg], Message | None]] = {
            "join": self._join,
            from_any_node("hello"): self._hello,
            from_any_node("reports"): self._reports,
            from_any_node("renew"): self._renew,
            from_any_node("leave"): self._leave,
            from_any_node("hb"): self._heartbeat,
        }
        for subject, answer in answers.items():
            await self.client.subscribe(subject, cb=self._answering(answer))
        await self.client.flush()

    def _answering(
        self, answer: Callable[[Msg], Message | None]
    ) -> Callable[[Msg], Awaitable[None]]:
        async def respond(message: Msg) -> None:
            if message.subject.rpartition(".")[2] in self.silent:
                return
            reply = answer(message)
            if reply is not None and message.reply:
                await message.respond(reply.SerializeToString())

        return respond

    def _refusal(self, reason: str) -> pb.Refusal:
        return pb.Refusal(reason=reason, en=f"Refused: {reason}.", fa=f"پذیرفته نشد: {reason}.")

    def _join(self, message: Msg) -> Message:
        request = pb.JoinRequest.FromString(message.data)
        self.joins.append(request)
        if self.refuses_join:
            return pb.JoinReply(refusal=self._refusal(self.refuses_join))
        if request.secret not in self.secrets:
            return pb.JoinReply(refusal=self._refusal("JOIN_TOKEN_UNKNOWN"))
        if self.secrets[request.secret]:
            return pb.JoinReply(refusal=self._refusal("JOIN_TOKEN_USED"))
        if request.expected_node_id not in ("", NODE) and not self.looks_at_no_node:
            return pb.JoinReply(refusal=self._refusal("JOIN_TOKEN_OF_ANOTHER_NODE"))
        self.secrets[request.secret] = True
        joined = pb.Joined(
            node_id=NODE,
            center_id=CENTER,
            center_code="RKH",
            credentials=self.issue(request.public_key),
            settings=self._settings(),
        )
        joined.center_names.en, joined.center_names.fa = "Razavi Khorasan", "خراسان رضوی"
        joined.time.FromDatetime(self.now())
        return pb.JoinReply(joined=joined)

    def _settings(self) -> pb.NodeSettings:
        return pb.NodeSettings(
            heartbeat_seconds=self.heartbeat_seconds,
            renew_before_seconds=self.renew_before,
            batch_reports=self.batch_reports,
            batch_bytes=128 * 1024,
        )

    def _hello(self, message: Msg) -> Message:
        assert message.subject == to_hub(sender(message.subject), "hello")
        hello = pb.Hello.FromString(message.data)
        self.hellos.append(hello)
        if self.refuses:
            return pb.HelloReply(refusal=self._refusal(self.refuses))
        given = self._gave(hello.receipts_after, hello.receipts_mark)
        after = hello.receipts_after if given else 0
        unseen = [receipt for receipt in self.receipts if receipt.number > after]
        standing = pb.Standing(
            last_number=self._last(hello.journal),
            receipts=unseen[:100],
            more_receipts=len(unseen) > 100,
            receipts_anew=not given,
            settings=self._settings(),
        )
        standing.time.FromDatetime(self.now())
        standing.credentials_expire_at.FromDatetime(self.now() + self.credentials_life)
        return pb.HelloReply(standing=standing)

    def _gave(self, number: int, mark: str) -> bool:
        """Whether a receipt is one of this hub's, and not of what it was before."""
        if not 0 < number <= len(self.receipts):
            return number == 0
        return self.receipts[number - 1].mark == mark

    def _last(self, journal: str) -> int:
        return self.taken[journal][-1].number if self.taken[journal] else 0

    def _reports(self, message: Msg) -> Message | None:
        if self.refuses:
            return pb.BatchReply(refusal=self._refusal(self.refuses))
        batch = unpack(message.data)
        given = self._gave(batch.receipts_after, batch.receipts_mark)
        receipts: list[pb.Receipt] = []
        for report in batch.reports:
            last = self._last(batch.journal)
            if report.number <= last:
                continue
            if report.number > last + 1:
                break
            self.taken[batch.journal].append(report)
            receipts.append(self._receipt(batch.journal, report))
        if self.loses_answers > 0:
            self.loses_answers -= 1
            return None
        taken = pb.BatchTaken(last_number=self._last(batch.journal), receipts=receipts)
        taken.receipts_anew = not given
        taken.time.FromDatetime(self.now())
        return pb.BatchReply(taken=taken)

    def _receipt(self, journal: str, report: pb.Report) -> pb.Receipt:
        receipt = pb.Receipt(
            number=len(self.receipts) + 1,
            mark=secrets.token_hex(8),
            journal=journal,
            report_number=report.number,
            key=report.key,
        )
        receipt.decided_at.FromDatetime(self.now())
        if report.HasField("capacity") and report.capacity.items[0].total == self.bad_total:
            receipt.refusals.add(field="items[0].total", reason="OUT_OF_RANGE", en="No.", fa="نه.")
        else:
            receipt.id = f"cap_{report.number}"
        self.receipts.append(receipt)
        return receipt

    def decide(self, report: pb.Report, journal: str, decision: str, comment: str) -> None:
        """Make the word of the headquarters on a report that was taken earlier."""
        receipt = pb.Receipt(
            number=len(self.receipts) + 1,
            mark=secrets.token_hex(8),
            journal=journal,
            report_number=report.number,
            key=report.key,
            decision=decision,
            comment=comment,
        )
        receipt.decided_at.FromDatetime(self.now())
        self.receipts.append(receipt)

    def _renew(self, message: Msg) -> Message:
        request = pb.RenewRequest.FromString(message.data)
        self.credentials_life = MONTH
        return pb.RenewReply(credentials=self.issue(request.public_key))

    def _leave(self, message: Msg) -> Message:
        self.left.append(pb.LeaveRequest.FromString(message.data).reason)
        return pb.LeaveReply()

    def _heartbeat(self, message: Msg) -> None:
        self.heartbeats.append(pb.Heartbeat.FromString(message.data))


@contextlib.asynccontextmanager
async def small_hub(*, leaves: bool = False) -> AsyncGenerator[SmallHub]:
    """Run a broker of its own, and answer behind it."""
    with fresh_home() as home:
        home.prepare()
        lock = HomeLock(home)
        lock.acquire()
        port = free_port()
        monitor = free_port(taken=[port])
        own = free_port(taken=[port, monitor]) if leaves else 0
        server = NatsServer(home, port, monitor, leaves_port=own)
        process = ManagedProcess(home, server.spec())
        try:
            await process.start()
            client = await nats.connect(max_reconnect_attempts=-1, **server.access.options())
            try:
                hub = SmallHub(server, process, HubKeys.read(server.keys), client)
                await hub.tell_accounts()
                await hub.listen()
                yield hub
            finally:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(client.close(), 5)
        finally:
            await process.stop()
            lock.release()
