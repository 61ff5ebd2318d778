"""What the document shows: a dossier turned into a cover, sections, tables and drawings.

The result is plain data for `dossier.typ`, which knows nothing of projects. Each text stays
a text there: nothing of what people wrote is read as markup.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.dossier.decisions import decision_blocks
from gateway.dossier.gates import condition_rows, gate_blocks
from gateway.dossier.results import award_blocks, output_blocks
from gateway.dossier.tables import lines, note, table
from gateway.dossier.teller import Cell, Teller, apart, hashed, unsteered
from gateway.dossier.timeline import readiness_block, timeline_block
from gateway.languages import Language
from gateway.pages.record_view import actor_name
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import dossier_pb2 as pb
from peyvand.projects.v1 import evidence_pb2, projects_pb2
from servicekit.contract import descriptor_of, resource_spec

Json = dict[str, Any]

# Characters of a title that the head of a page has room for.
_SHORT = 70


def document(dossier: pb.ProjectDossier, language: Language) -> Json:
    """Everything that the document shows, as plain data."""
    teller = Teller(language, {item.id: item.name for item in dossier.names})
    withheld = set(dossier.manifest.withheld)
    sections: list[tuple[str, str, list[Json]]] = [
        ("project", "The project", _project(dossier.project, teller)),
        ("project", "Time in each stage", [timeline_block(dossier, teller)]),
        ("decisions", "Decisions", decision_blocks(dossier, teller)),
        ("gates", "Gates", gate_blocks(dossier, teller)),
        ("evidence", "Evidence", _evidence(dossier, teller)),
        ("waivers", "Waivers", _waivers(dossier, teller)),
        ("conditions", "Conditions", _conditions(dossier, teller)),
        ("readiness", "Readiness", _readiness(dossier, teller)),
        ("outputs", "Outputs", output_blocks(dossier, teller)),
        ("awards", "Awards", award_blocks(dossier, teller)),
        ("steps", "Every step", _steps(dossier, teller)),
        ("project", "How this is checked", _checking(dossier, teller)),
    ]
    return {
        "language": language,
        "direction": teller.words.direction,
        "page": teller.say("page"),
        "of": teller.say("of"),
        "digits": teller.words.numerals("0123456789"),
        "cover": _cover(dossier, teller),
        "sections": [
            {
                "title": teller.say(title),
                "blocks": [note(teller.say("Withheld."))]
                if member in withheld
                else [block for block in blocks if block] or [note(teller.say("There is none."))],
            }
            for member, title, blocks in sections
        ],
    }


def _cover(dossier: pb.ProjectDossier, teller: Teller) -> Json:
    project, manifest = dossier.project, dossier.manifest
    own = unsteered(teller.words.text(project.titles))
    other = (
        project.titles.fa
        if teller.words.language == "en" and project.titles.en
        else project.titles.en
    )
    since = teller.say("since") + " " + teller.day_of(project.state_since)
    facts: list[tuple[str, Cell]] = [
        (teller.say("State"), f"{teller.label(project, 'state')} ({since})"),
        (teller.say("Stage"), teller.label(project, "stage")),
        (teller.say("Pathway"), teller.label(project, "pathway")),
        (teller.say("Lead center"), teller.named(project.lead_center_id)),
        (teller.say("Pathway template"), teller.words.numerals(manifest.template_version)),
        (teller.say("Last change"), teller.when(manifest.as_of)),
        (teller.say("Project id"), {"code": project.id}),
    ]
    if manifest.withheld:
        members = teller.words.names([apart(name) for name in manifest.withheld])
        facts.append((teller.say("Withheld from who asked"), members))
    return {
        "brand": teller.say("Peyvand"),
        "network": teller.say("National network of stem cell and regenerative medicine centers"),
        "kind": teller.say("Project dossier"),
        "title": own,
        "short": own if len(own) <= _SHORT else f"{own[:_SHORT].rstrip()}…",
        "tag": manifest.sha256[:16],
        "other": apart(other) if unsteered(other) != own else "",
        "sample": teller.say("sample data, not from a source") if project.sample else "",
        "facts": facts,
        "hashes": [
            (teller.say("SHA-256 of the manifest"), hashed(manifest.sha256)),
            (
                teller.say("Head of the chain of decisions"),
                hashed(manifest.chain_head) or teller.say("No decision yet"),
            ),
        ],
        "notes": [
            teller.say(
                "This document shows the file dossier.json, which is attached to it. That file"
                " is what the hash stands for; how it is checked stands on the last page."
            ),
            teller.say("Dates and times are those of Tehran."),
        ],
    }


def _project(project: projects_pb2.Project, teller: Teller) -> list[Json]:
    facts: list[tuple[str, Cell]] = [
        (teller.say("Title"), _both(project.titles)),
        (teller.say("Summary"), _both(project.summary)),
        (teller.say("Why it is in this state"), apart(project.state_reason)),
        (teller.say("Looked at again on"), teller.day(project.resume_date)),
        (
            teller.say("Revival of"),
            {"code": project.revival_of_id} if project.revival_of_id else "",
        ),
    ]
    if project.initial_stage_reason:
        stage, reason = teller.label(project, "initial_stage"), apart(project.initial_stage_reason)
        facts.append((teller.say("Began here at"), f"{stage}: {reason}"))
    participants = [
        [
            teller.named(item.center_id or item.institution_id),
            teller.named(item.agreement_id) if item.agreement_id else "",
            teller.text(item.role),
        ]
        for item in project.participants
    ]
    people = [
        [
            teller.text(item.name),
            teller.label(item, "role"),
            {"code": item.orcid.rpartition("/")[2]} if item.orcid else "",
            teller.imprecise(item, "since_date"),
            teller.imprecise(item, "until_date"),
        ]
        for item in project.people
    ]
    flags = [
        [
            teller.label(item, "kind"),
            teller.named(item.resource_id),
            apart(item.state.replace("_", " ")),
            teller.day_of(item.since) if item.HasField("since") else "",
        ]
        for item in project.flags
    ]
    say = teller.say
    return [
        {"kind": "facts", "facts": [(label, value) for label, value in facts if value]},
        table(
            say("Who takes part"),
            [say("Who"), say("Under which agreement"), say("Role")],
            participants,
            "2fr 2fr 1fr",
        ),
        table(
            say("People"),
            [say("Name"), say("Role"), say("ORCID iD"), say("From"), say("Until")],
            people,
            "2fr 1.5fr 1.6fr 1fr 1fr",
        ),
        table(
            say("Flags"),
            [say("What"), say("Who"), say("State"), say("From")],
            flags,
            "1.5fr 2fr 1fr 1fr",
        ),
    ]


def _evidence(dossier: pb.ProjectDossier, teller: Teller) -> list[Json]:
    criteria = {item.code: item.text for item in dossier.criteria}

    def row(item: evidence_pb2.Evidence) -> list[Cell]:
        confirmed = [
            f"{apart(by.confirmed_by)}\n{teller.day_of(by.confirmed_at)}"
            for by in item.confirmations
        ]
        source = item.file if item.HasField("file") else item.reference
        criterion = criteria.get(item.criterion)
        where = item.file.name if item.HasField("file") else item.reference.uri
        return [
            lines(teller.text(item.title), teller.label(item, "kind"), apart(where)),
            teller.text(criterion) if criterion else apart(item.criterion),
            lines(
                teller.label(item, "state"),
                apart(item.state_reason),
                apart(item.resubmission_reason),
            ),
            f"{apart(item.submitted_by)}\n{teller.day_of(item.created_at)}",
            "\n".join(confirmed),
            hashed(source.sha256),
        ]

    say = teller.say
    head = [
        say("Title"),
        say("Criterion"),
        say("State"),
        say("Submitted by"),
        say("Found to hold by"),
        say("SHA-256 of the file"),
    ]
    rows = [row(item.evidence) for item in dossier.evidence]
    return [table("", head, rows, "1.4fr 1.7fr 1.35fr 1.1fr 1.1fr 128pt")]


def _waivers(dossier: pb.ProjectDossier, teller: Teller) -> list[Json]:
    say = teller.say
    head = [
        say("Criterion"),
        say("Why"),
        say("State"),
        say("Requested by"),
        say("Ruled by"),
        say("Holds until"),
    ]
    criteria = {item.code: item.text for item in dossier.criteria}
    rows: list[list[Cell]] = [
        [
            teller.text(criteria[item.criterion])
            if item.criterion in criteria
            else apart(item.criterion),
            apart(item.reason),
            lines(teller.label(item, "state"), apart(item.state_reason)),
            lines(apart(item.requested_by), teller.day_of(item.created_at)),
            apart(item.ruled_by),
            teller.day(item.expiry_date),
        ]
        for item in (kept.waiver for kept in dossier.waivers)
    ]
    return [table("", head, rows, "1.6fr 2fr 1fr 1fr 1fr 1fr")]


def _conditions(dossier: pb.ProjectDossier, teller: Teller) -> list[Json]:
    say = teller.say
    head = [
        say("What"),
        say("Owner and due"),
        say("State"),
        say("Reported by"),
        say("Confirmed by"),
    ]
    rows = condition_rows(dossier, teller)
    return [table("", head, rows, "2.4fr 1.4fr 1.1fr 1.6fr 1fr")]


def _readiness(dossier: pb.ProjectDossier, teller: Teller) -> list[Json]:
    say = teller.say
    rows: list[list[Cell]] = [
        [
            teller.label(item, "dimension"),
            teller.number(item.level),
            lines(teller.label(item, "state"), apart(item.state_reason)),
            lines(apart(item.claimed_by), teller.day_of(item.created_at)),
            teller.text(item.statement),
        ]
        for item in (kept.readiness_claim for kept in dossier.readiness_claims)
    ]
    head = [say("Dimension"), say("Level"), say("State"), say("Claimed by"), say("Statement")]
    return [
        readiness_block(dossier.readiness, teller),
        table(say("Claims"), head, rows, "1.6fr 0.6fr 1.2fr 1.2fr 2.4fr"),
    ]


def _steps(dossier: pb.ProjectDossier, teller: Teller) -> list[Json]:
    say = teller.say
    told = [
        (step, about, states)
        for about, states, steps in _all_steps(dossier, teller)
        for step in steps
    ]
    told.sort(key=lambda item: (item[0].at.ToNanoseconds(), item[1], item[0].version))

    def row(step: types_pb2.Step, about: str, states: Any) -> list[Cell]:
        state = ""
        if step.to_state and step.to_state != step.from_state and states is not None:
            state = teller.words.label(states, step.to_state)
        action = teller.step(step.action)
        return [
            teller.when(step.at),
            about,
            f"{action} · {state}" if state and state != action else action,
            apart(actor_name(step.actor, teller.words)),
            apart(step.reason),
        ]

    head = [say("When"), say("About"), say("Step"), say("Who"), say("Why")]
    return [table("", head, [row(*item) for item in told], "1.3fr 1.5fr 1.4fr 1.1fr 2.2fr")]


def _all_steps(
    dossier: pb.ProjectDossier, teller: Teller
) -> Iterable[tuple[str, Any, Sequence[types_pb2.Step]]]:
    """The steps of everything, with what it is called and the states that it has."""
    yield _called(dossier.project, teller), _states(dossier.project), dossier.steps
    for member in descriptor_of(dossier).fields:
        kind = member.message_type
        if kind is None or "steps" not in kind.fields_by_name or not member.is_repeated:
            continue
        for kept in getattr(dossier, member.name):
            resource = getattr(kept, kind.fields[0].name)
            yield _called(resource, teller), _states(resource), kept.steps


def _called(resource: Any, teller: Teller) -> str:
    spec = resource_spec(descriptor_of(resource))
    assert spec is not None
    label = spec.label.fa if teller.words.language == "fa" else spec.label.en
    if isinstance(resource, projects_pb2.Project):
        return label
    for name in ("title", "titles", "text"):
        if name in descriptor_of(resource).fields_by_name:
            return f"{label}: {teller.text(getattr(resource, name))}"
    return label


def _states(resource: Any) -> Any:
    return descriptor_of(resource).fields_by_name["state"].enum_type


def _checking(dossier: pb.ProjectDossier, teller: Teller) -> list[Json]:
    say = teller.say
    rows: list[list[Cell]] = [
        [{"code": part.name}, teller.number(part.count), hashed(part.sha256)]
        for part in dossier.manifest.parts
    ]
    return [
        note(
            say(
                "The attached file dossier.json has a manifest with the SHA-256 of each part, in"
                " canonical JSON (RFC 8785). The SHA-256 on the cover is that of the manifest."
                " Each decision carries its own hash and that of the decision before it."
            )
        ),
        {
            "kind": "facts",
            "facts": [(say("To check it"), {"code": "peyvand dossier --verify dossier.json"})],
        },
        table("", [say("Part"), say("Items"), "SHA-256"], rows, "1.2fr 0.6fr 3fr"),
    ]


def _both(text: types_pb2.LocalizedText) -> str:
    return "\n".join(apart(each) for each in (text.fa, text.en) if each)
