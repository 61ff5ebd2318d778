"""How the document shows what came of a project: its outputs, and its money."""

from typing import Any

from gateway.dossier.tables import lines, table
from gateway.dossier.teller import Cell, Teller, apart
from peyvand.projects.v1 import dossier_pb2 as pb
from peyvand.projects.v1 import outputs_pb2

Json = dict[str, Any]


def output_blocks(dossier: pb.ProjectDossier, teller: Teller) -> list[Json]:
    """The outputs, each by its identifier."""
    say = teller.say
    head = [say("Kind"), say("Title"), say("Identifier"), say("State")]
    rows: list[list[Cell]] = [
        [
            teller.label(item, "kind"),
            teller.text(item.titles),
            {"code": _identifier(item)} if _identifier(item) else "",
            teller.label(item, "state"),
        ]
        for item in (kept.output for kept in dossier.outputs)
    ]
    return [table("", head, rows, "1fr 2.4fr 2fr 1fr")]


def _identifier(output: outputs_pb2.Output) -> str:
    if output.HasField("publication"):
        return output.publication.doi
    if output.HasField("patent"):
        patent = output.patent
        return " ".join(filter(None, (patent.office, patent.number, patent.kind_code)))
    if output.HasField("trial"):
        return output.trial.number
    return output.product.authorisation_number if output.HasField("product") else ""


def award_blocks(dossier: pb.ProjectDossier, teller: Teller) -> list[Json]:
    """The awards, each with its milestones and what was released."""
    say, blocks = teller.say, list[Json]()
    for kept in dossier.awards:
        award = kept.award
        facts: list[tuple[str, Cell]] = [
            (say("Funder"), teller.text(award.funder.names)),
            (say("Amount"), teller.money(award.amount)),
            (say("Released"), teller.money(award.released)),
            (say("State"), teller.label(award, "state")),
        ]
        milestones: list[list[Cell]] = [
            [
                apart(item.code),
                teller.text(item.text),
                teller.label(item, "state"),
                lines(apart(item.reported_by), apart(item.note)),
                apart(item.confirmed_by),
            ]
            for item in award.milestones
        ]
        tranches: list[list[Cell]] = [
            [
                apart(item.code),
                teller.money(item.amount),
                apart(item.milestone_code),
                teller.money(item.released),
                lines(
                    teller.when(item.released_at) if item.HasField("released_at") else "",
                    apart(item.released_by),
                    apart(item.payment_reference),
                ),
            ]
            for item in award.tranches
        ]
        blocks += [
            {"kind": "heading", "text": teller.text(award.titles)},
            {"kind": "facts", "facts": [(label, value) for label, value in facts if value]},
            table(
                say("Milestones"),
                [
                    say("Milestone"),
                    say("What"),
                    say("State"),
                    say("Reported by"),
                    say("Confirmed by"),
                ],
                milestones,
                "1fr 2.6fr 1fr 1.4fr 1.2fr",
            ),
            table(
                say("Tranches"),
                [
                    say("Tranche"),
                    say("Amount"),
                    say("Milestone"),
                    say("Released"),
                    say("When and by whom"),
                ],
                tranches,
                "1fr 1.6fr 1fr 1.6fr 1.6fr",
            ),
        ]
    return blocks
