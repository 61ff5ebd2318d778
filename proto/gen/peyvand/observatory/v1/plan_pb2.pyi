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

class StatementKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATEMENT_KIND_UNSPECIFIED: _ClassVar[StatementKind]
    STATEMENT_KIND_GOAL: _ClassVar[StatementKind]
    STATEMENT_KIND_POLICY: _ClassVar[StatementKind]
    STATEMENT_KIND_AIM: _ClassVar[StatementKind]
    STATEMENT_KIND_FINDING: _ClassVar[StatementKind]

class ActionItemState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_ITEM_STATE_UNSPECIFIED: _ClassVar[ActionItemState]
    ACTION_ITEM_STATE_OPEN: _ClassVar[ActionItemState]
    ACTION_ITEM_STATE_DONE: _ClassVar[ActionItemState]
    ACTION_ITEM_STATE_DROPPED: _ClassVar[ActionItemState]
STATEMENT_KIND_UNSPECIFIED: StatementKind
STATEMENT_KIND_GOAL: StatementKind
STATEMENT_KIND_POLICY: StatementKind
STATEMENT_KIND_AIM: StatementKind
STATEMENT_KIND_FINDING: StatementKind
ACTION_ITEM_STATE_UNSPECIFIED: ActionItemState
ACTION_ITEM_STATE_OPEN: ActionItemState
ACTION_ITEM_STATE_DONE: ActionItemState
ACTION_ITEM_STATE_DROPPED: ActionItemState

class PlanStatement(_message.Message):
    __slots__ = ("kind", "number", "text", "attributed_to", "citations")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTED_TO_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    kind: StatementKind
    number: str
    text: _types_pb2.LocalizedText
    attributed_to: _types_pb2.LocalizedText
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    def __init__(self, kind: _Optional[_Union[StatementKind, str]] = ..., number: _Optional[str] = ..., text: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., attributed_to: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ...) -> None: ...

