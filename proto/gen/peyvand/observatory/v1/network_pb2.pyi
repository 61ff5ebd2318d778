import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.centers.v1 import centers_pb2 as _centers_pb2
from peyvand.centers.v1 import nodes_pb2 as _nodes_pb2
from peyvand.centers.v1 import reports_pb2 as _reports_pb2
from peyvand.observatory.v1 import periods_pb2 as _periods_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Liveness(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIVENESS_UNSPECIFIED: _ClassVar[Liveness]
    LIVENESS_ONLINE: _ClassVar[Liveness]
    LIVENESS_LATE: _ClassVar[Liveness]
    LIVENESS_STALE: _ClassVar[Liveness]
    LIVENESS_OFFLINE: _ClassVar[Liveness]
    LIVENESS_UNKNOWN: _ClassVar[Liveness]
LIVENESS_UNSPECIFIED: Liveness
LIVENESS_ONLINE: Liveness
LIVENESS_LATE: Liveness
LIVENESS_STALE: Liveness
LIVENESS_OFFLINE: Liveness
LIVENESS_UNKNOWN: Liveness

class Count(_message.Message):
    __slots__ = ("key", "value", "sample")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: int
    sample: int
    def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ..., sample: _Optional[int] = ...) -> None: ...

class Total(_message.Message):
    __slots__ = ("value", "known", "of", "as_of", "parts", "sample")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    value: int
    known: int
    of: int
    as_of: _timestamp_pb2.Timestamp
    parts: _containers.RepeatedCompositeFieldContainer[Count]
    sample: int
    def __init__(self, value: _Optional[int] = ..., known: _Optional[int] = ..., of: _Optional[int] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., parts: _Optional[_Iterable[_Union[Count, _Mapping]]] = ..., sample: _Optional[int] = ...) -> None: ...

