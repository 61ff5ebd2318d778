"""Whether a stream continues what a projection has read of it.

A stream can be made anew: by its owner's relay after the broker lost its store, then with
every event under its old number; or after the owner's database was set back, then of another
history. It can also have lost its beginning to its age. What a stream lacks for a moment only
its owner can tell from what it will never have, so the owner is asked before anything follows
from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nats.errors import Error as NatsError

from servicekit.relay import ask_end

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nats.js.api import StreamInfo

    from servicekit.broker import Broker
    from servicekit.projection import StoredPosition


@dataclass(frozen=True)
class Found:
    """What a stream is to who has read it up to a position, as far as the broker tells.

    `beheaded` means that the stream no longer has the event that would be the next.
    """

    kind: Literal["continues", "beheaded", "missing", "shorter", "other"]
    reason: str = ""


async def look(
    broker: Broker, stream: str, info: StreamInfo | None, stored: StoredPosition
) -> Found:
    """Compare the stream with what was read of it."""
    if info is None:
        return Found("missing", "no such stream")
    if info.state.last_seq < stored.position:
        return Found("shorter", "the stream is being refilled")
    if not await _is_same(broker, stream, stored):
        return Found("other", f"another event at {stored.position}")
    if info.state.first_seq > stored.position + 1 and info.state.last_seq > stored.position:
        return Found("beheaded", f"the events after {stored.position} are being refilled")
    return Found("continues")


async def is_of_another_history(broker: Broker, stream: str, stored: StoredPosition) -> bool:
    """Tell whether the stream is whole by its owner's word and lacks the event that was read.

    False as well when nobody answers for the stream.
    """
    ends = await ends_by_owners(broker, [stream])
    if ends is None:
        return False
    # What was read was committed before it was published: a whole stream has it for good.
    return ends[stream] < stored.position or not await _is_same(broker, stream, stored)


async def ends_by_owners(broker: Broker, streams: Iterable[str]) -> dict[str, int] | None:
    """Where each stream ends by its owner's word; `None` unless all of them answer."""
    try:
        return {stream: await ask_end(broker, stream) for stream in streams}
    except NatsError:
        return None


async def _is_same(broker: Broker, stream: str, stored: StoredPosition) -> bool:
    if stored.event_id is None:
        return True
    found = await broker.message_id_at(stream, stored.position)
    # A message that is no longer there contradicts nothing.
    return found is None or found == str(stored.event_id)
