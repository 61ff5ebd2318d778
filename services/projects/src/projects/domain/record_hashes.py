"""How decisions vouch for each other: each carries a digest of itself and of the one before.

The digest is the SHA-256, in lower-case hexadecimal, of the decision as the public API
gives it, in canonical form: without `record_hash`, without members that say nothing (null,
an empty text, list or object, false, zero), the members of each object in the order of
their names, no white space, UTF-8. So whoever is given the decisions of a project can
check them with any tool, and a field that is added to the contract later changes nothing
for the decisions of today.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from projects.domain.assessment import Assessment
from projects.domain.decisions import DecidedCriterion, Decision, Terms


def sealed(decision: Decision, previous: Decision | None) -> Decision:
    """The decision with the digest of the one before it on the project, and its own."""
    linked = replace(decision, previous_hash=link_to(previous) if previous else "")
    return replace(linked, record_hash=record_hash(linked))


def link_to(decision: Decision) -> str:
    """What the next decision carries of this one; one from before gates is digested now."""
    return decision.record_hash or record_hash(decision)


def record_hash(decision: Decision) -> str:
    """The digest of a decision, whatever digest it carries itself."""
    return _digest(replace(decision, record_hash=""))


def terms_hash(terms: Terms) -> str:
    """The digest of the terms of a decision, made in the same way."""
    return _digest(terms)


def assessment_hash(assessment: Assessment) -> str:
    """The digest of what is reviewed: stage, visit, which criteria are met, and on what.

    What is only submitted, or was rejected, is not met, and is no part of it: who brings
    something that nobody has verified yet does not make a panel vote again.
    """
    criteria = [
        found if item.is_met else DecidedCriterion(found.code, "")
        for item, found in zip(assessment.criteria, decided_criteria(assessment), strict=True)
    ]
    return _digest({"stage": assessment.stage, "visit": assessment.visit, "criteria": criteria})


def decided_criteria(assessment: Assessment) -> list[DecidedCriterion]:
    """How it stands with the criteria, as a decision keeps it."""
    return [
        DecidedCriterion(
            code=item.criterion.code,
            state=item.state.value,
            evidence_ids=list(item.evidence_ids),
            evidence_hashes=list(item.evidence_hashes),
            waiver_id=item.waiver_id,
        )
        for item in assessment.criteria
    ]


def damaged(decisions: Iterable[Decision]) -> list[str]:
    """Ids of decisions that are not as they were recorded, or do not follow the one before.

    `decisions` are all decisions on one project, the oldest first.
    """
    found: list[str] = []
    previous: Decision | None = None
    for decision in decisions:
        if decision.record_hash:
            expected = link_to(previous) if previous else ""
            intact = decision.record_hash == record_hash(decision)
            if not intact or decision.previous_hash != expected:
                found.append(decision.id)
        elif previous and previous.record_hash:
            # Since the first that carried a digest, every one does.
            found.append(decision.id)
        previous = decision
    return found


def canonical(value: Any) -> Any:
    """A value as plain JSON, spelled as the public API spells it, without what says nothing."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return canonical({name: getattr(value, name) for name in names})
    if isinstance(value, dict):
        members = ((name, canonical(member)) for name, member in value.items())
        return {name: member for name, member in members if member not in _SAYS_NOTHING}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return value


def _digest(value: Any) -> str:
    text = json.dumps(canonical(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# Zero and false are equal.
_SAYS_NOTHING: tuple[Any, ...] = (None, "", False, [], {})
