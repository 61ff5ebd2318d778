"""Places in the timeline: their text, and walks over streams that grow meanwhile."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.projections import cursors
from observatory.projections.cursors import Page, Reach

STREAMS = ("EVT_A", "EVT_B", "EVT_C")
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """An event of a stream; `seen` says that a filter lets it through."""

    stream: str
    stream_seq: int
    time: datetime
    event_id: str
    seen: bool


Streams = dict[str, list[Told]]


def append(streams: Streams, stream: str, seconds: int, *, seen: bool) -> None:
    number = len(streams[stream]) + 1
    time = START + timedelta(seconds=seconds)
    streams[stream].append(Told(stream, number, time, f"{stream}-{number:04}", seen))


def read_forward(streams: Streams, after: dict[str, int], size: int) -> Page[Told]:
    """What one query gives: the fitting events behind a place, at most one more than asked."""
    reaches = {
        stream: Reach(
            [e for e in events if e.seen and e.stream_seq > after.get(stream, 0)][: size + 1],
            max(len(events), after.get(stream, 0)),
        )
        for stream, events in streams.items()
    }
    return cursors.forward(reaches, after, size)


def read_backward(streams: Streams, before: dict[str, int], size: int) -> Page[Told]:
    reaches = {
        stream: Reach(
            [e for e in reversed(events) if e.seen and e.stream_seq <= before[stream]][: size + 1],
            0,
        )
        for stream, events in streams.items()
    }
    return cursors.backward(reaches, before, size)


appends = st.tuples(
    st.just("append"), st.sampled_from(STREAMS), st.integers(-50, 50), st.booleans()
)
reads = st.tuples(st.just("read"), st.integers(1, 4))


@given(st.lists(st.one_of(appends, reads), max_size=60))
def test_a_follower_gets_each_event_once_and_each_stream_in_order(
    steps: list[tuple[str, str, int, bool] | tuple[str, int]],
) -> None:
    streams: Streams = {stream: [] for stream in STREAMS}
    place: dict[str, int] = {}
    followed: list[Told] = []

    def read(size: int) -> Page[Told]:
        page = read_forward(streams, place, size)
        followed.extend(event for event, _ in page.events)
        # What travels between two pages is the text.
        place.clear()
        place.update(cursors.decode(cursors.encode(page.next)))
        return page

    for step in steps:
        if len(step) == 2:
            read(step[1])
        else:
            _, stream, seconds, seen = step
            append(streams, stream, seconds, seen=seen)
    while read(2).more:
        pass
    assert len(followed) == len(set(followed))
    for stream, events in streams.items():
        assert [e for e in followed if e.stream == stream] == [e for e in events if e.seen]
        # Nothing that was filtered out is looked at again.
        assert place.get(stream, 0) == len(events)


@given(st.lists(appends, max_size=40), st.integers(1, 5))
def test_going_on_from_any_event_gives_what_comes_after_it(
    steps: list[tuple[str, str, int, bool]], size: int
) -> None:
    streams: Streams = {stream: [] for stream in STREAMS}
    for _, stream, seconds, seen in steps:
        append(streams, stream, seconds, seen=seen)
    whole = read_forward(streams, {}, 100).events
    for number, (_, place) in enumerate(whole):
        onwards = read_forward(streams, place, size).events
        assert [e for e, _ in onwards] == [e for e, _ in whole[number + 1 :]][:size]


@given(st.lists(appends, max_size=40), st.lists(appends, max_size=10), st.integers(1, 5))
def test_looking_back_gives_each_event_once_whatever_is_added_meanwhile(
    steps: list[tuple[str, str, int, bool]], later: list[tuple[str, str, int, bool]], size: int
) -> None:
    streams: Streams = {stream: [] for stream in STREAMS}
    for _, stream, seconds, seen in steps:
        append(streams, stream, seconds, seen=seen)
    there = {stream: list(events) for stream, events in streams.items()}
    place = {stream: len(events) for stream, events in streams.items()}
    walked: list[Told] = []
    more = True
    while more:
        for _, stream, seconds, seen in later:
            append(streams, stream, seconds, seen=seen)
        page = read_backward(streams, place, size)
        walked += [event for event, _ in page.events]
        place, more = page.next, page.more
    assert len(walked) == len(set(walked))
    for stream, events in there.items():
        assert [e for e in walked if e.stream == stream] == [e for e in reversed(events) if e.seen]
    assert set(place.values()) == {0}


def test_streams_come_together_by_their_times() -> None:
    streams: Streams = {stream: [] for stream in STREAMS}
    for stream, seconds in (("EVT_B", 1), ("EVT_A", 2), ("EVT_C", 3), ("EVT_B", 4), ("EVT_A", 5)):
        append(streams, stream, seconds, seen=True)
    times = [event.time for event, _ in read_forward(streams, {}, 10).events]
    assert times == sorted(times)
    place = {stream: len(events) for stream, events in streams.items()}
    back = [event.time for event, _ in read_backward(streams, place, 10).events]
    assert back == sorted(times, reverse=True)


def test_a_clock_that_went_back_does_not_turn_the_order_of_its_stream() -> None:
    streams: Streams = {stream: [] for stream in STREAMS}
    for stream, seconds in (("EVT_A", 10), ("EVT_A", 1), ("EVT_B", 5)):
        append(streams, stream, seconds, seen=True)
    names = [event.event_id for event, _ in read_forward(streams, {}, 10).events]
    assert names == ["EVT_B-0001", "EVT_A-0001", "EVT_A-0002"]


@given(st.dictionaries(st.sampled_from(STREAMS), st.integers(0, (1 << 63) - 1)))
def test_a_place_survives_its_text(vector: dict[str, int]) -> None:
    text = cursors.encode(vector)
    assert cursors.decode(text) == {stream: seq for stream, seq in vector.items() if seq}
    assert text
    assert all(character.isalnum() or character in "_-" for character in text)


def test_the_beginning_has_a_text_of_its_own() -> None:
    assert cursors.decode(cursors.encode({})) == {}
    assert cursors.decode("") == {}


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "abc",
        "é",
        "====",
        encoded("EVT_A"),
        encoded("EVT_A=0"),
        encoded("EVT_A=-1"),
        encoded("EVT_A=1,"),
        encoded("EVT_A=1 "),
        encoded("evt_a=1"),
        encoded("EVT_A=9223372036854775808"),
        encoded("EVT_A=1\n"),
        encoded("EVT_é=1"),
    ],
)
def test_a_text_that_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        cursors.decode(text)
