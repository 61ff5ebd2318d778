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

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_UP: _ClassVar[Direction]
    DIRECTION_DOWN: _ClassVar[Direction]

class IndicatorKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INDICATOR_KIND_UNSPECIFIED: _ClassVar[IndicatorKind]
    INDICATOR_KIND_STOCK: _ClassVar[IndicatorKind]
    INDICATOR_KIND_FLOW: _ClassVar[IndicatorKind]
    INDICATOR_KIND_RANK: _ClassVar[IndicatorKind]
    INDICATOR_KIND_RATIO: _ClassVar[IndicatorKind]

class IndicatorSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INDICATOR_SOURCE_UNSPECIFIED: _ClassVar[IndicatorSource]
    INDICATOR_SOURCE_COMPUTED: _ClassVar[IndicatorSource]
    INDICATOR_SOURCE_ENTERED: _ClassVar[IndicatorSource]

class Frequency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FREQUENCY_UNSPECIFIED: _ClassVar[Frequency]
    FREQUENCY_CONTINUOUS: _ClassVar[Frequency]
    FREQUENCY_MONTHLY: _ClassVar[Frequency]
    FREQUENCY_QUARTERLY: _ClassVar[Frequency]
    FREQUENCY_YEARLY: _ClassVar[Frequency]
    FREQUENCY_IRREGULAR: _ClassVar[Frequency]

class IndicatorStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INDICATOR_STATUS_UNSPECIFIED: _ClassVar[IndicatorStatus]
    INDICATOR_STATUS_ACHIEVED: _ClassVar[IndicatorStatus]
    INDICATOR_STATUS_ON_TRACK: _ClassVar[IndicatorStatus]
    INDICATOR_STATUS_AT_RISK: _ClassVar[IndicatorStatus]
    INDICATOR_STATUS_OFF_TRACK: _ClassVar[IndicatorStatus]
    INDICATOR_STATUS_NO_TARGET: _ClassVar[IndicatorStatus]
    INDICATOR_STATUS_STALE: _ClassVar[IndicatorStatus]

