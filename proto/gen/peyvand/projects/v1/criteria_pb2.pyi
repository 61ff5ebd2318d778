from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2_1
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.projects.v1 import evidence_pb2 as _evidence_pb2
from peyvand.projects.v1 import flags_pb2 as _flags_pb2
from peyvand.projects.v1 import stages_pb2 as _stages_pb2
from peyvand.projects.v1 import waivers_pb2 as _waivers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CriterionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CRITERION_STATE_UNSPECIFIED: _ClassVar[CriterionState]
    CRITERION_STATE_MISSING: _ClassVar[CriterionState]
    CRITERION_STATE_SUBMITTED: _ClassVar[CriterionState]
    CRITERION_STATE_REJECTED: _ClassVar[CriterionState]
    CRITERION_STATE_TO_RECONFIRM: _ClassVar[CriterionState]
    CRITERION_STATE_VERIFIED: _ClassVar[CriterionState]
    CRITERION_STATE_WAIVED: _ClassVar[CriterionState]
    CRITERION_STATE_OTHER_ROUTE: _ClassVar[CriterionState]

class CriteriaError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CRITERIA_ERROR_UNSPECIFIED: _ClassVar[CriteriaError]
    PROJECT_HAS_ENDED: _ClassVar[CriteriaError]
    UNKNOWN_CRITERION: _ClassVar[CriteriaError]
    STAGE_NOT_VISITED: _ClassVar[CriteriaError]
    ONE_SOURCE_NEEDED: _ClassVar[CriteriaError]
    FILE_NOT_STORED: _ClassVar[CriteriaError]
    FILE_SIZE_DIFFERS: _ClassVar[CriteriaError]
    FILES_NOT_SET_UP: _ClassVar[CriteriaError]
    OWN_EVIDENCE: _ClassVar[CriteriaError]
    CONFIRMED_ALREADY: _ClassVar[CriteriaError]
    CRITERION_OF_OTHER_STAGE: _ClassVar[CriteriaError]
    WAIVER_WAITS: _ClassVar[CriteriaError]
    OWN_WAIVER: _ClassVar[CriteriaError]
    WAIVER_EXPIRED: _ClassVar[CriteriaError]
    VISIT_IS_OVER: _ClassVar[CriteriaError]
    EVIDENCE_HAS_NO_FILE: _ClassVar[CriteriaError]
    DIGEST_DIFFERS: _ClassVar[CriteriaError]
    REJECTED_BEFORE: _ClassVar[CriteriaError]
    UNDER_REVIEW: _ClassVar[CriteriaError]
    CRITERION_NOT_DEFERRABLE: _ClassVar[CriteriaError]
CRITERION_STATE_UNSPECIFIED: CriterionState
CRITERION_STATE_MISSING: CriterionState
CRITERION_STATE_SUBMITTED: CriterionState
CRITERION_STATE_REJECTED: CriterionState
CRITERION_STATE_TO_RECONFIRM: CriterionState
CRITERION_STATE_VERIFIED: CriterionState
CRITERION_STATE_WAIVED: CriterionState
CRITERION_STATE_OTHER_ROUTE: CriterionState
CRITERIA_ERROR_UNSPECIFIED: CriteriaError
PROJECT_HAS_ENDED: CriteriaError
UNKNOWN_CRITERION: CriteriaError
STAGE_NOT_VISITED: CriteriaError
ONE_SOURCE_NEEDED: CriteriaError
FILE_NOT_STORED: CriteriaError
FILE_SIZE_DIFFERS: CriteriaError
FILES_NOT_SET_UP: CriteriaError
OWN_EVIDENCE: CriteriaError
CONFIRMED_ALREADY: CriteriaError
CRITERION_OF_OTHER_STAGE: CriteriaError
WAIVER_WAITS: CriteriaError
OWN_WAIVER: CriteriaError
WAIVER_EXPIRED: CriteriaError
VISIT_IS_OVER: CriteriaError
EVIDENCE_HAS_NO_FILE: CriteriaError
DIGEST_DIFFERS: CriteriaError
REJECTED_BEFORE: CriteriaError
UNDER_REVIEW: CriteriaError
CRITERION_NOT_DEFERRABLE: CriteriaError

class Criterion(_message.Message):
    __slots__ = ("code", "stage", "text", "pathways", "route", "route_name", "regulations", "deferrable")
    CODE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PATHWAYS_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    ROUTE_NAME_FIELD_NUMBER: _ClassVar[int]
    REGULATIONS_FIELD_NUMBER: _ClassVar[int]
    DEFERRABLE_FIELD_NUMBER: _ClassVar[int]
    code: str
    stage: _stages_pb2.Stage
    text: _types_pb2.LocalizedText
    pathways: _containers.RepeatedScalarFieldContainer[_stages_pb2.Pathway]
    route: str
    route_name: _types_pb2.LocalizedText
    regulations: _containers.RepeatedCompositeFieldContainer[CitedRegulation]
    deferrable: bool
    def __init__(self, code: _Optional[str] = ..., stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., text: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., pathways: _Optional[_Iterable[_Union[_stages_pb2.Pathway, str]]] = ..., route: _Optional[str] = ..., route_name: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., regulations: _Optional[_Iterable[_Union[CitedRegulation, _Mapping]]] = ..., deferrable: _Optional[bool] = ...) -> None: ...

