"""How nodes are answered that join, say hello, renew their credentials or leave."""

from collections.abc import Mapping
from functools import partial

from google.protobuf.message import DecodeError

from centers.line.refusals import refusal
from centers.line.responder import Exchange, Request
from centers.line.standing import ReportStandings
from centers.use_cases import joining
from centers.use_cases.joining import Issuing
from nodekit.subjects import JOIN, from_any_node, sender
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.database import Database, WriteSession
from servicekit.errors import Fault
from servicekit.mapping import to_timestamp

# A stranger's request must leave the database to those who are known.
_JOINS_AT_ONCE = 2


class Joining:
    """Answers nodes that come and go. Without `issuing` nobody can join or renew here."""

    def __init__(
        self, database: Database, issuing: Issuing | None, standings: ReportStandings
    ) -> None:
        self._database = database
        self._issuing = issuing
        self._standings = standings

    def exchanges(self) -> Mapping[str, Exchange]:
        """What is answered, by subject."""
        return {
            JOIN: Exchange(self._join, pb.JoinReply, self._bar_former_keys, at_once=_JOINS_AT_ONCE),
            from_any_node("hello"): Exchange(self._hello, pb.HelloReply),
            from_any_node("renew"): Exchange(self._renew, pb.RenewReply),
            from_any_node("leave"): Exchange(self._leave, pb.LeaveReply, self._see_off),
        }

    async def _join(self, request: Request) -> pb.JoinReply:
        asked = pb.JoinRequest.FromString(request.data)
        issuing = self._required_issuing()

        async def work(session: WriteSession) -> pb.Joined | Fault:
            return await joining.join(session, asked, issuing, request.received_at)

        outcome = await self._database.write(work)
        if isinstance(outcome, Fault):
            return pb.JoinReply(refusal=refusal(outcome))
        return pb.JoinReply(joined=outcome)

    async def _bar_former_keys(self, request: Request) -> None:
        try:
            secret = pb.JoinRequest.FromString(request.data).secret
        except DecodeError:
            return
        now = request.received_at
        await self._database.write(partial(joining.bar_former_keys, secret=secret, now=now))

    async def _hello(self, request: Request) -> pb.HelloReply:
        said = pb.Hello.FromString(request.data)
        node_id, now = sender(request.subject), request.received_at
        issuing = self._required_issuing()

        async def work(session: WriteSession) -> pb.Standing:
            greeted = await joining.hello(session, node_id, said, now)
            reports = await self._standings(session, node_id, said)
            standing = pb.Standing(
                last_number=reports.last_number,
                receipts=reports.receipts,
                more_receipts=reports.more_receipts,
                receipts_anew=reports.receipts_anew,
                settings=joining.settings_for(greeted.center, issuing.life),
                time=to_timestamp(now),
            )
            if greeted.node.credentials_expire_at is not None:
                standing.credentials_expire_at.FromDatetime(greeted.node.credentials_expire_at)
            return standing

        return pb.HelloReply(standing=await self._database.write(work))

    async def _renew(self, request: Request) -> pb.RenewReply:
        asked = pb.RenewRequest.FromString(request.data)
        node_id, issuing = sender(request.subject), self._required_issuing()

        async def work(session: WriteSession) -> pb.Credentials:
            return await joining.renew(session, node_id, asked, issuing, request.received_at)

        return pb.RenewReply(credentials=await self._database.write(work))

    async def _leave(self, request: Request) -> pb.LeaveReply:
        said = pb.LeaveRequest.FromString(request.data)
        node_id = sender(request.subject)

        async def work(session: WriteSession) -> None:
            await joining.leave(session, node_id, said.reason, request.received_at)

        await self._database.write(work)
        return pb.LeaveReply()

    async def _see_off(self, request: Request) -> None:
        node_id, now = sender(request.subject), request.received_at
        await self._database.write(partial(joining.see_off, node_id=node_id, now=now))

    def _required_issuing(self) -> Issuing:
        if self._issuing is None:
            raise Fault("JOINING_NOT_SET_UP")
        return self._issuing
