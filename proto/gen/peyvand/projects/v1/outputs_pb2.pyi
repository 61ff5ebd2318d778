import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
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

class OutputKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUT_KIND_UNSPECIFIED: _ClassVar[OutputKind]
    OUTPUT_KIND_PUBLICATION: _ClassVar[OutputKind]
    OUTPUT_KIND_PATENT: _ClassVar[OutputKind]
    OUTPUT_KIND_LICENCE: _ClassVar[OutputKind]
    OUTPUT_KIND_TRIAL: _ClassVar[OutputKind]
    OUTPUT_KIND_COMPANY: _ClassVar[OutputKind]
    OUTPUT_KIND_PRODUCT: _ClassVar[OutputKind]
    OUTPUT_KIND_THERAPY: _ClassVar[OutputKind]

class OutputState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUT_STATE_UNSPECIFIED: _ClassVar[OutputState]
    OUTPUT_STATE_RECORDED: _ClassVar[OutputState]
    OUTPUT_STATE_WITHDRAWN: _ClassVar[OutputState]

class TrialRegister(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRIAL_REGISTER_UNSPECIFIED: _ClassVar[TrialRegister]
    TRIAL_REGISTER_IRCT: _ClassVar[TrialRegister]
    TRIAL_REGISTER_CLINICALTRIALS_GOV: _ClassVar[TrialRegister]
    TRIAL_REGISTER_OTHER: _ClassVar[TrialRegister]

class OutputsError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUTS_ERROR_UNSPECIFIED: _ClassVar[OutputsError]
    ONE_OUTPUT_NEEDED: _ClassVar[OutputsError]
    OUTPUT_KIND_STAYS: _ClassVar[OutputsError]
    OUTPUT_RECORDED: _ClassVar[OutputsError]
    REGISTER_NAME_MISPLACED: _ClassVar[OutputsError]
    COMPANY_OF_OTHER_PROJECTS: _ClassVar[OutputsError]
    COMPANY_NOT_KNOWLEDGE_BASED: _ClassVar[OutputsError]
    COMPANY_DISSOLVED: _ClassVar[OutputsError]
OUTPUT_KIND_UNSPECIFIED: OutputKind
OUTPUT_KIND_PUBLICATION: OutputKind
OUTPUT_KIND_PATENT: OutputKind
OUTPUT_KIND_LICENCE: OutputKind
OUTPUT_KIND_TRIAL: OutputKind
OUTPUT_KIND_COMPANY: OutputKind
OUTPUT_KIND_PRODUCT: OutputKind
OUTPUT_KIND_THERAPY: OutputKind
OUTPUT_STATE_UNSPECIFIED: OutputState
OUTPUT_STATE_RECORDED: OutputState
OUTPUT_STATE_WITHDRAWN: OutputState
TRIAL_REGISTER_UNSPECIFIED: TrialRegister
TRIAL_REGISTER_IRCT: TrialRegister
TRIAL_REGISTER_CLINICALTRIALS_GOV: TrialRegister
TRIAL_REGISTER_OTHER: TrialRegister
OUTPUTS_ERROR_UNSPECIFIED: OutputsError
ONE_OUTPUT_NEEDED: OutputsError
OUTPUT_KIND_STAYS: OutputsError
OUTPUT_RECORDED: OutputsError
REGISTER_NAME_MISPLACED: OutputsError
COMPANY_OF_OTHER_PROJECTS: OutputsError
COMPANY_NOT_KNOWLEDGE_BASED: OutputsError
COMPANY_DISSOLVED: OutputsError

class Publication(_message.Message):
    __slots__ = ("doi", "venue", "published_date", "open_access")
    DOI_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_DATE_FIELD_NUMBER: _ClassVar[int]
    OPEN_ACCESS_FIELD_NUMBER: _ClassVar[int]
    doi: str
    venue: str
    published_date: _types_pb2.ImpreciseDate
    open_access: bool
    def __init__(self, doi: _Optional[str] = ..., venue: _Optional[str] = ..., published_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., open_access: _Optional[bool] = ...) -> None: ...

class Patent(_message.Message):
    __slots__ = ("office", "number", "kind_code", "filed_date", "published_date", "granted_date")
    OFFICE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KIND_CODE_FIELD_NUMBER: _ClassVar[int]
    FILED_DATE_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_DATE_FIELD_NUMBER: _ClassVar[int]
    GRANTED_DATE_FIELD_NUMBER: _ClassVar[int]
    office: str
    number: str
    kind_code: str
    filed_date: _types_pb2.ImpreciseDate
    published_date: _types_pb2.ImpreciseDate
    granted_date: _types_pb2.ImpreciseDate
    def __init__(self, office: _Optional[str] = ..., number: _Optional[str] = ..., kind_code: _Optional[str] = ..., filed_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., published_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., granted_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ...) -> None: ...

class Licence(_message.Message):
    __slots__ = ("licensee", "licensee_company_id", "exclusive", "territory", "signed_date", "until_date")
    LICENSEE_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    TERRITORY_FIELD_NUMBER: _ClassVar[int]
    SIGNED_DATE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_DATE_FIELD_NUMBER: _ClassVar[int]
    licensee: _types_pb2.LocalizedText
    licensee_company_id: str
    exclusive: bool
    territory: _types_pb2.LocalizedText
    signed_date: _types_pb2.ImpreciseDate
    until_date: _types_pb2.ImpreciseDate
    def __init__(self, licensee: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., licensee_company_id: _Optional[str] = ..., exclusive: _Optional[bool] = ..., territory: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., signed_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., until_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ...) -> None: ...

class Trial(_message.Message):
    __slots__ = ("register", "register_name", "number", "registered_date", "first_enrolment_date")
    REGISTER_FIELD_NUMBER: _ClassVar[int]
    REGISTER_NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_DATE_FIELD_NUMBER: _ClassVar[int]
    FIRST_ENROLMENT_DATE_FIELD_NUMBER: _ClassVar[int]
    register: TrialRegister
    register_name: str
    number: str
    registered_date: _types_pb2.ImpreciseDate
    first_enrolment_date: _types_pb2.ImpreciseDate
    def __init__(self, register: _Optional[_Union[TrialRegister, str]] = ..., register_name: _Optional[str] = ..., number: _Optional[str] = ..., registered_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., first_enrolment_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ...) -> None: ...

class CompanyOutput(_message.Message):
    __slots__ = ("company_id",)
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    def __init__(self, company_id: _Optional[str] = ...) -> None: ...

class Product(_message.Message):
    __slots__ = ("brand", "authorisation_number", "company_id", "launched_date")
    BRAND_FIELD_NUMBER: _ClassVar[int]
    AUTHORISATION_NUMBER_FIELD_NUMBER: _ClassVar[int]
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    LAUNCHED_DATE_FIELD_NUMBER: _ClassVar[int]
    brand: _types_pb2.LocalizedText
    authorisation_number: str
    company_id: str
    launched_date: _types_pb2.ImpreciseDate
    def __init__(self, brand: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., authorisation_number: _Optional[str] = ..., company_id: _Optional[str] = ..., launched_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ...) -> None: ...

class Therapy(_message.Message):
    __slots__ = ("center_id", "indication", "since_date", "until_date")
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    INDICATION_FIELD_NUMBER: _ClassVar[int]
    SINCE_DATE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_DATE_FIELD_NUMBER: _ClassVar[int]
    center_id: str
    indication: _types_pb2.LocalizedText
    since_date: _types_pb2.ImpreciseDate
    until_date: _types_pb2.ImpreciseDate
    def __init__(self, center_id: _Optional[str] = ..., indication: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., since_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., until_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ("id", "external_key", "project_id", "kind", "titles", "publication", "patent", "licence", "trial", "company", "product", "therapy", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    PUBLICATION_FIELD_NUMBER: _ClassVar[int]
    PATENT_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    COMPANY_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    THERAPY_FIELD_NUMBER: _ClassVar[int]
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
    kind: OutputKind
    titles: _types_pb2.LocalizedText
    publication: Publication
    patent: Patent
    licence: Licence
    trial: Trial
    company: CompanyOutput
    product: Product
    therapy: Therapy
    state: OutputState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., project_id: _Optional[str] = ..., kind: _Optional[_Union[OutputKind, str]] = ..., titles: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., publication: _Optional[_Union[Publication, _Mapping]] = ..., patent: _Optional[_Union[Patent, _Mapping]] = ..., licence: _Optional[_Union[Licence, _Mapping]] = ..., trial: _Optional[_Union[Trial, _Mapping]] = ..., company: _Optional[_Union[CompanyOutput, _Mapping]] = ..., product: _Optional[_Union[Product, _Mapping]] = ..., therapy: _Optional[_Union[Therapy, _Mapping]] = ..., state: _Optional[_Union[OutputState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetOutputRequest(_message.Message):
    __slots__ = ("output_id",)
    OUTPUT_ID_FIELD_NUMBER: _ClassVar[int]
    output_id: str
    def __init__(self, output_id: _Optional[str] = ...) -> None: ...

class ListOutputsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "project_id", "kind", "state", "center_id", "identifier", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    project_id: str
    kind: OutputKind
    state: OutputState
    center_id: str
    identifier: str
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., project_id: _Optional[str] = ..., kind: _Optional[_Union[OutputKind, str]] = ..., state: _Optional[_Union[OutputState, str]] = ..., center_id: _Optional[str] = ..., identifier: _Optional[str] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListOutputsResponse(_message.Message):
    __slots__ = ("outputs", "next_page_token")
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    outputs: _containers.RepeatedCompositeFieldContainer[Output]
    next_page_token: str
    def __init__(self, outputs: _Optional[_Iterable[_Union[Output, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateOutputRequest(_message.Message):
    __slots__ = ("output", "idempotency_key")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    output: Output
    idempotency_key: str
    def __init__(self, output: _Optional[_Union[Output, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdateOutputRequest(_message.Message):
    __slots__ = ("output_id", "output", "update_mask", "etag")
    OUTPUT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    output_id: str
    output: Output
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, output_id: _Optional[str] = ..., output: _Optional[_Union[Output, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class OutputStepRequest(_message.Message):
    __slots__ = ("output_id", "reason", "effective_date", "etag", "idempotency_key")
    OUTPUT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    output_id: str
    reason: str
    effective_date: _types_pb2.ImpreciseDate
    etag: str
    idempotency_key: str
    def __init__(self, output_id: _Optional[str] = ..., reason: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListOutputStepsRequest(_message.Message):
    __slots__ = ("output_id", "page_size", "page_token")
    OUTPUT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    output_id: str
    page_size: int
    page_token: str
    def __init__(self, output_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOutputStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class OutputEvent(_message.Message):
    __slots__ = ("output", "change")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    output: Output
    change: _types_pb2.Change
    def __init__(self, output: _Optional[_Union[Output, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
