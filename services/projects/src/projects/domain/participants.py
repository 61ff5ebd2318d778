"""Who takes part in a project besides the center that leads it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from domainkit.rules import Broken
from domainkit.values import LocalizedText


@dataclass(frozen=True)
class Participant:
    """Who takes part besides the lead center: a center, or an institution and its agreement."""

    center_id: str = ""
    institution_id: str = ""
    agreement_id: str = ""
    role: LocalizedText | None = None


def check_participants(
    participants: Sequence[Participant], path: str, *, lead_center_id: str
) -> list[Broken]:
    """Rules of those who take part: what each of them is, and that none stands there twice."""
    broken: list[Broken] = []
    seen = Counter([lead_center_id])
    for index, participant in enumerate(participants):
        place = f"{path}[{index}]"
        if bool(participant.center_id) == bool(participant.institution_id):
            params = {"fields": "center_id, institution_id"}
            broken.append(Broken(place, "ONE_PARTICIPANT_NEEDED", params))
            continue
        if participant.center_id and participant.agreement_id:
            params = {"fields": "center_id, agreement_id"}
            broken.append(Broken(place, "ONE_PARTICIPANT_NEEDED", params))
        if participant.institution_id and not participant.agreement_id:
            broken.append(Broken(f"{place}.agreement_id", "REQUIRED"))
        name = "center_id" if participant.center_id else "institution_id"
        value = getattr(participant, name)
        if seen[value]:
            broken.append(Broken(f"{place}.{name}", "DUPLICATE", {"value": value}))
        seen[value] += 1
    return broken
