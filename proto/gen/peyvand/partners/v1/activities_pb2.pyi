import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
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

class ActivityKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTIVITY_KIND_UNSPECIFIED: _ClassVar[ActivityKind]
    ACTIVITY_KIND_JOINT_RESEARCH: _ClassVar[ActivityKind]
    ACTIVITY_KIND_COMMITTEE: _ClassVar[ActivityKind]
    ACTIVITY_KIND_UNIVERSITY_NETWORK: _ClassVar[ActivityKind]
    ACTIVITY_KIND_EXCHANGE: _ClassVar[ActivityKind]
    ACTIVITY_KIND_TRAINING: _ClassVar[ActivityKind]
    ACTIVITY_KIND_MEETING: _ClassVar[ActivityKind]
    ACTIVITY_KIND_DIASPORA_EXPERT: _ClassVar[ActivityKind]
    ACTIVITY_KIND_PLATFORM: _ClassVar[ActivityKind]

class ActivityState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTIVITY_STATE_UNSPECIFIED: _ClassVar[ActivityState]
    ACTIVITY_STATE_PROPOSED: _ClassVar[ActivityState]
    ACTIVITY_STATE_APPROVED: _ClassVar[ActivityState]
    ACTIVITY_STATE_ACTIVE: _ClassVar[ActivityState]
    ACTIVITY_STATE_DONE: _ClassVar[ActivityState]
    ACTIVITY_STATE_CANCELLED: _ClassVar[ActivityState]
ACTIVITY_KIND_UNSPECIFIED: ActivityKind
ACTIVITY_KIND_JOINT_RESEARCH: ActivityKind
ACTIVITY_KIND_COMMITTEE: ActivityKind
ACTIVITY_KIND_UNIVERSITY_NETWORK: ActivityKind
ACTIVITY_KIND_EXCHANGE: ActivityKind
ACTIVITY_KIND_TRAINING: ActivityKind
ACTIVITY_KIND_MEETING: ActivityKind
ACTIVITY_KIND_DIASPORA_EXPERT: ActivityKind
ACTIVITY_KIND_PLATFORM: ActivityKind
ACTIVITY_STATE_UNSPECIFIED: ActivityState
ACTIVITY_STATE_PROPOSED: ActivityState
ACTIVITY_STATE_APPROVED: ActivityState
ACTIVITY_STATE_ACTIVE: ActivityState
ACTIVITY_STATE_DONE: ActivityState
ACTIVITY_STATE_CANCELLED: ActivityState

class ActivityParticipant(_message.Message):
    __slots__ = ("institution_id", "person_id", "center_id", "name", "role")
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    institution_id: str
    person_id: str
    center_id: str
    name: _types_pb2.LocalizedText
    role: _types_pb2.LocalizedText
    def __init__(self, institution_id: _Optional[str] = ..., person_id: _Optional[str] = ..., center_id: _Optional[str] = ..., name: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., role: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ...) -> None: ...

class Activity(_message.Message):
    __slots__ = ("id", "external_key", "kind", "titles", "agreement_id", "scope_codes", "out_of_scope_reason", "participants", "start_date", "end_date", "place", "note", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPE_CODES_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_SCOPE_REASON_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
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
    kind: ActivityKind
    titles: _types_pb2.LocalizedText
    agreement_id: str
    scope_codes: _containers.RepeatedScalarFieldContainer[str]
    out_of_scope_reason: _types_pb2.LocalizedText
    participants: _containers.RepeatedCompositeFieldContainer[ActivityParticipant]
    start_date: _types_pb2.ImpreciseDate
    end_date: _types_pb2.ImpreciseDate
    place: _types_pb2.LocalizedText
    note: _types_pb2.LocalizedText
    state: ActivityState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., kind: _Optional[_Union[ActivityKind, str]] = ..., titles: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., agreement_id: _Optional[str] = ..., scope_codes: _Optional[_Iterable[str]] = ..., out_of_scope_reason: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., participants: _Optional[_Iterable[_Union[ActivityParticipant, _Mapping]]] = ..., start_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., end_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., place: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., note: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., state: _Optional[_Union[ActivityState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetActivityRequest(_message.Message):
    __slots__ = ("activity_id",)
    ACTIVITY_ID_FIELD_NUMBER: _ClassVar[int]
    activity_id: str
    def __init__(self, activity_id: _Optional[str] = ...) -> None: ...

class ListActivitiesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "kind", "agreement_id", "institution_id", "center_id", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: ActivityState
    kind: ActivityKind
    agreement_id: str
    institution_id: str
    center_id: str
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[ActivityState, str]] = ..., kind: _Optional[_Union[ActivityKind, str]] = ..., agreement_id: _Optional[str] = ..., institution_id: _Optional[str] = ..., center_id: _Optional[str] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListActivitiesResponse(_message.Message):
    __slots__ = ("activities", "next_page_token")
    ACTIVITIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    activities: _containers.RepeatedCompositeFieldContainer[Activity]
    next_page_token: str
    def __init__(self, activities: _Optional[_Iterable[_Union[Activity, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateActivityRequest(_message.Message):
    __slots__ = ("activity", "idempotency_key")
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    activity: Activity
    idempotency_key: str
    def __init__(self, activity: _Optional[_Union[Activity, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdateActivityRequest(_message.Message):
    __slots__ = ("activity_id", "activity", "update_mask", "etag")
    ACTIVITY_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    activity_id: str
    activity: Activity
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, activity_id: _Optional[str] = ..., activity: _Optional[_Union[Activity, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class ActivityStepRequest(_message.Message):
    __slots__ = ("activity_id", "reason", "effective_date", "etag", "idempotency_key")
    ACTIVITY_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    activity_id: str
    reason: str
    effective_date: _types_pb2.ImpreciseDate
    etag: str
    idempotency_key: str
    def __init__(self, activity_id: _Optional[str] = ..., reason: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListActivityStepsRequest(_message.Message):
    __slots__ = ("activity_id", "page_size", "page_token")
    ACTIVITY_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    activity_id: str
    page_size: int
    page_token: str
    def __init__(self, activity_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListActivityStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ActivityRow(_message.Message):
    __slots__ = ("activity", "reason", "references")
    class ReferencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    activity: Activity
    reason: str
    references: _containers.ScalarMap[str, str]
    def __init__(self, activity: _Optional[_Union[Activity, _Mapping]] = ..., reason: _Optional[str] = ..., references: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ActivityEvent(_message.Message):
    __slots__ = ("activity", "change")
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    activity: Activity
    change: _types_pb2.Change
    def __init__(self, activity: _Optional[_Union[Activity, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
