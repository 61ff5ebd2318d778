from peyvand.api.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class AgentError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGENT_ERROR_UNSPECIFIED: _ClassVar[AgentError]
    STORAGE_FULL: _ClassVar[AgentError]
    AGENT_BUSY: _ClassVar[AgentError]
    FOREIGN_HOST: _ClassVar[AgentError]
    FOREIGN_PAGE: _ClassVar[AgentError]
    FOREIGN_CENTER: _ClassVar[AgentError]
    WRONG_COLUMNS: _ClassVar[AgentError]
    UNKNOWN_FILE: _ClassVar[AgentError]
    FILE_UNREADABLE: _ClassVar[AgentError]
AGENT_ERROR_UNSPECIFIED: AgentError
STORAGE_FULL: AgentError
AGENT_BUSY: AgentError
FOREIGN_HOST: AgentError
FOREIGN_PAGE: AgentError
FOREIGN_CENTER: AgentError
WRONG_COLUMNS: AgentError
UNKNOWN_FILE: AgentError
FILE_UNREADABLE: AgentError
