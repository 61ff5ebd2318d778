import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.projects.v1 import stages_pb2 as _stages_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EvidenceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVIDENCE_KIND_UNSPECIFIED: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_REPORT: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_DATA_SET: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_PROTOCOL: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_CERTIFICATE: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_APPROVAL: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_CONTRACT: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_PUBLICATION: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_REGISTRATION: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_OTHER: _ClassVar[EvidenceKind]

class EvidenceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVIDENCE_STATE_UNSPECIFIED: _ClassVar[EvidenceState]
    EVIDENCE_STATE_SUBMITTED: _ClassVar[EvidenceState]
    EVIDENCE_STATE_VERIFIED: _ClassVar[EvidenceState]
    EVIDENCE_STATE_REJECTED: _ClassVar[EvidenceState]
    EVIDENCE_STATE_SUPERSEDED: _ClassVar[EvidenceState]
EVIDENCE_KIND_UNSPECIFIED: EvidenceKind
EVIDENCE_KIND_REPORT: EvidenceKind
EVIDENCE_KIND_DATA_SET: EvidenceKind
EVIDENCE_KIND_PROTOCOL: EvidenceKind
EVIDENCE_KIND_CERTIFICATE: EvidenceKind
EVIDENCE_KIND_APPROVAL: EvidenceKind
EVIDENCE_KIND_CONTRACT: EvidenceKind
EVIDENCE_KIND_PUBLICATION: EvidenceKind
EVIDENCE_KIND_REGISTRATION: EvidenceKind
EVIDENCE_KIND_OTHER: EvidenceKind
EVIDENCE_STATE_UNSPECIFIED: EvidenceState
EVIDENCE_STATE_SUBMITTED: EvidenceState
EVIDENCE_STATE_VERIFIED: EvidenceState
EVIDENCE_STATE_REJECTED: EvidenceState
EVIDENCE_STATE_SUPERSEDED: EvidenceState

class EvidenceFile(_message.Message):
    __slots__ = ("name", "media_type", "size_bytes", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    def __init__(self, name: _Optional[str] = ..., media_type: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class EvidenceReference(_message.Message):
    __slots__ = ("uri", "sha256")
    URI_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    uri: str
    sha256: str
    def __init__(self, uri: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class EvidenceConfirmation(_message.Message):
    __slots__ = ("visit", "confirmed_by", "confirmed_at")
    VISIT_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_BY_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_AT_FIELD_NUMBER: _ClassVar[int]
    visit: int
    confirmed_by: str
    confirmed_at: _timestamp_pb2.Timestamp
    def __init__(self, visit: _Optional[int] = ..., confirmed_by: _Optional[str] = ..., confirmed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("id", "external_key", "project_id", "criterion", "stage", "visit", "kind", "title", "description", "file", "reference", "submitted_by", "confirmations", "supersedes_id", "superseded_by_id", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at", "resubmission_reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    CRITERION_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    VISIT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_BY_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATIONS_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDES_ID_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_BY_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_SINCE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    RESUBMISSION_REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    project_id: str
    criterion: str
    stage: _stages_pb2.Stage
    visit: int
    kind: EvidenceKind
    title: _types_pb2.LocalizedText
    description: str
    file: EvidenceFile
    reference: EvidenceReference
    submitted_by: str
    confirmations: _containers.RepeatedCompositeFieldContainer[EvidenceConfirmation]
    supersedes_id: str
    superseded_by_id: str
    state: EvidenceState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    resubmission_reason: str
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., project_id: _Optional[str] = ..., criterion: _Optional[str] = ..., stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., visit: _Optional[int] = ..., kind: _Optional[_Union[EvidenceKind, str]] = ..., title: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., description: _Optional[str] = ..., file: _Optional[_Union[EvidenceFile, _Mapping]] = ..., reference: _Optional[_Union[EvidenceReference, _Mapping]] = ..., submitted_by: _Optional[str] = ..., confirmations: _Optional[_Iterable[_Union[EvidenceConfirmation, _Mapping]]] = ..., supersedes_id: _Optional[str] = ..., superseded_by_id: _Optional[str] = ..., state: _Optional[_Union[EvidenceState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resubmission_reason: _Optional[str] = ...) -> None: ...

class GetEvidenceRequest(_message.Message):
    __slots__ = ("evidence_id",)
    EVIDENCE_ID_FIELD_NUMBER: _ClassVar[int]
    evidence_id: str
    def __init__(self, evidence_id: _Optional[str] = ...) -> None: ...

class ListEvidenceRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "project_id", "criterion", "stage", "visit", "state", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    CRITERION_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    VISIT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    project_id: str
    criterion: str
    stage: _stages_pb2.Stage
    visit: int
    state: EvidenceState
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., project_id: _Optional[str] = ..., criterion: _Optional[str] = ..., stage: _Optional[_Union[_stages_pb2.Stage, str]] = ..., visit: _Optional[int] = ..., state: _Optional[_Union[EvidenceState, str]] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListEvidenceResponse(_message.Message):
    __slots__ = ("evidence", "next_page_token")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    next_page_token: str
    def __init__(self, evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateEvidenceRequest(_message.Message):
    __slots__ = ("evidence", "idempotency_key")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    evidence: Evidence
    idempotency_key: str
    def __init__(self, evidence: _Optional[_Union[Evidence, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class EvidenceStepRequest(_message.Message):
    __slots__ = ("evidence_id", "reason", "etag", "idempotency_key")
    EVIDENCE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    evidence_id: str
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, evidence_id: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListEvidenceStepsRequest(_message.Message):
    __slots__ = ("evidence_id", "page_size", "page_token")
    EVIDENCE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    evidence_id: str
    page_size: int
    page_token: str
    def __init__(self, evidence_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEvidenceStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StoredFile(_message.Message):
    __slots__ = ("sha256", "size_bytes", "media_type")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    size_bytes: int
    media_type: str
    def __init__(self, sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ..., media_type: _Optional[str] = ...) -> None: ...

class EvidenceEvent(_message.Message):
    __slots__ = ("evidence", "change")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    evidence: Evidence
    change: _types_pb2.Change
    def __init__(self, evidence: _Optional[_Union[Evidence, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
