"""The life of a node, what it may do in each state, and when it is warned."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centers.domain.centers import SHORTEST_LATE_SECONDS, Center, Expectations
from centers.domain.nodes import (
    WARNING_DAYS,
    Credential,
    Node,
    NodeState,
    check_clock,
    check_protocol,
)
from centers.use_cases.joining import settings_for
from domainkit.aggregate import Occasion
from domainkit.rules import IllegalStep, Refused, RulesBroken
from domainkit.values import LocalizedText

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LIFE = timedelta(days=30)


def _at(moment: datetime = NOW, reason: str = "") -> Occasion:
    return Occasion(actor="someone", at=moment, reason=reason)


def _node(state: NodeState = NodeState.APPLIED) -> Node:
    return Node(
        id="nod_1",
        center_id="ctr_1",
        name="Server room",
        created_at=NOW,
        updated_at=NOW,
        state_since=NOW,
        state=state,
    )


def _credential(key: str = "UA", *, at: datetime = NOW, life: timedelta = LIFE) -> Credential:
    return Credential(key, at, at + life)


def _joined(*, at: datetime = NOW, life: timedelta = LIFE) -> Node:
    node = _node(NodeState.APPROVED)
    node.join(_credential(at=at, life=life), "0.1.0", _at(at))
    return node


def test_a_node_lives_its_life() -> None:
    node = _node()
    node.recorded(_at())
    node.take("approve", _at())
    node.issue_token(_at())
    node.join(_credential(), "0.1.0", _at())
    assert (node.state, node.public_key, node.joined_at) == (NodeState.ENROLLED, "UA", NOW)
    assert node.hear(_at())
    assert not node.hear(_at())
    node.take("suspend", _at(reason="An odd report."))
    node.resume(_at())
    assert node.state is NodeState.ACTIVE
    node.take("withdraw", _at())
    assert [step.action for step in node.pending] == [
        "created",
        "approved",
        "token_issued",
        "joined",
        "activated",
        "suspended",
        "resumed",
        "withdrawn",
    ]
    assert node.pending[-1].version == node.version == 8
    assert node.allowed_steps() == []


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        (NodeState.APPLIED, ["approve", "withdraw"]),
        (NodeState.APPROVED, ["withdraw", "revoke"]),
        (NodeState.ENROLLED, ["suspend", "withdraw", "revoke"]),
        (NodeState.ACTIVE, ["suspend", "withdraw", "revoke"]),
        (NodeState.SUSPENDED, ["resume", "withdraw", "revoke"]),
        (NodeState.WITHDRAWN, []),
        (NodeState.REVOKED, []),
    ],
)
def test_each_state_allows_its_steps_and_no_other(state: NodeState, allowed: list[str]) -> None:
    assert _node(state).allowed_steps() == allowed
    for action in Node.EVENTS:
        if action not in allowed:
            node = _node(state)
            take = node.resume if action == "resume" else partial(node.take, action)
            with pytest.raises(IllegalStep) as refused:
                take(_at(reason="x"))
            assert list(refused.value.allowed) == allowed


@pytest.mark.parametrize("action", ["suspend", "revoke"])
def test_cutting_a_node_off_needs_a_reason(action: str) -> None:
    with pytest.raises(RulesBroken):
        _node(NodeState.ACTIVE).take(action, _at(reason="  "))


@pytest.mark.parametrize("state", list(NodeState))
def test_only_who_was_approved_and_is_not_cut_off_can_join(state: NodeState) -> None:
    may = state in (NodeState.APPROVED, NodeState.ENROLLED, NodeState.ACTIVE)
    for attempt in (
        lambda node: node.issue_token(_at()),
        lambda node: node.join(_credential(), "0.1.0", _at()),
    ):
        node = _node(state)
        if may:
            attempt(node)
        else:
            with pytest.raises(Refused, match="NODE_CANNOT_JOIN") as refused:
                attempt(node)
            assert refused.value.params == {"state": state.value}


@pytest.mark.parametrize("state", list(NodeState))
def test_the_hub_listens_to_who_has_joined_and_to_nobody_else(state: NodeState) -> None:
    node = _node(state)
    if state in (NodeState.ENROLLED, NodeState.ACTIVE):
        node.require_served()
        return
    for attempt in (
        node.require_served,
        lambda: node.hear(_at()),
        lambda: node.renew(_credential("UB"), "0.2.0", _at()),
    ):
        with pytest.raises(Refused, match="NODE_NOT_SERVED"):
            attempt()
    assert node.state is state
    assert not node.pending


def test_who_joins_anew_has_yet_to_be_heard_of() -> None:
    node = _joined()
    node.hear(_at())
    node.warned_days = 7
    node.join(_credential("UB", at=NOW + LIFE), "0.2.0", _at(NOW + LIFE))
    assert (node.state, node.first_heard_at, node.warned_days) == (NodeState.ENROLLED, None, None)
    assert (node.public_key, node.software_version) == ("UB", "0.2.0")


def test_who_was_cut_off_before_a_word_has_yet_to_say_one() -> None:
    node = _joined()
    node.take("suspend", _at(reason="The token was seen in a mail."))
    node.resume(_at())
    assert node.state is NodeState.ENROLLED
    assert node.pending[-1].to_state == "enrolled"


def test_a_name_of_blanks_is_none() -> None:
    node = _node()
    node.name = "   "
    with pytest.raises(RulesBroken):
        node.recorded(_at())


def _warnings(node: Node, moments: list[datetime]) -> list[int]:
    given: list[int] = []
    for moment in moments:
        days = node.due_warning(moment)
        if days is not None:
            node.warn(days, _at(moment))
            given.append(days)
    return given


def _minutes(life: timedelta) -> list[datetime]:
    return [NOW + timedelta(minutes=n) for n in range(0, round(life.total_seconds() / 60), 30)]


def test_each_warning_is_given_once_at_its_day() -> None:
    life = timedelta(days=90)
    node = _joined(life=life)
    end = NOW + life
    moments = _minutes(life + timedelta(days=5))
    assert _warnings(node, moments) == [30, 7, 1]
    assert [end - step.at for step in node.pending if step.action == "credentials_expiring"] == [
        timedelta(days=30),
        timedelta(days=7),
        timedelta(days=1),
    ]


def test_credentials_are_not_warned_of_at_their_beginning() -> None:
    assert _warnings(_joined(life=timedelta(days=30)), _minutes(timedelta(days=30))) == [7, 1]
    assert _warnings(_joined(life=timedelta(days=1)), _minutes(timedelta(days=1))) == []


def test_of_marks_that_were_missed_the_last_counts() -> None:
    node = _joined(life=timedelta(days=90))
    assert _warnings(node, [NOW + timedelta(days=89, hours=12)] * 3) == [1]


def test_renewed_credentials_are_warned_of_anew() -> None:
    node = _joined()
    assert _warnings(node, _minutes(timedelta(days=25))) == [7]
    renewed = NOW + timedelta(days=25)
    node.renew(_credential("UB", at=renewed), "0.2.0", _at(renewed))
    assert node.due_warning(renewed) is None
    assert node.due_warning(renewed + timedelta(days=24)) == 7


def test_who_is_cut_off_is_not_warned() -> None:
    node = _joined()
    node.take("suspend", _at(reason="x"))
    assert node.due_warning(NOW + timedelta(days=29, hours=5)) is None


@given(
    st.integers(1, 400),
    st.lists(st.floats(-10, 410, allow_nan=False).map(lambda days: timedelta(days=days))),
)
def test_whenever_somebody_looks_no_warning_is_given_twice(
    life: int, looks: list[timedelta]
) -> None:
    given = _warnings(_joined(life=timedelta(days=life)), [NOW + look for look in looks])
    assert given == sorted(set(given), reverse=True)
    assert set(given) <= {days for days in WARNING_DAYS if days < life}


@pytest.mark.parametrize(("seconds", "fits"), [(0, True), (300, True), (301, False)])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_clock_may_be_five_minutes_off_either_way(
    seconds: int, fits: bool, direction: int
) -> None:
    theirs = NOW + direction * timedelta(seconds=seconds)
    if fits:
        check_clock(theirs, NOW)
        return
    with pytest.raises(Refused, match="CLOCK_TOO_FAR_OFF") as refused:
        check_clock(theirs, NOW)
    assert refused.value.params == {"seconds": "301", "limit": "300"}


def test_a_protocol_that_the_hub_does_not_speak_is_named() -> None:
    check_protocol(1)
    with pytest.raises(Refused, match="PROTOCOL_NOT_SPOKEN") as refused:
        check_protocol(2)
    assert refused.value.params == {"version": "2", "supported": "1"}


def _center(expectations: Expectations | None) -> Center:
    return Center(
        id="ctr_1",
        code="MHD",
        names=LocalizedText(en="Mashhad"),
        province="IR-09",
        created_at=NOW,
        updated_at=NOW,
        state_since=NOW,
        expectations=expectations,
    )


def test_what_a_center_does_not_say_is_as_the_network_has_it() -> None:
    assert _center(None).expected() == Expectations(30, 120, 600, 24, 45)
    given = Expectations(late_seconds=60, report_days=10)
    assert _center(given).expected() == Expectations(60, 120, 600, 24, 10)


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        (Expectations(late_seconds=120), ["expectations.stale_seconds"]),
        (Expectations(offline_seconds=100), ["expectations.offline_seconds"]),
        (
            Expectations(late_seconds=5, stale_seconds=5, offline_seconds=5),
            ["expectations.stale_seconds", "expectations.offline_seconds"],
        ),
        (Expectations(late_seconds=3, stale_seconds=4, offline_seconds=5), []),
        (Expectations(late_seconds=2), ["expectations.late_seconds"]),
        (Expectations(late_seconds=0), []),
    ],
)
def test_late_comes_before_stale_and_stale_before_offline(
    given: Expectations, fields: list[str]
) -> None:
    assert [broken.field for broken in _center(given).rules(NOW.date())] == fields


def test_a_node_can_keep_short_of_the_shortest_time_after_which_it_is_late() -> None:
    given = Expectations(late_seconds=SHORTEST_LATE_SECONDS)
    beats = settings_for(_center(given), timedelta(days=90)).heartbeat_seconds
    assert 3 * beats <= SHORTEST_LATE_SECONDS
