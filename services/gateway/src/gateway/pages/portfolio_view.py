"""What the page of the portfolio says: figures turned into sentences and drawings."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from math import sqrt
from urllib.parse import urlencode

from google.protobuf.descriptor import EnumDescriptor

from gateway.pages.portfolio_model import (
    Box,
    Bubble,
    CauseLine,
    Choice,
    Column,
    KillRow,
    MatrixRow,
    MoneyRow,
    PortfolioView,
    ProvinceRow,
    Slice,
    StuckRow,
    TimeRow,
)
from gateway.pages.provinces import CODES, province_name
from gateway.pages.reading import Reader
from gateway.pages.records import address_of
from gateway.pages.wording import Wording
from peyvand.api.v1 import annotations_pb2
from peyvand.projects.v1 import decisions_pb2, flags_pb2, portfolio_pb2, stages_pb2
from servicekit.contract import enum_names

ADDRESS = "/portfolio"
STAGE = stages_pb2.Stage.DESCRIPTOR
PATHWAY = stages_pb2.Pathway.DESCRIPTOR
REASON = portfolio_pb2.StuckReason.DESCRIPTOR
_KILL = decisions_pb2.KillCode.DESCRIPTOR
_FLAG = flags_pb2.ProjectFlagKind.DESCRIPTOR
_ROLE = annotations_pb2.Role.DESCRIPTOR
# Sizes of the drawings, in their own units.
_BUBBLE, _LINE, _COLUMN = 18.0, 400.0, 40.0
# Times beyond so many of the greatest third quartiles are cut off: one project that was
# forgotten for years would press all others together.
_SHOWN = 1.7
_MARKS = 4
_YEAR, _MONTH = 365.25, 30.44
_OF_THE_PROJECT = frozenset({"long_in_stage", "on_hold"})

Names = Mapping[str, str]


def names_of(enum: EnumDescriptor) -> dict[int, str]:
    """The values of an enum that say something, by number."""
    return {number: name for number, name in enum_names(enum).items() if number}


def portfolio_view(
    found: portfolio_pb2.Portfolio, query: Mapping[str, str], reader: Reader, names: Names
) -> PortfolioView:
    """Make the view; `query` is what the reader has narrowed it to, `names` are of centers."""
    words = reader.words
    limit = _limit(found.cycle_times)
    narrowed = {key: value for key, value in query.items() if key != "sample"}
    return PortfolioView(
        headline=_headline(found, words),
        weekday=words.weekday(found.as_of),
        as_of=reader.moment(found.as_of),
        coverage=words.say(
            "The province is known of %(known)s of %(of)s projects",
            **_of(found.counts.coverage, words),
        ),
        is_sample=found.sample,
        left_out=_left_out(found, words),
        other_kind=_address(query, sample="" if found.sample else "true"),
        pathways=tuple(_choices(PATHWAY, "pathway", query, words)),
        provinces=tuple(
            Choice(code, province_name(code, words.language), is_chosen=query["province"] == code)
            for code in sorted(CODES, key=lambda code: province_name(code, words.language))
        ),
        reasons=tuple(_reasons(found, query, words)),
        hidden=tuple((key, query[key]) for key in ("reason", "sample") if query[key]),
        is_narrowed=any(narrowed.values()),
        stuck=tuple(_stuck(project, reader, names) for project in found.stuck.projects),
        more=_more(found, query, words),
        stuck_coverage=words.say(
            "How long is long is known for the stages of %(known)s of %(of)s projects under way",
            **_of(found.stuck.coverage, words),
        ),
        stages=tuple(_columns(found, words)),
        matrix=tuple(_matrix(found, words)),
        times=tuple(_time(item, limit, words) for item in found.cycle_times),
        scale=tuple(_scale(limit, words)),
        kills=tuple(_kill(item, words) for item in found.kills),
        money=tuple(_money(item, words) for item in found.money),
        by_province=tuple(_by_province(found, query, words)),
        without=_without(found, words),
        document=_address(
            {**query, "stuck_reason": query["reason"], "reason": ""}, "/v1/portfolio"
        ),
    )


def _address(query: Mapping[str, str], path: str = ADDRESS, **changed: str) -> str:
    given = {key: value for key, value in {**query, **changed}.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def _of(coverage: portfolio_pb2.PortfolioCoverage, words: Wording) -> dict[str, str]:
    return {"known": words.number(coverage.known), "of": words.number(coverage.of)}


def _under_way(numbers: portfolio_pb2.ProjectNumbers) -> int:
    return numbers.active + numbers.on_hold


def _headline(found: portfolio_pb2.Portfolio, words: Wording) -> str:
    total = found.counts.total
    if not (_under_way(total) + total.completed + total.killed):
        return words.say("There is no such project.")
    clauses = [
        words.say_count(
            "%(count)s project is under way",
            "%(count)s projects are under way",
            _under_way(total),
        ),
        words.say_count(
            "%(count)s of them is stuck", "%(count)s of them are stuck", found.stuck.total
        ),
    ]
    if total.completed:
        clauses.append(words.say("%(count)s completed", count=words.number(total.completed)))
    if total.killed:
        clauses.append(words.say("%(count)s killed", count=words.number(total.killed)))
    return words.clauses(clauses)


def _left_out(found: portfolio_pb2.Portfolio, words: Wording) -> str:
    count = found.counts.left_out
    if found.sample:
        return words.say("This is sample data, and nothing else. To what is real")
    if not count:
        return ""
    return words.say_count(
        "%(count)s sample project is left out. To the sample data",
        "%(count)s sample projects are left out. To the sample data",
        count,
    )


def _choices(
    enum: EnumDescriptor, field: str, query: Mapping[str, str], words: Wording
) -> Iterable[Choice]:
    for name in names_of(enum).values():
        yield Choice(name, words.label(enum, name), is_chosen=query[field] == name)


def _reasons(
    found: portfolio_pb2.Portfolio, query: Mapping[str, str], words: Wording
) -> Iterable[Choice]:
    names = names_of(REASON)
    for item in found.stuck.reasons:
        name = names[item.reason]
        chosen = query["reason"] == name
        yield Choice(
            name,
            words.label(REASON, name),
            _address(query, reason="" if chosen else name),
            words.number(item.projects),
            chosen,
        )


def _stuck(project: portfolio_pb2.StuckProject, reader: Reader, names: Names) -> StuckRow:
    words = reader.words
    province = province_name(project.province, words.language)
    return StuckRow(
        address=address_of(project.project_id),
        title=words.text(project.titles) or project.project_id,
        place=words.clauses(
            [
                words.label(STAGE, enum_names(STAGE)[project.stage]),
                words.label(PATHWAY, enum_names(PATHWAY)[project.pathway]),
                names.get(project.lead_center_id) or province or words.say("unknown province"),
            ]
        ),
        causes=tuple(_cause(cause, reader) for cause in project.causes),
    )


def _cause(cause: portfolio_pb2.StuckCause, reader: Reader) -> CauseLine:
    words = reader.words
    reason = enum_names(REASON)[cause.reason]
    roles = [words.label(_ROLE, enum_names(_ROLE)[role]) for role in cause.open_to]
    # Of what concerns the whole project, its own link stands above.
    address = address_of(cause.resource_id) if reason not in _OF_THE_PROJECT else ""
    return CauseLine(
        reason=reason,
        label=words.label(REASON, reason),
        text=_detail(cause, reason, words),
        who=cause.owner or words.names(roles),
        address=address,
        since=reader.moment(cause.since) if cause.HasField("since") else None,
    )


def _detail(cause: portfolio_pb2.StuckCause, reason: str, words: Wording) -> str:
    """What a cause tells besides its reason."""
    if reason == "condition_overdue":
        return words.say("the condition")
    if reason == "flagged":
        return words.label(_FLAG, enum_names(_FLAG)[cause.flag])
    if reason == "on_hold" and cause.resume_date:
        return words.say("looked at again on %(day)s", day=words.day(cause.resume_date))
    if reason in ("gate_without_quorum", "gate_undecided"):
        votes, quorum = words.number(cause.count), words.number(cause.quorum)
        return words.say("%(votes)s of %(quorum)s votes", votes=votes, quorum=quorum)
    if reason == "evidence_waits":
        return words.say_count("%(count)s piece", "%(count)s pieces", cause.count)
    return ""


def _more(found: portfolio_pb2.Portfolio, query: Mapping[str, str], words: Wording) -> str:
    names = names_of(REASON)
    total = found.stuck.total
    if query["reason"]:
        total = next(
            (n.projects for n in found.stuck.reasons if names[n.reason] == query["reason"]), 0
        )
    more = total - len(found.stuck.projects)
    return words.say_count("and %(count)s more", "and %(count)s more", more) if more > 0 else ""


def _columns(found: portfolio_pb2.Portfolio, words: Wording) -> Iterable[Column]:
    under_way = dict.fromkeys(names_of(STAGE), 0)
    for cell in found.counts.cells:
        under_way[cell.stage] += _under_way(cell.projects)
    most = max(under_way.values()) or 1
    for number, name in names_of(STAGE).items():
        yield Column(
            name.upper(),
            words.label(STAGE, name),
            words.number(under_way[number]),
            round(under_way[number] / most * _COLUMN, 1),
        )


def _matrix(found: portfolio_pb2.Portfolio, words: Wording) -> Iterable[MatrixRow]:
    """The circle of a pathway's projects in a stage, and within it that of those on hold."""
    stages = names_of(STAGE)
    rows: dict[int, dict[int, list[portfolio_pb2.ProjectNumbers]]] = {}
    for cell in found.counts.cells:
        rows.setdefault(cell.pathway, {}).setdefault(cell.stage, []).append(cell.projects)
    most = max(
        (sum(map(_under_way, cells)) for row in rows.values() for cells in row.values()), default=1
    )
    for number, name in names_of(PATHWAY).items():
        row = rows.get(number, {})
        every = [numbers for cells in row.values() for numbers in cells]
        label = words.label(PATHWAY, name)
        places = {stage: f"{label}, {words.label(STAGE, code)}" for stage, code in stages.items()}
        yield MatrixRow(
            label=label,
            cells=tuple(
                _bubble(row.get(stage, []), most or 1, place, words)
                for stage, place in places.items()
            ),
            total=words.number(sum(map(_under_way, every))),
            completed=words.number(sum(numbers.completed for numbers in every)),
            killed=words.number(sum(numbers.killed for numbers in every)),
        )


