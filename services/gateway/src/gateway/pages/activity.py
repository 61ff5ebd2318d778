"""What centers did in a month, as the headquarters has approved it, and in the year before."""

from collections.abc import Iterable, Sequence

from gateway.pages.picture import Picture
from gateway.pages.reading import Reader, figure_labels
from gateway.pages.view_model import Activity, ActivityRow, Figure, MonthBar, MonthsBar
from gateway.pages.wording import Wording
from peyvand.observatory.v1 import network_pb2, periods_pb2

# Width of a month in the drawing, with the gap to the next one, and the height of the most.
_STEP, _GAP, _HEIGHT = 8, 2, 24
# What is known and none is a line, and what is unknown a stub that is drawn otherwise.
_LEAST, _STUB = 2, 4


def activity(reader: Reader, picture: Picture) -> Activity | None:
    """The month that was reported last; None for who may not know, or while it is not known."""
    if picture.periods is None or picture.status is None:
        return None
    words, totals = reader.words, picture.status.totals.activity
    months = picture.periods.periods
    figures = figure_labels(words)
    labels = tuple(figures.values())
    if not totals.period:
        nothing = words.say("No report of a month has been approved yet.")
        return Activity("", nothing, _not_yet(words, months, ""), None, labels)
    shown = next((month for month in months if month.period == totals.period), None)
    coverage = words.say(
        "%(known)s of %(of)s centers have an approved report of it",
        known=words.number(totals.known),
        of=words.number(totals.of),
    )
    return Activity(
        month=words.month(totals.period),
        coverage=coverage,
        not_yet=_not_yet(words, months, totals.period),
        as_of=reader.moment(totals.as_of) if totals.HasField("as_of") else None,
        labels=labels,
        is_partial=totals.known < totals.of,
        totals=tuple(_total(words, name, totals, months) for name in figures),
        centers=tuple(_centers(reader, picture.status, shown, figures))
        if shown is not None
        else (),
    )


def _not_yet(words: Wording, months: Sequence[periods_pb2.NetworkPeriod], shown: str) -> str:
    """Which month is over and has no approved report, where a later one than is shown is."""
    last = months[-1].period if months else ""
    if not last or last == shown or months[-1].totals.known:
        return ""
    return words.say(
        "Of %(month)s, the last month that is over, no report is approved yet.",
        month=words.month(last),
    )


def _total(
    words: Wording,
    name: str,
    totals: periods_pb2.PeriodTotals,
    months: Sequence[periods_pb2.NetworkPeriod],
) -> Figure:
    found: periods_pb2.PeriodFigure = getattr(totals, name)
    return Figure(
        value=words.number(found.value) if found.HasField("value") else "",
        under=words.say(
            "of %(known)s of %(of)s centers",
            known=words.number(found.known),
            of=words.number(totals.of),
        ),
        sample=words.say("and %(count)s sample", count=words.number(found.sample))
        if found.HasField("sample")
        else "",
        months=_bar(words, name, months),
    )


def _bar(
    words: Wording, name: str, months: Sequence[periods_pb2.NetworkPeriod]
) -> MonthsBar | None:
    """One figure over the months; None where none of them has it."""
    figures: list[periods_pb2.PeriodFigure] = [getattr(one.totals, name) for one in months]
    known = [figure.value for figure in figures if figure.HasField("value")]
    if not known:
        return None
    most = max(known)
    bars = [
        _month(words, place, month, figure, most)
        for place, (month, figure) in enumerate(zip(months, figures, strict=True))
    ]
    text = words.say_count(
        "The last %(count)s month: between %(least)s and %(most)s, known of %(known)s",
        "The last %(count)s months: between %(least)s and %(most)s, known of %(known)s",
        len(months),
        least=words.number(min(known)),
        most=words.number(most),
        known=words.number(len(known)),
    )
    return MonthsBar(tuple(bars), len(bars) * _STEP - _GAP, text)


def _month(
    words: Wording,
    place: int,
    month: periods_pb2.NetworkPeriod,
    figure: periods_pb2.PeriodFigure,
    most: int,
) -> MonthBar:
    is_known = figure.HasField("value")
    height = max(_LEAST, round(_HEIGHT * figure.value / most)) if is_known and most else _LEAST
    if not is_known:
        height = _STUB
    said = (
        words.say(
            "%(value)s, of %(known)s of %(of)s centers",
            value=words.number(figure.value),
            known=words.number(figure.known),
            of=words.number(month.totals.of),
        )
        if is_known
        else words.say("unknown")
    )
    return MonthBar(
        x=place * _STEP,
        y=_HEIGHT - height,
        height=height,
        is_known=is_known,
        is_partial=is_known and figure.known < month.totals.of,
        text=f"{words.month(month.period)}: {said}",
    )


def _centers(
    reader: Reader,
    status: network_pb2.NetworkStatus,
    month: periods_pb2.NetworkPeriod,
    figures: Iterable[str],
) -> Iterable[ActivityRow]:
    """Each center that has a report of the month, or should have one."""
    words = reader.words
    known = {center.center_id: center for center in status.centers}
    for one in month.centers:
        center = known.get(one.center_id)
        approved = one.HasField("figures")
        yield ActivityRow(
            name=reader.short_name(center) if center is not None else one.center_id,
            address=f"/period-reports/{one.report_id}" if approved else f"/centers/{one.center_id}",
            approved=reader.moment(one.approved_at) if one.HasField("approved_at") else None,
            figures=tuple(
                words.number(getattr(one.figures, name)) if one.figures.HasField(name) else ""
                for name in figures
            ),
            is_sample=one.sample,
        )
