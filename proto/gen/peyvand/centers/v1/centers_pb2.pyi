import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2_1
from peyvand.api.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CenterState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CENTER_STATE_UNSPECIFIED: _ClassVar[CenterState]
    CENTER_STATE_PLANNED: _ClassVar[CenterState]
    CENTER_STATE_ESTABLISHING: _ClassVar[CenterState]
    CENTER_STATE_OPERATIONAL: _ClassVar[CenterState]
    CENTER_STATE_SUSPENDED: _ClassVar[CenterState]
    CENTER_STATE_CLOSED: _ClassVar[CenterState]
    CENTER_STATE_CANCELLED: _ClassVar[CenterState]

class CentersError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CENTERS_ERROR_UNSPECIFIED: _ClassVar[CentersError]
    CENTER_CODE_TAKEN: _ClassVar[CentersError]
    UNKNOWN_PROVINCE: _ClassVar[CentersError]
CENTER_STATE_UNSPECIFIED: CenterState
CENTER_STATE_PLANNED: CenterState
CENTER_STATE_ESTABLISHING: CenterState
CENTER_STATE_OPERATIONAL: CenterState
CENTER_STATE_SUSPENDED: CenterState
CENTER_STATE_CLOSED: CenterState
CENTER_STATE_CANCELLED: CenterState
CENTERS_ERROR_UNSPECIFIED: CentersError
CENTER_CODE_TAKEN: CentersError
UNKNOWN_PROVINCE: CentersError

class Position(_message.Message):
    __slots__ = ("latitude", "longitude")
    LATITUDE_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_FIELD_NUMBER: _ClassVar[int]
    latitude: float
    longitude: float
    def __init__(self, latitude: _Optional[float] = ..., longitude: _Optional[float] = ...) -> None: ...

class Contact(_message.Message):
    __slots__ = ("address", "phones", "email", "website")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PHONES_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    WEBSITE_FIELD_NUMBER: _ClassVar[int]
    address: _types_pb2.LocalizedText
    phones: _containers.RepeatedScalarFieldContainer[str]
    email: str
    website: str
    def __init__(self, address: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., phones: _Optional[_Iterable[str]] = ..., email: _Optional[str] = ..., website: _Optional[str] = ...) -> None: ...

class Expectations(_message.Message):
    __slots__ = ("late_seconds", "stale_seconds", "offline_seconds", "capacity_hours", "report_days")
    LATE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STALE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    OFFLINE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_HOURS_FIELD_NUMBER: _ClassVar[int]
    REPORT_DAYS_FIELD_NUMBER: _ClassVar[int]
    late_seconds: int
    stale_seconds: int
    offline_seconds: int
    capacity_hours: int
    report_days: int
    def __init__(self, late_seconds: _Optional[int] = ..., stale_seconds: _Optional[int] = ..., offline_seconds: _Optional[int] = ..., capacity_hours: _Optional[int] = ..., report_days: _Optional[int] = ...) -> None: ...

class Center(_message.Message):
    __slots__ = ("id", "external_key", "code", "names", "province", "city", "position", "host_institution", "opened_date", "contact", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at", "expectations")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    CITY_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    HOST_INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    OPENED_DATE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_SINCE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPECTATIONS_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    code: str
    names: _types_pb2.LocalizedText
    province: str
    city: _types_pb2.LocalizedText
    position: Position
    host_institution: _types_pb2.LocalizedText
    opened_date: _types_pb2.ImpreciseDate
    contact: Contact
    state: CenterState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    expectations: Expectations
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., code: _Optional[str] = ..., names: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., province: _Optional[str] = ..., city: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., position: _Optional[_Union[Position, _Mapping]] = ..., host_institution: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., opened_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., contact: _Optional[_Union[Contact, _Mapping]] = ..., state: _Optional[_Union[CenterState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expectations: _Optional[_Union[Expectations, _Mapping]] = ...) -> None: ...

class GetCenterRequest(_message.Message):
    __slots__ = ("center_id",)
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    center_id: str
    def __init__(self, center_id: _Optional[str] = ...) -> None: ...

class ListCentersRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "province", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: CenterState
    province: str
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[CenterState, str]] = ..., province: _Optional[str] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListCentersResponse(_message.Message):
    __slots__ = ("centers", "next_page_token")
    CENTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    centers: _containers.RepeatedCompositeFieldContainer[Center]
    next_page_token: str
    def __init__(self, centers: _Optional[_Iterable[_Union[Center, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateCenterRequest(_message.Message):
    __slots__ = ("center", "idempotency_key")
    CENTER_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    center: Center
    idempotency_key: str
    def __init__(self, center: _Optional[_Union[Center, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdateCenterRequest(_message.Message):
    __slots__ = ("center_id", "center", "update_mask", "etag")
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    CENTER_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    center_id: str
    center: Center
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, center_id: _Optional[str] = ..., center: _Optional[_Union[Center, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class CenterStepRequest(_message.Message):
    __slots__ = ("center_id", "reason", "effective_date", "etag", "idempotency_key")
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    center_id: str
    reason: str
    effective_date: _types_pb2.ImpreciseDate
    etag: str
    idempotency_key: str
    def __init__(self, center_id: _Optional[str] = ..., reason: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListCenterStepsRequest(_message.Message):
    __slots__ = ("center_id", "page_size", "page_token")
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    center_id: str
    page_size: int
    page_token: str
    def __init__(self, center_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCenterStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CenterRow(_message.Message):
    __slots__ = ("center", "reason")
    CENTER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    center: Center
    reason: str
    def __init__(self, center: _Optional[_Union[Center, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class ImportCentersRequest(_message.Message):
    __slots__ = ("rows", "validate_only")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[CenterRow]
    validate_only: bool
    def __init__(self, rows: _Optional[_Iterable[_Union[CenterRow, _Mapping]]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ImportCentersResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[_types_pb2.RowResult]
    def __init__(self, results: _Optional[_Iterable[_Union[_types_pb2.RowResult, _Mapping]]] = ...) -> None: ...

class CenterEvent(_message.Message):
    __slots__ = ("center", "change")
    CENTER_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    center: Center
    change: _types_pb2.Change
    def __init__(self, center: _Optional[_Union[Center, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
