from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_PUBLIC: _ClassVar[Role]
    ROLE_HQ_ADMIN: _ClassVar[Role]
    ROLE_HQ_ANALYST: _ClassVar[Role]
    ROLE_CENTER_ADMIN: _ClassVar[Role]
    ROLE_CENTER_OPERATOR: _ClassVar[Role]
    ROLE_PARTNER: _ClassVar[Role]
    ROLE_NODE: _ClassVar[Role]
    ROLE_SERVICE: _ClassVar[Role]

class Scope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCOPE_UNSPECIFIED: _ClassVar[Scope]
    SCOPE_ANY: _ClassVar[Scope]
    SCOPE_OWN: _ClassVar[Scope]

class ResourceNature(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESOURCE_NATURE_UNSPECIFIED: _ClassVar[ResourceNature]
    RESOURCE_NATURE_RECORDED: _ClassVar[ResourceNature]
    RESOURCE_NATURE_COMPUTED: _ClassVar[ResourceNature]
ROLE_UNSPECIFIED: Role
ROLE_PUBLIC: Role
ROLE_HQ_ADMIN: Role
ROLE_HQ_ANALYST: Role
ROLE_CENTER_ADMIN: Role
ROLE_CENTER_OPERATOR: Role
ROLE_PARTNER: Role
ROLE_NODE: Role
ROLE_SERVICE: Role
SCOPE_UNSPECIFIED: Scope
SCOPE_ANY: Scope
SCOPE_OWN: Scope
RESOURCE_NATURE_UNSPECIFIED: ResourceNature
RESOURCE_NATURE_RECORDED: ResourceNature
RESOURCE_NATURE_COMPUTED: ResourceNature
POLICY_FIELD_NUMBER: _ClassVar[int]
policy: _descriptor.FieldDescriptor
ERRORS_FIELD_NUMBER: _ClassVar[int]
errors: _descriptor.FieldDescriptor
RULES_FIELD_NUMBER: _ClassVar[int]
rules: _descriptor.FieldDescriptor
HEADER_FIELD_NUMBER: _ClassVar[int]
header: _descriptor.FieldDescriptor
ERROR_FIELD_NUMBER: _ClassVar[int]
error: _descriptor.FieldDescriptor
LABEL_FIELD_NUMBER: _ClassVar[int]
label: _descriptor.FieldDescriptor
RESOURCE_FIELD_NUMBER: _ClassVar[int]
resource: _descriptor.FieldDescriptor
EVENT_FIELD_NUMBER: _ClassVar[int]
event: _descriptor.FieldDescriptor

class Grant(_message.Message):
    __slots__ = ("roles", "scope")
    ROLES_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    roles: _containers.RepeatedScalarFieldContainer[Role]
    scope: Scope
    def __init__(self, roles: _Optional[_Iterable[_Union[Role, str]]] = ..., scope: _Optional[_Union[Scope, str]] = ...) -> None: ...

class Policy(_message.Message):
    __slots__ = ("grants",)
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    def __init__(self, grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ...) -> None: ...

class Label(_message.Message):
    __slots__ = ("en", "fa")
    EN_FIELD_NUMBER: _ClassVar[int]
    FA_FIELD_NUMBER: _ClassVar[int]
    en: str
    fa: str
    def __init__(self, en: _Optional[str] = ..., fa: _Optional[str] = ...) -> None: ...

class ErrorSpec(_message.Message):
    __slots__ = ("http_status", "en", "fa")
    HTTP_STATUS_FIELD_NUMBER: _ClassVar[int]
    EN_FIELD_NUMBER: _ClassVar[int]
    FA_FIELD_NUMBER: _ClassVar[int]
    http_status: int
    en: str
    fa: str
    def __init__(self, http_status: _Optional[int] = ..., en: _Optional[str] = ..., fa: _Optional[str] = ...) -> None: ...

class FieldRules(_message.Message):
    __slots__ = ("min_len", "max_len", "pattern", "minimum", "maximum", "min_items", "max_items", "id_prefix", "format", "example", "opaque")
    MIN_LEN_FIELD_NUMBER: _ClassVar[int]
    MAX_LEN_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    MIN_ITEMS_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    ID_PREFIX_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    OPAQUE_FIELD_NUMBER: _ClassVar[int]
    min_len: int
    max_len: int
    pattern: str
    minimum: float
    maximum: float
    min_items: int
    max_items: int
    id_prefix: str
    format: str
    example: str
    opaque: bool
    def __init__(self, min_len: _Optional[int] = ..., max_len: _Optional[int] = ..., pattern: _Optional[str] = ..., minimum: _Optional[float] = ..., maximum: _Optional[float] = ..., min_items: _Optional[int] = ..., max_items: _Optional[int] = ..., id_prefix: _Optional[str] = ..., format: _Optional[str] = ..., example: _Optional[str] = ..., opaque: _Optional[bool] = ...) -> None: ...

class ResourceSpec(_message.Message):
    __slots__ = ("id_prefix", "plural", "aggregate", "nature", "label")
    ID_PREFIX_FIELD_NUMBER: _ClassVar[int]
    PLURAL_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_FIELD_NUMBER: _ClassVar[int]
    NATURE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    id_prefix: str
    plural: str
    aggregate: str
    nature: ResourceNature
    label: Label
    def __init__(self, id_prefix: _Optional[str] = ..., plural: _Optional[str] = ..., aggregate: _Optional[str] = ..., nature: _Optional[_Union[ResourceNature, str]] = ..., label: _Optional[_Union[Label, _Mapping]] = ...) -> None: ...

class EventSpec(_message.Message):
    __slots__ = ("aggregate", "names")
    AGGREGATE_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    aggregate: str
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, aggregate: _Optional[str] = ..., names: _Optional[_Iterable[str]] = ...) -> None: ...
