import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImportState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPORT_STATE_UNSPECIFIED: _ClassVar[ImportState]
    IMPORT_STATE_CHECKED: _ClassVar[ImportState]
    IMPORT_STATE_RUNNING: _ClassVar[ImportState]
    IMPORT_STATE_DONE: _ClassVar[ImportState]
    IMPORT_STATE_INCOMPLETE: _ClassVar[ImportState]
    IMPORT_STATE_INTERRUPTED: _ClassVar[ImportState]
    IMPORT_STATE_CHECKING: _ClassVar[ImportState]
    IMPORT_STATE_REJECTED: _ClassVar[ImportState]

class ImportError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPORT_ERROR_UNSPECIFIED: _ClassVar[ImportError]
    MALFORMED_FILE: _ClassVar[ImportError]
    UNKNOWN_SECTION: _ClassVar[ImportError]
    JALALI_DAY_REQUIRED: _ClassVar[ImportError]
    BAD_COLUMN: _ClassVar[ImportError]
    NOT_UTF_8: _ClassVar[ImportError]
IMPORT_STATE_UNSPECIFIED: ImportState
IMPORT_STATE_CHECKED: ImportState
IMPORT_STATE_RUNNING: ImportState
IMPORT_STATE_DONE: ImportState
IMPORT_STATE_INCOMPLETE: ImportState
IMPORT_STATE_INTERRUPTED: ImportState
IMPORT_STATE_CHECKING: ImportState
IMPORT_STATE_REJECTED: ImportState
IMPORT_ERROR_UNSPECIFIED: ImportError
MALFORMED_FILE: ImportError
UNKNOWN_SECTION: ImportError
JALALI_DAY_REQUIRED: ImportError
BAD_COLUMN: ImportError
NOT_UTF_8: ImportError

class ImportSection(_message.Message):
    __slots__ = ("name", "rows", "done", "created", "updated", "unchanged", "refused")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    name: str
    rows: int
    done: int
    created: int
    updated: int
    unchanged: int
    refused: int
    def __init__(self, name: _Optional[str] = ..., rows: _Optional[int] = ..., done: _Optional[int] = ..., created: _Optional[int] = ..., updated: _Optional[int] = ..., unchanged: _Optional[int] = ..., refused: _Optional[int] = ...) -> None: ...

class ImportRefusal(_message.Message):
    __slots__ = ("section", "line", "external_key", "field", "rule", "params", "detail")
    class ParamsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SECTION_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    section: str
    line: int
    external_key: str
    field: str
    rule: str
    params: _containers.ScalarMap[str, str]
    detail: str
    def __init__(self, section: _Optional[str] = ..., line: _Optional[int] = ..., external_key: _Optional[str] = ..., field: _Optional[str] = ..., rule: _Optional[str] = ..., params: _Optional[_Mapping[str, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class Import(_message.Message):
    __slots__ = ("id", "state", "dry_run", "sections", "rows", "done", "refusals", "interruption", "actor", "started_at", "updated_at", "finished_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    SECTIONS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    INTERRUPTION_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    state: ImportState
    dry_run: bool
    sections: _containers.RepeatedCompositeFieldContainer[ImportSection]
    rows: int
    done: int
    refusals: _containers.RepeatedCompositeFieldContainer[ImportRefusal]
    interruption: str
    actor: str
    started_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    finished_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., state: _Optional[_Union[ImportState, str]] = ..., dry_run: _Optional[bool] = ..., sections: _Optional[_Iterable[_Union[ImportSection, _Mapping]]] = ..., rows: _Optional[int] = ..., done: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[ImportRefusal, _Mapping]]] = ..., interruption: _Optional[str] = ..., actor: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
