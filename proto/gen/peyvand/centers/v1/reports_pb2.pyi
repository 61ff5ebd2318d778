import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
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

class CapabilityKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CAPABILITY_KIND_UNSPECIFIED: _ClassVar[CapabilityKind]
    CAPABILITY_KIND_GMP_SUITE: _ClassVar[CapabilityKind]
    CAPABILITY_KIND_CRYOSTORAGE: _ClassVar[CapabilityKind]
    CAPABILITY_KIND_FLOW_CYTOMETRY: _ClassVar[CapabilityKind]
    CAPABILITY_KIND_IPSC_LAB: _ClassVar[CapabilityKind]
    CAPABILITY_KIND_GENE_EDITING: _ClassVar[CapabilityKind]
    CAPABILITY_KIND_QC_LAB: _ClassVar[CapabilityKind]
    CAPABILITY_KIND_ANIMAL_FACILITY: _ClassVar[CapabilityKind]
    CAPABILITY_KIND_CLINICAL_WARD: _ClassVar[CapabilityKind]
    CAPABILITY_KIND_TRAINING: _ClassVar[CapabilityKind]

class PeriodReportState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERIOD_REPORT_STATE_UNSPECIFIED: _ClassVar[PeriodReportState]
    PERIOD_REPORT_STATE_DRAFT: _ClassVar[PeriodReportState]
    PERIOD_REPORT_STATE_SUBMITTED: _ClassVar[PeriodReportState]
    PERIOD_REPORT_STATE_RETURNED: _ClassVar[PeriodReportState]
    PERIOD_REPORT_STATE_APPROVED: _ClassVar[PeriodReportState]
    PERIOD_REPORT_STATE_SUPERSEDED: _ClassVar[PeriodReportState]

class ReportsError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORTS_ERROR_UNSPECIFIED: _ClassVar[ReportsError]
    USED_OVER_TOTAL: _ClassVar[ReportsError]
    CAPABILITY_REPEATED: _ClassVar[ReportsError]
    PERIOD_NOT_BEGUN: _ClassVar[ReportsError]
    PERIOD_NOT_OVER: _ClassVar[ReportsError]
    FIGURES_MISSING: _ClassVar[ReportsError]
    PERIOD_REPORT_OPEN: _ClassVar[ReportsError]
    PERIOD_REPORT_LOCKED: _ClassVar[ReportsError]
    UNKNOWN_FEED: _ClassVar[ReportsError]
    REPORT_UNREADABLE: _ClassVar[ReportsError]
CAPABILITY_KIND_UNSPECIFIED: CapabilityKind
CAPABILITY_KIND_GMP_SUITE: CapabilityKind
CAPABILITY_KIND_CRYOSTORAGE: CapabilityKind
CAPABILITY_KIND_FLOW_CYTOMETRY: CapabilityKind
CAPABILITY_KIND_IPSC_LAB: CapabilityKind
CAPABILITY_KIND_GENE_EDITING: CapabilityKind
CAPABILITY_KIND_QC_LAB: CapabilityKind
CAPABILITY_KIND_ANIMAL_FACILITY: CapabilityKind
CAPABILITY_KIND_CLINICAL_WARD: CapabilityKind
CAPABILITY_KIND_TRAINING: CapabilityKind
PERIOD_REPORT_STATE_UNSPECIFIED: PeriodReportState
PERIOD_REPORT_STATE_DRAFT: PeriodReportState
PERIOD_REPORT_STATE_SUBMITTED: PeriodReportState
PERIOD_REPORT_STATE_RETURNED: PeriodReportState
PERIOD_REPORT_STATE_APPROVED: PeriodReportState
PERIOD_REPORT_STATE_SUPERSEDED: PeriodReportState
REPORTS_ERROR_UNSPECIFIED: ReportsError
USED_OVER_TOTAL: ReportsError
CAPABILITY_REPEATED: ReportsError
PERIOD_NOT_BEGUN: ReportsError
PERIOD_NOT_OVER: ReportsError
FIGURES_MISSING: ReportsError
PERIOD_REPORT_OPEN: ReportsError
PERIOD_REPORT_LOCKED: ReportsError
UNKNOWN_FEED: ReportsError
REPORT_UNREADABLE: ReportsError

class CapacityItem(_message.Message):
    __slots__ = ("kind", "total", "used")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    kind: CapabilityKind
    total: float
    used: float
    def __init__(self, kind: _Optional[_Union[CapabilityKind, str]] = ..., total: _Optional[float] = ..., used: _Optional[float] = ...) -> None: ...

