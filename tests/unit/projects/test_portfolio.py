"""Who can do something about a project that is stuck."""

import pytest

from projects.domain.flags import FlagKind
from projects.domain.portfolio import StuckReason, open_to


@pytest.mark.parametrize("reason", StuckReason)
def test_there_is_somebody_for_every_reason(reason: StuckReason) -> None:
    assert "hq_admin" in open_to(reason, "", reported=False)


def test_what_was_reported_waits_for_the_headquarters_and_nobody_else() -> None:
    assert "center_admin" in open_to(StuckReason.CONDITION_OVERDUE, "", reported=False)
    assert open_to(StuckReason.CONDITION_OVERDUE, "", reported=True) == ("hq_admin",)


@pytest.mark.parametrize(
    ("flag", "center_can"),
    [
        (FlagKind.REGULATION_CHANGED, False),
        (FlagKind.CENTER_UNAVAILABLE, True),
        (FlagKind.AGREEMENT_NOT_IN_FORCE, True),
    ],
)
def test_a_center_can_go_on_without_who_is_out_but_acknowledges_no_regulation(
    flag: FlagKind, center_can: bool
) -> None:
    roles = open_to(StuckReason.FLAGGED, flag, reported=False)
    assert ("center_admin" in roles) == center_can
