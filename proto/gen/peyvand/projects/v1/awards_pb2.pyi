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

class AwardState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AWARD_STATE_UNSPECIFIED: _ClassVar[AwardState]
    AWARD_STATE_ACTIVE: _ClassVar[AwardState]
    AWARD_STATE_CLOSED: _ClassVar[AwardState]
    AWARD_STATE_CANCELLED: _ClassVar[AwardState]

class MilestoneState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MILESTONE_STATE_UNSPECIFIED: _ClassVar[MilestoneState]
    MILESTONE_STATE_OPEN: _ClassVar[MilestoneState]
    MILESTONE_STATE_REPORTED: _ClassVar[MilestoneState]
    MILESTONE_STATE_MET: _ClassVar[MilestoneState]

class AwardsError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AWARDS_ERROR_UNSPECIFIED: _ClassVar[AwardsError]
    UNKNOWN_CURRENCY: _ClassVar[AwardsError]
    OTHER_CURRENCY: _ClassVar[AwardsError]
    AMOUNT_NOT_POSITIVE: _ClassVar[AwardsError]
    TRANCHES_EXCEED_AWARD: _ClassVar[AwardsError]
    RELEASE_EXCEEDS_TRANCHE: _ClassVar[AwardsError]
    UNKNOWN_MILESTONE: _ClassVar[AwardsError]
    UNKNOWN_TRANCHE: _ClassVar[AwardsError]
    MILESTONE_STATE_WRONG: _ClassVar[AwardsError]
    REPORTER_CANNOT_CONFIRM: _ClassVar[AwardsError]
    MILESTONE_NOT_MET: _ClassVar[AwardsError]
    TRANCHE_RELEASED: _ClassVar[AwardsError]
    MILESTONE_STAYS: _ClassVar[AwardsError]
    TRANCHE_STAYS: _ClassVar[AwardsError]
    MILESTONE_MET_ALREADY: _ClassVar[AwardsError]
    PROJECT_ON_HOLD: _ClassVar[AwardsError]
    FLAGS_BLOCK_PAYMENT: _ClassVar[AwardsError]
    MILESTONE_PAID: _ClassVar[AwardsError]
    NOT_DECIDED_HERE: _ClassVar[AwardsError]
AWARD_STATE_UNSPECIFIED: AwardState
AWARD_STATE_ACTIVE: AwardState
AWARD_STATE_CLOSED: AwardState
AWARD_STATE_CANCELLED: AwardState
MILESTONE_STATE_UNSPECIFIED: MilestoneState
MILESTONE_STATE_OPEN: MilestoneState
MILESTONE_STATE_REPORTED: MilestoneState
MILESTONE_STATE_MET: MilestoneState
AWARDS_ERROR_UNSPECIFIED: AwardsError
UNKNOWN_CURRENCY: AwardsError
OTHER_CURRENCY: AwardsError
AMOUNT_NOT_POSITIVE: AwardsError
TRANCHES_EXCEED_AWARD: AwardsError
RELEASE_EXCEEDS_TRANCHE: AwardsError
UNKNOWN_MILESTONE: AwardsError
UNKNOWN_TRANCHE: AwardsError
MILESTONE_STATE_WRONG: AwardsError
REPORTER_CANNOT_CONFIRM: AwardsError
MILESTONE_NOT_MET: AwardsError
TRANCHE_RELEASED: AwardsError
MILESTONE_STAYS: AwardsError
TRANCHE_STAYS: AwardsError
MILESTONE_MET_ALREADY: AwardsError
PROJECT_ON_HOLD: AwardsError
FLAGS_BLOCK_PAYMENT: AwardsError
MILESTONE_PAID: AwardsError
NOT_DECIDED_HERE: AwardsError

class Money(_message.Message):
    __slots__ = ("amount", "currency")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    amount: str
    currency: str
    def __init__(self, amount: _Optional[str] = ..., currency: _Optional[str] = ...) -> None: ...

class Funder(_message.Message):
    __slots__ = ("names", "institution_id", "ror_id")
    NAMES_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ROR_ID_FIELD_NUMBER: _ClassVar[int]
    names: _types_pb2.LocalizedText
    institution_id: str
    ror_id: str
    def __init__(self, names: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., institution_id: _Optional[str] = ..., ror_id: _Optional[str] = ...) -> None: ...

