"""Places in the timeline, and how its streams are brought together.

There is no order over all streams that would be the same after the picture was built
anew, but each stream keeps its own. So a place is a vector: how far each stream was
read. What was read stays read, and what is new comes after it, whatever the streams do
to each other in time.
"""

import base64
import heapq
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

_TEXT = re.compile(r"(?:[A-Z0-9_]{1,60}=[1-9][0-9]{0,18}(?:,|\Z)){0,20}")

Vector = Mapping[str, int]


def encode(vector: Vector) -> str:
    """Write a place as opaque text, the same text for the same place."""
    text = ",".join(f"{stream}={vector[stream]}" for stream in sorted(vector) if vector[stream])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") or "_"


def decode(text: str) -> dict[str, int]:
    """Read a place. Raises `ValueError` for a text that `encode` did not write."""
    if text in ("", "_"):
        return {}
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
        pairs = plain.decode("ascii")
    except ValueError:
        raise ValueError("not a cursor") from None
    if not pairs or not _TEXT.fullmatch(pairs) or pairs.endswith(","):
        raise ValueError("not a cursor")
    vector = {name: int(number) for name, _, number in (p.partition("=") for p in pairs.split(","))}
    if max(vector.values()) >= 1 << 63:
        raise ValueError("not a cursor")
    return vector


class Placed(Protocol):
    """Something that has a place in a stream."""

    @property
    def stream_seq(self) -> int:
        """Its number in the stream."""
        ...

    @property
    def time(self) -> datetime:
        """When it happened."""
        ...

    @property
    def event_id(self) -> object:
        """Its id; decides between two of the same time."""
        ...


E = TypeVar("E", bound=Placed)


@dataclass(frozen=True)
class Reach(Generic[E]):
    """What a query found in one stream.

    `events` are in the order of the walk. There may be more of them behind the last one
    only if there are more than a page takes. `end` is where the walk ends in this
    stream: nothing that fits lies between the last event and it.
    """

    events: Sequence[E]
    end: int


@dataclass(frozen=True)
class Page(Generic[E]):
    """Events with the place right after each, where to go on, and whether more are there."""

    events: list[tuple[E, dict[str, int]]]
    next: dict[str, int]
    more: bool


def forward(reaches: Mapping[str, Reach[E]], start: Vector, size: int) -> Page[E]:
    """Take `size` events, the earliest first, from streams that were read from `start` on.

    A stream's own order is kept, also where its clock went back.
    """
    place = dict(start)
    taken: list[tuple[E, dict[str, int]]] = []
    used = dict.fromkeys(reaches, 0)
    heads = [_early(stream, reach.events[0]) for stream, reach in reaches.items() if reach.events]
    heapq.heapify(heads)
    while heads and len(taken) < size:
        stream = heapq.heappop(heads)[-1]
        events = reaches[stream].events
        event = events[used[stream]]
        used[stream] += 1
        place[stream] = event.stream_seq
        taken.append((event, dict(place)))
        if used[stream] < len(events):
            heapq.heappush(heads, _early(stream, events[used[stream]]))
    for stream, reach in reaches.items():
        left = reach.events[used[stream] :]
        # What did not fit is passed over, up to the next event that does.
        reached = left[0].stream_seq - 1 if left else reach.end
        place[stream] = max(place.get(stream, 0), reached)
    return Page(taken, place, more=bool(heads))


def backward(reaches: Mapping[str, Reach[E]], start: Vector, size: int) -> Page[E]:
    """Take `size` events, the latest first, from streams that were read back from `start`."""
    place = dict(start)
    taken: list[tuple[E, dict[str, int]]] = []
    used = dict.fromkeys(reaches, 0)
    heads = [_late(stream, reach.events[0]) for stream, reach in reaches.items() if reach.events]
    heapq.heapify(heads)
    while heads and len(taken) < size:
        stream = heapq.heappop(heads)[-1]
        events = reaches[stream].events
        event = events[used[stream]]
        used[stream] += 1
        place[stream] = event.stream_seq
        taken.append((event, dict(place)))
        place[stream] = event.stream_seq - 1
        if used[stream] < len(events):
            heapq.heappush(heads, _late(stream, events[used[stream]]))
    for stream, reach in reaches.items():
        left = reach.events[used[stream] :]
        place[stream] = left[0].stream_seq if left else reach.end
    return Page(taken, place, more=bool(heads))


def _early(stream: str, event: Placed) -> tuple[float, str, str]:
    return event.time.timestamp(), str(event.event_id), stream


def _late(stream: str, event: Placed) -> tuple[float, tuple[int, ...], str]:
    # The reverse of the other order, so that both walks meet the same neighbours.
    backwards = tuple(-ord(character) for character in str(event.event_id))
    return -event.time.timestamp(), backwards, stream
