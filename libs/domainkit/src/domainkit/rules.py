"""How a domain says no."""

import dataclasses
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class Broken:
    """A rule that one value breaks.

    `field` is the value's path in the aggregate (``names.fa``), `rule` the stable
    name of the rule, `params` what a sentence about it is filled with.
    """

    field: str
    rule: str
    params: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])


class RulesBroken(Exception):
    """Values cannot be accepted; nothing was changed."""

    def __init__(self, *broken: Broken) -> None:
        super().__init__(", ".join(f"{item.field}: {item.rule}" for item in broken))
        self.broken = broken


class Refused(Exception):
    """A step cannot be taken for a reason that lies in the domain."""

    def __init__(self, reason: str, **params: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.params = params


class IllegalStep(Exception):
    """The step is not allowed in the present state."""

    def __init__(self, action: str, state: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{action} while {state}")
        self.action = action
        self.state = state
        self.allowed = tuple(allowed)
