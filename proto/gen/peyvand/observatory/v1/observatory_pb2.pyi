from google.api import annotations_pb2 as _annotations_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2_1
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.observatory.v1 import alerts_pb2 as _alerts_pb2
from peyvand.observatory.v1 import events_pb2 as _events_pb2
from peyvand.observatory.v1 import indicators_pb2 as _indicators_pb2
from peyvand.observatory.v1 import network_pb2 as _network_pb2
from peyvand.observatory.v1 import periods_pb2 as _periods_pb2
from peyvand.observatory.v1 import plan_pb2 as _plan_pb2
from peyvand.observatory.v1 import regulations_pb2 as _regulations_pb2
from peyvand.observatory.v1 import sources_pb2 as _sources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ObservatoryError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBSERVATORY_ERROR_UNSPECIFIED: _ClassVar[ObservatoryError]
    INVALID_CURSOR: _ClassVar[ObservatoryError]
    REBUILD_RUNNING: _ClassVar[ObservatoryError]
    PLAN_CODE_TAKEN: _ClassVar[ObservatoryError]
    INDICATOR_CODE_TAKEN: _ClassVar[ObservatoryError]
    UNKNOWN_GOAL: _ClassVar[ObservatoryError]
    UNKNOWN_MEASURE: _ClassVar[ObservatoryError]
    MEASURE_MISMATCH: _ClassVar[ObservatoryError]
    COMPUTED_INDICATOR: _ClassVar[ObservatoryError]
    VALUE_OR_CLAIM_REQUIRED: _ClassVar[ObservatoryError]
    ALREADY_REVISED: _ClassVar[ObservatoryError]
    OBSERVATION_FINAL: _ClassVar[ObservatoryError]
    STATEMENT_TWICE: _ClassVar[ObservatoryError]
    TARGET_IS_BASELINE: _ClassVar[ObservatoryError]
    TARGET_AGAINST_DIRECTION: _ClassVar[ObservatoryError]
    REVISION_OF_ANOTHER: _ClassVar[ObservatoryError]
OBSERVATORY_ERROR_UNSPECIFIED: ObservatoryError
INVALID_CURSOR: ObservatoryError
REBUILD_RUNNING: ObservatoryError
PLAN_CODE_TAKEN: ObservatoryError
INDICATOR_CODE_TAKEN: ObservatoryError
UNKNOWN_GOAL: ObservatoryError
UNKNOWN_MEASURE: ObservatoryError
MEASURE_MISMATCH: ObservatoryError
COMPUTED_INDICATOR: ObservatoryError
VALUE_OR_CLAIM_REQUIRED: ObservatoryError
ALREADY_REVISED: ObservatoryError
OBSERVATION_FINAL: ObservatoryError
STATEMENT_TWICE: ObservatoryError
TARGET_IS_BASELINE: ObservatoryError
TARGET_AGAINST_DIRECTION: ObservatoryError
REVISION_OF_ANOTHER: ObservatoryError

class ObservatoryRow(_message.Message):
    __slots__ = ("source", "plan", "indicator", "observation", "action_item", "regulation")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    INDICATOR_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    ACTION_ITEM_FIELD_NUMBER: _ClassVar[int]
    REGULATION_FIELD_NUMBER: _ClassVar[int]
    source: _sources_pb2.SourceRow
    plan: _plan_pb2.PlanRow
    indicator: _indicators_pb2.IndicatorRow
    observation: _indicators_pb2.ObservationRow
    action_item: _plan_pb2.ActionItemRow
    regulation: _regulations_pb2.RegulationRow
    def __init__(self, source: _Optional[_Union[_sources_pb2.SourceRow, _Mapping]] = ..., plan: _Optional[_Union[_plan_pb2.PlanRow, _Mapping]] = ..., indicator: _Optional[_Union[_indicators_pb2.IndicatorRow, _Mapping]] = ..., observation: _Optional[_Union[_indicators_pb2.ObservationRow, _Mapping]] = ..., action_item: _Optional[_Union[_plan_pb2.ActionItemRow, _Mapping]] = ..., regulation: _Optional[_Union[_regulations_pb2.RegulationRow, _Mapping]] = ...) -> None: ...

class ImportObservatoryRequest(_message.Message):
    __slots__ = ("rows", "validate_only")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[ObservatoryRow]
    validate_only: bool
    def __init__(self, rows: _Optional[_Iterable[_Union[ObservatoryRow, _Mapping]]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ImportObservatoryResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[_types_pb2.RowResult]
    def __init__(self, results: _Optional[_Iterable[_Union[_types_pb2.RowResult, _Mapping]]] = ...) -> None: ...
