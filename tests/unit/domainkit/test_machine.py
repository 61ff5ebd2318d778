"""A state machine allows what it declares, and finds the shortest way."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domainkit.machine import Machine
from domainkit.rules import IllegalStep


class S(StrEnum):
    """Some states."""

    A = "a"
    B = "b"
    C = "c"
    D = "d"


steps = st.dictionaries(
    st.sampled_from(["one", "two", "three", "four", "five"]),
    st.tuples(st.sets(st.sampled_from(S), min_size=1), st.sampled_from(S)),
    min_size=1,
)


@given(steps, st.sampled_from(S), st.sampled_from(["one", "two", "three", "four", "five"]))
def test_a_step_is_taken_exactly_where_it_is_declared(
    declared: dict[str, tuple[set[S], S]], state: S, action: str
) -> None:
    machine = Machine(declared)
    if action in declared and state in declared[action][0]:
        assert machine.target(action, state) == declared[action][1]
        assert action in machine.allowed(state)
    else:
        with pytest.raises(IllegalStep) as refusal:
            machine.target(action, state)
        assert list(refusal.value.allowed) == machine.allowed(state)
        assert action not in refusal.value.allowed


@given(steps, st.sampled_from(S), st.sampled_from(S))
def test_a_way_leads_to_the_goal_and_none_is_shorter(
    declared: dict[str, tuple[set[S], S]], state: S, goal: S
) -> None:
    machine = Machine(declared)
    # States that can be reached in each number of steps, by brute force.
    distance, reached = {state: 0}, {state}
    for number in range(1, len(S) + 1):
        reached = {machine.target(a, s) for s in reached for a in machine.allowed(s)}
        for found in reached:
            distance.setdefault(found, number)
    way = machine.path(state, goal)
    if goal not in distance:
        assert way is None
        return
    assert way is not None
    assert len(way) == distance[goal]
    for action in way:
        state = machine.target(action, state)
    assert state == goal
