import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2_1
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.projects.v1 import companies_pb2 as _companies_pb2
from peyvand.projects.v1 import decisions_pb2 as _decisions_pb2
from peyvand.projects.v1 import people_pb2 as _people_pb2
from peyvand.projects.v1 import flags_pb2 as _flags_pb2
from peyvand.projects.v1 import stages_pb2 as _stages_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProjectState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROJECT_STATE_UNSPECIFIED: _ClassVar[ProjectState]
    PROJECT_STATE_ACTIVE: _ClassVar[ProjectState]
    PROJECT_STATE_ON_HOLD: _ClassVar[ProjectState]
    PROJECT_STATE_COMPLETED: _ClassVar[ProjectState]
    PROJECT_STATE_KILLED: _ClassVar[ProjectState]

class HoldCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HOLD_CAUSE_UNSPECIFIED: _ClassVar[HoldCause]
    HOLD_CAUSE_DECISION: _ClassVar[HoldCause]
    HOLD_CAUSE_OVERDUE_CONDITION: _ClassVar[HoldCause]

class ProjectsError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROJECTS_ERROR_UNSPECIFIED: _ClassVar[ProjectsError]
    UNKNOWN_CENTER: _ClassVar[ProjectsError]
    CENTER_NOT_ACTIVE: _ClassVar[ProjectsError]
    STAGE_NOT_IN_PATHWAY: _ClassVar[ProjectsError]
    KILLED_IS_FINAL: _ClassVar[ProjectsError]
    STAGE_NOT_EARLIER: _ClassVar[ProjectsError]
    NEEDED_FOR_DECISION: _ClassVar[ProjectsError]
    NOT_FOR_DECISION: _ClassVar[ProjectsError]
    DATE_IN_PAST: _ClassVar[ProjectsError]
    INITIAL_STAGE_REASON_REQUIRED: _ClassVar[ProjectsError]
    REVIVED_NOT_KILLED: _ClassVar[ProjectsError]
    ONE_PARTICIPANT_NEEDED: _ClassVar[ProjectsError]
    REGISTRATION_TAKEN: _ClassVar[ProjectsError]
    NOT_YOUR_CENTER: _ClassVar[ProjectsError]
    AGREEMENT_NOT_IN_FORCE: _ClassVar[ProjectsError]
    FLAGS_BLOCK_GO: _ClassVar[ProjectsError]
    REGULATION_NOT_FLAGGED: _ClassVar[ProjectsError]
    HOLD_NOT_OVER: _ClassVar[ProjectsError]
    INITIAL_STAGE_RESERVED: _ClassVar[ProjectsError]
    STAGE_AFTER_REVIVED: _ClassVar[ProjectsError]
    NOT_A_PARTY: _ClassVar[ProjectsError]
    INITIAL_STAGE_BY_TEAM: _ClassVar[ProjectsError]
PROJECT_STATE_UNSPECIFIED: ProjectState
PROJECT_STATE_ACTIVE: ProjectState
PROJECT_STATE_ON_HOLD: ProjectState
PROJECT_STATE_COMPLETED: ProjectState
PROJECT_STATE_KILLED: ProjectState
HOLD_CAUSE_UNSPECIFIED: HoldCause
HOLD_CAUSE_DECISION: HoldCause
HOLD_CAUSE_OVERDUE_CONDITION: HoldCause
PROJECTS_ERROR_UNSPECIFIED: ProjectsError
UNKNOWN_CENTER: ProjectsError
CENTER_NOT_ACTIVE: ProjectsError
STAGE_NOT_IN_PATHWAY: ProjectsError
KILLED_IS_FINAL: ProjectsError
STAGE_NOT_EARLIER: ProjectsError
NEEDED_FOR_DECISION: ProjectsError
NOT_FOR_DECISION: ProjectsError
DATE_IN_PAST: ProjectsError
INITIAL_STAGE_REASON_REQUIRED: ProjectsError
REVIVED_NOT_KILLED: ProjectsError
ONE_PARTICIPANT_NEEDED: ProjectsError
REGISTRATION_TAKEN: ProjectsError
NOT_YOUR_CENTER: ProjectsError
AGREEMENT_NOT_IN_FORCE: ProjectsError
FLAGS_BLOCK_GO: ProjectsError
REGULATION_NOT_FLAGGED: ProjectsError
HOLD_NOT_OVER: ProjectsError
INITIAL_STAGE_RESERVED: ProjectsError
STAGE_AFTER_REVIVED: ProjectsError
NOT_A_PARTY: ProjectsError
INITIAL_STAGE_BY_TEAM: ProjectsError

class ProjectParticipant(_message.Message):
    __slots__ = ("center_id", "institution_id", "agreement_id", "role")
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    center_id: str
    institution_id: str
    agreement_id: str
    role: _types_pb2.LocalizedText
    def __init__(self, center_id: _Optional[str] = ..., institution_id: _Optional[str] = ..., agreement_id: _Optional[str] = ..., role: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ...) -> None: ...

