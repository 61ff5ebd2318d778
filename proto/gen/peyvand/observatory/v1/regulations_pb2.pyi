import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from peyvand.api.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RegulationKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REGULATION_KIND_UNSPECIFIED: _ClassVar[RegulationKind]
    REGULATION_KIND_CELL_THERAPY: _ClassVar[RegulationKind]
    REGULATION_KIND_GENE_THERAPY: _ClassVar[RegulationKind]
    REGULATION_KIND_OTHER: _ClassVar[RegulationKind]

class RegulationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REGULATION_STATE_UNSPECIFIED: _ClassVar[RegulationState]
    REGULATION_STATE_DRAFTING: _ClassVar[RegulationState]
    REGULATION_STATE_CONSULTATION: _ClassVar[RegulationState]
    REGULATION_STATE_IN_FORCE: _ClassVar[RegulationState]
    REGULATION_STATE_REPEALED: _ClassVar[RegulationState]
REGULATION_KIND_UNSPECIFIED: RegulationKind
REGULATION_KIND_CELL_THERAPY: RegulationKind
REGULATION_KIND_GENE_THERAPY: RegulationKind
REGULATION_KIND_OTHER: RegulationKind
REGULATION_STATE_UNSPECIFIED: RegulationState
REGULATION_STATE_DRAFTING: RegulationState
REGULATION_STATE_CONSULTATION: RegulationState
REGULATION_STATE_IN_FORCE: RegulationState
REGULATION_STATE_REPEALED: RegulationState

class Regulation(_message.Message):
    __slots__ = ("id", "external_key", "kind", "titles", "issuer", "number", "effective_date", "url", "note", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
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
    kind: RegulationKind
    titles: _types_pb2.LocalizedText
    issuer: _types_pb2.LocalizedText
    number: str
    effective_date: _types_pb2.ImpreciseDate
    url: str
    note: _types_pb2.LocalizedText
    state: RegulationState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., kind: _Optional[_Union[RegulationKind, str]] = ..., titles: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., issuer: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., number: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., url: _Optional[str] = ..., note: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., state: _Optional[_Union[RegulationState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetRegulationRequest(_message.Message):
    __slots__ = ("regulation_id",)
    REGULATION_ID_FIELD_NUMBER: _ClassVar[int]
    regulation_id: str
    def __init__(self, regulation_id: _Optional[str] = ...) -> None: ...

class ListRegulationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "kind", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: RegulationState
    kind: RegulationKind
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[RegulationState, str]] = ..., kind: _Optional[_Union[RegulationKind, str]] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListRegulationsResponse(_message.Message):
    __slots__ = ("regulations", "next_page_token")
    REGULATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    regulations: _containers.RepeatedCompositeFieldContainer[Regulation]
    next_page_token: str
    def __init__(self, regulations: _Optional[_Iterable[_Union[Regulation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateRegulationRequest(_message.Message):
    __slots__ = ("regulation", "idempotency_key")
    REGULATION_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    regulation: Regulation
    idempotency_key: str
    def __init__(self, regulation: _Optional[_Union[Regulation, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdateRegulationRequest(_message.Message):
    __slots__ = ("regulation_id", "regulation", "update_mask", "etag")
    REGULATION_ID_FIELD_NUMBER: _ClassVar[int]
    REGULATION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    regulation_id: str
    regulation: Regulation
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, regulation_id: _Optional[str] = ..., regulation: _Optional[_Union[Regulation, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class RegulationStepRequest(_message.Message):
    __slots__ = ("regulation_id", "reason", "effective_date", "etag", "idempotency_key")
    REGULATION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    regulation_id: str
    reason: str
    effective_date: _types_pb2.ImpreciseDate
    etag: str
    idempotency_key: str
    def __init__(self, regulation_id: _Optional[str] = ..., reason: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListRegulationStepsRequest(_message.Message):
    __slots__ = ("regulation_id", "page_size", "page_token")
    REGULATION_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    regulation_id: str
    page_size: int
    page_token: str
    def __init__(self, regulation_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRegulationStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RegulationRow(_message.Message):
    __slots__ = ("regulation", "reason", "references")
    class ReferencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REGULATION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    regulation: Regulation
    reason: str
    references: _containers.ScalarMap[str, str]
    def __init__(self, regulation: _Optional[_Union[Regulation, _Mapping]] = ..., reason: _Optional[str] = ..., references: _Optional[_Mapping[str, str]] = ...) -> None: ...

class RegulationEvent(_message.Message):
    __slots__ = ("regulation", "change")
    REGULATION_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    regulation: Regulation
    change: _types_pb2.Change
    def __init__(self, regulation: _Optional[_Union[Regulation, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
