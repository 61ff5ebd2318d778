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

class WaiverState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAIVER_STATE_UNSPECIFIED: _ClassVar[WaiverState]
    WAIVER_STATE_REQUESTED: _ClassVar[WaiverState]
    WAIVER_STATE_GRANTED: _ClassVar[WaiverState]
    WAIVER_STATE_REFUSED: _ClassVar[WaiverState]
    WAIVER_STATE_WITHDRAWN: _ClassVar[WaiverState]
    WAIVER_STATE_REVOKED: _ClassVar[WaiverState]
WAIVER_STATE_UNSPECIFIED: WaiverState
WAIVER_STATE_REQUESTED: WaiverState
WAIVER_STATE_GRANTED: WaiverState
WAIVER_STATE_REFUSED: WaiverState
WAIVER_STATE_WITHDRAWN: WaiverState
WAIVER_STATE_REVOKED: WaiverState

class Waiver(_message.Message):
    __slots__ = ("id", "external_key", "project_id", "criterion", "stage", "visit", "reason", "expiry_date", "requested_by", "ruled_by", "expired", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    CRITERION_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    VISIT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_DATE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    RULED_BY_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_FIELD_NUMBER: _ClassVar[int]
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
    criterion: str
    stage: _stages_pb2.Stage
    visit: int
    reason: str
    expiry_date: str
    requested_by: str
    ruled_by: str
    expired: bool
    state: WaiverState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., project_id: _Optional[str] = ..., criterion: _Optional[str] = ..., stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., visit: _Optional[int] = ..., reason: _Optional[str] = ..., expiry_date: _Optional[str] = ..., requested_by: _Optional[str] = ..., ruled_by: _Optional[str] = ..., expired: _Optional[bool] = ..., state: _Optional[_Union[WaiverState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetWaiverRequest(_message.Message):
    __slots__ = ("waiver_id",)
    WAIVER_ID_FIELD_NUMBER: _ClassVar[int]
    waiver_id: str
    def __init__(self, waiver_id: _Optional[str] = ...) -> None: ...

class ListWaiversRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "project_id", "criterion", "state", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    CRITERION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    project_id: str
    criterion: str
    state: WaiverState
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., project_id: _Optional[str] = ..., criterion: _Optional[str] = ..., state: _Optional[_Union[WaiverState, str]] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListWaiversResponse(_message.Message):
    __slots__ = ("waivers", "next_page_token")
    WAIVERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    waivers: _containers.RepeatedCompositeFieldContainer[Waiver]
    next_page_token: str
    def __init__(self, waivers: _Optional[_Iterable[_Union[Waiver, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateWaiverRequest(_message.Message):
    __slots__ = ("waiver", "idempotency_key")
    WAIVER_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    waiver: Waiver
    idempotency_key: str
    def __init__(self, waiver: _Optional[_Union[Waiver, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class WaiverStepRequest(_message.Message):
    __slots__ = ("waiver_id", "reason", "etag", "idempotency_key")
    WAIVER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    waiver_id: str
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, waiver_id: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListWaiverStepsRequest(_message.Message):
    __slots__ = ("waiver_id", "page_size", "page_token")
    WAIVER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    waiver_id: str
    page_size: int
    page_token: str
    def __init__(self, waiver_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListWaiverStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WaiverEvent(_message.Message):
    __slots__ = ("waiver", "change")
    WAIVER_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    waiver: Waiver
    change: _types_pb2.Change
    def __init__(self, waiver: _Optional[_Union[Waiver, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
