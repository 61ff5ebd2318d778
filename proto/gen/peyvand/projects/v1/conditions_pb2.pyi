import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from peyvand.api.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConditionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONDITION_STATE_UNSPECIFIED: _ClassVar[ConditionState]
    CONDITION_STATE_OPEN: _ClassVar[ConditionState]
    CONDITION_STATE_MET: _ClassVar[ConditionState]
    CONDITION_STATE_CANCELLED: _ClassVar[ConditionState]
CONDITION_STATE_UNSPECIFIED: ConditionState
CONDITION_STATE_OPEN: ConditionState
CONDITION_STATE_MET: ConditionState
CONDITION_STATE_CANCELLED: ConditionState

class ConditionReport(_message.Message):
    __slots__ = ("reported_by", "reported_at", "evidence_id", "note")
    REPORTED_BY_FIELD_NUMBER: _ClassVar[int]
    REPORTED_AT_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_ID_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    reported_by: str
    reported_at: _timestamp_pb2.Timestamp
    evidence_id: str
    note: str
    def __init__(self, reported_by: _Optional[str] = ..., reported_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., evidence_id: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class ProjectCondition(_message.Message):
    __slots__ = ("id", "external_key", "project_id", "decision_id", "criterion", "text", "owner", "due_date", "report", "confirmed_by", "overdue", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    CRITERION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DUE_DATE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_BY_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_SINCE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    project_id: str
    decision_id: str
    criterion: str
    text: _types_pb2.LocalizedText
    owner: str
    due_date: str
    report: ConditionReport
    confirmed_by: str
    overdue: bool
    state: ConditionState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., project_id: _Optional[str] = ..., decision_id: _Optional[str] = ..., criterion: _Optional[str] = ..., text: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., owner: _Optional[str] = ..., due_date: _Optional[str] = ..., report: _Optional[_Union[ConditionReport, _Mapping]] = ..., confirmed_by: _Optional[str] = ..., overdue: _Optional[bool] = ..., state: _Optional[_Union[ConditionState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetProjectConditionRequest(_message.Message):
    __slots__ = ("condition_id",)
    CONDITION_ID_FIELD_NUMBER: _ClassVar[int]
    condition_id: str
    def __init__(self, condition_id: _Optional[str] = ...) -> None: ...

class ListProjectConditionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "project_id", "state", "overdue", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    project_id: str
    state: ConditionState
    overdue: bool
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., project_id: _Optional[str] = ..., state: _Optional[_Union[ConditionState, str]] = ..., overdue: _Optional[bool] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListProjectConditionsResponse(_message.Message):
    __slots__ = ("conditions", "next_page_token")
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    conditions: _containers.RepeatedCompositeFieldContainer[ProjectCondition]
    next_page_token: str
    def __init__(self, conditions: _Optional[_Iterable[_Union[ProjectCondition, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReportProjectConditionRequest(_message.Message):
    __slots__ = ("condition_id", "evidence_id", "note", "etag", "idempotency_key")
    CONDITION_ID_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_ID_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    condition_id: str
    evidence_id: str
    note: str
    etag: str
    idempotency_key: str
    def __init__(self, condition_id: _Optional[str] = ..., evidence_id: _Optional[str] = ..., note: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ProjectConditionStepRequest(_message.Message):
    __slots__ = ("condition_id", "reason", "etag", "idempotency_key")
    CONDITION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    condition_id: str
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, condition_id: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListProjectConditionStepsRequest(_message.Message):
    __slots__ = ("condition_id", "page_size", "page_token")
    CONDITION_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    condition_id: str
    page_size: int
    page_token: str
    def __init__(self, condition_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListProjectConditionStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ProjectConditionEvent(_message.Message):
    __slots__ = ("condition", "change")
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    condition: ProjectCondition
    change: _types_pb2.Change
    def __init__(self, condition: _Optional[_Union[ProjectCondition, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