class Plan(_message.Message):
    __slots__ = ("id", "external_key", "code", "titles", "statements", "note", "citations", "sample", "etag", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    STATEMENTS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_key: str
    code: str
    titles: _types_pb2.LocalizedText
    statements: _containers.RepeatedCompositeFieldContainer[PlanStatement]
    note: _types_pb2.LocalizedText
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., code: _Optional[str] = ..., titles: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., statements: _Optional[_Iterable[_Union[PlanStatement, _Mapping]]] = ..., note: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetPlanRequest(_message.Message):
    __slots__ = ("plan_id",)
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    def __init__(self, plan_id: _Optional[str] = ...) -> None: ...

class ListPlansRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListPlansResponse(_message.Message):
    __slots__ = ("plans", "next_page_token")
    PLANS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    plans: _containers.RepeatedCompositeFieldContainer[Plan]
    next_page_token: str
    def __init__(self, plans: _Optional[_Iterable[_Union[Plan, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreatePlanRequest(_message.Message):
    __slots__ = ("plan", "idempotency_key")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    plan: Plan
    idempotency_key: str
    def __init__(self, plan: _Optional[_Union[Plan, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdatePlanRequest(_message.Message):
    __slots__ = ("plan_id", "plan", "update_mask", "etag")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    plan: Plan
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, plan_id: _Optional[str] = ..., plan: _Optional[_Union[Plan, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class PlanRow(_message.Message):
    __slots__ = ("plan", "reason", "references")
    class ReferencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PLAN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    plan: Plan
    reason: str
    references: _containers.ScalarMap[str, str]
    def __init__(self, plan: _Optional[_Union[Plan, _Mapping]] = ..., reason: _Optional[str] = ..., references: _Optional[_Mapping[str, str]] = ...) -> None: ...

class PlanEvent(_message.Message):
    __slots__ = ("plan", "change")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    plan: Plan
    change: _types_pb2.Change
    def __init__(self, plan: _Optional[_Union[Plan, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...

class ActionItem(_message.Message):
    __slots__ = ("id", "external_key", "text", "owner", "due_date", "due_text", "plan_id", "state", "state_reason", "state_since", "citations", "sample", "etag", "allowed_actions", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DUE_DATE_FIELD_NUMBER: _ClassVar[int]
    DUE_TEXT_FIELD_NUMBER: _ClassVar[int]
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
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
    text: _types_pb2.LocalizedText
    owner: _types_pb2.LocalizedText
    due_date: _types_pb2.ImpreciseDate
    due_text: _types_pb2.LocalizedText
    plan_id: str
    state: ActionItemState
    state_reason: str
    state_since: _timestamp_pb2.Timestamp
    citations: _containers.RepeatedCompositeFieldContainer[_types_pb2.Citation]
    sample: bool
    etag: str
    allowed_actions: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., external_key: _Optional[str] = ..., text: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., owner: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., due_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., due_text: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ..., plan_id: _Optional[str] = ..., state: _Optional[_Union[ActionItemState, str]] = ..., state_reason: _Optional[str] = ..., state_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[_types_pb2.Citation, _Mapping]]] = ..., sample: _Optional[bool] = ..., etag: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetActionItemRequest(_message.Message):
    __slots__ = ("action_item_id",)
    ACTION_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    action_item_id: str
    def __init__(self, action_item_id: _Optional[str] = ...) -> None: ...

class ListActionItemsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "plan_id", "external_key", "updated_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: ActionItemState
    plan_id: str
    external_key: str
    updated_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[ActionItemState, str]] = ..., plan_id: _Optional[str] = ..., external_key: _Optional[str] = ..., updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListActionItemsResponse(_message.Message):
    __slots__ = ("action_items", "next_page_token")
    ACTION_ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    action_items: _containers.RepeatedCompositeFieldContainer[ActionItem]
    next_page_token: str
    def __init__(self, action_items: _Optional[_Iterable[_Union[ActionItem, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateActionItemRequest(_message.Message):
    __slots__ = ("action_item", "idempotency_key")
    ACTION_ITEM_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    action_item: ActionItem
    idempotency_key: str
    def __init__(self, action_item: _Optional[_Union[ActionItem, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class UpdateActionItemRequest(_message.Message):
    __slots__ = ("action_item_id", "action_item", "update_mask", "etag")
    ACTION_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_ITEM_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    action_item_id: str
    action_item: ActionItem
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, action_item_id: _Optional[str] = ..., action_item: _Optional[_Union[ActionItem, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class ActionItemStepRequest(_message.Message):
    __slots__ = ("action_item_id", "reason", "effective_date", "etag", "idempotency_key")
    ACTION_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    action_item_id: str
    reason: str
    effective_date: _types_pb2.ImpreciseDate
    etag: str
    idempotency_key: str
    def __init__(self, action_item_id: _Optional[str] = ..., reason: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.ImpreciseDate, _Mapping]] = ..., etag: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListActionItemStepsRequest(_message.Message):
    __slots__ = ("action_item_id", "page_size", "page_token")
    ACTION_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    action_item_id: str
    page_size: int
    page_token: str
    def __init__(self, action_item_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListActionItemStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ActionItemRow(_message.Message):
    __slots__ = ("action_item", "reason", "references")
    class ReferencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACTION_ITEM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    action_item: ActionItem
    reason: str
    references: _containers.ScalarMap[str, str]
    def __init__(self, action_item: _Optional[_Union[ActionItem, _Mapping]] = ..., reason: _Optional[str] = ..., references: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ActionItemEvent(_message.Message):
    __slots__ = ("action_item", "change")
    ACTION_ITEM_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    action_item: ActionItem
    change: _types_pb2.Change
    def __init__(self, action_item: _Optional[_Union[ActionItem, _Mapping]] = ..., change: _Optional[_Union[_types_pb2.Change, _Mapping]] = ...) -> None: ...
