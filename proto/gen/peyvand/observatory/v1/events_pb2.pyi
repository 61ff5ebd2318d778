import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_ORDER_UNSPECIFIED: _ClassVar[EventOrder]
    EVENT_ORDER_OLDEST_FIRST: _ClassVar[EventOrder]
    EVENT_ORDER_LATEST_FIRST: _ClassVar[EventOrder]

class EventVisibility(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_VISIBILITY_UNSPECIFIED: _ClassVar[EventVisibility]
    EVENT_VISIBILITY_PUBLIC: _ClassVar[EventVisibility]
    EVENT_VISIBILITY_CONCERNED: _ClassVar[EventVisibility]
    EVENT_VISIBILITY_HEADQUARTERS: _ClassVar[EventVisibility]
EVENT_ORDER_UNSPECIFIED: EventOrder
EVENT_ORDER_OLDEST_FIRST: EventOrder
EVENT_ORDER_LATEST_FIRST: EventOrder
EVENT_VISIBILITY_UNSPECIFIED: EventVisibility
EVENT_VISIBILITY_PUBLIC: EventVisibility
EVENT_VISIBILITY_CONCERNED: EventVisibility
EVENT_VISIBILITY_HEADQUARTERS: EventVisibility

class Event(_message.Message):
    __slots__ = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data", "traceparent", "cursor", "visibility", "summaryfa", "summaryen")
    SPECVERSION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    DATACONTENTTYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    SUMMARYFA_FIELD_NUMBER: _ClassVar[int]
    SUMMARYEN_FIELD_NUMBER: _ClassVar[int]
    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: _timestamp_pb2.Timestamp
    datacontenttype: str
    data: _struct_pb2.Struct
    traceparent: str
    cursor: str
    visibility: EventVisibility
    summaryfa: str
    summaryen: str
    def __init__(self, specversion: _Optional[str] = ..., id: _Optional[str] = ..., source: _Optional[str] = ..., type: _Optional[str] = ..., subject: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., datacontenttype: _Optional[str] = ..., data: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., traceparent: _Optional[str] = ..., cursor: _Optional[str] = ..., visibility: _Optional[_Union[EventVisibility, str]] = ..., summaryfa: _Optional[str] = ..., summaryen: _Optional[str] = ...) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("after", "before", "types", "subject", "order", "page_size", "kinds", "since")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    after: str
    before: str
    types: _containers.RepeatedScalarFieldContainer[str]
    subject: str
    order: EventOrder
    page_size: int
    kinds: _containers.RepeatedScalarFieldContainer[str]
    since: _timestamp_pb2.Timestamp
    def __init__(self, after: _Optional[str] = ..., before: _Optional[str] = ..., types: _Optional[_Iterable[str]] = ..., subject: _Optional[str] = ..., order: _Optional[_Union[EventOrder, str]] = ..., page_size: _Optional[int] = ..., kinds: _Optional[_Iterable[str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListEventsResponse(_message.Message):
    __slots__ = ("events", "next_cursor", "more", "head_cursor")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    HEAD_CURSOR_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    next_cursor: str
    more: bool
    head_cursor: str
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., more: _Optional[bool] = ..., head_cursor: _Optional[str] = ...) -> None: ...
