import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.observatory.v1 import network_pb2 as _network_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AlertKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALERT_KIND_UNSPECIFIED: _ClassVar[AlertKind]
    ALERT_KIND_NODE_SILENT: _ClassVar[AlertKind]
    ALERT_KIND_CREDENTIALS_EXPIRING: _ClassVar[AlertKind]
    ALERT_KIND_TOKEN_REUSED: _ClassVar[AlertKind]
    ALERT_KIND_REPORTS_REFUSED: _ClassVar[AlertKind]
    ALERT_KIND_REPORT_LATE: _ClassVar[AlertKind]
    ALERT_KIND_CONDITION_OVERDUE: _ClassVar[AlertKind]

class AlertState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALERT_STATE_UNSPECIFIED: _ClassVar[AlertState]
    ALERT_STATE_OPEN: _ClassVar[AlertState]
    ALERT_STATE_ACKNOWLEDGED: _ClassVar[AlertState]
    ALERT_STATE_CLOSED: _ClassVar[AlertState]
ALERT_KIND_UNSPECIFIED: AlertKind
ALERT_KIND_NODE_SILENT: AlertKind
ALERT_KIND_CREDENTIALS_EXPIRING: AlertKind
ALERT_KIND_TOKEN_REUSED: AlertKind
ALERT_KIND_REPORTS_REFUSED: AlertKind
ALERT_KIND_REPORT_LATE: AlertKind
ALERT_KIND_CONDITION_OVERDUE: AlertKind
ALERT_STATE_UNSPECIFIED: AlertState
ALERT_STATE_OPEN: AlertState
ALERT_STATE_ACKNOWLEDGED: AlertState
ALERT_STATE_CLOSED: AlertState

class Alert(_message.Message):
    __slots__ = ("id", "kind", "state", "center_id", "node_id", "summary", "opened_at", "occurrences", "acknowledged_by", "acknowledged_at", "comment", "closed_at", "allowed_actions", "sample", "escalated_at", "resource_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    OCCURRENCES_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_BY_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_AT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ESCALATED_AT_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: AlertKind
    state: AlertState
    center_id: str
    node_id: str
    summary: _types_pb2.LocalizedText
    opened_at: _timestamp_pb2.Timestamp
    occurrences: int
    acknowledged_by: str
    acknowledged_at: _timestamp_pb2.Timestamp
    comment: str
    closed_at: _timestamp_pb2.Timestamp
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    sample: bool
    escalated_at: _timestamp_pb2.Timestamp
    resource_id: str
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[AlertKind, str]] = ..., state: _Optional[_Union[AlertState, str]] = ..., center_id: _Optional[str] = ..., node_id: _Optional[str] = ..., summary: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., occurrences: _Optional[int] = ..., acknowledged_by: _Optional[str] = ..., acknowledged_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., comment: _Optional[str] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., sample: _Optional[bool] = ..., escalated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resource_id: _Optional[str] = ...) -> None: ...

class ListAlertsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "center_id", "escalated")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    ESCALATED_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: AlertState
    center_id: str
    escalated: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[AlertState, str]] = ..., center_id: _Optional[str] = ..., escalated: _Optional[bool] = ...) -> None: ...

class ListAlertsResponse(_message.Message):
    __slots__ = ("alerts", "next_page_token")
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[Alert]
    next_page_token: str
    def __init__(self, alerts: _Optional[_Iterable[_Union[Alert, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AcknowledgeAlertRequest(_message.Message):
    __slots__ = ("alert_id", "comment", "idempotency_key")
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    alert_id: str
    comment: str
    idempotency_key: str
    def __init__(self, alert_id: _Optional[str] = ..., comment: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class AlertEvent(_message.Message):
    __slots__ = ("alert", "change")
    ALERT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    alert: Alert
    change: _types_pb2.Change
    def __init__(self, alert: _Optional[_Union[Alert, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...

class GetAvailabilityRequest(_message.Message):
    __slots__ = ("center_id", "days")
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    center_id: str
    days: int
    def __init__(self, center_id: _Optional[str] = ..., days: _Optional[int] = ...) -> None: ...

class AvailabilityDay(_message.Message):
    __slots__ = ("date", "online_seconds", "late_seconds", "stale_seconds", "offline_seconds", "unknown_seconds", "worst")
    DATE_FIELD_NUMBER: _ClassVar[int]
    ONLINE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LATE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STALE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    OFFLINE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WORST_FIELD_NUMBER: _ClassVar[int]
    date: str
    online_seconds: int
    late_seconds: int
    stale_seconds: int
    offline_seconds: int
    unknown_seconds: int
    worst: _network_pb2.Liveness
    def __init__(self, date: _Optional[str] = ..., online_seconds: _Optional[int] = ..., late_seconds: _Optional[int] = ..., stale_seconds: _Optional[int] = ..., offline_seconds: _Optional[int] = ..., unknown_seconds: _Optional[int] = ..., worst: _Optional[_Union[_network_pb2.Liveness, str]] = ...) -> None: ...

class Availability(_message.Message):
    __slots__ = ("center_id", "days", "as_of")
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    center_id: str
    days: _containers.RepeatedCompositeFieldContainer[AvailabilityDay]
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, center_id: _Optional[str] = ..., days: _Optional[_Iterable[_Union[AvailabilityDay, _Mapping]]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
