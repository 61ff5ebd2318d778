import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.centers.v1 import reports_pb2 as _reports_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Refusal(_message.Message):
    __slots__ = ("reason", "en", "fa")
    REASON_FIELD_NUMBER: _ClassVar[int]
    EN_FIELD_NUMBER: _ClassVar[int]
    FA_FIELD_NUMBER: _ClassVar[int]
    reason: str
    en: str
    fa: str
    def __init__(self, reason: _Optional[str] = ..., en: _Optional[str] = ..., fa: _Optional[str] = ...) -> None: ...

class JoinRequest(_message.Message):
    __slots__ = ("secret", "public_key", "software_version", "protocol_version", "time", "expected_node_id")
    SECRET_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_NODE_ID_FIELD_NUMBER: _ClassVar[int]
    secret: str
    public_key: str
    software_version: str
    protocol_version: int
    time: _timestamp_pb2.Timestamp
    expected_node_id: str
    def __init__(self, secret: _Optional[str] = ..., public_key: _Optional[str] = ..., software_version: _Optional[str] = ..., protocol_version: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expected_node_id: _Optional[str] = ...) -> None: ...

class Credentials(_message.Message):
    __slots__ = ("jwt", "expires_at")
    JWT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    jwt: str
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, jwt: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class NodeSettings(_message.Message):
    __slots__ = ("heartbeat_seconds", "renew_before_seconds", "batch_reports", "batch_bytes")
    HEARTBEAT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RENEW_BEFORE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BATCH_REPORTS_FIELD_NUMBER: _ClassVar[int]
    BATCH_BYTES_FIELD_NUMBER: _ClassVar[int]
    heartbeat_seconds: int
    renew_before_seconds: int
    batch_reports: int
    batch_bytes: int
    def __init__(self, heartbeat_seconds: _Optional[int] = ..., renew_before_seconds: _Optional[int] = ..., batch_reports: _Optional[int] = ..., batch_bytes: _Optional[int] = ...) -> None: ...