def _bubble(
    cells: Sequence[portfolio_pb2.ProjectNumbers], most: int, place: str, words: Wording
) -> Bubble:
    held, count = sum(cell.on_hold for cell in cells), sum(map(_under_way, cells))
    text = words.say(
        "%(place)s: %(count)s under way, %(held)s of them on hold",
        place=place,
        count=words.number(count),
        held=words.number(held),
    )
    return Bubble(
        number=words.number(count) if count else "",
        radius=round(_BUBBLE * sqrt(count / most), 1),
        held=round(_BUBBLE * sqrt(held / most), 1),
        text=text,
    )


def _limit(times: Iterable[portfolio_pb2.CycleTime]) -> float:
    """How many days the line of times is long."""
    found = [spread.third_quartile for item in times for spread in (item.decided, item.waiting)]
    return max(found, default=0.0) * _SHOWN or 1.0


def _box(spread: portfolio_pb2.DaysSpread, limit: float) -> Box | None:
    if not spread.count:
        return None

    def at(days: float) -> float:
        return round(min(days / limit, 1.0) * _LINE, 1)

    return Box(
        low=at(spread.shortest),
        first=at(spread.first_quartile),
        median=at(spread.median),
        third=at(spread.third_quartile),
        high=at(spread.longest),
        is_cut=spread.longest > limit,
    )


