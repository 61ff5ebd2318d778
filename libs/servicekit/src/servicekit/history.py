"""The outbox as the history of a stream: the two are compared, and the stream repaired.

PostgreSQL is the truth. Each published row keeps the sequence that its message has in
the stream, so that a stream that was deleted, or lost its end when the broker's machine
went down, is filled again in the original order with the original sequence numbers;
consumers that store a position go on as if nothing had happened.

A stream that knows more than its outbox is that of another history: the database was
restored to an earlier time, the broker was not. It is made anew from the outbox too, and
what the outbox has lost is gone from it. Whoever leads decides so, and only by what is
committed: an event is in the outbox before any relay can publish it.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import structlog
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamInfo
from nats.js.errors import NotFoundError

from servicekit.broker import Broker, StreamSpec
from servicekit.publishing import Outgoing, WindowPublisher
from servicekit.pull import PullReader

log = structlog.get_logger(__name__)

_MARK = """
UPDATE outbox SET published_at = clock_timestamp(), stream_seq = published.stream_seq
FROM unnest($1::uuid[], $2::bigint[]) AS published(event_id, stream_seq)
WHERE outbox.event_id = published.event_id AND outbox.published_at IS NULL
"""
_PUBLISHED = """
SELECT event_id, subject, headers, payload, stream_seq FROM outbox
WHERE stream_seq >= $1 ORDER BY stream_seq LIMIT $2
"""
_UNKNOWN = """
SELECT event_id FROM unnest($1::uuid[]) AS found(event_id)
WHERE NOT EXISTS (SELECT FROM outbox WHERE outbox.event_id = found.event_id)
"""


class HistoryError(Exception):
    """The stream could not be repaired now; trying again goes on where this ended."""


class History:
    """Compares one outbox with its stream, over the relay's own connection."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        broker: Broker,
        spec: StreamSpec,
        publisher: WindowPublisher,
        *,
        window: int,
    ) -> None:
        self._connection = connection
        self._broker = broker
        self._spec = spec
        self._publisher = publisher
        self._window = window

    async def mark(self, event_ids: Sequence[UUID], sequences: Sequence[int]) -> None:
        """Note that these events are published, with their sequences in the stream."""
        await self._connection.execute(_MARK, event_ids, sequences)

    async def reconcile(self) -> int:
        """Make stream and outbox agree and return the sequence of the stream's last message.

        Messages that were stored but not marked are marked; messages that the stream
        has lost are published again; a stream with events that are in no row of the
        outbox is made anew. Raises `HistoryError` or `nats.errors.Error` when the broker
        does not play along.
        """
        marked = await self._number("SELECT max(stream_seq) FROM outbox") or 0
        info = await self._broker.stream_info(self._spec.name)
        if info is not None and not await self._is_ours(info, marked):
            log.error("stream_diverged", stream=self._spec.name, last=info.state.last_seq)
            await self.delete_stream()
            info = None
        if info is None:
            info = await self._broker.declare(self._spec, first_sequence=await self._first())
        last = info.state.last_seq
        if last < marked:
            log.warning("stream_refill_begins", stream=self._spec.name, last=last, until=marked)
            last = await self._republish(last)
            log.info("stream_refill_done", stream=self._spec.name, last=last)
        elif last > marked and not await self._mark_tail(marked + 1, last):
            log.error("stream_diverged", stream=self._spec.name, last=last)
            await self.delete_stream()
            return await self.reconcile()
        return last

    async def delete_stream(self) -> None:
        """Delete the stream with all it holds; `reconcile` makes it anew from the outbox."""
        try:
            await self._broker.jetstream.delete_stream(self._spec.name)
        except NotFoundError:
            log.info("stream_missing_already", stream=self._spec.name)

    async def _first(self) -> int:
        """Sequence of the oldest event that is kept: a pruned history begins later than 1."""
        return await self._number("SELECT min(stream_seq) FROM outbox") or 1

    async def _number(self, query: str) -> int | None:
        return await self._connection.fetchval(query)

    async def _is_ours(self, info: StreamInfo, marked: int) -> bool:
        """Tell whether the newest message that both must have is the same one in both."""
        common = min(info.state.last_seq, marked)
        expected = await self._connection.fetchval(
            "SELECT event_id FROM outbox WHERE stream_seq = $1", common
        )
        if expected is None:
            return True  # nothing in common, or a number that was never an event
        found = await self._broker.message_id_at(self._spec.name, common)
        # A message that aged out of the stream, or was purged, contradicts nothing.
        return found is None or found == str(expected)

    async def _republish(self, last: int) -> int:
        """Publish all marked events behind `last` at their old sequences."""
        while True:
            rows = await self._connection.fetch(_PUBLISHED, last + 1, self._window)
            if not rows:
                return last
            start = 0
            while start < len(rows):
                if rows[start]["stream_seq"] != last + 1:
                    last = await self._skip_one(last)
                    continue
                end = start
                while end < len(rows) and rows[end]["stream_seq"] == last + 1 + end - start:
                    end += 1
                result = await self._publisher.publish(
                    [outgoing(row) for row in rows[start:end]], last
                )
                if result.refusal is not None:
                    raise HistoryError(result.refusal.reason)
                last += end - start
                start = end

    async def _skip_one(self, last: int) -> int:
        """Use up a sequence that no event has: the message that had it was not ours."""
        subject = self._spec.subjects[0].replace(">", "gap").replace("*", "gap")
        filler = Outgoing(f"{self._spec.name}:gap:{last + 1}", subject, {}, b"")
        result = await self._publisher.publish([filler], last)
        if result.refusal is not None:
            raise HistoryError(result.refusal.reason)
        await self._broker.jetstream.delete_msg(self._spec.name, last + 1)
        return last + 1

    async def _mark_tail(self, first: int, last: int) -> bool:
        """Mark the events in the stream from `first` to `last`, published before a crash.

        Tells whether all of them are of this outbox. Where one is not, only those before
        it are marked: they keep their sequences in the stream that is made then. Messages
        that are no events at all are told and left.
        """
        found, strangers = await self._tail(first)
        unknown = await self._connection.fetch(_UNKNOWN, list(found))
        end = min((found[row["event_id"]] for row in unknown), default=last + 1)
        ours = {event_id: sequence for event_id, sequence in found.items() if sequence < end}
        await self.mark(list(ours), list(ours.values()))
        log.info("stream_tail_marked", stream=self._spec.name, until=end - 1, events=len(ours))
        foreign = strangers + len(unknown)
        if foreign:
            log.error("stream_has_foreign_messages", stream=self._spec.name, messages=foreign)
        return not unknown

    async def _tail(self, first: int) -> tuple[dict[UUID, int], int]:
        """Sequence of each event in the stream from `first` on, and how many are no events."""
        found: dict[UUID, int] = {}
        strangers = 0
        consumer = await self._broker.jetstream.add_consumer(
            self._spec.name,
            ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=first,
                ack_policy=AckPolicy.NONE,
                headers_only=True,
                mem_storage=True,
                inactive_threshold=30,
            ),
        )
        pending = consumer.num_pending or 0
        async with PullReader(
            self._broker, self._spec.name, consumer.name or "", batch=self._window
        ) as reader:
            while pending > 0:
                for message in await reader.next_batch():
                    pending -= 1
                    try:
                        event_id = UUID((message.headers or {}).get("Nats-Msg-Id", ""))
                    except ValueError:
                        strangers += 1
                        continue
                    found[event_id] = message.metadata.sequence.stream
        return found, strangers


def outgoing(row: asyncpg.Record) -> Outgoing:
    """Return the message that an outbox row is on the wire, always the same."""
    return Outgoing(str(row["event_id"]), row["subject"], row["headers"], row["payload"])
