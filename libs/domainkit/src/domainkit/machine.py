"""State machines, declared as data."""

from collections import deque
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from domainkit.rules import IllegalStep

S = TypeVar("S", bound=StrEnum)


class Machine(Generic[S]):
    """The steps of a life cycle: for each action, from which states it leads to which."""

    def __init__(self, steps: Mapping[str, tuple[Iterable[S], S]]) -> None:
        self._targets: dict[S, dict[str, S]] = {}
        for action, (sources, target) in steps.items():
            for source in sources:
                self._targets.setdefault(source, {})[action] = target

    def target(self, action: str, state: S) -> S:
        """State that the action leads to. Raises `IllegalStep`, with the allowed ones."""
        targets = self._targets.get(state, {})
        if action not in targets:
            raise IllegalStep(action, state.value, list(targets))
        return targets[action]

    def allowed(self, state: S) -> list[str]:
        """Actions that are possible in a state, in the order of the declaration."""
        return list(self._targets.get(state, {}))

    def path(self, state: S, goal: S) -> list[str] | None:
        """Shortest series of actions from one state to another, or `None` if there is none."""
        waiting: deque[tuple[S, list[str]]] = deque([(state, [])])
        seen = {state}
        while waiting:
            here, taken = waiting.popleft()
            if here == goal:
                return taken
            for action, there in self._targets.get(here, {}).items():
                if there not in seen:
                    seen.add(there)
                    waiting.append((there, [*taken, action]))
        return None
