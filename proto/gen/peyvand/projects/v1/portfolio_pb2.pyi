import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2_1
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.projects.v1 import decisions_pb2 as _decisions_pb2
from peyvand.projects.v1 import flags_pb2 as _flags_pb2
from peyvand.projects.v1 import stages_pb2 as _stages_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StuckReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STUCK_REASON_UNSPECIFIED: _ClassVar[StuckReason]
    STUCK_REASON_LONG_IN_STAGE: _ClassVar[StuckReason]
    STUCK_REASON_ON_HOLD: _ClassVar[StuckReason]
    STUCK_REASON_FLAGGED: _ClassVar[StuckReason]
    STUCK_REASON_CONDITION_OVERDUE: _ClassVar[StuckReason]
    STUCK_REASON_GATE_WITHOUT_QUORUM: _ClassVar[StuckReason]
    STUCK_REASON_EVIDENCE_WAITS: _ClassVar[StuckReason]
    STUCK_REASON_GATE_UNDECIDED: _ClassVar[StuckReason]
STUCK_REASON_UNSPECIFIED: StuckReason
STUCK_REASON_LONG_IN_STAGE: StuckReason
STUCK_REASON_ON_HOLD: StuckReason
STUCK_REASON_FLAGGED: StuckReason
STUCK_REASON_CONDITION_OVERDUE: StuckReason
STUCK_REASON_GATE_WITHOUT_QUORUM: StuckReason
STUCK_REASON_EVIDENCE_WAITS: StuckReason
STUCK_REASON_GATE_UNDECIDED: StuckReason

class GetPortfolioRequest(_message.Message):
    __slots__ = ("pathway", "province", "center_id", "sample", "stuck_reason", "patience_days", "stuck_limit")
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    STUCK_REASON_FIELD_NUMBER: _ClassVar[int]
    PATIENCE_DAYS_FIELD_NUMBER: _ClassVar[int]
    STUCK_LIMIT_FIELD_NUMBER: _ClassVar[int]
    pathway: _stages_pb2.Pathway
    province: str
    center_id: str
    sample: bool
    stuck_reason: StuckReason
    patience_days: int
    stuck_limit: int
    def __init__(self, pathway: _Optional[_Union[_stages_pb2.Pathway, str]] = ..., province: _Optional[str] = ..., center_id: _Optional[str] = ..., sample: _Optional[bool] = ..., stuck_reason: _Optional[_Union[StuckReason, str]] = ..., patience_days: _Optional[int] = ..., stuck_limit: _Optional[int] = ...) -> None: ...

class PortfolioCoverage(_message.Message):
    __slots__ = ("known", "of", "as_of")
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    known: int
    of: int
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, known: _Optional[int] = ..., of: _Optional[int] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ProjectNumbers(_message.Message):
    __slots__ = ("active", "on_hold", "completed", "killed")
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    ON_HOLD_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    KILLED_FIELD_NUMBER: _ClassVar[int]
    active: int
    on_hold: int
    completed: int
    killed: int
    def __init__(self, active: _Optional[int] = ..., on_hold: _Optional[int] = ..., completed: _Optional[int] = ..., killed: _Optional[int] = ...) -> None: ...

class PortfolioCell(_message.Message):
    __slots__ = ("stage", "pathway", "province", "projects")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    stage: _stages_pb2.Stage
    pathway: _stages_pb2.Pathway
    province: str
    projects: ProjectNumbers
    def __init__(self, stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., pathway: _Optional[_Union[_stages_pb2.Pathway, str]] = ..., province: _Optional[str] = ..., projects: _Optional[_Union[ProjectNumbers, _Mapping]] = ...) -> None: ...

class ProvinceNumbers(_message.Message):
    __slots__ = ("province", "projects")
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    province: str
    projects: ProjectNumbers
    def __init__(self, province: _Optional[str] = ..., projects: _Optional[_Union[ProjectNumbers, _Mapping]] = ...) -> None: ...

