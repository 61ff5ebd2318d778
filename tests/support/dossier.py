"""A dossier of a project that has lived a little, for tests that start no service."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from domainkit.values import LocalizedText
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import (
    awards_pb2,
    conditions_pb2,
    criteria_pb2,
    decisions_pb2,
    evidence_pb2,
    flags_pb2,
    gates_pb2,
    outputs_pb2,
    panel_pb2,
    people_pb2,
    projects_pb2,
    readiness_pb2,
    stages_pb2,
    waivers_pb2,
)
from peyvand.projects.v1 import dossier_pb2 as pb
from projects.domain import decisions as domain
from projects.domain.dossier import FORMAT, chain_head, digest, parts_of
from projects.domain.panel import Conflict, Declaration, PanelMember, PanelRole
from projects.domain.pathways import Stage
from projects.domain.record_hashes import sealed
from servicekit.ids import new_id
from servicekit.json_form import to_plain
from servicekit.mapping import to_message, to_timestamp

BEGAN = datetime(2024, 4, 20, 8, 30, tzinfo=UTC)
HOSTILE = 'Patch #panic("no") $x$ *bold* @ref <label> \\ "quoted" \u202egnol'


def at(days: float) -> datetime:
    """A moment so many days after the project began."""
    return BEGAN + timedelta(days=days)


def text(fa: str = "", en: str = "") -> types_pb2.LocalizedText:
    """A text in two languages."""
    return types_pb2.LocalizedText(fa=fa, en=en)


def sha256(of: str) -> str:
    """A hash of something."""
    return hashlib.sha256(of.encode()).hexdigest()


def example(*, titles: types_pb2.LocalizedText | None = None, pieces: int = 6) -> pb.ProjectDossier:
    """A dossier with something in each of its parts, sealed as the service seals it."""
    project_id, center, institution = new_id("prj"), new_id("ctr"), new_id("ins")
    agreement = new_id("agr")
    evidence = [_evidence(project_id, number) for number in range(pieces)]
    decisions = _decisions(project_id, evidence)
    project = projects_pb2.Project(
        id=project_id,
        titles=titles
        or text("وصلهٔ غضروفی از سلول‌های مزانشیمی (CAR-T)", "Cartilage patch of mesenchymal cells"),
        summary=text(
            "وصله‌ای از سلول‌های بنیادی برای ترمیم غضروف زانو؛ در دو مرکز ساخته و آزموده می‌شود.",
            "A patch of stem cells that mends cartilage of the knee.",
        ),
        lead_center_id=center,
        pathway=stages_pb2.PATHWAY_SOMATIC_CELL,
        participants=[
            projects_pb2.ProjectParticipant(
                institution_id=institution,
                agreement_id=agreement,
                role=text("ساخت بانک سلولی", "Cell bank"),
            )
        ],
        people=[
            people_pb2.ProjectPerson(
                name=text("مجری نمونه", "Sample Investigator"),
                orcid="https://orcid.org/0000-0002-1825-0097",
                role=people_pb2.PERSON_ROLE_PRINCIPAL_INVESTIGATOR,
                since_date=types_pb2.ImpreciseDate(value="2024-04"),
            )
        ],
        initial_stage=stages_pb2.STAGE_S0,
        stage=stages_pb2.STAGE_S1,
        state=projects_pb2.PROJECT_STATE_ACTIVE,
        state_since=to_timestamp(at(0)),
        template_version="2",
        latest_decision_id=decisions[-1].id,
        stage_visits=[
            _visit(stages_pb2.STAGE_S0, 0, 120, ""),
            _visit(stages_pb2.STAGE_S1, 120, 300, decisions[0].id),
            _visit(stages_pb2.STAGE_S0, 300, 420, decisions[1].id),
            _visit(stages_pb2.STAGE_S1, 420, None, decisions[2].id),
        ],
        flags=[
            flags_pb2.ProjectFlag(
                kind=flags_pb2.PROJECT_FLAG_KIND_CENTER_UNAVAILABLE,
                resource_id=center,
                state="suspended",
                since=to_timestamp(at(500)),
            )
        ],
        sample=True,
        etag="v9",
    )
    dossier = pb.ProjectDossier(
        project=project,
        steps=[
            _step(1, "created", 0, to_state="active"),
            _step(2, "gate_opened", 100),
            _step(3, "advanced", 120, reason="همهٔ شواهد مرحله تأیید شده است."),
            _step(4, "recycled", 300, reason="The potency assay has to be made anew."),
            _step(5, "advanced", 420),
            _step(6, "flagged", 500),
        ],
        decisions=[to_message(item, decisions_pb2.Decision) for item in decisions],
        gates=[
            pb.DossierGate(gate=_withdrawn_gate(project_id), steps=_steps_of_withdrawn()),
            pb.DossierGate(gate=_gate(project_id), steps=[_step(1, "created", 100)]),
        ],
        evidence=evidence,
        waivers=[_waiver(project_id)],
        conditions=[_condition(project_id, decisions[2].id)],
        readiness_claims=[_claim(project_id)],
        readiness=_readiness(project_id),
        outputs=[_output(project_id)],
        awards=[_award(project_id)],
        criteria=[
            criteria_pb2.Criterion(
                code=f"criterion-{number}",
                stage=stages_pb2.STAGE_S0,
                text=text(
                    f"معیار {number}: شاهد برون‌تنی تکرارشده", f"Criterion {number}: in vitro"
                ),
                pathways=[stages_pb2.PATHWAY_SOMATIC_CELL],
            )
            for number in range(3)
        ],
        names=[
            pb.DossierName(id=center, name=text("مرکز جامع تبریز", "Tabriz Center")),
            pb.DossierName(id=institution, name=text("", "Hematological Research Center")),
            pb.DossierName(id=agreement, name=text("یادداشت تفاهم", "Memorandum")),
        ],
    )
    return seal(dossier, chain_head(decisions), at(540))


def seal(dossier: pb.ProjectDossier, head: str, as_of: datetime) -> pb.ProjectDossier:
    """Give a dossier its manifest, as the service does."""
    dossier.ClearField("manifest")
    plain = {name: value for name, value in to_plain(dossier).items() if name != "manifest"}
    manifest = dossier.manifest
    manifest.format = FORMAT
    manifest.project_id = dossier.project.id
    manifest.template_version = dossier.project.template_version
    manifest.as_of.CopyFrom(to_timestamp(as_of))
    manifest.parts.extend(to_message(part, pb.DossierPart) for part in parts_of(plain))
    manifest.chain_head = head
    manifest.sha256 = digest({k: v for k, v in to_plain(manifest).items() if k != "sha256"})
    return dossier


def _visit(stage: Any, begun: int, ended: int | None, decision_id: str) -> stages_pb2.StageVisit:
    visit = stages_pb2.StageVisit(
        stage=stage, entered_at=to_timestamp(at(begun)), decision_id=decision_id
    )
    if ended is not None:
        visit.left_at.CopyFrom(to_timestamp(at(ended)))
    return visit


def _step(
    version: int, action: str, day: float, reason: str = "", to_state: str = ""
) -> types_pb2.Step:
    return types_pb2.Step(
        version=version,
        action=action,
        actor="local:hq_admin" if version % 2 else "sara",
        reason=reason,
        to_state=to_state,
        at=to_timestamp(at(day)),
    )


def _decisions(project_id: str, evidence: list[pb.DossierEvidence]) -> list[domain.Decision]:
    first = evidence[0].evidence if evidence else None
    criteria = [
        domain.DecidedCriterion(
            code="criterion-0",
            state="verified",
            evidence_ids=[first.id] if first else [],
            evidence_hashes=[first.file.sha256] if first else [],
        ),
        domain.DecidedCriterion(code="criterion-1", state="waived", waiver_id=new_id("wvr")),
    ]
    panel = [
        PanelMember("dana", PanelRole.CHAIR),
        PanelMember("mina", PanelRole.SCIENCE),
        PanelMember("omid", PanelRole.BUSINESS),
    ]
    made: list[domain.Decision] = []
    kinds = (
        (domain.DecisionKind.GO, Stage.S0, Stage.S1, 120),
        (domain.DecisionKind.RECYCLE, Stage.S1, Stage.S0, 300),
        (domain.DecisionKind.CONDITIONAL_GO, Stage.S0, Stage.S1, 420),
    )
    for number, (kind, before, after, day) in enumerate(kinds, start=1):
        decision = domain.Decision(
            id=new_id("dec"),
            project_id=project_id,
            kind=kind,
            from_stage=before,
            to_stage=after,
            reason="همهٔ شواهد مرحله بررسی و تأیید شد؛ گزارش GLP کامل است.",
            recorded_by="sara",
            opened_by="parisa",
            proposed_by="bahar" if kind != domain.DecisionKind.GO else "",
            terms_hash=sha256(f"terms {number}"),
            assessment_hash=sha256(f"criteria {number}"),
            withdrawn_gates=[
                domain.WithdrawnGate(
                    gate_id=new_id("gat"),
                    opened_by="niloufar",
                    opened_at=at(day - 30),
                    withdrawn_by="arash",
                    withdrawn_at=at(day - 25),
                    reason="Two members have a conflict; another panel is called.",
                    votes=[],
                )
            ]
            if number == 1
            else [],
            created_at=at(day),
            template_version="2",
            gate_id=new_id("gat"),
            visit=number,
            panel=panel,
            quorum=2,
            declarations=[
                Declaration("dana", Conflict.NONE, "", at(day - 2), []),
                Declaration("omid", Conflict.FINANCIAL, "سهامدار شرکت است.", at(day - 2), []),
            ],
            votes=[
                domain.Vote("dana", kind, "The evidence is sound.", at(day - 1)),
                domain.Vote("mina", kind, "با توجه به گزارش سم‌شناسی.", at(day - 1)),
            ],
            criteria=criteria,
            conditions=[
                domain.Condition(
                    LocalizedText(fa="آزمون توان تکرار شود", en="Repeat the potency assay"),
                    "تضمین کیفیت، تبریز",
                    "2026-03-01",
                )
            ]
            if kind == domain.DecisionKind.CONDITIONAL_GO
            else [],
        )
        made.append(sealed(decision, made[-1] if made else None))
    return made


def _evidence(project_id: str, number: int) -> pb.DossierEvidence:
    evidence = evidence_pb2.Evidence(
        id=new_id("evd"),
        project_id=project_id,
        criterion=f"criterion-{number % 3}",
        stage=stages_pb2.STAGE_S0,
        visit=1,
        kind=evidence_pb2.EVIDENCE_KIND_REPORT,
        title=text(f"گزارش شمارهٔ {number}", f"Report number {number}"),
        file=evidence_pb2.EvidenceFile(
            name=f"report-{number}.pdf",
            media_type="application/pdf",
            size_bytes=482133,
            sha256=sha256(f"report {number}"),
        ),
        submitted_by="leila",
        confirmations=[
            evidence_pb2.EvidenceConfirmation(
                visit=1, confirmed_by="omid", confirmed_at=to_timestamp(at(90))
            )
        ],
        state=evidence_pb2.EVIDENCE_STATE_VERIFIED,
        state_since=to_timestamp(at(90)),
        created_at=to_timestamp(at(60 + number % 20)),
        updated_at=to_timestamp(at(90)),
    )
    steps = [_step(1, "created", 60, to_state="submitted"), _step(2, "verified", 90)]
    return pb.DossierEvidence(evidence=evidence, steps=steps)


def _gate(project_id: str) -> gates_pb2.Gate:
    return gates_pb2.Gate(
        id=new_id("gat"),
        project_id=project_id,
        stage=stages_pb2.STAGE_S0,
        visit=1,
        panel=[
            panel_pb2.PanelMember(subject="dana", role=panel_pb2.PANEL_ROLE_CHAIR),
            panel_pb2.PanelMember(subject="omid", role=panel_pb2.PANEL_ROLE_BUSINESS),
        ],
        quorum=1,
        opened_by="parisa",
        proposals=[
            decisions_pb2.Proposal(
                terms=decisions_pb2.DecisionTerms(
                    kind=decisions_pb2.DECISION_KIND_HOLD, resume_date="2026-09-01"
                ),
                proposed_by="bahar",
                proposed_at=to_timestamp(at(110)),
            )
        ],
        votes=[
            decisions_pb2.Vote(
                subject="dana",
                kind=decisions_pb2.DECISION_KIND_GO,
                reason="Sound.",
                voted_at=to_timestamp(at(119)),
            )
        ],
        state=gates_pb2.GATE_STATE_DECIDED,
        created_at=to_timestamp(at(100)),
    )


def _withdrawn_gate(project_id: str) -> gates_pb2.Gate:
    return gates_pb2.Gate(
        id=new_id("gat"),
        project_id=project_id,
        stage=stages_pb2.STAGE_S0,
        visit=1,
        panel=[panel_pb2.PanelMember(subject="dana", role=panel_pb2.PANEL_ROLE_CHAIR)],
        quorum=1,
        opened_by="niloufar",
        state=gates_pb2.GATE_STATE_WITHDRAWN,
        state_reason="Two members have a conflict; another panel is called.",
        state_since=to_timestamp(at(95)),
        created_at=to_timestamp(at(90)),
    )


def _steps_of_withdrawn() -> list[types_pb2.Step]:
    ended = _step(2, "withdrawn", 95, to_state="withdrawn")
    ended.actor = "arash"
    return [_step(1, "created", 90), ended]


def _waiver(project_id: str) -> pb.DossierWaiver:
    waiver = waivers_pb2.Waiver(
        id=new_id("wvr"),
        project_id=project_id,
        criterion="criterion-1",
        stage=stages_pb2.STAGE_S0,
        visit=1,
        reason="The reference material arrives in spring.",
        expiry_date="2026-03-20",
        requested_by="leila",
        ruled_by="sara",
        state=waivers_pb2.WAIVER_STATE_GRANTED,
        created_at=to_timestamp(at(70)),
    )
    return pb.DossierWaiver(waiver=waiver, steps=[_step(1, "created", 70), _step(2, "granted", 71)])


def _condition(project_id: str, decision_id: str) -> pb.DossierCondition:
    condition = conditions_pb2.ProjectCondition(
        id=new_id("cnd"),
        project_id=project_id,
        decision_id=decision_id,
        text=text("آزمون توان تکرار شود", "Repeat the potency assay"),
        owner="Quality",
        due_date="2026-03-01",
        state=conditions_pb2.CONDITION_STATE_OPEN,
    )
    return pb.DossierCondition(condition=condition, steps=[_step(1, "created", 420)])


def _claim(project_id: str) -> pb.DossierReadinessClaim:
    claim = readiness_pb2.ReadinessClaim(
        id=new_id("rdc"),
        project_id=project_id,
        dimension=readiness_pb2.READINESS_DIMENSION_TECHNOLOGY,
        level=2,
        claimed_by="leila",
        state=readiness_pb2.READINESS_CLAIM_STATE_CLAIMED,
        created_at=to_timestamp(at(200)),
    )
    return pb.DossierReadinessClaim(readiness_claim=claim, steps=[_step(1, "created", 200)])


def _readiness(project_id: str) -> readiness_pb2.ProjectReadiness:
    dimensions = [
        readiness_pb2.DimensionReadiness(
            dimension=cast("readiness_pb2.ReadinessDimension", number),
            claimed_level=min(number + 1, 9),
            verified_level=number // 2,
        )
        for number in range(1, 9)
    ]
    return readiness_pb2.ProjectReadiness(
        project_id=project_id, scale_version="1", dimensions=dimensions
    )


def _output(project_id: str) -> pb.DossierOutput:
    output = outputs_pb2.Output(
        id=new_id("out"),
        project_id=project_id,
        kind=outputs_pb2.OUTPUT_KIND_PUBLICATION,
        titles=text("ترمیم غضروف", "Mending cartilage"),
        publication=outputs_pb2.Publication(doi="10.1016/j.cell.2006.07.024"),
        state=outputs_pb2.OUTPUT_STATE_RECORDED,
    )
    return pb.DossierOutput(output=output, steps=[_step(1, "created", 350)])


def _award(project_id: str) -> pb.DossierAward:
    def money(amount: str) -> awards_pb2.Money:
        return awards_pb2.Money(amount=amount, currency="IRR")

    award = awards_pb2.Award(
        id=new_id("awd"),
        project_id=project_id,
        titles=text("حمایت نخست", "First award"),
        funder=awards_pb2.Funder(names=text("صندوق", "The fund")),
        amount=money("25000000000"),
        released=money("10000000000"),
        milestones=[
            awards_pb2.Milestone(
                code="m1",
                text=text("سه نوبت ساخت در حد پذیرش", "Three runs in specification"),
                state=awards_pb2.MILESTONE_STATE_MET,
                confirmed_by="sara",
            )
        ],
        tranches=[
            awards_pb2.Tranche(
                code="t1",
                amount=money("10000000000"),
                milestone_code="m1",
                released=money("10000000000"),
                released_at=to_timestamp(at(240)),
            ),
            awards_pb2.Tranche(code="t2", amount=money("15000000000.5"), milestone_code="m1"),
        ],
        state=awards_pb2.AWARD_STATE_ACTIVE,
    )
    return pb.DossierAward(award=award, steps=[_step(1, "created", 30)])