class Verification(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERIFICATION_UNSPECIFIED: _ClassVar[Verification]
    VERIFICATION_CLAIMED: _ClassVar[Verification]
    VERIFICATION_VERIFIED: _ClassVar[Verification]
DIRECTION_UNSPECIFIED: Direction
DIRECTION_UP: Direction
DIRECTION_DOWN: Direction
INDICATOR_KIND_UNSPECIFIED: IndicatorKind
INDICATOR_KIND_STOCK: IndicatorKind
INDICATOR_KIND_FLOW: IndicatorKind
INDICATOR_KIND_RANK: IndicatorKind
INDICATOR_KIND_RATIO: IndicatorKind
INDICATOR_SOURCE_UNSPECIFIED: IndicatorSource
INDICATOR_SOURCE_COMPUTED: IndicatorSource
INDICATOR_SOURCE_ENTERED: IndicatorSource
FREQUENCY_UNSPECIFIED: Frequency
FREQUENCY_CONTINUOUS: Frequency
FREQUENCY_MONTHLY: Frequency
FREQUENCY_QUARTERLY: Frequency
FREQUENCY_YEARLY: Frequency
FREQUENCY_IRREGULAR: Frequency
INDICATOR_STATUS_UNSPECIFIED: IndicatorStatus
INDICATOR_STATUS_ACHIEVED: IndicatorStatus
INDICATOR_STATUS_ON_TRACK: IndicatorStatus
INDICATOR_STATUS_AT_RISK: IndicatorStatus
INDICATOR_STATUS_OFF_TRACK: IndicatorStatus
INDICATOR_STATUS_NO_TARGET: IndicatorStatus
INDICATOR_STATUS_STALE: IndicatorStatus
VERIFICATION_UNSPECIFIED: Verification
VERIFICATION_CLAIMED: Verification
VERIFICATION_VERIFIED: Verification

class ReferenceValue(_message.Message):
    __slots__ = ("value", "period", "citations")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    value: str
    period: _types_pb2.ImpreciseDate
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    def __init__(self, value: _Optional[str] = ..., period: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ...) -> None: ...

class Observation(_message.Message):
    __slots__ = ("id", "external_key", "indicator_id", "period", "value", "claim", "method", "verification", "revision_of", "revised_by", "note", "citations", "sample", "etag", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    INDICATOR_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    REVISION_OF_FIELD_NUMBER: _ClassVar[int]
    REVISED_BY_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    indicator_id: str
    period: _types_pb2.ImpreciseDate
    value: str
    claim: _types_pb2.LocalizedText
    method: _types_pb2.LocalizedText
    verification: Verification
    revision_of: str
    revised_by: str
    note: _types_pb2.LocalizedText
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., indicator_id: _Optional[str] = ..., period: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., value: _Optional[str] = ..., claim: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., method: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., verification: _Optional[_Union[Verification, str]] = ..., revision_of: _Optional[str] = ..., revised_by: _Optional[str] = ..., note: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Indicator(_message.Message):
    __slots__ = ("id", "external_key", "code", "titles", "definition", "unit", "direction", "kind", "source_kind", "measure", "frequency", "owner", "staleness_limit_days", "baseline", "target", "plan_id", "goal_numbers", "latest", "progress", "status", "note", "citations", "sample", "etag", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SOURCE_KIND_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    STALENESS_LIMIT_DAYS_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    GOAL_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    LATEST_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    code: str
    titles: _types_pb2.LocalizedText
    definition: _types_pb2.LocalizedText
    unit: _types_pb2.LocalizedText
    direction: Direction
    kind: IndicatorKind
    source_kind: IndicatorSource
    measure: str
    frequency: Frequency
    owner: _types_pb2.LocalizedText
    staleness_limit_days: int
    baseline: ReferenceValue
    target: ReferenceValue
    plan_id: str
    goal_numbers: _containers.RepeatedScalarFieldContainer[str]
    latest: Observation
    progress: float
    status: IndicatorStatus
    note: _types_pb2.LocalizedText
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., code: _Optional[str] = ..., titles: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., definition: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., unit: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., direction: _Optional[_Union[Direction, str]] = ..., kind: _Optional[_Union[IndicatorKind, str]] = ..., source_kind: _Optional[_Union[IndicatorSource, str]] = ..., measure: _Optional[str] = ..., frequency: _Optional[_Union[Frequency, str]] = ..., owner: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., staleness_limit_days: _Optional[int] = ..., baseline: _Optional[_Union[ReferenceValue, _Mapping]] = ..., target: _Optional[_Union[ReferenceValue, _Mapping]] = ..., plan_id: _Optional[str] = ..., goal_numbers: _Optional[_Iterable[str]] = ..., latest: _Optional[_Union[Observation, _Mapping]] = ..., progress: _Optional[float] = ..., status: _Optional[_Union[IndicatorStatus, str]] = ..., note: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetIndicatorRequest(_message.Message):
    __slots__ = ("indicator_id",)
    INDICATOR_ID_FIELD_NUMBER: _ClassVar[int]
    indicator_id: str
    def __init__(self, indicator_id: _Optional[str] = ...) -> None: ...

class ListIndicatorsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "plan_id", "kind", "source_kind", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SOURCE_KIND_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    plan_id: str
    kind: IndicatorKind
    source_kind: IndicatorSource
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., plan_id: _Optional[str] = ..., kind: _Optional[_Union[IndicatorKind, str]] = ..., source_kind: _Optional[_Union[IndicatorSource, str]] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListIndicatorsResponse(_message.Message):
    __slots__ = ("indicators", "next_page_token")
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    indicators: _containers.RepeatedCompositeFieldContainer[Indicator]
    next_page_token: str
    def __init__(self, indicators: _Optional[_Iterable[_Union[Indicator, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateIndicatorRequest(_message.Message):
    __slots__ = ("indicator", "idempotency_key")
    INDICATOR_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    indicator: Indicator
    idempotency_key: str
    def __init__(self, indicator: _Optional[_Union[Indicator, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdateIndicatorRequest(_message.Message):
    __slots__ = ("indicator_id", "indicator", "update_mask", "etag")
    INDICATOR_ID_FIELD_NUMBER: _ClassVar[int]
    INDICATOR_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    indicator_id: str
    indicator: Indicator
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, indicator_id: _Optional[str] = ..., indicator: _Optional[_Union[Indicator, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class IndicatorRow(_message.Message):
    __slots__ = ("indicator", "reason", "references")
    class ReferencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    INDICATOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    indicator: Indicator
    reason: str
    references: _containers.ScalarMap[str, str]
    def __init__(self, indicator: _Optional[_Union[Indicator, _Mapping]] = ..., reason: _Optional[str] = ..., references: _Optional[_Mapping[str, str]] = ...) -> None: ...

class IndicatorEvent(_message.Message):
    __slots__ = ("indicator", "change")
    INDICATOR_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    indicator: Indicator
    change: _types_pb2.Change
    def __init__(self, indicator: _Optional[_Union[Indicator, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...

class GetObservationRequest(_message.Message):
    __slots__ = ("indicator_id", "observation_id")
    INDICATOR_ID_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    indicator_id: str
    observation_id: str
    def __init__(self, indicator_id: _Optional[str] = ..., observation_id: _Optional[str] = ...) -> None: ...

class ListObservationsRequest(_message.Message):
    __slots__ = ("indicator_id", "page_size", "page_token", "verification", "external_key", "updated_since")
    INDICATOR_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    indicator_id: str
    page_size: int
    page_token: str
    verification: Verification
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, indicator_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., verification: _Optional[_Union[Verification, str]] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListObservationsResponse(_message.Message):
    __slots__ = ("observations", "next_page_token")
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    observations: _containers.RepeatedCompositeFieldContainer[Observation]
    next_page_token: str
    def __init__(self, observations: _Optional[_Iterable[_Union[Observation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateObservationRequest(_message.Message):
    __slots__ = ("indicator_id", "observation", "idempotency_key")
    INDICATOR_ID_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    indicator_id: str
    observation: Observation
    idempotency_key: str
    def __init__(self, indicator_id: _Optional[str] = ..., observation: _Optional[_Union[Observation, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ObservationRow(_message.Message):
    __slots__ = ("observation", "reason", "references")
    class ReferencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    observation: Observation
    reason: str
    references: _containers.ScalarMap[str, str]
    def __init__(self, observation: _Optional[_Union[Observation, _Mapping]] = ..., reason: _Optional[str] = ..., references: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ObservationEvent(_message.Message):
    __slots__ = ("observation", "change")
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    observation: Observation
    change: _types_pb2.Change
    def __init__(self, observation: _Optional[_Union[Observation, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
