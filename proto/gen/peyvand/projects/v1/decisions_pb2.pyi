import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.projects.v1 import criteria_pb2 as _criteria_pb2
from peyvand.projects.v1 import panel_pb2 as _panel_pb2
from peyvand.projects.v1 import stages_pb2 as _stages_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DecisionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_KIND_UNSPECIFIED: _ClassVar[DecisionKind]
    DECISION_KIND_GO: _ClassVar[DecisionKind]
    DECISION_KIND_CONDITIONAL_GO: _ClassVar[DecisionKind]
    DECISION_KIND_HOLD: _ClassVar[DecisionKind]
    DECISION_KIND_RECYCLE: _ClassVar[DecisionKind]
    DECISION_KIND_KILL: _ClassVar[DecisionKind]

class KillCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KILL_CODE_UNSPECIFIED: _ClassVar[KillCode]
    KILL_CODE_SAFETY: _ClassVar[KillCode]
    KILL_CODE_EFFICACY: _ClassVar[KillCode]
    KILL_CODE_MANUFACTURING: _ClassVar[KillCode]
    KILL_CODE_REGULATORY: _ClassVar[KillCode]
    KILL_CODE_ETHICS: _ClassVar[KillCode]
    KILL_CODE_INTELLECTUAL_PROPERTY: _ClassVar[KillCode]
    KILL_CODE_MARKET: _ClassVar[KillCode]
    KILL_CODE_FUNDING: _ClassVar[KillCode]
    KILL_CODE_TEAM: _ClassVar[KillCode]
    KILL_CODE_STRATEGY: _ClassVar[KillCode]
DECISION_KIND_UNSPECIFIED: DecisionKind
DECISION_KIND_GO: DecisionKind
DECISION_KIND_CONDITIONAL_GO: DecisionKind
DECISION_KIND_HOLD: DecisionKind
DECISION_KIND_RECYCLE: DecisionKind
DECISION_KIND_KILL: DecisionKind
KILL_CODE_UNSPECIFIED: KillCode
KILL_CODE_SAFETY: KillCode
KILL_CODE_EFFICACY: KillCode
KILL_CODE_MANUFACTURING: KillCode
KILL_CODE_REGULATORY: KillCode
KILL_CODE_ETHICS: KillCode
KILL_CODE_INTELLECTUAL_PROPERTY: KillCode
KILL_CODE_MARKET: KillCode
KILL_CODE_FUNDING: KillCode
KILL_CODE_TEAM: KillCode
KILL_CODE_STRATEGY: KillCode

class Condition(_message.Message):
    __slots__ = ("text", "owner", "due_date", "criterion")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DUE_DATE_FIELD_NUMBER: _ClassVar[int]
    CRITERION_FIELD_NUMBER: _ClassVar[int]
    text: _types_pb2.LocalizedText
    owner: str
    due_date: str
    criterion: str
    def __init__(self, text: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., owner: _Optional[str] = ..., due_date: _Optional[str] = ..., criterion: _Optional[str] = ...) -> None: ...

class KillReason(_message.Message):
    __slots__ = ("code", "narrative", "lessons")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NARRATIVE_FIELD_NUMBER: _ClassVar[int]
    LESSONS_FIELD_NUMBER: _ClassVar[int]
    code: KillCode
    narrative: str
    lessons: str
    def __init__(self, code: _Optional[_Union[KillCode, str]] = ..., narrative: _Optional[str] = ..., lessons: _Optional[str] = ...) -> None: ...

class DecisionTerms(_message.Message):
    __slots__ = ("kind", "to_stage", "resume_date", "kill", "conditions")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TO_STAGE_FIELD_NUMBER: _ClassVar[int]
    RESUME_DATE_FIELD_NUMBER: _ClassVar[int]
    KILL_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    kind: DecisionKind
    to_stage: _stages_pb2.Stage
    resume_date: str
    kill: KillReason
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    def __init__(self, kind: _Optional[_Union[DecisionKind, str]] = ..., to_stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., resume_date: _Optional[str] = ..., kill: _Optional[_Union[KillReason, _Mapping]] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ...) -> None: ...

