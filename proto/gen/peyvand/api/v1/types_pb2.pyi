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

class RowAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROW_ACTION_UNSPECIFIED: _ClassVar[RowAction]
    ROW_ACTION_CREATED: _ClassVar[RowAction]
    ROW_ACTION_UPDATED: _ClassVar[RowAction]
    ROW_ACTION_UNCHANGED: _ClassVar[RowAction]
    ROW_ACTION_REFUSED: _ClassVar[RowAction]
ROW_ACTION_UNSPECIFIED: RowAction
ROW_ACTION_CREATED: RowAction
ROW_ACTION_UPDATED: RowAction
ROW_ACTION_UNCHANGED: RowAction
ROW_ACTION_REFUSED: RowAction

class LocalizedText(_message.Message):
    __slots__ = ("fa", "en")
    FA_FIELD_NUMBER: _ClassVar[int]
    EN_FIELD_NUMBER: _ClassVar[int]
    fa: str
    en: str
    def __init__(self, fa: _Optional[str] = ..., en: _Optional[str] = ...) -> None: ...

class ImpreciseDate(_message.Message):
    __slots__ = ("value", "inferred", "note")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    INFERRED_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    value: str
    inferred: bool
    note: str
    def __init__(self, value: _Optional[str] = ..., inferred: _Optional[bool] = ..., note: _Optional[str] = ...) -> None: ...

class Citation(_message.Message):
    __slots__ = ("source", "statement", "fields", "inferred", "note")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    INFERRED_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    source: str
    statement: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    inferred: bool
    note: str
    def __init__(self, source: _Optional[str] = ..., statement: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., inferred: _Optional[bool] = ..., note: _Optional[str] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("version", "action", "from_state", "to_state", "actor", "reason", "at", "effective_date", "changed_fields")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    FROM_STATE_FIELD_NUMBER: _ClassVar[int]
    TO_STATE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    version: int
    action: str
    from_state: str
    to_state: str
    actor: str
    reason: str
    at: _timestamp_pb2.Timestamp
    effective_date: ImpreciseDate
    changed_fields: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[int] = ..., action: _Optional[str] = ..., from_state: _Optional[str] = ..., to_state: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., effective_date: _Optional[_Union[ImpreciseDate, _Mapping]] = ..., changed_fields: _Optional[_Iterable[str]] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("step",)
    STEP_FIELD_NUMBER: _ClassVar[int]
    step: Step
    def __init__(self, step: _Optional[_Union[Step, _Mapping]] = ...) -> None: ...

class FieldViolation(_message.Message):
    __slots__ = ("field", "reason", "params")
    class ParamsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    field: str
    reason: str
    params: _containers.ScalarMap[str, str]
    def __init__(self, field: _Optional[str] = ..., reason: _Optional[str] = ..., params: _Optional[_Mapping[str, str]] = ...) -> None: ...

class RowResult(_message.Message):
    __slots__ = ("external_key", "action", "id", "violations")
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    external_key: str
    action: RowAction
    id: str
    violations: _containers.RepeatedCompositeFieldContainer[FieldViolation]
    def __init__(self, external_key: _Optional[str] = ..., action: _Optional[_Union[RowAction, str]] = ..., id: _Optional[str] = ..., violations: _Optional[_Iterable[_Union[FieldViolation, _Mapping]]] = ...) -> None: ...

class RehearsalProgress(_message.Message):
    __slots__ = ("checked", "results")
    CHECKED_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    checked: int
    results: _containers.RepeatedCompositeFieldContainer[RowResult]
    def __init__(self, checked: _Optional[int] = ..., results: _Optional[_Iterable[_Union[RowResult, _Mapping]]] = ...) -> None: ...
