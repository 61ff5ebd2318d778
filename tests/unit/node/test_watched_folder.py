"""Files that are dropped into the folder."""

import re
from pathlib import Path

import pytest

from node_agent.home import Home
from node_agent.tables import MAX_FILE, BadFile, read
from node_agent.watched_folder import WatchedFolder
from node_agent.words import sentence
from peyvand.node.v1 import protocol_pb2 as pb
from tests.unit.node.conftest import CENTER, Bench

CAPACITY = """observed_at,kind,total,used
2026-11-22T10:00:00Z,gmp_suite,4,3
2026-11-22T10:00:00Z,cryostorage,100,۲۰
2026-11-22T11:00:00Z,gmp_suite,4,4
"""
PERIOD = """period;trainees;articles;submit
1405-07;25;;true
۱۴۰۵-۰۸;12;0;
"""


@pytest.fixture
def folder(bench: Bench, tmp_path: Path) -> WatchedFolder:
    found = WatchedFolder(tmp_path / "inbox", bench.taker)
    found.make()
    return found


async def look_until_finished(folder: WatchedFolder) -> None:
    for _ in range(3):
        await folder.look()


def drop(folder: WatchedFolder, name: str, text: str) -> Path:
    path = folder.folder / name
    path.write_text(text, "utf-8")
    return path


def names(folder: WatchedFolder, within: str) -> list[str]:
    return sorted(path.name.partition("-")[2] for path in (folder.folder / within).iterdir())


async def test_a_file_of_snapshots_is_taken_by_time(folder: WatchedFolder, bench: Bench) -> None:
    drop(folder, "capacity.csv", CAPACITY)
    await look_until_finished(folder)
    assert names(folder, "done") == ["capacity.csv"]
    reports = bench.store.offer(0, 10, 10**6).reports
    assert [len(report.capacity.items) for report in reports] == [2, 1]
    assert reports[0].capacity.items[1].used == 20


async def test_a_file_of_months_is_taken_by_row(folder: WatchedFolder, bench: Bench) -> None:
    drop(folder, "period-1405.csv", "\ufeff" + PERIOD)
    await look_until_finished(folder)
    deliveries = [r.period_report for r in bench.store.offer(0, 10, 10**6).reports]
    assert [d.period_report.period for d in deliveries] == ["1405-07", "1405-08"]
    assert [d.submit for d in deliveries] == [True, False]
    first, second = (d.period_report.figures for d in deliveries)
    assert not first.HasField("articles")  # an empty cell is unknown
    assert second.HasField("articles")  # zero is a figure


