"""What was found when something was looked at, and how to mend it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what was looked at, stable: `fingerprint`.
        good: whether it is as it should be.
        says: what was found.
        mend: what a person can do when it is not good.
        says_fa: the same in Persian, where the hub has said it.
    """

    check: str
    good: bool
    says: str
    mend: str = ""
    says_fa: str = ""

    def plain(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return asdict(self)


class Halted(Exception):
    """A finding with which it cannot go on."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.says)
        self.finding = finding


def halt(check: str, says: str, mend: str) -> Halted:
    """Make the exception for a finding that ends the matter."""
    return Halted(Finding(check, good=False, says=says, mend=mend))
