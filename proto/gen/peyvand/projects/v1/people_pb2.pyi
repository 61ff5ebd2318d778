from google.api import field_behavior_pb2 as _field_behavior_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from peyvand.api.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PersonRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERSON_ROLE_UNSPECIFIED: _ClassVar[PersonRole]
    PERSON_ROLE_PRINCIPAL_INVESTIGATOR: _ClassVar[PersonRole]
    PERSON_ROLE_CO_INVESTIGATOR: _ClassVar[PersonRole]
    PERSON_ROLE_MANUFACTURING: _ClassVar[PersonRole]
    PERSON_ROLE_QUALITY: _ClassVar[PersonRole]
    PERSON_ROLE_CLINICAL: _ClassVar[PersonRole]
    PERSON_ROLE_REGULATORY: _ClassVar[PersonRole]
    PERSON_ROLE_BUSINESS: _ClassVar[PersonRole]
    PERSON_ROLE_OTHER: _ClassVar[PersonRole]

class PeopleError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PEOPLE_ERROR_UNSPECIFIED: _ClassVar[PeopleError]
    DATES_OUT_OF_ORDER: _ClassVar[PeopleError]
    PERSON_TWICE: _ClassVar[PeopleError]
    NOT_NAMED: _ClassVar[PeopleError]
    NAMING_STRUCK: _ClassVar[PeopleError]
PERSON_ROLE_UNSPECIFIED: PersonRole
PERSON_ROLE_PRINCIPAL_INVESTIGATOR: PersonRole
PERSON_ROLE_CO_INVESTIGATOR: PersonRole
PERSON_ROLE_MANUFACTURING: PersonRole
PERSON_ROLE_QUALITY: PersonRole
PERSON_ROLE_CLINICAL: PersonRole
PERSON_ROLE_REGULATORY: PersonRole
PERSON_ROLE_BUSINESS: PersonRole
PERSON_ROLE_OTHER: PersonRole
PEOPLE_ERROR_UNSPECIFIED: PeopleError
DATES_OUT_OF_ORDER: PeopleError
PERSON_TWICE: PeopleError
NOT_NAMED: PeopleError
NAMING_STRUCK: PeopleError

class ProjectPerson(_message.Message):
    __slots__ = ("name", "orcid", "role", "subject", "since_date", "until_date")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORCID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SINCE_DATE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_DATE_FIELD_NUMBER: _ClassVar[int]
    name: _types_pb2.LocalizedText
    orcid: str
    role: PersonRole
    subject: str
    since_date: _types_pb2.ImpreciseDate
    until_date: _types_pb2.ImpreciseDate
    def __init__(self, name: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., orcid: _Optional[str] = ..., role: _Optional[_Union[PersonRole, str]] = ..., subject: _Optional[str] = ..., since_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., until_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ...) -> None: ...

class StrikeProjectNamingRequest(_message.Message):
    __slots__ = ("project_id", "subject", "reason", "etag", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    subject: str
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., subject: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...