class Milestone(_message.Message):
    __slots__ = ("code", "text", "due_date", "state", "evidence_ids", "note", "reported_by", "reported_at", "confirmed_by", "confirmed_at")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DUE_DATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_IDS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    REPORTED_BY_FIELD_NUMBER: _ClassVar[int]
    REPORTED_AT_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_BY_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_AT_FIELD_NUMBER: _ClassVar[int]
    code: str
    text: _types_pb2.LocalizedText
    due_date: str
    state: MilestoneState
    evidence_ids: _containers.RepeatedScalarFieldContainer[str]
    note: str
    reported_by: str
    reported_at: _timestamp_pb2.Timestamp
    confirmed_by: str
    confirmed_at: _timestamp_pb2.Timestamp
    def __init__(self, code: _Optional[str] = ..., text: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., due_date: _Optional[str] = ..., state: _Optional[_Union[MilestoneState, str]] = ..., evidence_ids: _Optional[_Iterable[str]] = ..., note: _Optional[str] = ..., reported_by: _Optional[str] = ..., reported_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., confirmed_by: _Optional[str] = ..., confirmed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Tranche(_message.Message):
    __slots__ = ("code", "amount", "milestone_code", "released", "released_at", "released_by", "payment_reference")
    CODE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MILESTONE_CODE_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    RELEASED_AT_FIELD_NUMBER: _ClassVar[int]
    RELEASED_BY_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    code: str
    amount: Money
    milestone_code: str
    released: Money
    released_at: _timestamp_pb2.Timestamp
    released_by: str
    payment_reference: str
    def __init__(self, code: _Optional[str] = ..., amount: _Optional[_Union[Money, _Mapping]] = ..., milestone_code: _Optional[str] = ..., released: _Optional[_Union[Money, _Mapping]] = ..., released_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., released_by: _Optional[str] = ..., payment_reference: _Optional[str] = ...) -> None: ...

class Award(_message.Message):
    __slots__ = ("id", "external_key", "project_id", "titles", "funder", "grant_number", "amount", "awarded_date", "milestones", "tranches", "released", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    FUNDER_FIELD_NUMBER: _ClassVar[int]
    GRANT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    AWARDED_DATE_FIELD_NUMBER: _ClassVar[int]
    MILESTONES_FIELD_NUMBER: _ClassVar[int]
    TRANCHES_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
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
    titles: _types_pb2.LocalizedText
    funder: Funder
    grant_number: str
    amount: Money
    awarded_date: _types_pb2.ImpreciseDate
    milestones: _containers.RepeatedCompositeFieldContainer[Milestone]
    tranches: _containers.RepeatedCompositeFieldContainer[Tranche]
    released: Money
    state: AwardState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., project_id: _Optional[str] = ..., titles: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., funder: _Optional[_Union[Funder, _Mapping]] = ..., grant_number: _Optional[str] = ..., amount: _Optional[_Union[Money, _Mapping]] = ..., awarded_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., milestones: _Optional[_Iterable[_Union[Milestone, _Mapping]]] = ..., tranches: _Optional[_Iterable[_Union[Tranche, _Mapping]]] = ..., released: _Optional[_Union[Money, _Mapping]] = ..., state: _Optional[_Union[AwardState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetAwardRequest(_message.Message):
    __slots__ = ("award_id",)
    AWARD_ID_FIELD_NUMBER: _ClassVar[int]
    award_id: str
    def __init__(self, award_id: _Optional[str] = ...) -> None: ...

class ListAwardsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "project_id", "state", "center_id", "institution_id", "currency", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    project_id: str
    state: AwardState
    center_id: str
    institution_id: str
    currency: str
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., project_id: _Optional[str] = ..., state: _Optional[_Union[AwardState, str]] = ..., center_id: _Optional[str] = ..., institution_id: _Optional[str] = ..., currency: _Optional[str] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListAwardsResponse(_message.Message):
    __slots__ = ("awards", "next_page_token")
    AWARDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    awards: _containers.RepeatedCompositeFieldContainer[Award]
    next_page_token: str
    def __init__(self, awards: _Optional[_Iterable[_Union[Award, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateAwardRequest(_message.Message):
    __slots__ = ("award", "idempotency_key")
    AWARD_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    award: Award
    idempotency_key: str
    def __init__(self, award: _Optional[_Union[Award, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdateAwardRequest(_message.Message):
    __slots__ = ("award_id", "award", "update_mask", "etag")
    AWARD_ID_FIELD_NUMBER: _ClassVar[int]
    AWARD_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    award_id: str
    award: Award
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, award_id: _Optional[str] = ..., award: _Optional[_Union[Award, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class ReportMilestoneRequest(_message.Message):
    __slots__ = ("award_id", "milestone_code", "evidence_ids", "note", "etag", "idempotency_key")
    AWARD_ID_FIELD_NUMBER: _ClassVar[int]
    MILESTONE_CODE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_IDS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    award_id: str
    milestone_code: str
    evidence_ids: _containers.RepeatedScalarFieldContainer[str]
    note: str
    etag: str
    idempotency_key: str
    def __init__(self, award_id: _Optional[str] = ..., milestone_code: _Optional[str] = ..., evidence_ids: _Optional[_Iterable[str]] = ..., note: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class MilestoneStepRequest(_message.Message):
    __slots__ = ("award_id", "milestone_code", "reason", "etag", "idempotency_key")
    AWARD_ID_FIELD_NUMBER: _ClassVar[int]
    MILESTONE_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    award_id: str
    milestone_code: str
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, award_id: _Optional[str] = ..., milestone_code: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ReleaseTrancheRequest(_message.Message):
    __slots__ = ("award_id", "tranche_code", "amount", "payment_reference", "reason", "etag", "idempotency_key")
    AWARD_ID_FIELD_NUMBER: _ClassVar[int]
    TRANCHE_CODE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    award_id: str
    tranche_code: str
    amount: Money
    payment_reference: str
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, award_id: _Optional[str] = ..., tranche_code: _Optional[str] = ..., amount: _Optional[_Union[Money, _Mapping]] = ..., payment_reference: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class AwardStepRequest(_message.Message):
    __slots__ = ("award_id", "reason", "effective_date", "etag", "idempotency_key")
    AWARD_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    award_id: str
    reason: str
    effective_date: _types_pb2.ImpreciseDate
    etag: str
    idempotency_key: str
    def __init__(self, award_id: _Optional[str] = ..., reason: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListAwardStepsRequest(_message.Message):
    __slots__ = ("award_id", "page_size", "page_token")
    AWARD_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    award_id: str
    page_size: int
    page_token: str
    def __init__(self, award_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAwardStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AwardEvent(_message.Message):
    __slots__ = ("award", "change")
    AWARD_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    award: Award
    change: _types_pb2.Change
    def __init__(self, award: _Optional[_Union[Award, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
