"""The kinds of rows that a file can have, read off the contract.

Each service takes the rows of its kinds by one rpc, which the contract names
``Import…``, and checks them by another, ``Rehearse…``; a new kind of resource needs no
change here.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from servicekit.contract import Rpc, contract, resource_spec

# Who is referred to comes before who refers: centers before their projects. The plan
# stands for itself, and the sources that all others cite are with it.
SERVICE_ORDER = ("observatory", "centers", "partners", "projects")

# Output-only facts of a resource that a row states, because a file says how the
# resource should end up and not by which calls.
_STATED: Mapping[str, frozenset[str]] = {
    "agreement": frozenset({"state", "signatures", "ratifications"}),
    "observation": frozenset({"indicator_id"}),
}
_STATED_BY_DEFAULT = frozenset({"state"})
# A project comes in as active; decisions are made here and not imported.
_NOTHING_STATED = frozenset({"project"})


@dataclass(frozen=True)
class Section:
    """One kind of rows. `member` is the field of the row that says the kind, if any."""

    name: str
    aggregate: str
    rpc: Rpc
    row: Descriptor
    member: str | None
    resource_field: str
    resource: Descriptor

    @property
    def rehearsal(self) -> Rpc:
        """The rpc that checks rows and tells how far it is."""
        return contract().rpcs[self.rpc.path.replace("/Import", "/Rehearse")]

    @property
    def stated(self) -> frozenset[str]:
        """Names of the output-only fields that a row may state."""
        if self.aggregate in _NOTHING_STATED:
            return frozenset()
        return _STATED.get(self.aggregate, _STATED_BY_DEFAULT)

    @property
    def takes_references(self) -> bool:
        """Tell whether rows can refer to others by external key."""
        return "references" in self.row.fields_by_name

    def empty_row(self) -> Any:
        """Make a row with nothing in it but its resource."""
        row: Any = message_factory.GetMessageClass(self.row)()
        getattr(row, self.resource_field).SetInParent()
        return row

    def add_to(self, request: Any, row: Message) -> None:
        """Add a row to a request of the rpc."""
        target = request.rows.add()
        (getattr(target, self.member) if self.member else target).CopyFrom(row)

    def field_within_row(self, path: str) -> str:
        """Path within the resource of a path that begins at the row."""
        for name in (self.member, self.resource_field):
            if name and (path == name or path.startswith((f"{name}.", f"{name}["))):
                path = path[len(name) :].removeprefix(".")
        return path


@functools.cache
def sections() -> dict[str, Section]:
    """All kinds by the name that a file gives them, in the order in which they are applied."""
    rpcs = [rpc for rpc in contract().rpcs.values() if _is_import(rpc)]
    rpcs.sort(key=lambda rpc: SERVICE_ORDER.index(rpc.service))
    return {section.name: section for rpc in rpcs for section in _sections(rpc)}


def _is_import(rpc: Rpc) -> bool:
    rows = rpc.descriptor.input_type.fields_by_name.get("rows")
    return rpc.http is None and rpc.descriptor.name.startswith("Import") and rows is not None


def _sections(rpc: Rpc) -> Iterator[Section]:
    wrapper = rpc.descriptor.input_type.fields_by_name["rows"].message_type
    assert wrapper is not None
    if not wrapper.oneofs:
        yield _section(rpc, wrapper, None)
        return
    for field in wrapper.oneofs[0].fields:
        assert field.message_type is not None
        yield _section(rpc, field.message_type, field.name)


def _section(rpc: Rpc, row: Descriptor, member: str | None) -> Section:
    field = _resource_field(row)
    resource = field.message_type
    assert resource is not None
    spec = resource_spec(resource)
    assert spec is not None
    return Section(
        name=spec.plural.replace("-", "_"),
        aggregate=spec.aggregate,
        rpc=rpc,
        row=row,
        member=member,
        resource_field=field.name,
        resource=resource,
    )


def _resource_field(row: Descriptor) -> FieldDescriptor:
    for field in row.fields:
        if field.message_type is not None and resource_spec(field.message_type) is not None:
            return field
    raise TypeError(f"{row.full_name} holds no resource")