class PortfolioCounts(_message.Message):
    __slots__ = ("coverage", "total", "cells", "provinces", "left_out")
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    PROVINCES_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    coverage: PortfolioCoverage
    total: ProjectNumbers
    cells: _containers.RepeatedCompositeFieldContainer[PortfolioCell]
    provinces: _containers.RepeatedCompositeFieldContainer[ProvinceNumbers]
    left_out: int
    def __init__(self, coverage: _Optional[_Union[PortfolioCoverage, _Mapping]] = ..., total: _Optional[_Union[ProjectNumbers, _Mapping]] = ..., cells: _Optional[_Iterable[_Union[PortfolioCell, _Mapping]]] = ..., provinces: _Optional[_Iterable[_Union[ProvinceNumbers, _Mapping]]] = ..., left_out: _Optional[int] = ...) -> None: ...

class DaysSpread(_message.Message):
    __slots__ = ("count", "shortest", "first_quartile", "median", "third_quartile", "longest")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SHORTEST_FIELD_NUMBER: _ClassVar[int]
    FIRST_QUARTILE_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    THIRD_QUARTILE_FIELD_NUMBER: _ClassVar[int]
    LONGEST_FIELD_NUMBER: _ClassVar[int]
    count: int
    shortest: float
    first_quartile: float
    median: float
    third_quartile: float
    longest: float
    def __init__(self, count: _Optional[int] = ..., shortest: _Optional[float] = ..., first_quartile: _Optional[float] = ..., median: _Optional[float] = ..., third_quartile: _Optional[float] = ..., longest: _Optional[float] = ...) -> None: ...

class CycleTime(_message.Message):
    __slots__ = ("stage", "coverage", "decided", "waiting", "expected_median")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    DECIDED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_MEDIAN_FIELD_NUMBER: _ClassVar[int]
    stage: _stages_pb2.Stage
    coverage: PortfolioCoverage
    decided: DaysSpread
    waiting: DaysSpread
    expected_median: float
    def __init__(self, stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., coverage: _Optional[_Union[PortfolioCoverage, _Mapping]] = ..., decided: _Optional[_Union[DaysSpread, _Mapping]] = ..., waiting: _Optional[_Union[DaysSpread, _Mapping]] = ..., expected_median: _Optional[float] = ...) -> None: ...

class KillCount(_message.Message):
    __slots__ = ("code", "projects")
    CODE_FIELD_NUMBER: _ClassVar[int]
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    code: _decisions_pb2.KillCode
    projects: int
    def __init__(self, code: _Optional[_Union[_decisions_pb2.KillCode, str]] = ..., projects: _Optional[int] = ...) -> None: ...

class KillShare(_message.Message):
    __slots__ = ("stage", "coverage", "ended", "killed", "share", "reasons")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    KILLED_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    stage: _stages_pb2.Stage
    coverage: PortfolioCoverage
    ended: int
    killed: int
    share: float
    reasons: _containers.RepeatedCompositeFieldContainer[KillCount]
    def __init__(self, stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., coverage: _Optional[_Union[PortfolioCoverage, _Mapping]] = ..., ended: _Optional[int] = ..., killed: _Optional[int] = ..., share: _Optional[float] = ..., reasons: _Optional[_Iterable[_Union[KillCount, _Mapping]]] = ...) -> None: ...

class PortfolioMoney(_message.Message):
    __slots__ = ("currency", "coverage", "awards", "awarded", "released", "committed", "committed_to_killed", "lapsed")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    AWARDS_FIELD_NUMBER: _ClassVar[int]
    AWARDED_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_TO_KILLED_FIELD_NUMBER: _ClassVar[int]
    LAPSED_FIELD_NUMBER: _ClassVar[int]
    currency: str
    coverage: PortfolioCoverage
    awards: int
    awarded: str
    released: str
    committed: str
    committed_to_killed: str
    lapsed: str
    def __init__(self, currency: _Optional[str] = ..., coverage: _Optional[_Union[PortfolioCoverage, _Mapping]] = ..., awards: _Optional[int] = ..., awarded: _Optional[str] = ..., released: _Optional[str] = ..., committed: _Optional[str] = ..., committed_to_killed: _Optional[str] = ..., lapsed: _Optional[str] = ...) -> None: ...