async def test_a_file_with_a_fault_is_refused_whole_with_line_and_field(
    folder: WatchedFolder, bench: Bench
) -> None:
    drop(folder, "capacity.csv", CAPACITY + "2026-11-22T12:00:00Z,gmp_suite,4,5\nx,kitchen,y,0\n")
    await look_until_finished(folder)
    assert bench.store.standing().newest == 0
    assert names(folder, "refused") == ["capacity.csv", "capacity.csv.errors"]
    (errors,) = (folder.folder / "refused").glob("*.errors")
    rows = [line.split("\t") for line in errors.read_text("utf-8").splitlines()[1:]]
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("5", "used", "USED_OVER_TOTAL"),
        ("6", "observed_at", "WRONG_FORMAT"),
        ("6", "kind", "UNKNOWN_VALUE"),
        ("6", "total", "WRONG_TYPE"),
    ]
    assert all(row[3] and row[4] for row in rows)


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("other.csv", CAPACITY, (1, "", "UNKNOWN_FILE")),
        ("capacity.csv", "", (1, "", "FILE_UNREADABLE")),
        ("capacity.csv", "observed_at,kind,total,used\n", (1, "", "FILE_UNREADABLE")),
        ("capacity.csv", "observed_at,kind,color\n", (1, "color", "UNKNOWN_FIELD")),
        ("capacity.csv", "observed_at,kind,kind\n", (1, "kind", "DUPLICATE")),
        ("capacity.csv", CAPACITY + "1,2\n", (5, "", "WRONG_COLUMNS")),
        ("period.csv", "period,articles,submit\n1405-07,1,maybe\n", (2, "submit", "WRONG_TYPE")),
        ("period.csv", "period,articles\n1405-07,\n", (2, "figures", "FIGURES_MISSING")),
        (
            "period.csv",
            "period,external_key,articles\n1405-07,0499370899,1\n",
            (2, "external_key", "PERSONAL_DATA"),
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_named(
    name: str, text: str, fault: tuple[int, str, str]
) -> None:
    with pytest.raises(BadFile) as bad:
        read(name, text.encode(), CENTER)
    found = [(item.line, item.broken.path, item.broken.rule) for item in bad.value.faults]
    assert fault in found


def test_a_file_that_is_not_utf8_is_named() -> None:
    with pytest.raises(BadFile):
        read("capacity.csv", b"\xff\xfe", CENTER)


async def test_a_file_is_left_alone_while_it_grows(folder: WatchedFolder, bench: Bench) -> None:
    path = drop(folder, "capacity.csv", "observed_at,kind,total,used\n")
    for line in CAPACITY.splitlines()[1:]:
        await folder.look()
        await folder.look()
        with path.open("a") as file:
            file.write(line + "\n")
    await folder.look()
    assert bench.store.standing().newest == 0
    await look_until_finished(folder)
    assert bench.store.standing().newest == 2


async def test_a_file_whose_last_line_has_no_end_waits_longer(
    folder: WatchedFolder, bench: Bench
) -> None:
    drop(folder, "capacity.csv", CAPACITY.rstrip("\n"))
    for _ in range(10):
        await folder.look()
    assert bench.store.standing().newest == 0
    for _ in range(25):
        await folder.look()
    assert bench.store.standing().newest == 2


async def test_a_file_that_is_written_to_after_it_was_taken_is_told_of(
    folder: WatchedFolder, bench: Bench
) -> None:
    path = drop(folder, "capacity.csv", CAPACITY)
    with path.open("a", encoding="utf-8") as slow:
        await look_until_finished(folder)
        assert names(folder, "done") == ["capacity.csv"]
        await folder.look()
        assert names(folder, "refused") == []
        slow.write("2026-11-22T12:00:00Z,gmp_suite,4,2\n")
    await folder.look()
    assert names(folder, "refused") == ["capacity.csv.errors"]
    (errors,) = Home(folder.folder.parent).file_faults()
    assert "FILE_CHANGED" in errors.read_text("utf-8")
    assert bench.store.standing().newest == 2


async def test_every_bad_row_is_named_and_in_persian_too(folder: WatchedFolder) -> None:
    drop(folder, "capacity.csv", CAPACITY + '1,2\nx,gmp_suite,4,3\n1,2,3\n"a"b,c,d,e\n')
    await look_until_finished(folder)
    (errors,) = Home(folder.folder.parent).file_faults()
    rows = [line.split("\t") for line in errors.read_text("utf-8").splitlines()[1:]]
    assert [(row[0], row[2]) for row in rows] == [
        ("5", "WRONG_COLUMNS"),
        ("6", "WRONG_FORMAT"),
        ("7", "WRONG_COLUMNS"),
        ("8", "FILE_UNREADABLE"),
    ]
    assert not re.search("[a-z]", rows[3][4])


def said_by_the_hub(bench: Bench, of: int, number: int = 0, **values: str) -> pb.Receipt:
    """A receipt of the report of a number; its own number is the same, if none is given."""
    (report,) = bench.store.offer(of - 1, 1, 10**6).reports
    journal = bench.store.standing().journal
    said = pb.Receipt(journal=journal, report_number=of, key=report.key, number=number or of)
    for name, value in values.items():
        setattr(said, name, value)
    return said


def errors_of(folder: WatchedFolder) -> list[list[str]]:
    (path,) = Home(folder.folder.parent).file_faults()
    return [line.split("\t") for line in path.read_text("utf-8").splitlines()]


async def test_what_the_hub_refuses_of_a_file_is_told_beside_it_with_its_line(
    folder: WatchedFolder, bench: Bench
) -> None:
    drop(folder, "capacity.csv", CAPACITY)
    await look_until_finished(folder)
    refused, accepted = said_by_the_hub(bench, 1), said_by_the_hub(bench, 2)
    for field in ("items[1].used", "observed_at"):
        refused.refusals.add(field=field, reason="SOME_RULE", en="No\tand\nno.", fa="نه.")
    bench.store.acknowledge(2, [refused, accepted])
    # The agent dies after it has written, and before it has noted that.
    path = folder.folder / "refused"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.store, "note_told", _dies)
        with pytest.raises(OSError, match="killed"):
            await folder.look()
    for _ in range(2):
        await WatchedFolder(folder.folder, bench.taker).look()
    (done,) = (folder.folder / "done").iterdir()
    assert [item.name for item in path.iterdir()] == [f"{done.name}.errors"]
    assert errors_of(folder) == [
        ["line", "field", "rule", "en", "fa"],
        ["3", "used", "SOME_RULE", "No and no.", "نه."],
        ["2", "observed_at", "SOME_RULE", "No and no.", "نه."],
    ]


