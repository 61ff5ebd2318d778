"""The plain data that `dossier.typ` sets as tables and notes."""

from collections.abc import Sequence
from typing import Any

from gateway.dossier.teller import Cell

Json = dict[str, Any]


def table(title: str, head: list[str], rows: Sequence[Sequence[Cell]], widths: str) -> Json:
    """A table; nothing where it has no row. `widths` are tracks of the setter, in words."""
    if not rows:
        return {}
    return {"kind": "table", "title": title, "head": head, "rows": rows, "widths": widths.split()}


def note(text: str) -> Json:
    """A line that is said beside what is shown."""
    return {"kind": "note", "text": text}


def lines(*texts: str) -> str:
    """Texts one below the other, without those that say nothing."""
    return "\n".join(filter(None, texts))
