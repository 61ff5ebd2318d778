"""The life of a center and the rules that it keeps, without anything around it."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from centers.domain.centers import Center, CenterState
from domainkit.aggregate import Occasion
from domainkit.rules import IllegalStep, RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)


def center(**values: Any) -> Center:
    given: dict[str, Any] = {
        "id": "ctr_1",
        "code": "TBZ",
        "names": LocalizedText(fa="تبریز"),
        "province": "IR-03",
        "created_at": NOW,
        "updated_at": NOW,
        "state_since": NOW,
    }
    return Center(**(given | values))


def occasion(reason: str = "") -> Occasion:
    return Occasion(actor="someone", at=NOW, reason=reason)


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"province": "IR-31"}, [("province", "UNKNOWN_PROVINCE")]),
        ({"names": LocalizedText()}, [("names", "NAME_REQUIRED")]),
        (
            {"opened_date": ImpreciseDate("2026-05-02")},
            [("opened_date.value", "DATE_IN_FUTURE")],
        ),
        ({"opened_date": ImpreciseDate("2026-02-30")}, [("opened_date.value", "NO_SUCH_DATE")]),
        ({"opened_date": ImpreciseDate("2026")}, []),
    ],
)
def test_each_rule_of_the_values_holds(
    values: dict[str, Any], broken: list[tuple[str, str]]
) -> None:
    made = center(**values)
    assert [(item.field, item.rule) for item in made.rules(NOW.date())] == broken
    if broken:
        with pytest.raises(RulesBroken):
            made.recorded(occasion())
        assert made.pending == []


def test_an_amendment_names_what_changed_and_nothing_is_one() -> None:
    made = center()
    assert not made.amend({"code": "TBZ"}, occasion())
    assert made.amend({"code": "TB2", "province": "IR-03"}, occasion())
    assert [step.changed_fields for step in made.pending] == [["code"]]
    with pytest.raises(RulesBroken, match="IMMUTABLE"):
        made.amend({"state": CenterState.CLOSED}, occasion())


class Life(RuleBasedStateMachine):
    """Random steps of a center against the life that the domain's description draws."""

    # state → action → state, written out anew from the description.
    DRAWN: ClassVar[dict[str, dict[str, str]]] = {
        "planned": {"establish": "establishing", "cancel": "cancelled"},
        "establishing": {"open": "operational", "cancel": "cancelled"},
        "operational": {"suspend": "suspended", "close": "closed"},
        "suspended": {"resume": "operational", "close": "closed"},
        "closed": {},
        "cancelled": {},
    }
    NEEDS_REASON = frozenset({"suspend", "close", "cancel"})

    @initialize()
    def begin(self) -> None:
        self.center = center()
        self.center.recorded(occasion())
        self.expected = "planned"
        self.taken = 1

    @rule(
        action=st.sampled_from(["establish", "open", "suspend", "resume", "close", "cancel"]),
        reason=st.sampled_from(["", "  ", "Because."]),
    )
    def take(self, action: str, reason: str) -> None:
        drawn = self.DRAWN[self.expected]
        if action not in drawn:
            with pytest.raises(IllegalStep) as refusal:
                self.center.take(action, occasion(reason))
            assert set(refusal.value.allowed) == set(drawn)
        elif action in self.NEEDS_REASON and not reason.strip():
            with pytest.raises(RulesBroken, match="REASON_REQUIRED"):
                self.center.take(action, occasion(reason))
        else:
            self.center.take(action, occasion(reason))
            self.expected, self.taken = drawn[action], self.taken + 1
            assert self.center.state_reason == reason

    @precondition(lambda self: self.expected in ("closed", "cancelled"))
    @rule()
    def the_end_is_final(self) -> None:
        assert self.center.allowed_steps() == []

    @invariant()
    def every_step_is_counted_and_chained(self) -> None:
        if not hasattr(self, "center"):
            return
        assert self.center.state == self.expected
        assert self.center.version == self.taken == len(self.center.pending)
        states = [step.to_state for step in self.center.pending]
        assert [step.from_state for step in self.center.pending] == ["", *states[:-1]]


TestLife = Life.TestCase


def test_a_step_keeps_when_it_took_effect() -> None:
    made = center()
    effective = ImpreciseDate("2026-04")
    made.take("establish", Occasion("someone", NOW + timedelta(1), "", effective))
    assert made.pending[-1].effective_date == effective
    with pytest.raises(RulesBroken, match="NO_SUCH_DATE"):
        made.take("open", Occasion("someone", NOW, "", ImpreciseDate("2026-13")))


def test_a_step_has_taken_effect_where_the_day_begins_first() -> None:
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for day, begun in [("2026-05-02", True), ("2026-05-03", False), ("2026-06", False)]:
        made = center()
        when = Occasion("someone", noon, "", ImpreciseDate(day))
        if begun:
            made.take("establish", when)
            assert made.state == CenterState.ESTABLISHING
        else:
            with pytest.raises(RulesBroken, match=r"effective_date\.value: DATE_IN_FUTURE"):
                made.take("establish", when)
            assert (made.state, made.pending) == (CenterState.PLANNED, [])


@pytest.mark.parametrize(
    ("known", "effective", "expected"),
    [
        (None, None, "2026-05-01"),
        (None, "2026-04", "2026-04"),
        ("2025", "2026-04", "2025"),
    ],
)
def test_opening_a_center_tells_since_when(
    known: str | None, effective: str | None, expected: str
) -> None:
    made = center(opened_date=ImpreciseDate(known) if known else None)
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    with pytest.raises(IllegalStep):
        made.open(Occasion("someone", noon))
    assert made.opened_date == (ImpreciseDate(known) if known else None)
    made.take("establish", Occasion("someone", noon))
    made.open(Occasion("someone", noon, "", ImpreciseDate(effective) if effective else None))
    assert made.opened_date == ImpreciseDate(expected)
