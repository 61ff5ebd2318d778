from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class IdentifiersError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDENTIFIERS_ERROR_UNSPECIFIED: _ClassVar[IdentifiersError]
    NOT_A_DOI: _ClassVar[IdentifiersError]
    NOT_AN_ORCID: _ClassVar[IdentifiersError]
    ORCID_CHECKSUM: _ClassVar[IdentifiersError]
    NOT_AN_IRCT_NUMBER: _ClassVar[IdentifiersError]
    NOT_AN_NCT_NUMBER: _ClassVar[IdentifiersError]
    UNKNOWN_PATENT_OFFICE: _ClassVar[IdentifiersError]
    NOT_A_PATENT_NUMBER: _ClassVar[IdentifiersError]
    NOT_A_KIND_CODE: _ClassVar[IdentifiersError]
    NOT_A_LEGAL_ENTITY_ID: _ClassVar[IdentifiersError]
    REGISTER_IS_LISTED: _ClassVar[IdentifiersError]
IDENTIFIERS_ERROR_UNSPECIFIED: IdentifiersError
NOT_A_DOI: IdentifiersError
NOT_AN_ORCID: IdentifiersError
ORCID_CHECKSUM: IdentifiersError
NOT_AN_IRCT_NUMBER: IdentifiersError
NOT_AN_NCT_NUMBER: IdentifiersError
UNKNOWN_PATENT_OFFICE: IdentifiersError
NOT_A_PATENT_NUMBER: IdentifiersError
NOT_A_KIND_CODE: IdentifiersError
NOT_A_LEGAL_ENTITY_ID: IdentifiersError
REGISTER_IS_LISTED: IdentifiersError