class Joined(_message.Message):
    __slots__ = ("node_id", "center_id", "center_code", "center_names", "credentials", "settings", "time")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    CENTER_CODE_FIELD_NUMBER: _ClassVar[int]
    CENTER_NAMES_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    center_id: str
    center_code: str
    center_names: _types_pb2.LocalizedText
    credentials: Credentials
    settings: NodeSettings
    time: _timestamp_pb2.Timestamp
    def __init__(self, node_id: _Optional[str] = ..., center_id: _Optional[str] = ..., center_code: _Optional[str] = ..., center_names: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., credentials: _Optional[_Union[Credentials, _Mapping]] = ..., settings: _Optional[_Union[NodeSettings, _Mapping]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class JoinReply(_message.Message):
    __slots__ = ("joined", "refusal")
    JOINED_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    joined: Joined
    refusal: Refusal
    def __init__(self, joined: _Optional[_Union[Joined, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("journal", "receipts_after", "software_version", "time", "public_key", "receipts_mark")
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_AFTER_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_MARK_FIELD_NUMBER: _ClassVar[int]
    journal: str
    receipts_after: int
    software_version: str
    time: _timestamp_pb2.Timestamp
    public_key: str
    receipts_mark: str
    def __init__(self, journal: _Optional[str] = ..., receipts_after: _Optional[int] = ..., software_version: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., public_key: _Optional[str] = ..., receipts_mark: _Optional[str] = ...) -> None: ...

class HelloReply(_message.Message):
    __slots__ = ("standing", "refusal")
    STANDING_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    standing: Standing
    refusal: Refusal
    def __init__(self, standing: _Optional[_Union[Standing, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class Standing(_message.Message):
    __slots__ = ("last_number", "receipts", "more_receipts", "settings", "time", "credentials_expire_at", "receipts_anew")
    LAST_NUMBER_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    MORE_RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_EXPIRE_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_ANEW_FIELD_NUMBER: _ClassVar[int]
    last_number: int
    receipts: _containers.RepeatedCompositeFieldContainer[Receipt]
    more_receipts: bool
    settings: NodeSettings
    time: _timestamp_pb2.Timestamp
    credentials_expire_at: _timestamp_pb2.Timestamp
    receipts_anew: bool
    def __init__(self, last_number: _Optional[int] = ..., receipts: _Optional[_Iterable[_Union[Receipt, _Mapping]]] = ..., more_receipts: _Optional[bool] = ..., settings: _Optional[_Union[NodeSettings, _Mapping]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., credentials_expire_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., receipts_anew: _Optional[bool] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("number", "key", "taken_at", "capacity", "period_report")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TAKEN_AT_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    PERIOD_REPORT_FIELD_NUMBER: _ClassVar[int]
    number: int
    key: str
    taken_at: _timestamp_pb2.Timestamp
    capacity: _reports_pb2.CapacitySnapshot
    period_report: PeriodReportDelivery
    def __init__(self, number: _Optional[int] = ..., key: _Optional[str] = ..., taken_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., capacity: _Optional[_Union[_reports_pb2.CapacitySnapshot, _Mapping]] = ..., period_report: _Optional[_Union[PeriodReportDelivery, _Mapping]] = ...) -> None: ...

class PeriodReportDelivery(_message.Message):
    __slots__ = ("period_report", "submit")
    PERIOD_REPORT_FIELD_NUMBER: _ClassVar[int]
    SUBMIT_FIELD_NUMBER: _ClassVar[int]
    period_report: _reports_pb2.PeriodReport
    submit: bool
    def __init__(self, period_report: _Optional[_Union[_reports_pb2.PeriodReport, _Mapping]] = ..., submit: _Optional[bool] = ...) -> None: ...

class ReportBatch(_message.Message):
    __slots__ = ("journal", "reports", "receipts_after", "receipts_mark")
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_AFTER_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_MARK_FIELD_NUMBER: _ClassVar[int]
    journal: str
    reports: _containers.RepeatedCompositeFieldContainer[Report]
    receipts_after: int
    receipts_mark: str
    def __init__(self, journal: _Optional[str] = ..., reports: _Optional[_Iterable[_Union[Report, _Mapping]]] = ..., receipts_after: _Optional[int] = ..., receipts_mark: _Optional[str] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("number", "journal", "report_number", "key", "id", "refusals", "decided_at", "decision", "comment", "mark")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    REPORT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    number: int
    journal: str
    report_number: int
    key: str
    id: str
    refusals: _containers.RepeatedCompositeFieldContainer[RefusedField]
    decided_at: _timestamp_pb2.Timestamp
    decision: str
    comment: str
    mark: str
    def __init__(self, number: _Optional[int] = ..., journal: _Optional[str] = ..., report_number: _Optional[int] = ..., key: _Optional[str] = ..., id: _Optional[str] = ..., refusals: _Optional[_Iterable[_Union[RefusedField, _Mapping]]] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decision: _Optional[str] = ..., comment: _Optional[str] = ..., mark: _Optional[str] = ...) -> None: ...

class RefusedField(_message.Message):
    __slots__ = ("field", "reason", "en", "fa")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EN_FIELD_NUMBER: _ClassVar[int]
    FA_FIELD_NUMBER: _ClassVar[int]
    field: str
    reason: str
    en: str
    fa: str
    def __init__(self, field: _Optional[str] = ..., reason: _Optional[str] = ..., en: _Optional[str] = ..., fa: _Optional[str] = ...) -> None: ...

class BatchReply(_message.Message):
    __slots__ = ("taken", "refusal")
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    taken: BatchTaken
    refusal: Refusal
    def __init__(self, taken: _Optional[_Union[BatchTaken, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class BatchTaken(_message.Message):
    __slots__ = ("last_number", "receipts", "time", "receipts_anew")
    LAST_NUMBER_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_ANEW_FIELD_NUMBER: _ClassVar[int]
    last_number: int
    receipts: _containers.RepeatedCompositeFieldContainer[Receipt]
    time: _timestamp_pb2.Timestamp
    receipts_anew: bool
    def __init__(self, last_number: _Optional[int] = ..., receipts: _Optional[_Iterable[_Union[Receipt, _Mapping]]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., receipts_anew: _Optional[bool] = ...) -> None: ...

class RenewRequest(_message.Message):
    __slots__ = ("public_key", "software_version")
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    public_key: str
    software_version: str
    def __init__(self, public_key: _Optional[str] = ..., software_version: _Optional[str] = ...) -> None: ...

class RenewReply(_message.Message):
    __slots__ = ("credentials", "refusal")
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    credentials: Credentials
    refusal: Refusal
    def __init__(self, credentials: _Optional[_Union[Credentials, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class LeaveRequest(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class LeaveReply(_message.Message):
    __slots__ = ("refusal",)
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    refusal: Refusal
    def __init__(self, refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("number", "time", "software_version", "queued_reports", "oldest_queued_seconds", "disk_free_bytes", "started_at")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    QUEUED_REPORTS_FIELD_NUMBER: _ClassVar[int]
    OLDEST_QUEUED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DISK_FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    number: int
    time: _timestamp_pb2.Timestamp
    software_version: str
    queued_reports: int
    oldest_queued_seconds: int
    disk_free_bytes: int
    started_at: _timestamp_pb2.Timestamp
    def __init__(self, number: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., software_version: _Optional[str] = ..., queued_reports: _Optional[int] = ..., oldest_queued_seconds: _Optional[int] = ..., disk_free_bytes: _Optional[int] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