class CitedRegulation(_message.Message):
    __slots__ = ("external_key", "pathways")
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    PATHWAYS_FIELD_NUMBER: _ClassVar[int]
    external_key: str
    pathways: _containers.RepeatedScalarFieldContainer[_stages_pb2.Pathway]
    def __init__(self, external_key: _Optional[str] = ..., pathways: _Optional[_Iterable[_Union[_stages_pb2.Pathway, str]]] = ...) -> None: ...

class PathwayStages(_message.Message):
    __slots__ = ("pathway", "stages")
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    pathway: _stages_pb2.Pathway
    stages: _containers.RepeatedScalarFieldContainer[_stages_pb2.Stage]
    def __init__(self, pathway: _Optional[_Union[_stages_pb2.Pathway, str]] = ..., stages: _Optional[_Iterable[_Union[_stages_pb2.Stage, str]]] = ...) -> None: ...

class PathwayTemplate(_message.Message):
    __slots__ = ("version", "newest", "pathways", "criteria")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    PATHWAYS_FIELD_NUMBER: _ClassVar[int]
    CRITERIA_FIELD_NUMBER: _ClassVar[int]
    version: str
    newest: bool
    pathways: _containers.RepeatedCompositeFieldContainer[PathwayStages]
    criteria: _containers.RepeatedCompositeFieldContainer[Criterion]
    def __init__(self, version: _Optional[str] = ..., newest: _Optional[bool] = ..., pathways: _Optional[_Iterable[_Union[PathwayStages, _Mapping]]] = ..., criteria: _Optional[_Iterable[_Union[Criterion, _Mapping]]] = ...) -> None: ...

class ListPathwayTemplatesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPathwayTemplatesResponse(_message.Message):
    __slots__ = ("pathway_templates",)
    PATHWAY_TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    pathway_templates: _containers.RepeatedCompositeFieldContainer[PathwayTemplate]
    def __init__(self, pathway_templates: _Optional[_Iterable[_Union[PathwayTemplate, _Mapping]]] = ...) -> None: ...

class GetPathwayTemplateRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class GetNextGateRequest(_message.Message):
    __slots__ = ("project_id",)
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    def __init__(self, project_id: _Optional[str] = ...) -> None: ...

class CriterionStanding(_message.Message):
    __slots__ = ("criterion", "state", "evidence_ids", "evidence_count", "waiver_id", "next_step", "open_to")
    CRITERION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_IDS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    WAIVER_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_STEP_FIELD_NUMBER: _ClassVar[int]
    OPEN_TO_FIELD_NUMBER: _ClassVar[int]
    criterion: Criterion
    state: CriterionState
    evidence_ids: _containers.RepeatedScalarFieldContainer[str]
    evidence_count: int
    waiver_id: str
    next_step: _types_pb2.LocalizedText
    open_to: _containers.RepeatedScalarFieldContainer[_annotations_pb2_1.Role]
    def __init__(self, criterion: _Optional[_Union[Criterion, _Mapping]] = ..., state: _Optional[_Union[CriterionState, str]] = ..., evidence_ids: _Optional[_Iterable[str]] = ..., evidence_count: _Optional[int] = ..., waiver_id: _Optional[str] = ..., next_step: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., open_to: _Optional[_Iterable[_Union[_annotations_pb2_1.Role, str]]] = ...) -> None: ...

class RouteStanding(_message.Message):
    __slots__ = ("route", "name", "missing")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    route: str
    name: _types_pb2.LocalizedText
    missing: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, route: _Optional[str] = ..., name: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., missing: _Optional[_Iterable[str]] = ...) -> None: ...

class NextGate(_message.Message):
    __slots__ = ("project_id", "template_version", "stage", "visit", "next_stage", "satisfied", "criteria", "routes", "missing", "flags", "assessment_hash", "unmet_condition_ids", "overdue_condition_ids", "on_hold")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    VISIT_FIELD_NUMBER: _ClassVar[int]
    NEXT_STAGE_FIELD_NUMBER: _ClassVar[int]
    SATISFIED_FIELD_NUMBER: _ClassVar[int]
    CRITERIA_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    UNMET_CONDITION_IDS_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_CONDITION_IDS_FIELD_NUMBER: _ClassVar[int]
    ON_HOLD_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    template_version: str
    stage: _stages_pb2.Stage
    visit: int
    next_stage: _stages_pb2.Stage
    satisfied: bool
    criteria: _containers.RepeatedCompositeFieldContainer[CriterionStanding]
    routes: _containers.RepeatedCompositeFieldContainer[RouteStanding]
    missing: _containers.RepeatedScalarFieldContainer[str]
    flags: _containers.RepeatedCompositeFieldContainer[_flags_pb2.ProjectFlag]
    assessment_hash: str
    unmet_condition_ids: _containers.RepeatedScalarFieldContainer[str]
    overdue_condition_ids: _containers.RepeatedScalarFieldContainer[str]
    on_hold: bool
    def __init__(self, project_id: _Optional[str] = ..., template_version: _Optional[str] = ..., stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., visit: _Optional[int] = ..., next_stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., satisfied: _Optional[bool] = ..., criteria: _Optional[_Iterable[_Union[CriterionStanding, _Mapping]]] = ..., routes: _Optional[_Iterable[_Union[RouteStanding, _Mapping]]] = ..., missing: _Optional[_Iterable[str]] = ..., flags: _Optional[_Iterable[_Union[_flags_pb2.ProjectFlag, _Mapping]]] = ..., assessment_hash: _Optional[str] = ..., unmet_condition_ids: _Optional[_Iterable[str]] = ..., overdue_condition_ids: _Optional[_Iterable[str]] = ..., on_hold: _Optional[bool] = ...) -> None: ...