def _time(item: portfolio_pb2.CycleTime, limit: float, words: Wording) -> TimeRow:
    decided, waiting = item.decided, item.waiting
    return TimeRow(
        label=words.label(STAGE, enum_names(STAGE)[item.stage]),
        decided=_box(decided, limit),
        waiting=_box(waiting, limit),
        median=_days(decided.median, words) if decided.count else words.say("nothing decided yet"),
        quartiles=words.say_count(
            "half of %(count)s between %(first)s and %(third)s",
            "half of %(count)s between %(first)s and %(third)s",
            decided.count,
            first=_days(decided.first_quartile, words),
            third=_days(decided.third_quartile, words),
        )
        if decided.count > 1
        else "",
        expected=_days(item.expected_median, words)
        if item.HasField("expected_median")
        else words.say("not known yet"),
        still=words.say_count(
            "%(count)s waits, for %(longest)s",
            "%(count)s wait, the longest for %(longest)s",
            waiting.count,
            longest=_days(waiting.longest, words),
        )
        if waiting.count
        else words.say("none waits"),
        coverage=words.say("known of %(known)s of %(of)s visits", **_of(item.coverage, words))
        if item.coverage.known < item.coverage.of
        else "",
    )


def _days(days: float, words: Wording) -> str:
    """A time in the unit that people say it in."""
    if days >= 2 * _YEAR:
        return words.say("%(number)s years", number=words.decimal(days / _YEAR))
    if days >= 3 * _MONTH:
        return words.say("%(number)s months", number=words.decimal(days / _MONTH))
    return words.say_count("%(count)s day", "%(count)s days", round(days))


