"""No revision takes anything from the version of the code before it."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

import pytest

from hubkit.backup.restoring import revisions_of
from tests.support.backups import NAMES
from tests.support.revisions import complaints, written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cluster import Infra

FIRST = [
    "CREATE TABLE kept (id int PRIMARY KEY, name text NOT NULL DEFAULT '', at date, n int)",
    "ALTER TABLE kept ADD CONSTRAINT kept_n CHECK (n > 0), ADD CONSTRAINT kept_name UNIQUE (name)",
    "CREATE TABLE aside (id int PRIMARY KEY)",
    "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER looked BEFORE INSERT ON kept FOR EACH ROW EXECUTE FUNCTION look()",
]
HARMLESS = [
    "CREATE TABLE more (id int PRIMARY KEY, name text NOT NULL UNIQUE, CHECK (id > 0))",
    "ALTER TABLE kept ADD COLUMN more text, ADD COLUMN most text NOT NULL DEFAULT ''",
    "ALTER TABLE kept ADD COLUMN twice int GENERATED ALWAYS AS (n * 2) STORED",
    "ALTER TABLE kept DROP CONSTRAINT kept_n",
    "CREATE INDEX ON kept (at)",
    "DROP TRIGGER looked ON kept",
]
TAKEN = {
    "DROP TABLE aside": "table aside",
    "ALTER TABLE aside RENAME TO beside": "table aside",
    "ALTER TABLE kept DROP COLUMN at": "column kept.at",
    "ALTER TABLE kept RENAME COLUMN at TO day": "column kept.at",
}
NARROWER = {
    "ALTER TABLE kept ALTER COLUMN at SET NOT NULL": "column kept.at",
    "ALTER TABLE kept ALTER COLUMN name DROP NOT NULL": "column kept.name",
    "ALTER TABLE kept ALTER COLUMN name DROP DEFAULT": "column kept.name",
    "ALTER TABLE kept ALTER COLUMN n TYPE smallint": "column kept.n",
    "ALTER TABLE kept ADD COLUMN more text NOT NULL": "column kept.more",
    "ALTER TABLE kept ADD CONSTRAINT day CHECK (at > '2000-01-01')": "check kept.day",
    "ALTER TABLE kept DROP CONSTRAINT kept_name": "unique kept.kept_name",
    "CREATE UNIQUE INDEX days ON kept (at)": "unique kept.days",
    "ALTER TABLE kept ADD CONSTRAINT other FOREIGN KEY (n) REFERENCES aside": (
        "reference kept.other"
    ),
    "CREATE TRIGGER again BEFORE UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION look()": (
        "trigger kept.again"
    ),
    "CREATE OR REPLACE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN RETURN NULL; END'": "function public.look",
}


async def complained(infra: Infra, revisions: Path, release: str = "0.3.0") -> list[str]:
    url = await infra.fresh_database("centers")
    try:
        return await complaints(url, revisions, release)
    finally:
        await infra.drop_database(url)


@pytest.mark.parametrize("service", NAMES)
async def test_every_revision_leaves_the_version_before_what_it_uses(
    infra: Infra, service: str
) -> None:
    release = importlib.metadata.version(f"peyvand-{service}")
    assert await complained(infra, revisions_of(service), release) == []


async def test_what_adds_is_nobodys_trouble(infra: Infra, tmp_path: Path) -> None:
    assert await complained(infra, written(tmp_path, FIRST, HARMLESS)) == []


@pytest.mark.parametrize("statement", [*TAKEN, *NARROWER])
async def test_what_takes_is_found_and_has_to_be_said(
    infra: Infra, tmp_path: Path, statement: str
) -> None:
    name = (TAKEN | NARROWER)[statement]
    (found,) = await complained(infra, written(tmp_path / "silent", FIRST, [statement]))
    assert found.startswith(f"0002: {name} ")
    said = f"drops = {{{name!r}: '0.2.0'}}"
    if statement in NARROWER:
        said = f"tightens = {{{name!r}: 'no version writes that'}}"
    told = written(tmp_path / "told", FIRST, [statement], last_says=said)
    assert await complained(infra, told) == []


@pytest.mark.parametrize(
    ("statement", "said", "told"),
    [
        ("SELECT 1", "drops = {'table kept': '0.1.0'}", "is said to be taken, and is not"),
        ("SELECT 1", "tightens = {'column kept.n': 'no reason'}", "is said to be taken"),
        ("DROP TABLE aside", "drops = {'table aside': '0.3.0'}", "no earlier release than 0.3.0"),
        (
            "CREATE UNIQUE INDEX days ON kept (at)",
            "tightens = {'unique kept.days': 'why'}",
            "without a reason",
        ),
    ],
)
async def test_what_is_said_has_to_be_so(
    infra: Infra, tmp_path: Path, statement: str, said: str, told: str
) -> None:
    found = await complained(infra, written(tmp_path, FIRST, [statement], last_says=said))
    assert any(told in complaint for complaint in found), found
