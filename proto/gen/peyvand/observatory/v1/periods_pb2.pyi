import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from peyvand.centers.v1 import reports_pb2 as _reports_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PeriodCalendar(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERIOD_CALENDAR_UNSPECIFIED: _ClassVar[PeriodCalendar]
    PERIOD_CALENDAR_PERSIAN: _ClassVar[PeriodCalendar]
    PERIOD_CALENDAR_GREGORIAN: _ClassVar[PeriodCalendar]
PERIOD_CALENDAR_UNSPECIFIED: PeriodCalendar
PERIOD_CALENDAR_PERSIAN: PeriodCalendar
PERIOD_CALENDAR_GREGORIAN: PeriodCalendar

class PeriodFigure(_message.Message):
    __slots__ = ("value", "known", "sample")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    value: int
    known: int
    sample: int
    def __init__(self, value: _Optional[int] = ..., known: _Optional[int] = ..., sample: _Optional[int] = ...) -> None: ...

class PeriodTotals(_message.Message):
    __slots__ = ("period", "known", "of", "as_of", "samples_processed", "products_released", "procedures", "trainees", "articles", "sample")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_PROCESSED_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_RELEASED_FIELD_NUMBER: _ClassVar[int]
    PROCEDURES_FIELD_NUMBER: _ClassVar[int]
    TRAINEES_FIELD_NUMBER: _ClassVar[int]
    ARTICLES_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    period: str
    known: int
    of: int
    as_of: _timestamp_pb2.Timestamp
    samples_processed: PeriodFigure
    products_released: PeriodFigure
    procedures: PeriodFigure
    trainees: PeriodFigure
    articles: PeriodFigure
    sample: int
    def __init__(self, period: _Optional[str] = ..., known: _Optional[int] = ..., of: _Optional[int] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., samples_processed: _Optional[_Union[PeriodFigure, _Mapping]] = ..., products_released: _Optional[_Union[PeriodFigure, _Mapping]] = ..., procedures: _Optional[_Union[PeriodFigure, _Mapping]] = ..., trainees: _Optional[_Union[PeriodFigure, _Mapping]] = ..., articles: _Optional[_Union[PeriodFigure, _Mapping]] = ..., sample: _Optional[int] = ...) -> None: ...

class CenterPeriod(_message.Message):
    __slots__ = ("center_id", "figures", "report_id", "revision", "approved_at", "sample")
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    APPROVED_AT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    center_id: str
    figures: _reports_pb2.ActivityFigures
    report_id: str
    revision: int
    approved_at: _timestamp_pb2.Timestamp
    sample: bool
    def __init__(self, center_id: _Optional[str] = ..., figures: _Optional[_Union[_reports_pb2.ActivityFigures, _Mapping]] = ..., report_id: _Optional[str] = ..., revision: _Optional[int] = ..., approved_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sample: _Optional[bool] = ...) -> None: ...

class NetworkPeriod(_message.Message):
    __slots__ = ("period", "totals", "centers")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    CENTERS_FIELD_NUMBER: _ClassVar[int]
    period: str
    totals: PeriodTotals
    centers: _containers.RepeatedCompositeFieldContainer[CenterPeriod]
    def __init__(self, period: _Optional[str] = ..., totals: _Optional[_Union[PeriodTotals, _Mapping]] = ..., centers: _Optional[_Iterable[_Union[CenterPeriod, _Mapping]]] = ...) -> None: ...

class GetNetworkPeriodsRequest(_message.Message):
    __slots__ = ("months", "until", "calendar", "center_id")
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    months: int
    until: str
    calendar: PeriodCalendar
    center_id: str
    def __init__(self, months: _Optional[int] = ..., until: _Optional[str] = ..., calendar: _Optional[_Union[PeriodCalendar, str]] = ..., center_id: _Optional[str] = ...) -> None: ...

class NetworkPeriods(_message.Message):
    __slots__ = ("periods", "as_of")
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    periods: _containers.RepeatedCompositeFieldContainer[NetworkPeriod]
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, periods: _Optional[_Iterable[_Union[NetworkPeriod, _Mapping]]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
