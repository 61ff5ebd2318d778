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

class AgreementKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGREEMENT_KIND_UNSPECIFIED: _ClassVar[AgreementKind]
    AGREEMENT_KIND_TREATY: _ClassVar[AgreementKind]
    AGREEMENT_KIND_FRAMEWORK: _ClassVar[AgreementKind]
    AGREEMENT_KIND_MOU: _ClassVar[AgreementKind]
    AGREEMENT_KIND_IMPLEMENTING_ARRANGEMENT: _ClassVar[AgreementKind]

class AgreementState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGREEMENT_STATE_UNSPECIFIED: _ClassVar[AgreementState]
    AGREEMENT_STATE_DRAFT: _ClassVar[AgreementState]
    AGREEMENT_STATE_NEGOTIATING: _ClassVar[AgreementState]
    AGREEMENT_STATE_PARTLY_SIGNED: _ClassVar[AgreementState]
    AGREEMENT_STATE_SIGNED: _ClassVar[AgreementState]
    AGREEMENT_STATE_AWAITING_RATIFICATION: _ClassVar[AgreementState]
    AGREEMENT_STATE_IN_FORCE: _ClassVar[AgreementState]
    AGREEMENT_STATE_SUSPENDED: _ClassVar[AgreementState]
    AGREEMENT_STATE_EXPIRED: _ClassVar[AgreementState]
    AGREEMENT_STATE_TERMINATED: _ClassVar[AgreementState]
    AGREEMENT_STATE_SUPERSEDED: _ClassVar[AgreementState]
    AGREEMENT_STATE_WITHDRAWN: _ClassVar[AgreementState]

class RenewalMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RENEWAL_MODE_UNSPECIFIED: _ClassVar[RenewalMode]
    RENEWAL_MODE_NONE: _ClassVar[RenewalMode]
    RENEWAL_MODE_BY_CONSENT: _ClassVar[RenewalMode]
    RENEWAL_MODE_AUTOMATIC: _ClassVar[RenewalMode]

