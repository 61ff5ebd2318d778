import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProjectFlagKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROJECT_FLAG_KIND_UNSPECIFIED: _ClassVar[ProjectFlagKind]
    PROJECT_FLAG_KIND_CENTER_UNAVAILABLE: _ClassVar[ProjectFlagKind]
    PROJECT_FLAG_KIND_AGREEMENT_NOT_IN_FORCE: _ClassVar[ProjectFlagKind]
    PROJECT_FLAG_KIND_REGULATION_CHANGED: _ClassVar[ProjectFlagKind]
PROJECT_FLAG_KIND_UNSPECIFIED: ProjectFlagKind
PROJECT_FLAG_KIND_CENTER_UNAVAILABLE: ProjectFlagKind
PROJECT_FLAG_KIND_AGREEMENT_NOT_IN_FORCE: ProjectFlagKind
PROJECT_FLAG_KIND_REGULATION_CHANGED: ProjectFlagKind

class ProjectFlag(_message.Message):
    __slots__ = ("kind", "resource_id", "state", "since")
    KIND_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    kind: ProjectFlagKind
    resource_id: str
    state: str
    since: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[_Union[ProjectFlagKind, str]] = ..., resource_id: _Optional[str] = ..., state: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AcknowledgeProjectFlagRequest(_message.Message):
    __slots__ = ("project_id", "regulation_id", "reason", "etag", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    REGULATION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    regulation_id: str
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., regulation_id: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...
