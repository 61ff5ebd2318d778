from google.api import annotations_pb2 as _annotations_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2_1
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.partners.v1 import activities_pb2 as _activities_pb2
from peyvand.partners.v1 import agreements_pb2 as _agreements_pb2
from peyvand.partners.v1 import institutions_pb2 as _institutions_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PartnersError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PARTNERS_ERROR_UNSPECIFIED: _ClassVar[PartnersError]
    ROR_CHECKSUM: _ClassVar[PartnersError]
    ROR_TAKEN: _ClassVar[PartnersError]
    PARENT_CYCLE: _ClassVar[PartnersError]
    PARENT_NOT_HIGHER: _ClassVar[PartnersError]
    NO_SUGGESTED_PARENT: _ClassVar[PartnersError]
    ONE_REFERENCE_NEEDED: _ClassVar[PartnersError]
    UNKNOWN_PARTY: _ClassVar[PartnersError]
    ALREADY_SIGNED: _ClassVar[PartnersError]
    ALREADY_RATIFIED: _ClassVar[PartnersError]
    RATIFICATION_MISSING: _ClassVar[PartnersError]
    EFFECTIVE_BEFORE_SIGNATURE: _ClassVar[PartnersError]
    TERMS_FROZEN: _ClassVar[PartnersError]
    EXPIRY_UNKNOWN: _ClassVar[PartnersError]
    EXPIRY_NOT_REACHED: _ClassVar[PartnersError]
    SUCCESSOR_NOT_SIGNED: _ClassVar[PartnersError]
    OUTSIDE_AGREEMENT: _ClassVar[PartnersError]
    END_BEFORE_START: _ClassVar[PartnersError]
    UNKNOWN_COUNTRY: _ClassVar[PartnersError]
    SIGNATORY_REQUIRED: _ClassVar[PartnersError]
    AGREEMENT_NOT_STANDING: _ClassVar[PartnersError]
PARTNERS_ERROR_UNSPECIFIED: PartnersError
ROR_CHECKSUM: PartnersError
ROR_TAKEN: PartnersError
PARENT_CYCLE: PartnersError
PARENT_NOT_HIGHER: PartnersError
NO_SUGGESTED_PARENT: PartnersError
ONE_REFERENCE_NEEDED: PartnersError
UNKNOWN_PARTY: PartnersError
ALREADY_SIGNED: PartnersError
ALREADY_RATIFIED: PartnersError
RATIFICATION_MISSING: PartnersError
EFFECTIVE_BEFORE_SIGNATURE: PartnersError
TERMS_FROZEN: PartnersError
EXPIRY_UNKNOWN: PartnersError
EXPIRY_NOT_REACHED: PartnersError
SUCCESSOR_NOT_SIGNED: PartnersError
OUTSIDE_AGREEMENT: PartnersError
END_BEFORE_START: PartnersError
UNKNOWN_COUNTRY: PartnersError
SIGNATORY_REQUIRED: PartnersError
AGREEMENT_NOT_STANDING: PartnersError

class PartnersRow(_message.Message):
    __slots__ = ("institution", "person", "agreement", "activity")
    INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    institution: _institutions_pb2.InstitutionRow
    person: _institutions_pb2.PersonRow
    agreement: _agreements_pb2.AgreementRow
    activity: _activities_pb2.ActivityRow
    def __init__(self, institution: _Optional[_Union[_institutions_pb2.InstitutionRow, _Mapping]] = ..., person: _Optional[_Union[_institutions_pb2.PersonRow, _Mapping]] = ..., agreement: _Optional[_Union[_agreements_pb2.AgreementRow, _Mapping]] = ..., activity: _Optional[_Union[_activities_pb2.ActivityRow, _Mapping]] = ...) -> None: ...

class ImportPartnersRequest(_message.Message):
    __slots__ = ("rows", "validate_only", "pending")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[PartnersRow]
    validate_only: bool
    pending: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, rows: _Optional[_Iterable[_Union[PartnersRow, _Mapping]]] = ..., validate_only: _Optional[bool] = ..., pending: _Optional[_Iterable[str]] = ...) -> None: ...

class ImportPartnersResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[_types_pb2.RowResult]
    def __init__(self, results: _Optional[_Iterable[_Union[_types_pb2.RowResult, _Mapping]]] = ...) -> None: ...
