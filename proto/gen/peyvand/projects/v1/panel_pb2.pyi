import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PanelRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PANEL_ROLE_UNSPECIFIED: _ClassVar[PanelRole]
    PANEL_ROLE_CHAIR: _ClassVar[PanelRole]
    PANEL_ROLE_SCIENCE: _ClassVar[PanelRole]
    PANEL_ROLE_CLINIC: _ClassVar[PanelRole]
    PANEL_ROLE_QUALITY: _ClassVar[PanelRole]
    PANEL_ROLE_REGULATION: _ClassVar[PanelRole]
    PANEL_ROLE_ETHICS: _ClassVar[PanelRole]
    PANEL_ROLE_BUSINESS: _ClassVar[PanelRole]
    PANEL_ROLE_PATIENTS: _ClassVar[PanelRole]
    PANEL_ROLE_OTHER: _ClassVar[PanelRole]

class Conflict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONFLICT_UNSPECIFIED: _ClassVar[Conflict]
    CONFLICT_NONE: _ClassVar[Conflict]
    CONFLICT_FINANCIAL: _ClassVar[Conflict]
    CONFLICT_EMPLOYMENT: _ClassVar[Conflict]
    CONFLICT_SCIENTIFIC: _ClassVar[Conflict]
    CONFLICT_FAMILY: _ClassVar[Conflict]
    CONFLICT_OTHER: _ClassVar[Conflict]
PANEL_ROLE_UNSPECIFIED: PanelRole
PANEL_ROLE_CHAIR: PanelRole
PANEL_ROLE_SCIENCE: PanelRole
PANEL_ROLE_CLINIC: PanelRole
PANEL_ROLE_QUALITY: PanelRole
PANEL_ROLE_REGULATION: PanelRole
PANEL_ROLE_ETHICS: PanelRole
PANEL_ROLE_BUSINESS: PanelRole
PANEL_ROLE_PATIENTS: PanelRole
PANEL_ROLE_OTHER: PanelRole
CONFLICT_UNSPECIFIED: Conflict
CONFLICT_NONE: Conflict
CONFLICT_FINANCIAL: Conflict
CONFLICT_EMPLOYMENT: Conflict
CONFLICT_SCIENTIFIC: Conflict
CONFLICT_FAMILY: Conflict
CONFLICT_OTHER: Conflict

class PanelMember(_message.Message):
    __slots__ = ("subject", "role")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    subject: str
    role: PanelRole
    def __init__(self, subject: _Optional[str] = ..., role: _Optional[_Union[PanelRole, str]] = ...) -> None: ...

class Declaration(_message.Message):
    __slots__ = ("subject", "conflict", "note", "declared_at", "center_ids")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    DECLARED_AT_FIELD_NUMBER: _ClassVar[int]
    CENTER_IDS_FIELD_NUMBER: _ClassVar[int]
    subject: str
    conflict: Conflict
    note: str
    declared_at: _timestamp_pb2.Timestamp
    center_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, subject: _Optional[str] = ..., conflict: _Optional[_Union[Conflict, str]] = ..., note: _Optional[str] = ..., declared_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., center_ids: _Optional[_Iterable[str]] = ...) -> None: ...