class StuckCause(_message.Message):
    __slots__ = ("reason", "since", "resource_id", "open_to", "owner", "resume_date", "flag", "count", "quorum")
    REASON_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    OPEN_TO_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    RESUME_DATE_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    QUORUM_FIELD_NUMBER: _ClassVar[int]
    reason: StuckReason
    since: _timestamp_pb2.Timestamp
    resource_id: str
    open_to: _containers.RepeatedScalarFieldContainer[_annotations_pb2_1.Role]
    owner: str
    resume_date: str
    flag: _flags_pb2.ProjectFlagKind
    count: int
    quorum: int
    def __init__(self, reason: _Optional[_Union[StuckReason, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resource_id: _Optional[str] = ..., open_to: _Optional[_Iterable[_Union[_annotations_pb2_1.Role, str]]] = ..., owner: _Optional[str] = ..., resume_date: _Optional[str] = ..., flag: _Optional[_Union[_flags_pb2.ProjectFlagKind, str]] = ..., count: _Optional[int] = ..., quorum: _Optional[int] = ...) -> None: ...

class StuckProject(_message.Message):
    __slots__ = ("project_id", "titles", "lead_center_id", "province", "pathway", "stage", "entered_at", "since", "causes")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    LEAD_CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ENTERED_AT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    titles: _types_pb2.LocalizedText
    lead_center_id: str
    province: str
    pathway: _stages_pb2.Pathway
    stage: _stages_pb2.Stage
    entered_at: _timestamp_pb2.Timestamp
    since: _timestamp_pb2.Timestamp
    causes: _containers.RepeatedCompositeFieldContainer[StuckCause]
    def __init__(self, project_id: _Optional[str] = ..., titles: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., lead_center_id: _Optional[str] = ..., province: _Optional[str] = ..., pathway: _Optional[_Union[_stages_pb2.Pathway, str]] = ..., stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., entered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., causes: _Optional[_Iterable[_Union[StuckCause, _Mapping]]] = ...) -> None: ...

class StuckNumbers(_message.Message):
    __slots__ = ("reason", "projects")
    REASON_FIELD_NUMBER: _ClassVar[int]
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    reason: StuckReason
    projects: int
    def __init__(self, reason: _Optional[_Union[StuckReason, str]] = ..., projects: _Optional[int] = ...) -> None: ...

class StuckPortfolio(_message.Message):
    __slots__ = ("coverage", "total", "reasons", "projects")
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    coverage: PortfolioCoverage
    total: int
    reasons: _containers.RepeatedCompositeFieldContainer[StuckNumbers]
    projects: _containers.RepeatedCompositeFieldContainer[StuckProject]
    def __init__(self, coverage: _Optional[_Union[PortfolioCoverage, _Mapping]] = ..., total: _Optional[int] = ..., reasons: _Optional[_Iterable[_Union[StuckNumbers, _Mapping]]] = ..., projects: _Optional[_Iterable[_Union[StuckProject, _Mapping]]] = ...) -> None: ...

class Portfolio(_message.Message):
    __slots__ = ("as_of", "sample", "counts", "cycle_times", "kills", "money", "stuck")
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    CYCLE_TIMES_FIELD_NUMBER: _ClassVar[int]
    KILLS_FIELD_NUMBER: _ClassVar[int]
    MONEY_FIELD_NUMBER: _ClassVar[int]
    STUCK_FIELD_NUMBER: _ClassVar[int]
    as_of: _timestamp_pb2.Timestamp
    sample: bool
    counts: PortfolioCounts
    cycle_times: _containers.RepeatedCompositeFieldContainer[CycleTime]
    kills: _containers.RepeatedCompositeFieldContainer[KillShare]
    money: _containers.RepeatedCompositeFieldContainer[PortfolioMoney]
    stuck: StuckPortfolio
    def __init__(self, as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sample: _Optional[bool] = ..., counts: _Optional[_Union[PortfolioCounts, _Mapping]] = ..., cycle_times: _Optional[_Iterable[_Union[CycleTime, _Mapping]]] = ..., kills: _Optional[_Iterable[_Union[KillShare, _Mapping]]] = ..., money: _Optional[_Iterable[_Union[PortfolioMoney, _Mapping]]] = ..., stuck: _Optional[_Union[StuckPortfolio, _Mapping]] = ...) -> None: ...
