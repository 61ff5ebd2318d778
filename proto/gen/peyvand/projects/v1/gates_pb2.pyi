import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2_1
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.projects.v1 import conditions_pb2 as _conditions_pb2
from peyvand.projects.v1 import decisions_pb2 as _decisions_pb2
from peyvand.projects.v1 import panel_pb2 as _panel_pb2
from peyvand.projects.v1 import stages_pb2 as _stages_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GateState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATE_STATE_UNSPECIFIED: _ClassVar[GateState]
    GATE_STATE_OPEN: _ClassVar[GateState]
    GATE_STATE_DECIDED: _ClassVar[GateState]
    GATE_STATE_WITHDRAWN: _ClassVar[GateState]

class GatesError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATES_ERROR_UNSPECIFIED: _ClassVar[GatesError]
    GATE_NEEDED: _ClassVar[GatesError]
    GATE_ALREADY_OPEN: _ClassVar[GatesError]
    QUORUM_NOT_POSSIBLE: _ClassVar[GatesError]
    NOT_ON_PANEL: _ClassVar[GatesError]
    TEAM_HAS_NO_VOTE: _ClassVar[GatesError]
    DECLARATION_NEEDED: _ClassVar[GatesError]
    CONFLICT_HAS_NO_VOTE: _ClassVar[GatesError]
    CONFLICT_STANDS: _ClassVar[GatesError]
    QUORUM_NOT_REACHED: _ClassVar[GatesError]
    NO_MAJORITY: _ClassVar[GatesError]
    NOT_WHAT_WAS_VOTED: _ClassVar[GatesError]
    CRITERIA_OPEN: _ClassVar[GatesError]
    CRITERION_NOT_OF_STAGE: _ClassVar[GatesError]
    CONDITION_OVERDUE: _ClassVar[GatesError]
    NOT_THE_LATEST_DECISION: _ClassVar[GatesError]
    EVIDENCE_OR_NOTE_NEEDED: _ClassVar[GatesError]
    NOTHING_REPORTED: _ClassVar[GatesError]
    OWN_REPORT: _ClassVar[GatesError]
    EVIDENCE_NOT_VERIFIED: _ClassVar[GatesError]
    NOTHING_TO_REVIEW: _ClassVar[GatesError]
    PANEL_TOO_SMALL: _ClassVar[GatesError]
    QUORUM_TOO_SMALL: _ClassVar[GatesError]
    TEAM_HAS_NO_SAY: _ClassVar[GatesError]
    CONFLICT_HAS_NO_SAY: _ClassVar[GatesError]
    TERMS_NEEDED: _ClassVar[GatesError]
    TERMS_DIFFER: _ClassVar[GatesError]
    VOTES_OUTDATED: _ClassVar[GatesError]
    ASSESSMENT_CHANGED: _ClassVar[GatesError]
    DUE_TOO_LATE: _ClassVar[GatesError]
    CONDITION_UNMET: _ClassVar[GatesError]
    CRITERION_EVIDENCE_NEEDED: _ClassVar[GatesError]
    EVIDENCE_OF_OTHER_CRITERION: _ClassVar[GatesError]
    CRITERION_NOT_SHOWN: _ClassVar[GatesError]
    FROZEN_AT_GATE: _ClassVar[GatesError]
    NO_TERMS: _ClassVar[GatesError]
    DECIDED_BEFORE_GATE: _ClassVar[GatesError]
GATE_STATE_UNSPECIFIED: GateState
GATE_STATE_OPEN: GateState
GATE_STATE_DECIDED: GateState
GATE_STATE_WITHDRAWN: GateState
GATES_ERROR_UNSPECIFIED: GatesError
GATE_NEEDED: GatesError
GATE_ALREADY_OPEN: GatesError
QUORUM_NOT_POSSIBLE: GatesError
NOT_ON_PANEL: GatesError
TEAM_HAS_NO_VOTE: GatesError
DECLARATION_NEEDED: GatesError
CONFLICT_HAS_NO_VOTE: GatesError
CONFLICT_STANDS: GatesError
QUORUM_NOT_REACHED: GatesError
NO_MAJORITY: GatesError
NOT_WHAT_WAS_VOTED: GatesError
CRITERIA_OPEN: GatesError
CRITERION_NOT_OF_STAGE: GatesError
CONDITION_OVERDUE: GatesError
NOT_THE_LATEST_DECISION: GatesError
EVIDENCE_OR_NOTE_NEEDED: GatesError
NOTHING_REPORTED: GatesError
OWN_REPORT: GatesError
EVIDENCE_NOT_VERIFIED: GatesError
NOTHING_TO_REVIEW: GatesError
PANEL_TOO_SMALL: GatesError
QUORUM_TOO_SMALL: GatesError
TEAM_HAS_NO_SAY: GatesError
CONFLICT_HAS_NO_SAY: GatesError
TERMS_NEEDED: GatesError
TERMS_DIFFER: GatesError
VOTES_OUTDATED: GatesError
ASSESSMENT_CHANGED: GatesError
DUE_TOO_LATE: GatesError
CONDITION_UNMET: GatesError
CRITERION_EVIDENCE_NEEDED: GatesError
EVIDENCE_OF_OTHER_CRITERION: GatesError
CRITERION_NOT_SHOWN: GatesError
FROZEN_AT_GATE: GatesError
NO_TERMS: GatesError
DECIDED_BEFORE_GATE: GatesError

