"""What is told of an import: how many rows, and what became of them."""

from collections.abc import Sequence

from gateway.imports.faults import MAX_FAULTS, RowFault
from gateway.imports.rows import FileRow, RowFile
from peyvand.api.v1 import imports_pb2 as pb
from peyvand.api.v1 import types_pb2
from servicekit.contract import enum_names

# Bytes of one import: less than the broker takes in a message.
_MAX_SIZE = 700_000
_MAX_TEXT = 500
_OUTCOMES = {
    number: name for number, name in enum_names(types_pb2.RowAction.DESCRIPTOR).items() if number
}


def new_progress(file: RowFile) -> pb.Import:
    """Make the report of an import before its first row."""
    progress = pb.Import(rows=len(file.rows))
    counts: dict[str, int] = {}
    for row in file.rows:
        counts[row.section.name] = counts.get(row.section.name, 0) + 1
    for name, number in counts.items():
        progress.sections.add(name=name, rows=number)
    return progress


def count(
    progress: pb.Import, rows: Sequence[FileRow], results: Sequence[types_pb2.RowResult]
) -> None:
    """Count what became of rows."""
    parts = {section.name: section for section in progress.sections}
    for row, result in zip(rows, results, strict=False):
        part = parts[row.section.name]
        outcome = _OUTCOMES[result.action]
        setattr(part, outcome, getattr(part, outcome) + 1)
        part.done += 1
        progress.done += 1


def refusals(row: FileRow, result: types_pb2.RowResult) -> list[RowFault]:
    """The rules for which a row was refused."""
    if result.action != types_pb2.ROW_ACTION_REFUSED:
        return []
    return [row.fault(item.field, item.reason, dict(item.params)) for item in result.violations]


def add_refusal(progress: pb.Import, fault: RowFault) -> None:
    """Name a broken rule in the report, if there is room for it."""
    if len(progress.refusals) >= MAX_FAULTS or progress.ByteSize() > _MAX_SIZE:
        return
    progress.refusals.add(
        section=fault.section,
        line=fault.line,
        external_key=fault.external_key[:_MAX_TEXT],
        field=fault.field[:_MAX_TEXT],
        rule=fault.rule,
        params={name: value[:_MAX_TEXT] for name, value in fault.params.items()},
    )