def _scale(limit: float, words: Wording) -> Iterable[tuple[float, str]]:
    if limit <= 1.0:
        return
    for mark in range(_MARKS + 1):
        yield round(100 * mark / _MARKS, 1), _days(limit * mark / _MARKS, words)


def _kill(item: portfolio_pb2.KillShare, words: Wording) -> KillRow:
    codes = enum_names(_KILL)
    return KillRow(
        label=words.label(STAGE, enum_names(STAGE)[item.stage]),
        figures=words.say(
            "%(killed)s of %(ended)s (%(share)s)",
            killed=words.number(item.killed),
            ended=words.number(item.ended),
            share=words.percent(item.share),
        )
        if item.ended
        else words.say("nothing decided yet"),
        filled=round(100 * item.share, 1),
        reasons=words.names(
            [
                f"{words.label(_KILL, codes[each.code]) if each.code else words.say('unknown')}"
                f" {words.number(each.projects)}"
                for each in item.reasons
            ]
        ),
    )


def _money(item: portfolio_pb2.PortfolioMoney, words: Wording) -> MoneyRow:
    awarded = Decimal(item.awarded)
    kept = Decimal(item.committed) - Decimal(item.committed_to_killed)
    slices: list[Slice] = []
    start = 0.0
    for kind, label, amount in (
        ("released", words.say("released"), Decimal(item.released)),
        ("committed", words.say("committed"), kept),
        ("stranded", words.say("committed to killed projects"), Decimal(item.committed_to_killed)),
        ("lapsed", words.say("lapsed"), Decimal(item.lapsed)),
    ):
        width = float(amount / awarded) * _LINE if awarded else 0.0
        slices.append(Slice(kind, label, words.amount(amount), round(start, 1), round(width, 1)))
        start += width
    stranded = ""
    if Decimal(item.committed_to_killed):
        stranded = words.say("Closing or cancelling the awards of killed projects frees it.")
    return MoneyRow(
        currency=item.currency,
        awarded=words.amount(awarded),
        slices=tuple(slices),
        stranded=stranded,
        coverage=words.say_count(
            "%(count)s award, for %(known)s of %(of)s projects",
            "%(count)s awards, for %(known)s of %(of)s projects",
            item.awards,
            **_of(item.coverage, words),
        ),
    )


def _by_province(
    found: portfolio_pb2.Portfolio, query: Mapping[str, str], words: Wording
) -> Iterable[ProvinceRow]:
    counted = [
        (item.province, count)
        for item in found.counts.provinces
        if (count := _under_way(item.projects))
    ]
    most = max((count for _, count in counted), default=0)
    for code, count in sorted(counted, key=lambda each: -each[1]):
        yield ProvinceRow(
            code=code,
            name=province_name(code, words.language) if code else words.say("unknown province"),
            number=words.number(count),
            filled=round(100 * count / most, 1),
            address=_address(query, province=code) if code else "",
        )


def _without(found: portfolio_pb2.Portfolio, words: Wording) -> str:
    """The provinces in which nothing is under way, by name."""
    names = [
        province_name(item.province, words.language)
        for item in found.counts.provinces
        if item.province and not _under_way(item.projects)
    ]
    return words.say("None under way: %(names)s", names=words.names(sorted(names))) if names else ""
