from google.api import annotations_pb2 as _annotations_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2_1
from peyvand.observatory.v1 import events_pb2 as _events_pb2
from peyvand.observatory.v1 import indicators_pb2 as _indicators_pb2
from peyvand.observatory.v1 import network_pb2 as _network_pb2
from peyvand.observatory.v1 import plan_pb2 as _plan_pb2
from peyvand.observatory.v1 import regulations_pb2 as _regulations_pb2
from peyvand.observatory.v1 import sources_pb2 as _sources_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

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
