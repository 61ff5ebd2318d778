"""Rows of a file that point to other resources by external key instead of by id.

A row keeps such keys in `references`, by the path of the id field within its resource:
``{"participants[0].center_id": "center-tabriz"}``. They are followed before the row is
checked, so that to everything after it the row is as if it had come with ids.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from servicekit.contract import contract, field_rules, resource_spec
from servicekit.database import ReadSession
from servicekit.errors import Fault, Violation
from servicekit.ids import new_id
from servicekit.validation import violations

Row = TypeVar("Row", bound=Message)

# Gives the id of the resource with an external key, or `None`.
FindByKey = Callable[[ReadSession, str], Awaitable[str | None]]

_PATH = re.compile(r"([a-z0-9_]+)(?:\[(\d{1,4})\])?")


class References:
    """Follows the references of the rows of one import.

    `finders` find resources by kind (``center``). `pending` names what other parts of
    the same file will have made by then, ``center:center-tabriz``: in a rehearsal it
    counts as there, under an id made up for the purpose if it has none yet; `assumed`
    are these ids, of which nothing is known of how they will be.
    `reasons` are the errors for what is not found, by kind, ``UNKNOWN_REFERENCE``
    where nothing else is said.
    """

    def __init__(
        self,
        finders: Mapping[str, FindByKey],
        *,
        pending: Iterable[str] = (),
        reasons: Mapping[str, str] | None = None,
    ) -> None:
        self._finders = finders
        self._pending = frozenset(pending)
        self._reasons = reasons or {}
        self._assumed: dict[str, str] = {}

    def is_assumed(self, id: str) -> bool:
        """Tell whether an id is that of something pending."""
        return id in self._assumed.values()

    @property
    def assumed(self) -> frozenset[str]:
        """Ids of what is pending, as far as rows have referred to it."""
        return frozenset(self._assumed.values())

    async def follow(self, session: ReadSession, row: Row, resource: str) -> Row:
        """A copy of the row with ids in place of keys, checked against the contract.

        `resource` names the row's field that holds its resource. Raises `Fault` with all
        rules that are broken, their fields relative to the resource.
        """
        followed = type(row)()
        followed.CopyFrom(row)
        references: Any = followed
        found: list[Violation] = []
        for path, key in references.references.items():
            fault = await self._place(session, getattr(followed, resource), path, key)
            if fault:
                found.append(fault)
        broken = {item.field for item in found}
        for item in violations(followed):
            field = item.field.removeprefix(f"{resource}.")
            if field not in broken:
                found.append(Violation(field, item.reason, item.params))
        if found:
            raise Fault.invalid(*found)
        return followed

    async def _place(
        self, session: ReadSession, message: Message, path: str, key: str
    ) -> Violation | None:
        target = _target(message, path)
        if target is None:
            return Violation(path, "UNKNOWN_FIELD")
        owner, field, index = target
        prefix = field_rules(field).id_prefix
        id = await self._id(session, prefix, key)
        if id is None:
            kind = _kinds()[prefix]
            params = {"resource": kind, "value": key}
            return Violation(path, self._reasons.get(kind, "UNKNOWN_REFERENCE"), params)
        if index is None:
            setattr(owner, field.name, id)
        else:
            getattr(owner, field.name)[index] = id
        return None

    async def _id(self, session: ReadSession, prefix: str, key: str) -> str | None:
        kind, name = _kinds()[prefix], f"{_kinds()[prefix]}:{key}"
        if "\x00" in key:
            return None
        if name in self._assumed:
            return self._assumed[name]
        id = await self._finders[kind](session, key) if kind in self._finders else None
        if name in self._pending:
            # Also one that is known already: it will be as its own row says, not as it is.
            id = self._assumed[name] = id or new_id(prefix)
        return id


def _target(message: Any, path: str) -> tuple[Any, FieldDescriptor, int | None] | None:
    """The field of an id that a path leads to: its owner, itself, and its place in a list.

    An item stands in its list as an empty text, so that the others keep their places.
    """
    *way, last = path.split(".")
    for name in way:
        step = _step(message, name)
        if step is None or step[0].message_type is None:
            return None
        field, index = step
        value = getattr(message, field.name)
        message = value if index is None else value[index]
    step = _step(message, last)
    if step is None or not field_rules(step[0]).id_prefix:
        return None
    return message, *step


def _step(message: Any, name: str) -> tuple[FieldDescriptor, int | None] | None:
    match = _PATH.fullmatch(name)
    field = message.DESCRIPTOR.fields_by_name.get(match[1]) if match else None
    if match is None or field is None or field.is_repeated != (match[2] is not None):
        return None
    if match[2] is None:
        return field, None
    index = int(match[2])
    return (field, index) if index < len(getattr(message, field.name)) else None


def _kinds() -> dict[str, str]:
    """Kinds of resources by the prefix of their ids."""
    if not _KINDS:
        for message in contract().messages():
            if spec := resource_spec(message):
                _KINDS[spec.id_prefix] = spec.aggregate
    return _KINDS


_KINDS: dict[str, str] = {}
