"""Whether the copy that leaves copy from goes with its source."""

import pytest
from nats.js.api import StreamConfig, StreamInfo, StreamSourceInfo, StreamState

from centers.copies import follows

SECOND = 1_000_000_000  # in nanoseconds


def said(active: int | None, lag: int = 0, last: int = 7) -> StreamInfo:
    """What a broker says of a copy: since when it heard nothing, what it lacks, what it has."""
    state = StreamState(messages=1, bytes=1, first_seq=1, last_seq=last, consumer_count=0)
    sources = [StreamSourceInfo("EVT_CENTERS", lag=lag, active=active)]
    return StreamInfo(config=StreamConfig(name="CENTERS"), state=state, sources=sources)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (said(SECOND), True),
        (said(29 * SECOND), True),
        (said(31 * SECOND), False),
        (said(-1), False),
        (said(None), False),
        (StreamInfo(config=StreamConfig(), state=said(0).state, sources=None), False),
        # It lacks something, and takes what comes.
        (said(SECOND, lag=5, last=8), True),
        # It hears of what it does not take.
        (said(SECOND, lag=5), False),
    ],
)
def test_it_follows_while_it_hears_and_takes_what_it_hears(now: StreamInfo, expected: bool) -> None:
    assert follows(said(SECOND), now) is expected


def test_at_the_first_look_nothing_is_known_of_what_it_takes() -> None:
    assert follows(None, said(SECOND, lag=5))
