"""The time that what has begun is given when a process ends."""

import pytest

from gateway.closing import Closing


def test_time_runs_from_the_first_word_of_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("gateway.closing.time.monotonic", lambda: now[0])
    closing = Closing(20)
    assert (closing.is_set(), closing.seconds_left) == (False, 0)
    closing.set()
    assert (closing.is_set(), closing.seconds_left) == (True, 20)
    now[0] += 15
    # Who says it again gives no more time.
    closing.set()
    assert closing.seconds_left == 5
    now[0] += 15
    assert closing.seconds_left == 0
