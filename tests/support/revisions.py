"""Revisions of a schema: ones made for a test, and what one takes from the version before it.

A version of the code works with a schema that is one revision ahead, because both run side by
side during an upgrade, and because the code is rolled back without its database. What tables,
columns, constraints and triggers there are before and after is read from PostgreSQL, however
the revision has made them.

A revision that takes something all the same says so, in its own file:

    tightens = {"check alert.ck_alert_kind": "it allows one kind more"}
    drops = {"column center.old_name": "0.2.0"}

the first with the reason why the version before is not hindered, the second with the release
that was the first to do without; it has to be an earlier one than that of the revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from servicekit import migrations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ENVIRONMENT = """
import sqlalchemy as sa
from servicekit.migrations import run_environment
run_environment(sa.MetaData())
"""
REVISION = """
from alembic import op
revision = "{number:04d}"
down_revision = {before!r}
branch_labels = depends_on = None
{more}
def upgrade():
    for statement in {statements!r}:
        op.execute(statement)
"""

# Each row: a kind, what it is of, and how it is.
_COLUMNS = """
SELECT 'column', c.relname || '.' || a.attname,
    format_type(a.atttypid, a.atttypmod), a.attnotnull,
    a.atthasdef OR a.attidentity <> ''
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'alembic_version'
"""
_RULES = """
SELECT CASE contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'reference' ELSE 'unique' END,
    conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'u', 'p', 'x')
UNION ALL
SELECT 'unique', i.indrelid::regclass || '.' || i.indexrelid::regclass, pg_get_indexdef(indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
UNION ALL
SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid)
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', 'public.' || proname, prosrc
FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


@dataclass(frozen=True)
class Column:
    """How a column is: its type, whether it must have a value, whether it gets one by itself."""

    type: str
    required: bool
    filled: bool


@dataclass(frozen=True)
class Schema:
    """What a version of the code meets: columns and rules, by ``kind table.name``."""

    columns: Mapping[str, Column]
    rules: Mapping[str, str]

    @property
    def tables(self) -> set[str]:
        """The tables that there are."""
        return {name.split()[1].partition(".")[0] for name in self.columns}


def written(folder: Path, *revisions: Sequence[str], last_says: str = "") -> Path:
    """A folder of revisions, each with its statements; the last says more of itself."""
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENVIRONMENT)
    for number, statements in enumerate(revisions, 1):
        before = f"{number - 1:04d}" if number > 1 else None
        more = last_says if number == len(revisions) else ""
        text = REVISION.format(number=number, before=before, statements=[*statements], more=more)
        (folder / "versions" / f"{number:04d}_it.py").write_text(text)
    return folder


def taken(before: Schema, after: Schema) -> tuple[set[str], set[str]]:
    """What is gone, and what is narrower, for who knows only the schema of before."""
    gone = {f"table {name}" for name in before.tables - after.tables}
    narrower: set[str] = set()
    for name, column in before.columns.items():
        now = after.columns.get(name)
        if now is None:
            if _table(name) in after.tables:
                gone.add(name)
        elif now.type != column.type or now.required != column.required:
            # One that may be empty now is read by who has never seen it so.
            narrower.add(name)
        elif column.filled and column.required and not now.filled:
            narrower.add(name)
    for name, column in after.columns.items():
        is_new = name not in before.columns and _table(name) in before.tables
        if is_new and column.required and not column.filled:
            narrower.add(name)
    for name, rule in after.rules.items():
        is_known = _table(name) in before.tables or name in before.rules
        if is_known and before.rules.get(name) != rule:
            narrower.add(name)
    # An insert that says ON CONFLICT names what is unique.
    narrower |= {
        name
        for name in before.rules.keys() - after.rules.keys()
        if name.startswith("unique ") and _table(name) in after.tables
    }
    return gone, narrower


async def complaints(url: str, directory: Path, release: str) -> list[str]:
    """What the revisions take from the version before each, without saying so or wrongly.

    Args:
        url: an empty database.
        directory: the revisions.
        release: the one that the newest revision is to come with.
    """
    found: list[str] = []
    scripts = ScriptDirectory(str(directory))
    engine = create_async_engine(url)
    try:
        before = Schema({}, {})
        for revision in migrations.revisions(directory):
            async with engine.begin() as connection:
                await migrations.bring_to(connection, directory, revision)
                after = await _schema(connection)
            script = scripts.get_revision(revision)
            assert script is not None
            drops: Mapping[str, str] = getattr(script.module, "drops", {})
            tightens: Mapping[str, str] = getattr(script.module, "tightens", {})
            gone, narrower = taken(before, after)
            found += [
                f"{revision}: {it}" for it in _unsaid(gone, narrower, drops, tightens, release)
            ]
            before = after
    finally:
        await engine.dispose()
    return found


def _unsaid(
    gone: set[str],
    narrower: set[str],
    drops: Mapping[str, str],
    tightens: Mapping[str, str],
    release: str,
) -> Iterator[str]:
    for name in sorted(gone - drops.keys()):
        yield f"{name} is gone, which the version before uses"
    for name in sorted(narrower - tightens.keys()):
        yield f"{name} may refuse what the version before writes, or give it what it never read"
    for name in sorted((drops.keys() - gone) | (tightens.keys() - narrower)):
        yield f"{name} is said to be taken, and is not"
    for name, since in drops.items():
        if _number(since) >= _number(release):
            yield f"{name} was used until {since}, which is no earlier release than {release}"
    for name, reason in tightens.items():
        if len(reason.split()) < 3:
            yield f"{name} is narrower without a reason"


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def _table(name: str) -> str:
    return name.split()[1].partition(".")[0]


async def _schema(connection: AsyncConnection) -> Schema:
    columns = {
        f"{kind} {name}": Column(kept, required, filled)
        for kind, name, kept, required, filled in await connection.execute(sa.text(_COLUMNS))
    }
    rules = {
        f"{kind} {name}": rule
        for kind, name, rule in await connection.execute(sa.text(_RULES))
        if "alembic_version" not in name
    }
    return Schema(columns, rules)
