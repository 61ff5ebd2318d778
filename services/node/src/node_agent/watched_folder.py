"""The watched folder: CSV files that are dropped in are taken, whole or not at all.

A file is finished when its size and time have stood still for a while, so nobody has to
move it in; for longer when its last line has no end, since its writer may only be slow. One
that changes all the same after it was taken is told of. What was taken lies in `done/`; what
was not lies in `refused/`, beside a file `….errors` that names line, field and rule; such a file
is also written when the hub refuses a row later, or the headquarters returns it. When the
agent dies between taking and moving, it finds the file again: each row has a key made of the
content, so none is taken twice.
"""

import asyncio
import hashlib
import itertools
import os
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import structlog

from node_agent.agent import Clock, wall_clock
from node_agent.database import StorageFull
from node_agent.kept import FileReceipt
from node_agent.tables import MAX_FILE, BadFile, LineFault, place_in, read
from node_agent.taking import Taker
from node_agent.words import Refused, sentence
from node_agent.writer import Busy

_log = structlog.get_logger()
_LOOK_SECONDS = 1.0
_STILL_LOOKS = 2
_STILL_LOOKS_UNENDED = 30
_CHANGE_LOOKS = 600
_CHANGED = (
    "The file was written to after it was taken; what was written then was not taken.",
    "پس از برداشتن پرونده باز در آن نوشته شده است؛ آنچه پس از آن نوشته شد برداشته نشد.",
)

_RETURNED = (
    "The headquarters has returned the report: {}",
    "ستاد این گزارش را بازگردانده است: {}",
)
_HEADING = ("line", "field", "rule", "en", "fa")

_Look = tuple[int, int]


