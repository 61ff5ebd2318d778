import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Pathway(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PATHWAY_UNSPECIFIED: _ClassVar[Pathway]
    PATHWAY_SOMATIC_CELL: _ClassVar[Pathway]
    PATHWAY_TISSUE_ENGINEERED: _ClassVar[Pathway]
    PATHWAY_GENE_THERAPY: _ClassVar[Pathway]
    PATHWAY_COMBINED: _ClassVar[Pathway]
    PATHWAY_DEVICE: _ClassVar[Pathway]
    PATHWAY_RESEARCH_TOOL: _ClassVar[Pathway]

class Stage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_UNSPECIFIED: _ClassVar[Stage]
    STAGE_S0: _ClassVar[Stage]
    STAGE_S1: _ClassVar[Stage]
    STAGE_S2: _ClassVar[Stage]
    STAGE_S3: _ClassVar[Stage]
    STAGE_S4: _ClassVar[Stage]
    STAGE_S5: _ClassVar[Stage]
    STAGE_S6: _ClassVar[Stage]
    STAGE_S7: _ClassVar[Stage]
PATHWAY_UNSPECIFIED: Pathway
PATHWAY_SOMATIC_CELL: Pathway
PATHWAY_TISSUE_ENGINEERED: Pathway
PATHWAY_GENE_THERAPY: Pathway
PATHWAY_COMBINED: Pathway
PATHWAY_DEVICE: Pathway
PATHWAY_RESEARCH_TOOL: Pathway
STAGE_UNSPECIFIED: Stage
STAGE_S0: Stage
STAGE_S1: Stage
STAGE_S2: Stage
STAGE_S3: Stage
STAGE_S4: Stage
STAGE_S5: Stage
STAGE_S6: Stage
STAGE_S7: Stage

class StageVisit(_message.Message):
    __slots__ = ("stage", "entered_at", "left_at", "decision_id", "number")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ENTERED_AT_FIELD_NUMBER: _ClassVar[int]
    LEFT_AT_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    stage: Stage
    entered_at: _timestamp_pb2.Timestamp
    left_at: _timestamp_pb2.Timestamp
    decision_id: str
    number: int
    def __init__(self, stage: _Optional[_Union[Stage, str]] = ..., entered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., left_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decision_id: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...