class FeedFreshness(_message.Message):
    __slots__ = ("feed", "liveness", "since", "last_received_at")
    FEED_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    LAST_RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    feed: str
    liveness: Liveness
    since: _timestamp_pb2.Timestamp
    last_received_at: _timestamp_pb2.Timestamp
    def __init__(self, feed: _Optional[str] = ..., liveness: _Optional[_Union[Liveness, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CenterStatus(_message.Message):
    __slots__ = ("center_id", "external_key", "code", "names", "province", "city", "state", "state_reason", "state_since", "opened_date", "liveness", "liveness_since", "feeds", "projects_by_stage", "agreements_by_state", "sample", "updated_at", "nodes", "capacity", "last_approved_period", "open_alerts")
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    CITY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_SINCE_FIELD_NUMBER: _ClassVar[int]
    OPENED_DATE_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_SINCE_FIELD_NUMBER: _ClassVar[int]
    FEEDS_FIELD_NUMBER: _ClassVar[int]
    PROJECTS_BY_STAGE_FIELD_NUMBER: _ClassVar[int]
    AGREEMENTS_BY_STATE_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    LAST_APPROVED_PERIOD_FIELD_NUMBER: _ClassVar[int]
    OPEN_ALERTS_FIELD_NUMBER: _ClassVar[int]
    center_id: str
    external_key: str
    code: str
    names: _types_pb2.LocalizedText
    province: str
    city: _types_pb2.LocalizedText
    state: _centers_pb2.CenterState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    opened_date: _types_pb2.ImpreciseDate
    liveness: Liveness
    liveness_since: _timestamp_pb2.Timestamp
    feeds: _containers.RepeatedCompositeFieldContainer[FeedFreshness]
    projects_by_stage: _containers.RepeatedCompositeFieldContainer[Count]
    agreements_by_state: _containers.RepeatedCompositeFieldContainer[Count]
    sample: bool
    updated_at: _timestamp_pb2.Timestamp
    nodes: _containers.RepeatedCompositeFieldContainer[NodeStatus]
    capacity: _reports_pb2.CapacitySnapshot
    last_approved_period: str
    open_alerts: int
    def __init__(self, center_id: _Optional[str] = ..., external_key: _Optional[str] = ..., code: _Optional[str] = ..., names: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., province: _Optional[str] = ..., city: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., state: _Optional[_Union[_centers_pb2.CenterState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., opened_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., liveness: _Optional[_Union[Liveness, str]] = ..., liveness_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., feeds: _Optional[_Iterable[_Union[FeedFreshness, _Mapping]]] = ..., projects_by_stage: _Optional[_Iterable[_Union[Count, _Mapping]]] = ..., agreements_by_state: _Optional[_Iterable[_Union[Count, _Mapping]]] = ..., sample: _Optional[bool] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., nodes: _Optional[_Iterable[_Union[NodeStatus, _Mapping]]] = ..., capacity: _Optional[_Union[_reports_pb2.CapacitySnapshot, _Mapping]] = ..., last_approved_period: _Optional[str] = ..., open_alerts: _Optional[int] = ...) -> None: ...

class NodeStatus(_message.Message):
    __slots__ = ("node_id", "name", "state", "liveness", "since", "last_received_at", "vitals", "credentials_expire_at", "sample", "software_version", "joined_at", "updated_at")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    LAST_RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    VITALS_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_EXPIRE_AT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    JOINED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    name: str
    state: _nodes_pb2.NodeState
    liveness: Liveness
    since: _timestamp_pb2.Timestamp
    last_received_at: _timestamp_pb2.Timestamp
    vitals: _nodes_pb2.NodeVitals
    credentials_expire_at: _timestamp_pb2.Timestamp
    sample: bool
    software_version: str
    joined_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, node_id: _Optional[str] = ..., name: _Optional[str] = ..., state: _Optional[_Union[_nodes_pb2.NodeState, str]] = ..., liveness: _Optional[_Union[Liveness, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., vitals: _Optional[_Union[_nodes_pb2.NodeVitals, _Mapping]] = ..., credentials_expire_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sample: _Optional[bool] = ..., software_version: _Optional[str] = ..., joined_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StreamFreshness(_message.Message):
    __slots__ = ("service", "position", "last_position", "lag", "last_event_at", "checked_at", "liveness", "since", "held_back")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    LAST_POSITION_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    LAST_EVENT_AT_FIELD_NUMBER: _ClassVar[int]
    CHECKED_AT_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    HELD_BACK_FIELD_NUMBER: _ClassVar[int]
    service: str
    position: int
    last_position: int
    lag: int
    last_event_at: _timestamp_pb2.Timestamp
    checked_at: _timestamp_pb2.Timestamp
    liveness: Liveness
    since: _timestamp_pb2.Timestamp
    held_back: int
    def __init__(self, service: _Optional[str] = ..., position: _Optional[int] = ..., last_position: _Optional[int] = ..., lag: _Optional[int] = ..., last_event_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., checked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., liveness: _Optional[_Union[Liveness, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., held_back: _Optional[int] = ...) -> None: ...

class RebuildProgress(_message.Message):
    __slots__ = ("started_at", "events_done", "events_total")
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_DONE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    started_at: _timestamp_pb2.Timestamp
    events_done: int
    events_total: int
    def __init__(self, started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., events_done: _Optional[int] = ..., events_total: _Optional[int] = ...) -> None: ...

class NetworkTotals(_message.Message):
    __slots__ = ("centers", "fresh_centers", "projects", "companies", "institutions", "agreements", "activities", "open_action_items", "activity")
    CENTERS_FIELD_NUMBER: _ClassVar[int]
    FRESH_CENTERS_FIELD_NUMBER: _ClassVar[int]
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    COMPANIES_FIELD_NUMBER: _ClassVar[int]
    INSTITUTIONS_FIELD_NUMBER: _ClassVar[int]
    AGREEMENTS_FIELD_NUMBER: _ClassVar[int]
    ACTIVITIES_FIELD_NUMBER: _ClassVar[int]
    OPEN_ACTION_ITEMS_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    centers: Total
    fresh_centers: Total
    projects: Total
    companies: Total
    institutions: Total
    agreements: Total
    activities: Total
    open_action_items: Total
    activity: _periods_pb2.PeriodTotals
    def __init__(self, centers: _Optional[_Union[Total, _Mapping]] = ..., fresh_centers: _Optional[_Union[Total, _Mapping]] = ..., projects: _Optional[_Union[Total, _Mapping]] = ..., companies: _Optional[_Union[Total, _Mapping]] = ..., institutions: _Optional[_Union[Total, _Mapping]] = ..., agreements: _Optional[_Union[Total, _Mapping]] = ..., activities: _Optional[_Union[Total, _Mapping]] = ..., open_action_items: _Optional[_Union[Total, _Mapping]] = ..., activity: _Optional[_Union[_periods_pb2.PeriodTotals, _Mapping]] = ...) -> None: ...

class GetNetworkStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class NetworkStatus(_message.Message):
    __slots__ = ("as_of", "centers", "totals", "streams", "cursor", "sample", "etag", "rebuild")
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CENTERS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REBUILD_FIELD_NUMBER: _ClassVar[int]
    as_of: _timestamp_pb2.Timestamp
    centers: _containers.RepeatedCompositeFieldContainer[CenterStatus]
    totals: NetworkTotals
    streams: _containers.RepeatedCompositeFieldContainer[StreamFreshness]
    cursor: str
    sample: bool
    etag: str
    rebuild: RebuildProgress
    def __init__(self, as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., centers: _Optional[_Iterable[_Union[CenterStatus, _Mapping]]] = ..., totals: _Optional[_Union[NetworkTotals, _Mapping]] = ..., streams: _Optional[_Iterable[_Union[StreamFreshness, _Mapping]]] = ..., cursor: _Optional[str] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., rebuild: _Optional[_Union[RebuildProgress, _Mapping]] = ...) -> None: ...

class RebuildProjectionsRequest(_message.Message):
    __slots__ = ("idempotency_key",)
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: str
    def __init__(self, idempotency_key: _Optional[str] = ...) -> None: ...

class RebuiltTable(_message.Message):
    __slots__ = ("name", "rows_before", "rows_after")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROWS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    ROWS_AFTER_FIELD_NUMBER: _ClassVar[int]
    name: str
    rows_before: int
    rows_after: int
    def __init__(self, name: _Optional[str] = ..., rows_before: _Optional[int] = ..., rows_after: _Optional[int] = ...) -> None: ...

class RebuildProjectionsResponse(_message.Message):
    __slots__ = ("digest_before", "digest_after", "events_before", "events_after", "tables", "started_at", "finished_at")
    DIGEST_BEFORE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_AFTER_FIELD_NUMBER: _ClassVar[int]
    EVENTS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_AFTER_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    digest_before: str
    digest_after: str
    events_before: int
    events_after: int
    tables: _containers.RepeatedCompositeFieldContainer[RebuiltTable]
    started_at: _timestamp_pb2.Timestamp
    finished_at: _timestamp_pb2.Timestamp
    def __init__(self, digest_before: _Optional[str] = ..., digest_after: _Optional[str] = ..., events_before: _Optional[int] = ..., events_after: _Optional[int] = ..., tables: _Optional[_Iterable[_Union[RebuiltTable, _Mapping]]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
