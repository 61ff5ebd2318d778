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

class NameKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NAME_KIND_UNSPECIFIED: _ClassVar[NameKind]
    NAME_KIND_OFFICIAL: _ClassVar[NameKind]
    NAME_KIND_ALIAS: _ClassVar[NameKind]
    NAME_KIND_ACRONYM: _ClassVar[NameKind]
    NAME_KIND_SPELLING: _ClassVar[NameKind]

class InstitutionType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INSTITUTION_TYPE_UNSPECIFIED: _ClassVar[InstitutionType]
    INSTITUTION_TYPE_EDUCATION: _ClassVar[InstitutionType]
    INSTITUTION_TYPE_HEALTHCARE: _ClassVar[InstitutionType]
    INSTITUTION_TYPE_FACILITY: _ClassVar[InstitutionType]
    INSTITUTION_TYPE_COMPANY: _ClassVar[InstitutionType]
    INSTITUTION_TYPE_FUNDER: _ClassVar[InstitutionType]
    INSTITUTION_TYPE_GOVERNMENT: _ClassVar[InstitutionType]
    INSTITUTION_TYPE_NONPROFIT: _ClassVar[InstitutionType]
    INSTITUTION_TYPE_OTHER: _ClassVar[InstitutionType]
NAME_KIND_UNSPECIFIED: NameKind
NAME_KIND_OFFICIAL: NameKind
NAME_KIND_ALIAS: NameKind
NAME_KIND_ACRONYM: NameKind
NAME_KIND_SPELLING: NameKind
INSTITUTION_TYPE_UNSPECIFIED: InstitutionType
INSTITUTION_TYPE_EDUCATION: InstitutionType
INSTITUTION_TYPE_HEALTHCARE: InstitutionType
INSTITUTION_TYPE_FACILITY: InstitutionType
INSTITUTION_TYPE_COMPANY: InstitutionType
INSTITUTION_TYPE_FUNDER: InstitutionType
INSTITUTION_TYPE_GOVERNMENT: InstitutionType
INSTITUTION_TYPE_NONPROFIT: InstitutionType
INSTITUTION_TYPE_OTHER: InstitutionType

class Name(_message.Message):
    __slots__ = ("text", "language", "script", "kind")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    text: str
    language: str
    script: str
    kind: NameKind
    def __init__(self, text: _Optional[str] = ..., language: _Optional[str] = ..., script: _Optional[str] = ..., kind: _Optional[_Union[NameKind, str]] = ...) -> None: ...

class InstitutionContact(_message.Message):
    __slots__ = ("address", "phones", "email", "website")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PHONES_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    WEBSITE_FIELD_NUMBER: _ClassVar[int]
    address: _types_pb2.LocalizedText
    phones: _containers.RepeatedScalarFieldContainer[str]
    email: str
    website: str
    def __init__(self, address: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., phones: _Optional[_Iterable[str]] = ..., email: _Optional[str] = ..., website: _Optional[str] = ...) -> None: ...