def _dies(_positions: object) -> None:
    raise OSError("killed")


async def test_what_the_headquarters_returns_is_told_beside_its_file_also_much_later(
    folder: WatchedFolder, bench: Bench
) -> None:
    drop(folder, "period.csv", PERIOD)
    await look_until_finished(folder)
    returned = said_by_the_hub(bench, 2, number=3, decision="returned", comment="{Trainees}?")
    approved = said_by_the_hub(bench, 1, number=4, decision="approved")
    bench.store.acknowledge(2, [said_by_the_hub(bench, 1), said_by_the_hub(bench, 2)])
    bench.store.live(30 * 86400.0)
    assert bench.store.prune() == 2
    bench.store.receive([returned, approved])
    await folder.look()
    assert errors_of(folder)[1:] == [
        [
            "3",
            "",
            "RETURNED",
            "The headquarters has returned the report: {Trainees}?",
            "ستاد این گزارش را بازگردانده است: {Trainees}?",
        ]
    ]


@pytest.mark.parametrize(
    "content", [b"observed_at,kind,total,used\n", b"\xff\xfe", b"x" * (MAX_FILE + 1), b'"a\n']
)
def test_why_a_file_cannot_be_read_is_said_in_persian(content: bytes) -> None:
    with pytest.raises(BadFile) as bad:
        read("capacity.csv", content, CENTER)
    (fault,) = bad.value.faults
    assert not re.search("[a-z]", sentence(fault.broken.rule, fault.broken.params, "fa"))


async def test_a_crash_before_moving_takes_no_row_twice(
    folder: WatchedFolder, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(folder, "capacity.csv", CAPACITY)

    def dies(_path: Path, _folder: Path) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(folder, "_move", dies)
        with pytest.raises(OSError, match="killed"):
            await look_until_finished(folder)
    assert bench.store.standing().newest == 2
    await look_until_finished(WatchedFolder(folder.folder, bench.taker))
    assert bench.store.standing().newest == 2
    assert names(folder, "done") == ["capacity.csv"]


async def test_on_a_full_disk_the_file_waits(folder: WatchedFolder, bench: Bench) -> None:
    drop(folder, "capacity.csv", CAPACITY)
    bench.fill_the_disk()
    await look_until_finished(folder)
    assert (folder.folder / "capacity.csv").exists()
    bench.make_room()
    await folder.look()
    assert bench.store.standing().newest == 2


async def test_what_is_no_finished_csv_is_left_alone(folder: WatchedFolder, bench: Bench) -> None:
    drop(folder, ".capacity.csv", CAPACITY)
    drop(folder, "capacity.csv.part", CAPACITY)
    (folder.folder / "capacity-dir.csv").mkdir()
    (folder.folder / "capacity-link.csv").symlink_to(folder.folder / ".capacity.csv")
    await look_until_finished(folder)
    assert bench.store.standing().newest == 0


async def test_two_files_of_one_name_are_both_kept(folder: WatchedFolder) -> None:
    for text in (CAPACITY, CAPACITY.replace("4,3", "4,2")):
        drop(folder, "capacity.csv", text)
        await look_until_finished(folder)
    assert len(names(folder, "done")) == 2