class Gate(_message.Message):
    __slots__ = ("id", "external_key", "project_id", "stage", "visit", "supersedes_id", "panel", "quorum", "declarations", "votes", "counted_votes", "decision_id", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at", "proposals", "opened_by", "assessment_hash")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    VISIT_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDES_ID_FIELD_NUMBER: _ClassVar[int]
    PANEL_FIELD_NUMBER: _ClassVar[int]
    QUORUM_FIELD_NUMBER: _ClassVar[int]
    DECLARATIONS_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    COUNTED_VOTES_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_SINCE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    OPENED_BY_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    project_id: str
    stage: _stages_pb2.Stage
    visit: int
    supersedes_id: str
    panel: _containers.RepeatedCompositeFieldContainer[_panel_pb2.PanelMember]
    quorum: int
    declarations: _containers.RepeatedCompositeFieldContainer[_panel_pb2.Declaration]
    votes: _containers.RepeatedCompositeFieldContainer[_decisions_pb2.Vote]
    counted_votes: int
    decision_id: str
    state: GateState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    proposals: _containers.RepeatedCompositeFieldContainer[_decisions_pb2.Proposal]
    opened_by: str
    assessment_hash: str
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., project_id: _Optional[str] = ..., stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., visit: _Optional[int] = ..., supersedes_id: _Optional[str] = ..., panel: _Optional[_Iterable[_Union[_panel_pb2.PanelMember, _Mapping]]] = ..., quorum: _Optional[int] = ..., declarations: _Optional[_Iterable[_Union[_panel_pb2.Declaration, _Mapping]]] = ..., votes: _Optional[_Iterable[_Union[_decisions_pb2.Vote, _Mapping]]] = ..., counted_votes: _Optional[int] = ..., decision_id: _Optional[str] = ..., state: _Optional[_Union[GateState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., proposals: _Optional[_Iterable[_Union[_decisions_pb2.Proposal, _Mapping]]] = ..., opened_by: _Optional[str] = ..., assessment_hash: _Optional[str] = ...) -> None: ...

class GetGateRequest(_message.Message):
    __slots__ = ("gate_id",)
    GATE_ID_FIELD_NUMBER: _ClassVar[int]
    gate_id: str
    def __init__(self, gate_id: _Optional[str] = ...) -> None: ...

class ListGatesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "project_id", "state", "on_panel", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ON_PANEL_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    project_id: str
    state: GateState
    on_panel: bool
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., project_id: _Optional[str] = ..., state: _Optional[_Union[GateState, str]] = ..., on_panel: _Optional[bool] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListGatesResponse(_message.Message):
    __slots__ = ("gates", "next_page_token")
    GATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    gates: _containers.RepeatedCompositeFieldContainer[Gate]
    next_page_token: str
    def __init__(self, gates: _Optional[_Iterable[_Union[Gate, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateGateRequest(_message.Message):
    __slots__ = ("gate", "idempotency_key")
    GATE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gate: Gate
    idempotency_key: str
    def __init__(self, gate: _Optional[_Union[Gate, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class DeclareAtGateRequest(_message.Message):
    __slots__ = ("gate_id", "conflict", "note", "etag", "idempotency_key")
    GATE_ID_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gate_id: str
    conflict: _panel_pb2.Conflict
    note: str
    etag: str
    idempotency_key: str
    def __init__(self, gate_id: _Optional[str] = ..., conflict: _Optional[_Union[_panel_pb2.Conflict, str]] = ..., note: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ProposeAtGateRequest(_message.Message):
    __slots__ = ("gate_id", "decision", "to_stage", "resume_date", "kill", "conditions", "etag", "idempotency_key")
    GATE_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    TO_STAGE_FIELD_NUMBER: _ClassVar[int]
    RESUME_DATE_FIELD_NUMBER: _ClassVar[int]
    KILL_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gate_id: str
    decision: _decisions_pb2.DecisionKind
    to_stage: _stages_pb2.Stage
    resume_date: str
    kill: _decisions_pb2.KillReason
    conditions: _containers.RepeatedCompositeFieldContainer[_decisions_pb2.Condition]
    etag: str
    idempotency_key: str
    def __init__(self, gate_id: _Optional[str] = ..., decision: _Optional[_Union[_decisions_pb2.DecisionKind, str]] = ..., to_stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., resume_date: _Optional[str] = ..., kill: _Optional[_Union[_decisions_pb2.KillReason, _Mapping]] = ..., conditions: _Optional[_Iterable[_Union[_decisions_pb2.Condition, _Mapping]]] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class VoteAtGateRequest(_message.Message):
    __slots__ = ("gate_id", "decision", "reason", "etag", "idempotency_key", "assessment_hash")
    GATE_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    gate_id: str
    decision: _decisions_pb2.DecisionKind
    reason: str
    etag: str
    idempotency_key: str
    assessment_hash: str
    def __init__(self, gate_id: _Optional[str] = ..., decision: _Optional[_Union[_decisions_pb2.DecisionKind, str]] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., assessment_hash: _Optional[str] = ...) -> None: ...

class GateStepRequest(_message.Message):
    __slots__ = ("gate_id", "reason", "etag", "idempotency_key")
    GATE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gate_id: str
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, gate_id: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListGateStepsRequest(_message.Message):
    __slots__ = ("gate_id", "page_size", "page_token")
    GATE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    gate_id: str
    page_size: int
    page_token: str
    def __init__(self, gate_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListGateStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GateEvent(_message.Message):
    __slots__ = ("gate", "change")
    GATE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    gate: Gate
    change: _types_pb2.Change
    def __init__(self, gate: _Optional[_Union[Gate, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