class ReviewFlag(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_FLAG_UNSPECIFIED: _ClassVar[ReviewFlag]
    REVIEW_FLAG_EXPIRING: _ClassVar[ReviewFlag]
    REVIEW_FLAG_DORMANT: _ClassVar[ReviewFlag]
    REVIEW_FLAG_PARENT_ENDED: _ClassVar[ReviewFlag]
AGREEMENT_KIND_UNSPECIFIED: AgreementKind
AGREEMENT_KIND_TREATY: AgreementKind
AGREEMENT_KIND_FRAMEWORK: AgreementKind
AGREEMENT_KIND_MOU: AgreementKind
AGREEMENT_KIND_IMPLEMENTING_ARRANGEMENT: AgreementKind
AGREEMENT_STATE_UNSPECIFIED: AgreementState
AGREEMENT_STATE_DRAFT: AgreementState
AGREEMENT_STATE_NEGOTIATING: AgreementState
AGREEMENT_STATE_PARTLY_SIGNED: AgreementState
AGREEMENT_STATE_SIGNED: AgreementState
AGREEMENT_STATE_AWAITING_RATIFICATION: AgreementState
AGREEMENT_STATE_IN_FORCE: AgreementState
AGREEMENT_STATE_SUSPENDED: AgreementState
AGREEMENT_STATE_EXPIRED: AgreementState
AGREEMENT_STATE_TERMINATED: AgreementState
AGREEMENT_STATE_SUPERSEDED: AgreementState
AGREEMENT_STATE_WITHDRAWN: AgreementState
RENEWAL_MODE_UNSPECIFIED: RenewalMode
RENEWAL_MODE_NONE: RenewalMode
RENEWAL_MODE_BY_CONSENT: RenewalMode
RENEWAL_MODE_AUTOMATIC: RenewalMode
REVIEW_FLAG_UNSPECIFIED: ReviewFlag
REVIEW_FLAG_EXPIRING: ReviewFlag
REVIEW_FLAG_DORMANT: ReviewFlag
REVIEW_FLAG_PARENT_ENDED: ReviewFlag

class Party(_message.Message):
    __slots__ = ("key", "institution_id", "country", "center_id", "name", "role")
    KEY_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    key: str
    institution_id: str
    country: str
    center_id: str
    name: _types_pb2.LocalizedText
    role: _types_pb2.LocalizedText
    def __init__(self, key: _Optional[str] = ..., institution_id: _Optional[str] = ..., country: _Optional[str] = ..., center_id: _Optional[str] = ..., name: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., role: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ...) -> None: ...

class Signature(_message.Message):
    __slots__ = ("party", "person_id", "name", "title", "signed_date", "citations")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SIGNED_DATE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    party: str
    person_id: str
    name: _types_pb2.LocalizedText
    title: _types_pb2.LocalizedText
    signed_date: _types_pb2.ImpreciseDate
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    def __init__(self, party: _Optional[str] = ..., person_id: _Optional[str] = ..., name: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., title: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., signed_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ...) -> None: ...

class Witness(_message.Message):
    __slots__ = ("person_id", "name", "title", "citations")
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    person_id: str
    name: _types_pb2.LocalizedText
    title: _types_pb2.LocalizedText
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    def __init__(self, person_id: _Optional[str] = ..., name: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., title: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ...) -> None: ...

class Ratification(_message.Message):
    __slots__ = ("party", "body", "approved", "decided_date", "citations")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    APPROVED_FIELD_NUMBER: _ClassVar[int]
    DECIDED_DATE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    party: str
    body: _types_pb2.LocalizedText
    approved: bool
    decided_date: _types_pb2.ImpreciseDate
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    def __init__(self, party: _Optional[str] = ..., body: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., approved: _Optional[bool] = ..., decided_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ...) -> None: ...

class ScopeArea(_message.Message):
    __slots__ = ("code", "text", "citations")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    code: str
    text: _types_pb2.LocalizedText
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    def __init__(self, code: _Optional[str] = ..., text: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ...) -> None: ...

class Agreement(_message.Message):
    __slots__ = ("id", "external_key", "kind", "titles", "parent_id", "suggested_parent_id", "suggested_parent_note", "parties", "signatures", "witnesses", "ratification_required", "ratifications", "scope", "place", "signed_date", "effective_date", "expiry_date", "provisional", "notice_days", "renewal_mode", "terms_hash", "superseded_by_id", "note", "review_flags", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUGGESTED_PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUGGESTED_PARENT_NOTE_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    WITNESSES_FIELD_NUMBER: _ClassVar[int]
    RATIFICATION_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    RATIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    SIGNED_DATE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_DATE_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_FIELD_NUMBER: _ClassVar[int]
    NOTICE_DAYS_FIELD_NUMBER: _ClassVar[int]
    RENEWAL_MODE_FIELD_NUMBER: _ClassVar[int]
    TERMS_HASH_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_BY_ID_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FLAGS_FIELD_NUMBER: _ClassVar[int]
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
    kind: AgreementKind
    titles: _types_pb2.LocalizedText
    parent_id: str
    suggested_parent_id: str
    suggested_parent_note: _types_pb2.LocalizedText
    parties: _containers.RepeatedCompositeFieldContainer[Party]
    signatures: _containers.RepeatedCompositeFieldContainer[Signature]
    witnesses: _containers.RepeatedCompositeFieldContainer[Witness]
    ratification_required: bool
    ratifications: _containers.RepeatedCompositeFieldContainer[Ratification]
    scope: _containers.RepeatedCompositeFieldContainer[ScopeArea]
    place: _types_pb2.LocalizedText
    signed_date: _types_pb2.ImpreciseDate
    effective_date: _types_pb2.ImpreciseDate
    expiry_date: _types_pb2.ImpreciseDate
    provisional: bool
    notice_days: int
    renewal_mode: RenewalMode
    terms_hash: str
    superseded_by_id: str
    note: _types_pb2.LocalizedText
    review_flags: _containers.RepeatedScalarFieldContainer[ReviewFlag]
    state: AgreementState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., kind: _Optional[_Union[AgreementKind, str]] = ..., titles: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., parent_id: _Optional[str] = ..., suggested_parent_id: _Optional[str] = ..., suggested_parent_note: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., parties: _Optional[_Iterable[_Union[Party, _Mapping]]] = ..., signatures: _Optional[_Iterable[_Union[Signature, _Mapping]]] = ..., witnesses: _Optional[_Iterable[_Union[Witness, _Mapping]]] = ..., ratification_required: _Optional[bool] = ..., ratifications: _Optional[_Iterable[_Union[Ratification, _Mapping]]] = ..., scope: _Optional[_Iterable[_Union[ScopeArea, _Mapping]]] = ..., place: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., signed_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., effective_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., expiry_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., provisional: _Optional[bool] = ..., notice_days: _Optional[int] = ..., renewal_mode: _Optional[_Union[RenewalMode, str]] = ..., terms_hash: _Optional[str] = ..., superseded_by_id: _Optional[str] = ..., note: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., review_flags: _Optional[_Iterable[_Union[ReviewFlag, str]]] = ..., state: _Optional[_Union[AgreementState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetAgreementRequest(_message.Message):
    __slots__ = ("agreement_id",)
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    def __init__(self, agreement_id: _Optional[str] = ...) -> None: ...

class ListAgreementsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "kind", "parent_id", "institution_id", "country", "center_id", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: AgreementState
    kind: AgreementKind
    parent_id: str
    institution_id: str
    country: str
    center_id: str
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[AgreementState, str]] = ..., kind: _Optional[_Union[AgreementKind, str]] = ..., parent_id: _Optional[str] = ..., institution_id: _Optional[str] = ..., country: _Optional[str] = ..., center_id: _Optional[str] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListAgreementsResponse(_message.Message):
    __slots__ = ("agreements", "next_page_token")
    AGREEMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    agreements: _containers.RepeatedCompositeFieldContainer[Agreement]
    next_page_token: str
    def __init__(self, agreements: _Optional[_Iterable[_Union[Agreement, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateAgreementRequest(_message.Message):
    __slots__ = ("agreement", "idempotency_key")
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    agreement: Agreement
    idempotency_key: str
    def __init__(self, agreement: _Optional[_Union[Agreement, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdateAgreementRequest(_message.Message):
    __slots__ = ("agreement_id", "agreement", "update_mask", "etag")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    agreement: Agreement
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, agreement_id: _Optional[str] = ..., agreement: _Optional[_Union[Agreement, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class AgreementStepRequest(_message.Message):
    __slots__ = ("agreement_id", "reason", "effective_date", "etag", "idempotency_key")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    reason: str
    effective_date: _types_pb2.ImpreciseDate
    etag: str
    idempotency_key: str
    def __init__(self, agreement_id: _Optional[str] = ..., reason: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class SignAgreementRequest(_message.Message):
    __slots__ = ("agreement_id", "signature", "reason", "etag", "idempotency_key")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    signature: Signature
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, agreement_id: _Optional[str] = ..., signature: _Optional[_Union[Signature, _Mapping]] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class RatifyAgreementRequest(_message.Message):
    __slots__ = ("agreement_id", "ratification", "reason", "etag", "idempotency_key")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    RATIFICATION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    ratification: Ratification
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, agreement_id: _Optional[str] = ..., ratification: _Optional[_Union[Ratification, _Mapping]] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class SupersedeAgreementRequest(_message.Message):
    __slots__ = ("agreement_id", "superseded_by_id", "reason", "effective_date", "etag", "idempotency_key")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_BY_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    superseded_by_id: str
    reason: str
    effective_date: _types_pb2.ImpreciseDate
    etag: str
    idempotency_key: str
    def __init__(self, agreement_id: _Optional[str] = ..., superseded_by_id: _Optional[str] = ..., reason: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListAgreementStepsRequest(_message.Message):
    __slots__ = ("agreement_id", "page_size", "page_token")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    page_size: int
    page_token: str
    def __init__(self, agreement_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAgreementStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AgreementRow(_message.Message):
    __slots__ = ("agreement", "reason", "references")
    class ReferencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    agreement: Agreement
    reason: str
    references: _containers.ScalarMap[str, str]
    def __init__(self, agreement: _Optional[_Union[Agreement, _Mapping]] = ..., reason: _Optional[str] = ..., references: _Optional[_Mapping[str, str]] = ...) -> None: ...

class AgreementEvent(_message.Message):
    __slots__ = ("agreement", "change")
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    agreement: Agreement
    change: _types_pb2.Change
    def __init__(self, agreement: _Optional[_Union[Agreement, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
