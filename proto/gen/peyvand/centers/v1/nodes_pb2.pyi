import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
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

class NodeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NODE_STATE_UNSPECIFIED: _ClassVar[NodeState]
    NODE_STATE_APPLIED: _ClassVar[NodeState]
    NODE_STATE_APPROVED: _ClassVar[NodeState]
    NODE_STATE_ENROLLED: _ClassVar[NodeState]
    NODE_STATE_ACTIVE: _ClassVar[NodeState]
    NODE_STATE_SUSPENDED: _ClassVar[NodeState]
    NODE_STATE_WITHDRAWN: _ClassVar[NodeState]
    NODE_STATE_REVOKED: _ClassVar[NodeState]

class FeedLiveness(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEED_LIVENESS_UNSPECIFIED: _ClassVar[FeedLiveness]
    FEED_LIVENESS_ONLINE: _ClassVar[FeedLiveness]
    FEED_LIVENESS_LATE: _ClassVar[FeedLiveness]
    FEED_LIVENESS_STALE: _ClassVar[FeedLiveness]
    FEED_LIVENESS_OFFLINE: _ClassVar[FeedLiveness]
    FEED_LIVENESS_UNKNOWN: _ClassVar[FeedLiveness]

class NodesError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NODES_ERROR_UNSPECIFIED: _ClassVar[NodesError]
    CENTER_HAS_ENDED: _ClassVar[NodesError]
    NODE_CANNOT_JOIN: _ClassVar[NodesError]
    JOINING_NOT_SET_UP: _ClassVar[NodesError]
    JOIN_TOKEN_UNKNOWN: _ClassVar[NodesError]
    JOIN_TOKEN_USED: _ClassVar[NodesError]
    JOIN_TOKEN_EXPIRED: _ClassVar[NodesError]
    CLOCK_TOO_FAR_OFF: _ClassVar[NodesError]
    PROTOCOL_NOT_SPOKEN: _ClassVar[NodesError]
    PUBLIC_KEY_INVALID: _ClassVar[NodesError]
    PUBLIC_KEY_TAKEN: _ClassVar[NodesError]
    NODE_NOT_SERVED: _ClassVar[NodesError]
    KEY_REPLACED: _ClassVar[NodesError]
    MESSAGE_UNREADABLE: _ClassVar[NodesError]
    JOIN_TOKEN_OF_ANOTHER_NODE: _ClassVar[NodesError]
NODE_STATE_UNSPECIFIED: NodeState
NODE_STATE_APPLIED: NodeState
NODE_STATE_APPROVED: NodeState
NODE_STATE_ENROLLED: NodeState
NODE_STATE_ACTIVE: NodeState
NODE_STATE_SUSPENDED: NodeState
NODE_STATE_WITHDRAWN: NodeState
NODE_STATE_REVOKED: NodeState
FEED_LIVENESS_UNSPECIFIED: FeedLiveness
FEED_LIVENESS_ONLINE: FeedLiveness
FEED_LIVENESS_LATE: FeedLiveness
FEED_LIVENESS_STALE: FeedLiveness
FEED_LIVENESS_OFFLINE: FeedLiveness
FEED_LIVENESS_UNKNOWN: FeedLiveness
NODES_ERROR_UNSPECIFIED: NodesError
CENTER_HAS_ENDED: NodesError
NODE_CANNOT_JOIN: NodesError
JOINING_NOT_SET_UP: NodesError
JOIN_TOKEN_UNKNOWN: NodesError
JOIN_TOKEN_USED: NodesError
JOIN_TOKEN_EXPIRED: NodesError
CLOCK_TOO_FAR_OFF: NodesError
PROTOCOL_NOT_SPOKEN: NodesError
PUBLIC_KEY_INVALID: NodesError
PUBLIC_KEY_TAKEN: NodesError
NODE_NOT_SERVED: NodesError
KEY_REPLACED: NodesError
MESSAGE_UNREADABLE: NodesError
JOIN_TOKEN_OF_ANOTHER_NODE: NodesError

class Node(_message.Message):
    __slots__ = ("id", "external_key", "center_id", "name", "state", "state_reason", "state_since", "public_key", "joined_at", "credentials_expire_at", "software_version", "sample", "etag", "allowed_actions", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_SINCE_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    JOINED_AT_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_EXPIRE_AT_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    center_id: str
    name: str
    state: NodeState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    public_key: str
    joined_at: _timestamp_pb2.Timestamp
    credentials_expire_at: _timestamp_pb2.Timestamp
    software_version: str
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., center_id: _Optional[str] = ..., name: _Optional[str] = ..., state: _Optional[_Union[NodeState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., public_key: _Optional[str] = ..., joined_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., credentials_expire_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., software_version: _Optional[str] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetNodeRequest(_message.Message):
    __slots__ = ("node_id",)
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    def __init__(self, node_id: _Optional[str] = ...) -> None: ...

class ListNodesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "center_id", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: NodeState
    center_id: str
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[NodeState, str]] = ..., center_id: _Optional[str] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListNodesResponse(_message.Message):
    __slots__ = ("nodes", "next_page_token")
    NODES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[Node]
    next_page_token: str
    def __init__(self, nodes: _Optional[_Iterable[_Union[Node, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateNodeRequest(_message.Message):
    __slots__ = ("node", "idempotency_key")
    NODE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    node: Node
    idempotency_key: str
    def __init__(self, node: _Optional[_Union[Node, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class NodeStepRequest(_message.Message):
    __slots__ = ("node_id", "reason", "etag", "idempotency_key")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    reason: str
    etag: str
    idempotency_key: str
    def __init__(self, node_id: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListNodeStepsRequest(_message.Message):
    __slots__ = ("node_id", "page_size", "page_token")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    page_size: int
    page_token: str
    def __init__(self, node_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListNodeStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateJoinTokenRequest(_message.Message):
    __slots__ = ("node_id", "valid_seconds", "idempotency_key")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    VALID_SECONDS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    valid_seconds: int
    idempotency_key: str
    def __init__(self, node_id: _Optional[str] = ..., valid_seconds: _Optional[int] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class JoinToken(_message.Message):
    __slots__ = ("token", "node_id", "expires_at", "hub", "authority_fingerprint")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    HUB_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    token: str
    node_id: str
    expires_at: _timestamp_pb2.Timestamp
    hub: str
    authority_fingerprint: str
    def __init__(self, token: _Optional[str] = ..., node_id: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., hub: _Optional[str] = ..., authority_fingerprint: _Optional[str] = ...) -> None: ...

class NodeEvent(_message.Message):
    __slots__ = ("node", "change", "days_left")
    NODE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    DAYS_LEFT_FIELD_NUMBER: _ClassVar[int]
    node: Node
    change: _types_pb2.Change
    days_left: int
    def __init__(self, node: _Optional[_Union[Node, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ..., days_left: _Optional[int] = ...) -> None: ...

class Presence(_message.Message):
    __slots__ = ("id", "node_id", "center_id", "feed", "liveness", "since", "last_received_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    FEED_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    LAST_RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    node_id: str
    center_id: str
    feed: str
    liveness: FeedLiveness
    since: _timestamp_pb2.Timestamp
    last_received_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., node_id: _Optional[str] = ..., center_id: _Optional[str] = ..., feed: _Optional[str] = ..., liveness: _Optional[_Union[FeedLiveness, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PresenceEvent(_message.Message):
    __slots__ = ("presence", "change")
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    presence: Presence
    change: _types_pb2.Change
    def __init__(self, presence: _Optional[_Union[Presence, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...

class NodeVitals(_message.Message):
    __slots__ = ("software_version", "clock_ahead_ms", "queued_reports", "oldest_queued_seconds", "disk_free_bytes", "started_at")
    SOFTWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CLOCK_AHEAD_MS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_REPORTS_FIELD_NUMBER: _ClassVar[int]
    OLDEST_QUEUED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DISK_FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    software_version: str
    clock_ahead_ms: int
    queued_reports: int
    oldest_queued_seconds: int
    disk_free_bytes: int
    started_at: _timestamp_pb2.Timestamp
    def __init__(self, software_version: _Optional[str] = ..., clock_ahead_ms: _Optional[int] = ..., queued_reports: _Optional[int] = ..., oldest_queued_seconds: _Optional[int] = ..., disk_free_bytes: _Optional[int] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FeedState(_message.Message):
    __slots__ = ("feed", "liveness", "since", "last_received_at")
    FEED_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    LAST_RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    feed: str
    liveness: FeedLiveness
    since: _timestamp_pb2.Timestamp
    last_received_at: _timestamp_pb2.Timestamp
    def __init__(self, feed: _Optional[str] = ..., liveness: _Optional[_Union[FeedLiveness, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class NodeHealth(_message.Message):
    __slots__ = ("node_id", "center_id", "as_of", "feeds", "vitals")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    CENTER_ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    FEEDS_FIELD_NUMBER: _ClassVar[int]
    VITALS_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    center_id: str
    as_of: _timestamp_pb2.Timestamp
    feeds: _containers.RepeatedCompositeFieldContainer[FeedState]
    vitals: NodeVitals
    def __init__(self, node_id: _Optional[str] = ..., center_id: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., feeds: _Optional[_Iterable[_Union[FeedState, _Mapping]]] = ..., vitals: _Optional[_Union[NodeVitals, _Mapping]] = ...) -> None: ...

class PresenceDigest(_message.Message):
    __slots__ = ("as_of", "nodes", "complete", "teller", "number")
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    TELLER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    as_of: _timestamp_pb2.Timestamp
    nodes: _containers.RepeatedCompositeFieldContainer[NodeHealth]
    complete: bool
    teller: str
    number: int
    def __init__(self, as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., nodes: _Optional[_Iterable[_Union[NodeHealth, _Mapping]]] = ..., complete: _Optional[bool] = ..., teller: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...
