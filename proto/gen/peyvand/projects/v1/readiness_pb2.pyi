import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2_1
from peyvand.api.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReadinessDimension(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    READINESS_DIMENSION_UNSPECIFIED: _ClassVar[ReadinessDimension]
    READINESS_DIMENSION_CUSTOMER: _ClassVar[ReadinessDimension]
    READINESS_DIMENSION_TECHNOLOGY: _ClassVar[ReadinessDimension]
    READINESS_DIMENSION_BUSINESS: _ClassVar[ReadinessDimension]
    READINESS_DIMENSION_IP: _ClassVar[ReadinessDimension]
    READINESS_DIMENSION_TEAM: _ClassVar[ReadinessDimension]
    READINESS_DIMENSION_FUNDING: _ClassVar[ReadinessDimension]
    READINESS_DIMENSION_MANUFACTURING: _ClassVar[ReadinessDimension]
    READINESS_DIMENSION_REGULATORY: _ClassVar[ReadinessDimension]

class ReadinessClaimState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    READINESS_CLAIM_STATE_UNSPECIFIED: _ClassVar[ReadinessClaimState]
    READINESS_CLAIM_STATE_CLAIMED: _ClassVar[ReadinessClaimState]
    READINESS_CLAIM_STATE_VERIFIED: _ClassVar[ReadinessClaimState]
    READINESS_CLAIM_STATE_REJECTED: _ClassVar[ReadinessClaimState]
    READINESS_CLAIM_STATE_WITHDRAWN: _ClassVar[ReadinessClaimState]

class ReadinessNeed(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    READINESS_NEED_UNSPECIFIED: _ClassVar[ReadinessNeed]
    READINESS_NEED_CLAIM: _ClassVar[ReadinessNeed]
    READINESS_NEED_VERIFICATION: _ClassVar[ReadinessNeed]
    READINESS_NEED_OTHER_EVIDENCE: _ClassVar[ReadinessNeed]

class ReadinessError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    READINESS_ERROR_UNSPECIFIED: _ClassVar[ReadinessError]
    READINESS_NOT_SHOWN: _ClassVar[ReadinessError]
    LEVEL_CLAIMED_ALREADY: _ClassVar[ReadinessError]
    CLAIMED_BY_YOURSELF: _ClassVar[ReadinessError]
    READINESS_IS_FINAL: _ClassVar[ReadinessError]
    READINESS_NEEDS_EVIDENCE: _ClassVar[ReadinessError]
READINESS_DIMENSION_UNSPECIFIED: ReadinessDimension
READINESS_DIMENSION_CUSTOMER: ReadinessDimension
READINESS_DIMENSION_TECHNOLOGY: ReadinessDimension
READINESS_DIMENSION_BUSINESS: ReadinessDimension
READINESS_DIMENSION_IP: ReadinessDimension
READINESS_DIMENSION_TEAM: ReadinessDimension
READINESS_DIMENSION_FUNDING: ReadinessDimension
READINESS_DIMENSION_MANUFACTURING: ReadinessDimension
READINESS_DIMENSION_REGULATORY: ReadinessDimension
READINESS_CLAIM_STATE_UNSPECIFIED: ReadinessClaimState
READINESS_CLAIM_STATE_CLAIMED: ReadinessClaimState
READINESS_CLAIM_STATE_VERIFIED: ReadinessClaimState
READINESS_CLAIM_STATE_REJECTED: ReadinessClaimState
READINESS_CLAIM_STATE_WITHDRAWN: ReadinessClaimState
READINESS_NEED_UNSPECIFIED: ReadinessNeed
READINESS_NEED_CLAIM: ReadinessNeed
READINESS_NEED_VERIFICATION: ReadinessNeed
READINESS_NEED_OTHER_EVIDENCE: ReadinessNeed
READINESS_ERROR_UNSPECIFIED: ReadinessError
READINESS_NOT_SHOWN: ReadinessError
LEVEL_CLAIMED_ALREADY: ReadinessError
CLAIMED_BY_YOURSELF: ReadinessError
READINESS_IS_FINAL: ReadinessError
READINESS_NEEDS_EVIDENCE: ReadinessError

class ReadinessClaim(_message.Message):
    __slots__ = ("id", "external_key", "project_id", "dimension", "level", "evidence_ids", "statement", "scale_version", "claimed_by", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_IDS_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    SCALE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_BY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_SINCE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    project_id: str
    dimension: ReadinessDimension
    level: int
    evidence_ids: _containers.RepeatedScalarFieldContainer[str]
    statement: _types_pb2.LocalizedText
    scale_version: str
    claimed_by: str
    state: ReadinessClaimState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., project_id: _Optional[str] = ..., dimension: _Optional[_Union[ReadinessDimension, str]] = ..., level: _Optional[int] = ..., evidence_ids: _Optional[_Iterable[str]] = ..., statement: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., scale_version: _Optional[str] = ..., claimed_by: _Optional[str] = ..., state: _Optional[_Union[ReadinessClaimState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetReadinessClaimRequest(_message.Message):
    __slots__ = ("readiness_claim_id",)
    READINESS_CLAIM_ID_FIELD_NUMBER: _ClassVar[int]
    readiness_claim_id: str
    def __init__(self, readiness_claim_id: _Optional[str] = ...) -> None: ...

class ListReadinessClaimsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "project_id", "dimension", "state", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    project_id: str
    dimension: ReadinessDimension
    state: ReadinessClaimState
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., project_id: _Optional[str] = ..., dimension: _Optional[_Union[ReadinessDimension, str]] = ..., state: _Optional[_Union[ReadinessClaimState, str]] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListReadinessClaimsResponse(_message.Message):
    __slots__ = ("readiness_claims", "next_page_token")
    READINESS_CLAIMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    readiness_claims: _containers.RepeatedCompositeFieldContainer[ReadinessClaim]
    next_page_token: str
    def __init__(self, readiness_claims: _Optional[_Iterable[_Union[ReadinessClaim, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateReadinessClaimRequest(_message.Message):
    __slots__ = ("readiness_claim", "idempotency_key")
    READINESS_CLAIM_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    readiness_claim: ReadinessClaim
    idempotency_key: str
    def __init__(self, readiness_claim: _Optional[_Union[ReadinessClaim, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ReadinessClaimStepRequest(_message.Message):
    __slots__ = ("readiness_claim_id", "reason", "etag", "idempotency_key")
    READINESS_CLAIM_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    readiness_claim_id: str
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, readiness_claim_id: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListReadinessClaimStepsRequest(_message.Message):
    __slots__ = ("readiness_claim_id", "page_size", "page_token")
    READINESS_CLAIM_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    readiness_claim_id: str
    page_size: int
    page_token: str
    def __init__(self, readiness_claim_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListReadinessClaimStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetProjectReadinessRequest(_message.Message):
    __slots__ = ("project_id",)
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    def __init__(self, project_id: _Optional[str] = ...) -> None: ...

class ReadinessGap(_message.Message):
    __slots__ = ("level", "description", "need", "what", "readiness_claim_id")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    NEED_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    READINESS_CLAIM_ID_FIELD_NUMBER: _ClassVar[int]
    level: int
    description: _types_pb2.LocalizedText
    need: ReadinessNeed
    what: _types_pb2.LocalizedText
    readiness_claim_id: str
    def __init__(self, level: _Optional[int] = ..., description: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., need: _Optional[_Union[ReadinessNeed, str]] = ..., what: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., readiness_claim_id: _Optional[str] = ...) -> None: ...

class DimensionReadiness(_message.Message):
    __slots__ = ("dimension", "claimed_level", "verified_level", "missing")
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_LEVEL_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_LEVEL_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    dimension: ReadinessDimension
    claimed_level: int
    verified_level: int
    missing: _containers.RepeatedCompositeFieldContainer[ReadinessGap]
    def __init__(self, dimension: _Optional[_Union[ReadinessDimension, str]] = ..., claimed_level: _Optional[int] = ..., verified_level: _Optional[int] = ..., missing: _Optional[_Iterable[_Union[ReadinessGap, _Mapping]]] = ...) -> None: ...

class ProjectReadiness(_message.Message):
    __slots__ = ("project_id", "scale_version", "dimensions")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    SCALE_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    scale_version: str
    dimensions: _containers.RepeatedCompositeFieldContainer[DimensionReadiness]
    def __init__(self, project_id: _Optional[str] = ..., scale_version: _Optional[str] = ..., dimensions: _Optional[_Iterable[_Union[DimensionReadiness, _Mapping]]] = ...) -> None: ...

class ReadinessLevel(_message.Message):
    __slots__ = ("dimension", "level", "description")
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    dimension: ReadinessDimension
    level: int
    description: _types_pb2.LocalizedText
    def __init__(self, dimension: _Optional[_Union[ReadinessDimension, str]] = ..., level: _Optional[int] = ..., description: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ...) -> None: ...

class ReadinessScale(_message.Message):
    __slots__ = ("version", "levels")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    version: str
    levels: _containers.RepeatedCompositeFieldContainer[ReadinessLevel]
    def __init__(self, version: _Optional[str] = ..., levels: _Optional[_Iterable[_Union[ReadinessLevel, _Mapping]]] = ...) -> None: ...

class GetReadinessScaleRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class ReadinessClaimEvent(_message.Message):
    __slots__ = ("readiness_claim", "change")
    READINESS_CLAIM_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    readiness_claim: ReadinessClaim
    change: _types_pb2.Change
    def __init__(self, readiness_claim: _Optional[_Union[ReadinessClaim, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
