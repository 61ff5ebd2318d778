"""After how long a silence of a center counts: shown on its page, and set there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from gateway.pages.wording import Wording
from peyvand.centers.v1 import centers_pb2
from servicekit.errors import Fault, Violation

_UPDATE = "update"
# More digits than any of them may have.
_LONGEST = 9


@dataclass(frozen=True)
class Threshold:
    """One of the times: its field, and the center's own value; empty where the network's holds."""

    name: str
    label: str
    value: str


def threshold_labels(words: Wording) -> dict[str, str]:
    """What the times are called, by the name of their field."""
    return {
        "late_seconds": words.say("Node late after (seconds)"),
        "stale_seconds": words.say("Node stale after (seconds)"),
        "offline_seconds": words.say("Node offline after (seconds)"),
        "capacity_hours": words.say("Capacity late after (hours)"),
        "report_days": words.say("Period report late after (days)"),
    }


def thresholds(resource: Message, words: Wording) -> Sequence[Threshold]:
    """The times of a center, for a form; none where this reader may not set them."""
    if not isinstance(resource, centers_pb2.Center) or _UPDATE not in resource.allowed_actions:
        return ()
    own = resource.expectations
    return [
        Threshold(name, label, str(value) if (value := getattr(own, name)) else "")
        for name, label in threshold_labels(words).items()
    ]


def asked_thresholds(
    center_id: str, form: Mapping[str, str], words: Wording
) -> centers_pb2.UpdateCenterRequest:
    """The change that a form asks for. Raises `Fault` for what is no whole number.

    What is left empty is as the network has it. Digits may be those of Persian.
    """
    expectations = centers_pb2.Expectations()
    broken: list[Violation] = []
    for name in threshold_labels(words):
        text = form.get(name, "").strip()
        if not text:
            continue
        if text.isdecimal() and len(text) <= _LONGEST:
            setattr(expectations, name, int(text))
        else:
            params = {"expected": "a whole number"}
            broken.append(Violation(f"expectations.{name}", "WRONG_TYPE", params))
    if broken:
        raise Fault.invalid(*broken)
    request = centers_pb2.UpdateCenterRequest(
        center_id=center_id,
        etag=form.get("etag", ""),
        center=centers_pb2.Center(expectations=expectations),
    )
    request.update_mask.paths.append("expectations")
    return request
