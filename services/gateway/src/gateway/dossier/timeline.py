"""The two drawings of the document: the time in each stage, and how ready the project is."""

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.dossier.decisions import TONES
from gateway.dossier.teller import Teller
from peyvand.projects.v1 import dossier_pb2 as pb
from peyvand.projects.v1 import readiness_pb2

Json = dict[str, Any]

_LEVELS = 9
# Percent of the width that the shortest visit has, so that it is seen.
_LEAST = 0.8


def timeline_block(dossier: pb.ProjectDossier, teller: Teller) -> Json:
    """A bar for each stage visit, and a mark for each decision; places in percent of the time."""
    visits = dossier.project.stage_visits
    if not visits:
        return {}
    first, last = visits[0].entered_at.ToNanoseconds(), dossier.manifest.as_of.ToNanoseconds()
    span = max(last - first, 1)

    def place(moment: Timestamp) -> float:
        share = (moment.ToNanoseconds() - first) / span
        return round(min(max(share, 0.0), 1.0) * 100, 2)

    rows: list[Json] = []
    for nth, visit in enumerate(visits, start=1):
        number = visit.number or nth
        begun = min(place(visit.entered_at), 100 - _LEAST)
        ended = place(visit.left_at) if visit.HasField("left_at") else 100.0
        left = teller.day_of(visit.left_at) if visit.HasField("left_at") else teller.say("Present")
        rows.append(
            {
                "number": teller.number(number),
                "label": teller.label(visit, "stage"),
                "from": begun,
                "width": max(ended - begun, _LEAST),
                "open": not visit.HasField("left_at"),
                "entered": teller.day_of(visit.entered_at),
                "left": left,
                "marks": [
                    {"place": place(item.created_at), "tone": TONES[item.kind]}
                    for item in dossier.decisions
                    if item.visit == number
                ],
            }
        )
    used = dict.fromkeys(item.kind for item in dossier.decisions)
    labels = {item.kind: teller.label(item, "kind") for item in dossier.decisions}
    return {
        "kind": "timeline",
        "rows": rows,
        "legend": [{"tone": TONES[kind], "label": labels[kind]} for kind in used],
        "begin": teller.day_of(visits[0].entered_at),
        "end": teller.day_of(dossier.manifest.as_of),
    }


def readiness_block(readiness: readiness_pb2.ProjectReadiness, teller: Teller) -> Json:
    """A bar of nine levels for each dimension."""
    if not readiness.dimensions:
        return {}
    return {
        "kind": "readiness",
        "levels": [teller.number(level) for level in range(1, _LEVELS + 1)],
        "claimed": teller.say("claimed"),
        "verified": teller.say("verified"),
        "rows": [
            {
                "label": teller.label(item, "dimension"),
                "claimed": item.claimed_level,
                "verified": item.verified_level,
                "text": f"{teller.number(item.verified_level)} / "
                f"{teller.number(item.claimed_level)}",
            }
            for item in readiness.dimensions
        ],
    }