class Institution(_message.Message):
    __slots__ = ("id", "external_key", "names", "ror_id", "type", "country", "parent_id", "predecessor_id", "contact", "citations", "sample", "etag", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    ROR_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    PREDECESSOR_ID_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    names: _containers.RepeatedCompositeFieldContainer[Name]
    ror_id: str
    type: InstitutionType
    country: str
    parent_id: str
    predecessor_id: str
    contact: InstitutionContact
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., names: _Optional[_Iterable[_Union[Name, _Mapping]]] = ..., ror_id: _Optional[str] = ..., type: _Optional[_Union[InstitutionType, str]] = ..., country: _Optional[str] = ..., parent_id: _Optional[str] = ..., predecessor_id: _Optional[str] = ..., contact: _Optional[_Union[InstitutionContact, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetInstitutionRequest(_message.Message):
    __slots__ = ("institution_id",)
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    institution_id: str
    def __init__(self, institution_id: _Optional[str] = ...) -> None: ...

class ListInstitutionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "country", "type", "parent_id", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    country: str
    type: InstitutionType
    parent_id: str
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., country: _Optional[str] = ..., type: _Optional[_Union[InstitutionType, str]] = ..., parent_id: _Optional[str] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListInstitutionsResponse(_message.Message):
    __slots__ = ("institutions", "next_page_token")
    INSTITUTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    institutions: _containers.RepeatedCompositeFieldContainer[Institution]
    next_page_token: str
    def __init__(self, institutions: _Optional[_Iterable[_Union[Institution, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateInstitutionRequest(_message.Message):
    __slots__ = ("institution", "idempotency_key")
    INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    institution: Institution
    idempotency_key: str
    def __init__(self, institution: _Optional[_Union[Institution, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdateInstitutionRequest(_message.Message):
    __slots__ = ("institution_id", "institution", "update_mask", "etag")
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    institution_id: str
    institution: Institution
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, institution_id: _Optional[str] = ..., institution: _Optional[_Union[Institution, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class InstitutionRow(_message.Message):
    __slots__ = ("institution", "reason", "references")
    class ReferencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    institution: Institution
    reason: str
    references: _containers.ScalarMap[str, str]
    def __init__(self, institution: _Optional[_Union[Institution, _Mapping]] = ..., reason: _Optional[str] = ..., references: _Optional[_Mapping[str, str]] = ...) -> None: ...

class InstitutionEvent(_message.Message):
    __slots__ = ("institution", "change")
    INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    institution: Institution
    change: _types_pb2.Change
    def __init__(self, institution: _Optional[_Union[Institution, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...

class PersonPosition(_message.Message):
    __slots__ = ("title", "institution_id", "organization", "from_date", "until_date")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_DATE_FIELD_NUMBER: _ClassVar[int]
    title: _types_pb2.LocalizedText
    institution_id: str
    organization: _types_pb2.LocalizedText
    from_date: _types_pb2.ImpreciseDate
    until_date: _types_pb2.ImpreciseDate
    def __init__(self, title: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., institution_id: _Optional[str] = ..., organization: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., from_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., until_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ...) -> None: ...

class Person(_message.Message):
    __slots__ = ("id", "external_key", "names", "positions", "note", "citations", "sample", "etag", "created_at", "updated_at", "deleted_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    names: _containers.RepeatedCompositeFieldContainer[Name]
    positions: _containers.RepeatedCompositeFieldContainer[PersonPosition]
    note: _types_pb2.LocalizedText
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    deleted_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., names: _Optional[_Iterable[_Union[Name, _Mapping]]] = ..., positions: _Optional[_Iterable[_Union[PersonPosition, _Mapping]]] = ..., note: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deleted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetPersonRequest(_message.Message):
    __slots__ = ("person_id",)
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    person_id: str
    def __init__(self, person_id: _Optional[str] = ...) -> None: ...

class ListPersonsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "institution_id", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    institution_id: str
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., institution_id: _Optional[str] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListPersonsResponse(_message.Message):
    __slots__ = ("persons", "next_page_token")
    PERSONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    persons: _containers.RepeatedCompositeFieldContainer[Person]
    next_page_token: str
    def __init__(self, persons: _Optional[_Iterable[_Union[Person, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreatePersonRequest(_message.Message):
    __slots__ = ("person", "idempotency_key")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    person: Person
    idempotency_key: str
    def __init__(self, person: _Optional[_Union[Person, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdatePersonRequest(_message.Message):
    __slots__ = ("person_id", "person", "update_mask", "etag")
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    person_id: str
    person: Person
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, person_id: _Optional[str] = ..., person: _Optional[_Union[Person, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class DeletePersonRequest(_message.Message):
    __slots__ = ("person_id", "reason", "etag")
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    person_id: str
    reason: str
    etag: str
    def __init__(self, person_id: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class PersonRow(_message.Message):
    __slots__ = ("person", "reason", "references")
    class ReferencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PERSON_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    person: Person
    reason: str
    references: _containers.ScalarMap[str, str]
    def __init__(self, person: _Optional[_Union[Person, _Mapping]] = ..., reason: _Optional[str] = ..., references: _Optional[_Mapping[str, str]] = ...) -> None: ...

class PersonEvent(_message.Message):
    __slots__ = ("person", "change")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    person: Person
    change: _types_pb2.Change
    def __init__(self, person: _Optional[_Union[Person, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
