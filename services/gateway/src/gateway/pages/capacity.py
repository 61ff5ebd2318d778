"""What a center has and uses, and how it was heard of day by day."""

from collections.abc import Iterable

from gateway.pages.reading import LIVENESS, Reader
from gateway.pages.view_model import Availability, Capacity, CapacityBar, Day
from peyvand.centers.v1 import reports_pb2
from peyvand.observatory.v1 import alerts_pb2, network_pb2
from servicekit.contract import enum_names

_KIND = reports_pb2.CapabilityKind.DESCRIPTOR
_FEED = "capacity"
DAYS = 90
# Width of a day in the drawing, with the gap to the next one.
_STEP, _GAP = 4, 1
# A silence that is shorter than this in a whole day is no mark of the day.
_WORTH_A_MARK_SECONDS = 60


def capacity(reader: Reader, center: network_pb2.CenterStatus) -> Capacity | None:
    """The capacity that a center last reported; None when it never did."""
    if not center.HasField("capacity"):
        return None
    feed = next((feed for feed in center.feeds if feed.feed == _FEED), None)
    known = enum_names(LIVENESS)[feed.liveness] if feed is not None else "unknown"
    liveness = "unknown" if known == "unspecified" else known
    snapshot = center.capacity
    return Capacity(
        bars=tuple(_bars(reader, snapshot.items)),
        observed=reader.moment(snapshot.observed_at) if snapshot.HasField("observed_at") else None,
        liveness=liveness,
        liveness_label=reader.words.label(LIVENESS, liveness),
    )


def _bars(reader: Reader, items: Iterable[reports_pb2.CapacityItem]) -> Iterable[CapacityBar]:
    words, kinds = reader.words, enum_names(_KIND)
    for item in items:
        used, total = words.decimal(item.used), words.decimal(item.total)
        yield CapacityBar(
            label=words.label(_KIND, kinds[item.kind]),
            figures=words.say(
                "%(used)s of %(total)s in use, %(free)s free",
                used=used,
                total=total,
                free=words.decimal(max(0.0, item.total - item.used)),
            ),
            filled=round(100 * min(1.0, item.used / item.total)) if item.total else 0,
        )


def availability(reader: Reader, known: alerts_pb2.Availability | None) -> Availability | None:
    """The bar of the last days; None where nothing is known of any of them."""
    if known is None or not known.days:
        return None
    words = reader.words
    days = tuple(_day(reader, place, day) for place, day in enumerate(known.days))
    online = sum(day.online_seconds for day in known.days)
    heard = sum(heard_seconds(day) for day in known.days)
    marks = [day.mark for day in days]
    without = marks.count("unknown")
    parts = [
        words.say_count("%(count)s day without data", "%(count)s days without data", without)
        if without
        else "",
        *(
            words.say_count(
                "%(label)s on %(count)s day", "%(label)s on %(count)s days", n, label=label
            )
            for mark, label in (
                (mark, words.label(LIVENESS, mark))
                for mark in ("online", "late", "stale", "offline")
            )
            if (n := marks.count(mark))
        ),
    ]
    return Availability(
        days=days,
        width=len(days) * _STEP - _GAP,
        share=words.say(
            "online for %(share)s of the known time", share=words.percent(online / heard)
        )
        if heard
        else words.say("nothing is known yet"),
        text=words.say_count("The last %(count)s day", "The last %(count)s days", len(days))
        + ": "
        + words.clauses([part for part in parts if part]),
    )


def _day(reader: Reader, place: int, day: alerts_pb2.AvailabilityDay) -> Day:
    mark, heard = day_mark(day), heard_seconds(day)
    words = reader.words
    return Day(
        x=place * _STEP,
        mark=mark,
        # Most of the day nobody could say: what is known of the rest is no whole mark.
        is_partial=mark != "unknown" and day.unknown_seconds > heard,
        text=f"{words.day(day.date)}: "
        + (words.label(LIVENESS, mark) if mark != "unknown" else words.say("no data")),
    )


def day_mark(day: alerts_pb2.AvailabilityDay) -> str:
    """The worst of what lasted; a day without data is never any of the others."""
    for mark, seconds in (
        ("offline", day.offline_seconds),
        ("stale", day.stale_seconds),
        ("late", day.late_seconds),
    ):
        if seconds >= _WORTH_A_MARK_SECONDS:
            return mark
    return "online" if day.online_seconds else "unknown"


def heard_seconds(day: alerts_pb2.AvailabilityDay) -> int:
    """The seconds of a day of which something is known."""
    return day.online_seconds + day.late_seconds + day.stale_seconds + day.offline_seconds