class Proposal(_message.Message):
    __slots__ = ("terms", "proposed_by", "proposed_at", "terms_hash")
    TERMS_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_AT_FIELD_NUMBER: _ClassVar[int]
    TERMS_HASH_FIELD_NUMBER: _ClassVar[int]
    terms: DecisionTerms
    proposed_by: str
    proposed_at: _timestamp_pb2.Timestamp
    terms_hash: str
    def __init__(self, terms: _Optional[_Union[DecisionTerms, _Mapping]] = ..., proposed_by: _Optional[str] = ..., proposed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., terms_hash: _Optional[str] = ...) -> None: ...

class Vote(_message.Message):
    __slots__ = ("subject", "kind", "reason", "voted_at", "center_ids", "terms_hash", "assessment_hash")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VOTED_AT_FIELD_NUMBER: _ClassVar[int]
    CENTER_IDS_FIELD_NUMBER: _ClassVar[int]
    TERMS_HASH_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    subject: str
    kind: DecisionKind
    reason: str
    voted_at: _timestamp_pb2.Timestamp
    center_ids: _containers.RepeatedScalarFieldContainer[str]
    terms_hash: str
    assessment_hash: str
    def __init__(self, subject: _Optional[str] = ..., kind: _Optional[_Union[DecisionKind, str]] = ..., reason: _Optional[str] = ..., voted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., center_ids: _Optional[_Iterable[str]] = ..., terms_hash: _Optional[str] = ..., assessment_hash: _Optional[str] = ...) -> None: ...

class WithdrawnGate(_message.Message):
    __slots__ = ("gate_id", "opened_by", "opened_at", "withdrawn_by", "withdrawn_at", "reason", "votes")
    GATE_ID_FIELD_NUMBER: _ClassVar[int]
    OPENED_BY_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_BY_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    gate_id: str
    opened_by: str
    opened_at: _timestamp_pb2.Timestamp
    withdrawn_by: str
    withdrawn_at: _timestamp_pb2.Timestamp
    reason: str
    votes: _containers.RepeatedCompositeFieldContainer[Vote]
    def __init__(self, gate_id: _Optional[str] = ..., opened_by: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., withdrawn_by: _Optional[str] = ..., withdrawn_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., votes: _Optional[_Iterable[_Union[Vote, _Mapping]]] = ...) -> None: ...