class Project(_message.Message):
    __slots__ = ("id", "external_key", "titles", "summary", "lead_center_id", "pathway", "participants", "initial_stage", "initial_stage_reason", "revival_of_id", "stage", "stage_visits", "resume_date", "latest_decision_id", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at", "template_version", "people", "open_gate_id", "hold_cause", "flags", "struck_subjects")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    LEAD_CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    INITIAL_STAGE_FIELD_NUMBER: _ClassVar[int]
    INITIAL_STAGE_REASON_FIELD_NUMBER: _ClassVar[int]
    REVIVAL_OF_ID_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STAGE_VISITS_FIELD_NUMBER: _ClassVar[int]
    RESUME_DATE_FIELD_NUMBER: _ClassVar[int]
    LATEST_DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_SINCE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    OPEN_GATE_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_CAUSE_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    STRUCK_SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    titles: _types_pb2.LocalizedText
    summary: _types_pb2.LocalizedText
    lead_center_id: str
    pathway: _stages_pb2.Pathway
    participants: _containers.RepeatedCompositeFieldContainer[ProjectParticipant]
    initial_stage: _stages_pb2.Stage
    initial_stage_reason: str
    revival_of_id: str
    stage: _stages_pb2.Stage
    stage_visits: _containers.RepeatedCompositeFieldContainer[_stages_pb2.StageVisit]
    resume_date: str
    latest_decision_id: str
    state: ProjectState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    template_version: str
    people: _containers.RepeatedCompositeFieldContainer[_people_pb2.ProjectPerson]
    open_gate_id: str
    hold_cause: HoldCause
    flags: _containers.RepeatedCompositeFieldContainer[_flags_pb2.ProjectFlag]
    struck_subjects: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., titles: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., summary: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., lead_center_id: _Optional[str] = ..., pathway: _Optional[_Union[_stages_pb2.Pathway, str]] = ..., participants: _Optional[_Iterable[_Union[ProjectParticipant, _Mapping]]] = ..., initial_stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., initial_stage_reason: _Optional[str] = ..., revival_of_id: _Optional[str] = ..., stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., stage_visits: _Optional[_Iterable[_Union[_stages_pb2.StageVisit, _Mapping]]] = ..., resume_date: _Optional[str] = ..., latest_decision_id: _Optional[str] = ..., state: _Optional[_Union[ProjectState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., template_version: _Optional[str] = ..., people: _Optional[_Iterable[_Union[_people_pb2.ProjectPerson, _Mapping]]] = ..., open_gate_id: _Optional[str] = ..., hold_cause: _Optional[_Union[HoldCause, str]] = ..., flags: _Optional[_Iterable[_Union[_flags_pb2.ProjectFlag, _Mapping]]] = ..., struck_subjects: _Optional[_Iterable[str]] = ...) -> None: ...

class GetProjectRequest(_message.Message):
    __slots__ = ("project_id",)
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    def __init__(self, project_id: _Optional[str] = ...) -> None: ...

class ListProjectsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "stage", "pathway", "center_id", "institution_id", "agreement_id", "external_key", "updated_since", "affected_by_regulation_id", "flag")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PATHWAY_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    AFFECTED_BY_REGULATION_ID_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: ProjectState
    stage: _stages_pb2.Stage
    pathway: _stages_pb2.Pathway
    center_id: str
    institution_id: str
    agreement_id: str
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    affected_by_regulation_id: str
    flag: _flags_pb2.ProjectFlagKind
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[ProjectState, str]] = ..., stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., pathway: _Optional[_Union[_stages_pb2.Pathway, str]] = ..., center_id: _Optional[str] = ..., institution_id: _Optional[str] = ..., agreement_id: _Optional[str] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., affected_by_regulation_id: _Optional[str] = ..., flag: _Optional[_Union[_flags_pb2.ProjectFlagKind, str]] = ...) -> None: ...

class ListProjectsResponse(_message.Message):
    __slots__ = ("projects", "next_page_token")
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    projects: _containers.RepeatedCompositeFieldContainer[Project]
    next_page_token: str
    def __init__(self, projects: _Optional[_Iterable[_Union[Project, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateProjectRequest(_message.Message):
    __slots__ = ("project", "idempotency_key")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project: Project
    idempotency_key: str
    def __init__(self, project: _Optional[_Union[Project, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdateProjectRequest(_message.Message):
    __slots__ = ("project_id", "project", "update_mask", "etag")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    project: Project
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, project_id: _Optional[str] = ..., project: _Optional[_Union[Project, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class ProjectStepRequest(_message.Message):
    __slots__ = ("project_id", "reason", "effective_date", "etag", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    reason: str
    effective_date: _types_pb2.ImpreciseDate
    etag: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., reason: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListProjectStepsRequest(_message.Message):
    __slots__ = ("project_id", "page_size", "page_token")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    page_size: int
    page_token: str
    def __init__(self, project_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListProjectStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ProjectRow(_message.Message):
    __slots__ = ("project", "reason", "references")
    class ReferencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    project: Project
    reason: str
    references: _containers.ScalarMap[str, str]
    def __init__(self, project: _Optional[_Union[Project, _Mapping]] = ..., reason: _Optional[str] = ..., references: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ProjectsRow(_message.Message):
    __slots__ = ("project", "company")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    COMPANY_FIELD_NUMBER: _ClassVar[int]
    project: ProjectRow
    company: _companies_pb2.CompanyRow
    def __init__(self, project: _Optional[_Union[ProjectRow, _Mapping]] = ..., company: _Optional[_Union[_companies_pb2.CompanyRow, _Mapping]] = ...) -> None: ...

class ImportProjectsRequest(_message.Message):
    __slots__ = ("rows", "validate_only", "pending")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[ProjectsRow]
    validate_only: bool
    pending: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, rows: _Optional[_Iterable[_Union[ProjectsRow, _Mapping]]] = ..., validate_only: _Optional[bool] = ..., pending: _Optional[_Iterable[str]] = ...) -> None: ...

class ImportProjectsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[_types_pb2.RowResult]
    def __init__(self, results: _Optional[_Iterable[_Union[_types_pb2.RowResult, _Mapping]]] = ...) -> None: ...

class ProjectEvent(_message.Message):
    __slots__ = ("project", "change", "decision")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    project: Project
    change: _types_pb2.Change
    decision: _decisions_pb2.Decision
    def __init__(self, project: _Optional[_Union[Project, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ..., decision: _Optional[_Union[_decisions_pb2.Decision, _Mapping]] = ...) -> None: ...
