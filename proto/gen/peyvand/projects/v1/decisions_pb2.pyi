import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from peyvand.api.v1 import types_pb2 as _types_pb2
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
    __slots__ = ("text", "owner", "due_date")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DUE_DATE_FIELD_NUMBER: _ClassVar[int]
    text: _types_pb2.LocalizedText
    owner: str
    due_date: str
    def __init__(self, text: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., owner: _Optional[str] = ..., due_date: _Optional[str] = ...) -> None: ...

class KillReason(_message.Message):
    __slots__ = ("code", "narrative", "lessons")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NARRATIVE_FIELD_NUMBER: _ClassVar[int]
    LESSONS_FIELD_NUMBER: _ClassVar[int]
    code: KillCode
    narrative: str
    lessons: str
    def __init__(self, code: _Optional[_Union[KillCode, str]] = ..., narrative: _Optional[str] = ..., lessons: _Optional[str] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("id", "project_id", "kind", "from_stage", "to_stage", "reason", "resume_date", "kill", "conditions", "decided_date", "recorded_by", "created_at", "template_version")
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
    def __init__(self, id: _Optional[str] = ..., project_id: _Optional[str] = ..., kind: _Optional[_Union[DecisionKind, str]] = ..., from_stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., to_stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., reason: _Optional[str] = ..., resume_date: _Optional[str] = ..., kill: _Optional[_Union[KillReason, _Mapping]] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ..., decided_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., recorded_by: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., template_version: _Optional[str] = ...) -> None: ...

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