class DecidedCriterion(_message.Message):
    __slots__ = ("code", "state", "evidence_ids", "evidence_hashes", "waiver_id")
    CODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_IDS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_HASHES_FIELD_NUMBER: _ClassVar[int]
    WAIVER_ID_FIELD_NUMBER: _ClassVar[int]
    code: str
    state: _criteria_pb2.CriterionState
    evidence_ids: _containers.RepeatedScalarFieldContainer[str]
    evidence_hashes: _containers.RepeatedScalarFieldContainer[str]
    waiver_id: str
    def __init__(self, code: _Optional[str] = ..., state: _Optional[_Union[_criteria_pb2.CriterionState, str]] = ..., evidence_ids: _Optional[_Iterable[str]] = ..., evidence_hashes: _Optional[_Iterable[str]] = ..., waiver_id: _Optional[str] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("id", "project_id", "kind", "from_stage", "to_stage", "reason", "resume_date", "kill", "conditions", "decided_date", "recorded_by", "created_at", "template_version", "gate_id", "visit", "panel", "quorum", "declarations", "votes", "criteria", "supersedes_id", "previous_hash", "record_hash", "opened_by", "proposed_by", "terms_hash", "assessment_hash", "withdrawn_gates")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FROM_STAGE_FIELD_NUMBER: _ClassVar[int]
    TO_STAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESUME_DATE_FIELD_NUMBER: _ClassVar[int]
    KILL_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    DECIDED_DATE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BY_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    GATE_ID_FIELD_NUMBER: _ClassVar[int]
    VISIT_FIELD_NUMBER: _ClassVar[int]
    PANEL_FIELD_NUMBER: _ClassVar[int]
    QUORUM_FIELD_NUMBER: _ClassVar[int]
    DECLARATIONS_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    CRITERIA_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDES_ID_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_HASH_FIELD_NUMBER: _ClassVar[int]
    RECORD_HASH_FIELD_NUMBER: _ClassVar[int]
    OPENED_BY_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_FIELD_NUMBER: _ClassVar[int]
    TERMS_HASH_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_GATES_FIELD_NUMBER: _ClassVar[int]
    id: str
    project_id: str
    kind: DecisionKind
    from_stage: _stages_pb2.Stage
    to_stage: _stages_pb2.Stage
    reason: str
    resume_date: str
    kill: KillReason
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    decided_date: _types_pb2.ImpreciseDate
    recorded_by: str
    created_at: _timestamp_pb2.Timestamp
    template_version: str
    gate_id: str
    visit: int
    panel: _containers.RepeatedCompositeFieldContainer[_panel_pb2.PanelMember]
    quorum: int
    declarations: _containers.RepeatedCompositeFieldContainer[_panel_pb2.Declaration]
    votes: _containers.RepeatedCompositeFieldContainer[Vote]
    criteria: _containers.RepeatedCompositeFieldContainer[DecidedCriterion]
    supersedes_id: str
    previous_hash: str
    record_hash: str
    opened_by: str
    proposed_by: str
    terms_hash: str
    assessment_hash: str
    withdrawn_gates: _containers.RepeatedCompositeFieldContainer[WithdrawnGate]
    def __init__(self, id: _Optional[str] = ..., project_id: _Optional[str] = ..., kind: _Optional[_Union[DecisionKind, str]] = ..., from_stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., to_stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., reason: _Optional[str] = ..., resume_date: _Optional[str] = ..., kill: _Optional[_Union[KillReason, _Mapping]] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ..., decided_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., recorded_by: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., template_version: _Optional[str] = ..., gate_id: _Optional[str] = ..., visit: _Optional[int] = ..., panel: _Optional[_Iterable[_Union[_panel_pb2.PanelMember, _Mapping]]] = ..., quorum: _Optional[int] = ..., declarations: _Optional[_Iterable[_Union[_panel_pb2.Declaration, _Mapping]]] = ..., votes: _Optional[_Iterable[_Union[Vote, _Mapping]]] = ..., criteria: _Optional[_Iterable[_Union[DecidedCriterion, _Mapping]]] = ..., supersedes_id: _Optional[str] = ..., previous_hash: _Optional[str] = ..., record_hash: _Optional[str] = ..., opened_by: _Optional[str] = ..., proposed_by: _Optional[str] = ..., terms_hash: _Optional[str] = ..., assessment_hash: _Optional[str] = ..., withdrawn_gates: _Optional[_Iterable[_Union[WithdrawnGate, _Mapping]]] = ...) -> None: ...

class DecideProjectRequest(_message.Message):
    __slots__ = ("project_id", "decision", "reason", "to_stage", "resume_date", "kill", "conditions", "decided_date", "etag", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TO_STAGE_FIELD_NUMBER: _ClassVar[int]
    RESUME_DATE_FIELD_NUMBER: _ClassVar[int]
    KILL_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    DECIDED_DATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    decision: DecisionKind
    reason: str
    to_stage: _stages_pb2.Stage
    resume_date: str
    kill: KillReason
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    decided_date: _types_pb2.ImpreciseDate
    etag: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., decision: _Optional[_Union[DecisionKind, str]] = ..., reason: _Optional[str] = ..., to_stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., resume_date: _Optional[str] = ..., kill: _Optional[_Union[KillReason, _Mapping]] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ..., decided_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListProjectDecisionsRequest(_message.Message):
    __slots__ = ("project_id", "page_size", "page_token")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    page_size: int
    page_token: str
    def __init__(self, project_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListProjectDecisionsResponse(_message.Message):
    __slots__ = ("decisions", "next_page_token")
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[Decision]
    next_page_token: str
    def __init__(self, decisions: _Optional[_Iterable[_Union[Decision, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