class CapacitySnapshot(_message.Message):
    __slots__ = ("id", "center_id", "node_id", "observed_at", "items", "received_at", "sample", "etag", "told_observed_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_AT_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    TOLD_OBSERVED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    center_id: str
    node_id: str
    observed_at: _timestamp_pb2.Timestamp
    items: _containers.RepeatedCompositeFieldContainer[CapacityItem]
    received_at: _timestamp_pb2.Timestamp
    sample: bool
    etag: str
    told_observed_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., center_id: _Optional[str] = ..., node_id: _Optional[str] = ..., observed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., items: _Optional[_Iterable[_Union[CapacityItem, _Mapping]]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., told_observed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CapacitySnapshotEvent(_message.Message):
    __slots__ = ("capacity_snapshot", "change")
    CAPACITY_SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    capacity_snapshot: CapacitySnapshot
    change: _types_pb2.Change
    def __init__(self, capacity_snapshot: _Optional[_Union[CapacitySnapshot, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...

class ActivityFigures(_message.Message):
    __slots__ = ("samples_processed", "products_released", "procedures", "trainees", "articles")
    SAMPLES_PROCESSED_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_RELEASED_FIELD_NUMBER: _ClassVar[int]
    PROCEDURES_FIELD_NUMBER: _ClassVar[int]
    TRAINEES_FIELD_NUMBER: _ClassVar[int]
    ARTICLES_FIELD_NUMBER: _ClassVar[int]
    samples_processed: int
    products_released: int
    procedures: int
    trainees: int
    articles: int
    def __init__(self, samples_processed: _Optional[int] = ..., products_released: _Optional[int] = ..., procedures: _Optional[int] = ..., trainees: _Optional[int] = ..., articles: _Optional[int] = ...) -> None: ...

class PeriodReport(_message.Message):
    __slots__ = ("id", "external_key", "center_id", "period", "revision", "figures", "state", "state_reason", "state_since", "node_id", "sample", "etag", "allowed_actions", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_SINCE_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    center_id: str
    period: str
    revision: int
    figures: ActivityFigures
    state: PeriodReportState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    node_id: str
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., center_id: _Optional[str] = ..., period: _Optional[str] = ..., revision: _Optional[int] = ..., figures: _Optional[_Union[ActivityFigures, _Mapping]] = ..., state: _Optional[_Union[PeriodReportState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., node_id: _Optional[str] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PeriodReportEvent(_message.Message):
    __slots__ = ("period_report", "change")
    PERIOD_REPORT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    period_report: PeriodReport
    change: _types_pb2.Change
    def __init__(self, period_report: _Optional[_Union[PeriodReport, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...

class RefusedReport(_message.Message):
    __slots__ = ("id", "node_id", "center_id", "feed", "number", "report_key", "violations", "refused_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    FEED_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    REPORT_KEY_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    node_id: str
    center_id: str
    feed: str
    number: int
    report_key: str
    violations: _containers.RepeatedCompositeFieldContainer[_types_pb2.FieldViolation]
    refused_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., node_id: _Optional[str] = ..., center_id: _Optional[str] = ..., feed: _Optional[str] = ..., number: _Optional[int] = ..., report_key: _Optional[str] = ..., violations: _Optional[_Iterable[_Union[_types_pb2.FieldViolation, _Mapping]]] = ..., refused_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RefusedReportEvent(_message.Message):
    __slots__ = ("refused_report", "change")
    REFUSED_REPORT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    refused_report: RefusedReport
    change: _types_pb2.Change
    def __init__(self, refused_report: _Optional[_Union[RefusedReport, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...

class CreateCapacitySnapshotRequest(_message.Message):
    __slots__ = ("capacity_snapshot", "idempotency_key")
    CAPACITY_SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    capacity_snapshot: CapacitySnapshot
    idempotency_key: str
    def __init__(self, capacity_snapshot: _Optional[_Union[CapacitySnapshot, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListCapacitySnapshotsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "center_id", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    center_id: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., center_id: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListCapacitySnapshotsResponse(_message.Message):
    __slots__ = ("capacity_snapshots", "next_page_token")
    CAPACITY_SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    capacity_snapshots: _containers.RepeatedCompositeFieldContainer[CapacitySnapshot]
    next_page_token: str
    def __init__(self, capacity_snapshots: _Optional[_Iterable[_Union[CapacitySnapshot, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreatePeriodReportRequest(_message.Message):
    __slots__ = ("period_report", "idempotency_key")
    PERIOD_REPORT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    period_report: PeriodReport
    idempotency_key: str
    def __init__(self, period_report: _Optional[_Union[PeriodReport, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class GetPeriodReportRequest(_message.Message):
    __slots__ = ("report_id",)
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    report_id: str
    def __init__(self, report_id: _Optional[str] = ...) -> None: ...

class ListPeriodReportsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "center_id", "state", "period", "updated_since", "external_key")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    center_id: str
    state: PeriodReportState
    period: str
    updated_since: _timestamp_pb2.Timestamp
    external_key: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., center_id: _Optional[str] = ..., state: _Optional[_Union[PeriodReportState, str]] = ..., period: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., external_key: _Optional[str] = ...) -> None: ...

class ListPeriodReportsResponse(_message.Message):
    __slots__ = ("period_reports", "next_page_token")
    PERIOD_REPORTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    period_reports: _containers.RepeatedCompositeFieldContainer[PeriodReport]
    next_page_token: str
    def __init__(self, period_reports: _Optional[_Iterable[_Union[PeriodReport, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdatePeriodReportRequest(_message.Message):
    __slots__ = ("report_id", "period_report", "etag")
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_REPORT_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    report_id: str
    period_report: PeriodReport
    etag: str
    def __init__(self, report_id: _Optional[str] = ..., period_report: _Optional[_Union[PeriodReport, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class PeriodReportStepRequest(_message.Message):
    __slots__ = ("report_id", "reason", "etag", "idempotency_key")
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    report_id: str
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, report_id: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListPeriodReportStepsRequest(_message.Message):
    __slots__ = ("report_id", "page_size", "page_token")
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    report_id: str
    page_size: int
    page_token: str
    def __init__(self, report_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPeriodReportStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListRefusedReportsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "node_id", "center_id", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    node_id: str
    center_id: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., node_id: _Optional[str] = ..., center_id: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListRefusedReportsResponse(_message.Message):
    __slots__ = ("refused_reports", "next_page_token")
    REFUSED_REPORTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    refused_reports: _containers.RepeatedCompositeFieldContainer[RefusedReport]
    next_page_token: str
    def __init__(self, refused_reports: _Optional[_Iterable[_Union[RefusedReport, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