class WatchedFolder:
    """One folder under watch."""

    def __init__(
        self,
        folder: Path,
        taker: Taker,
        *,
        look_seconds: float = _LOOK_SECONDS,
        clock: Clock = wall_clock,
    ) -> None:
        self.folder = folder
        self._taker = taker
        self._look_seconds = look_seconds
        self._clock = clock
        self._seen: dict[str, tuple[_Look, int]] = {}
        self._taken: dict[Path, tuple[_Look, int]] = {}

    def make(self) -> None:
        """Make the folder and the two in it."""
        for path in (self.folder, self.folder / "done", self.folder / "refused"):
            path.mkdir(parents=True, exist_ok=True)

    async def run(self) -> None:
        """Look into the folder until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.make)
                await self.look()
            except OSError as error:
                _log.warning("inbox", detail=str(error))
            await asyncio.sleep(self._look_seconds)

    async def look(self) -> None:
        """Look once, and take the files that are finished."""
        found = await asyncio.to_thread(self._files)
        self._seen = {
            name: (look, 1 + times if look == before else 0)
            for name, look in found.items()
            for before, times in [self._seen.get(name, (None, 0))]
        }
        for name, (_, times) in sorted(self._seen.items()):
            if times >= _STILL_LOOKS_UNENDED or (
                times >= _STILL_LOOKS and await asyncio.to_thread(_ends, self.folder / name)
            ):
                await self._take(self.folder / name)
        await asyncio.to_thread(self._look_at_taken)
        await self._tell_what_the_hub_said()

    def _files(self) -> dict[str, _Look]:
        found: dict[str, _Look] = {}
        for path in self.folder.iterdir():
            if path.name.startswith(".") or path.suffix.lower() != ".csv" or path.is_symlink():
                continue
            try:
                state = path.stat()
            except FileNotFoundError:
                continue
            if path.is_file():
                found[path.name] = _look(state)
        return found

    async def _take(self, path: Path) -> None:
        try:
            content, look = await asyncio.to_thread(_content, path)
            reports = read(path.name, content, self._taker.own_center)
            digest = hashlib.sha256(path.name.encode() + b"\0" + content).hexdigest()
            taken = [
                (await self._taker.report(item.report, f"file:{digest}:{index}"), item.lines)
                for index, item in enumerate(reports)
            ]
            target = self._target(path, self.folder / "done")
            await self._taker.came_in_file(target.name, taken)
        except BadFile as bad:
            await asyncio.to_thread(self._refuse, path, bad.faults)
            _log.info("file_refused", file=path.name, faults=len(bad.faults))
        except Refused as refused:
            # No room on the disk: the file stays where it is and is tried again. What of it
            # was kept already is known by its keys.
            _log.warning("file_waits", file=path.name, reason=refused.reason)
        else:
            await asyncio.to_thread(self._move, path, target)
            self._taken[target] = (look, 0)
            _log.info("file_taken", file=path.name, reports=len(reports))

    def _refuse(self, path: Path, faults: list[LineFault]) -> None:
        target = self._target(path, self.folder / "refused")
        lines: list[tuple[str, ...]] = []
        for fault in faults:
            broken = fault.broken
            english = sentence(broken.rule, broken.params, "en")
            persian = sentence(broken.rule, broken.params, "fa")
            lines.append((str(fault.line), broken.path, broken.rule, english, persian))
        # Why comes before what, so that a file never lies there without its reasons.
        self._tell(target.name, lines)
        path.replace(target)

    def _tell(self, name: str, lines: list[tuple[str, ...]]) -> None:
        whole = [_HEADING, *lines]
        text = "".join("\t".join(line) + "\n" for line in whole)
        (self.folder / "refused" / f"{name}.errors").write_text(text, "utf-8")

    async def _tell_what_the_hub_said(self) -> None:
        """Write beside the file what the hub has refused of it, and the headquarters returned."""
        try:
            said = await self._taker.untold()
            if said:
                await asyncio.to_thread(self._tell_more, said)
                await self._taker.told(said)
        except (StorageFull, Busy) as error:
            _log.warning("inbox", detail=str(error))

    def _tell_more(self, said: Sequence[FileReceipt]) -> None:
        for file, items in itertools.groupby(said, key=lambda item: item.file):
            path = self.folder / "refused" / f"{file}.errors"
            known = set(path.read_text("utf-8").splitlines()) if path.exists() else set[str]()
            lines = [line for item in items for line in _lines_of(item)]
            # The agent may have died between writing this and noting that it was written.
            fresh = [line for line in lines if "\t".join(line) not in known]
            with path.open("a", encoding="utf-8") as told:
                for line in ([] if known else [_HEADING]) + fresh:
                    told.write("\t".join(line) + "\n")
            _log.info("hub_refused_of_file", file=file, lines=len(fresh))

    def _look_at_taken(self) -> None:
        """Tell of files that were written to after they were taken, for some minutes."""
        for path, (look, times) in list(self._taken.items()):
            try:
                changed = _look(path.stat()) != look
            except FileNotFoundError:
                del self._taken[path]
                continue
            if changed:
                self._tell(path.name, [("1", "", "FILE_CHANGED", *_CHANGED)])
                _log.warning("file_changed", file=path.name)
            if changed or times >= _CHANGE_LOOKS:
                del self._taken[path]
            else:
                self._taken[path] = (look, times + 1)

    @staticmethod
    def _move(path: Path, target: Path) -> None:
        path.replace(target)

    def _target(self, path: Path, folder: Path) -> Path:
        stamp = self._clock().astimezone(UTC).strftime("%Y%m%dT%H%M%S")
        target = folder / f"{stamp}-{path.name}"
        count = 1
        while target.exists():
            count += 1
            target = folder / f"{stamp}-{count}-{path.name}"
        return target


def _lines_of(item: FileReceipt) -> list[tuple[str, ...]]:
    receipt = item.receipt
    if receipt.decision:
        words = (sentence.format(_one_line(receipt.comment)) for sentence in _RETURNED)
        return [(str(item.lines[0]), "", "RETURNED", *words)]
    found: list[tuple[str, ...]] = []
    for refusal in receipt.refusals:
        line, column = place_in(item.lines, refusal.field)
        words = (_one_line(refusal.en), _one_line(refusal.fa))
        found.append((str(line), _one_line(column), refusal.reason, *words))
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _look(state: os.stat_result) -> _Look:
    return state.st_size, state.st_mtime_ns


def _content(path: Path) -> tuple[bytes, _Look]:
    """Read a file, and say how it was before it was read."""
    with path.open("rb") as file:
        look = _look(os.fstat(file.fileno()))
        return file.read(MAX_FILE + 1), look


def _ends(path: Path) -> bool:
    """Whether the last line has an end; an empty file has none."""
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) in (b"\n", b"\r")
    except OSError:
        return False
