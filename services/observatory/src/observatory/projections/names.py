"""What people call things, in Persian and in English."""

from typing import NamedTuple


class Name(NamedTuple):
    """What people call something, in Persian and in English; empty where it is not known."""

    fa: str = ""
    en: str = ""

    def in_words(self) -> "Name":
        """The same with what one language lacks taken from the other."""
        return Name(self.fa or self.en, self.en or self.fa)


NAMELESS = Name()

_FEEDS = {
    "heartbeat": Name("ضربان", "heartbeat"),
    "capacity": Name("ظرفیت", "capacity"),
    "report": Name("گزارش دوره‌ای", "period report"),
}


_DIMENSIONS = {
    "customer": Name("مشتری", "customer"),
    "technology": Name("فناوری", "technology"),
    "business": Name("کسب‌وکار", "business"),
    "ip": Name("مالکیت فکری", "intellectual property"),
    "team": Name("تیم", "team"),
    "funding": Name("تأمین مالی", "funding"),
    "manufacturing": Name("تولید", "manufacturing"),
    "regulatory": Name("مقررات و اخلاق", "regulation and ethics"),
}


def readiness_name(dimension: str, level: int) -> Name:
    """What a level of readiness is called; a dimension not known here as in the contract."""
    name = _DIMENSIONS.get(dimension) or Name(dimension, dimension)
    return Name(f"{name.fa}، سطح {level}", f"{name.en} level {level}")


def feed_name(feed: str) -> Name:
    """What a feed of a node is called; one that is not known here as in the contract."""
    return _FEEDS.get(feed) or Name(feed, feed)


def named_after(owner: Name, part: Name) -> Name:
    """A name for something that has none, after whose it is and what: `Tabriz: 1405-07`."""
    fa, en = owner.in_words()
    return Name(
        ": ".join(text for text in (fa, part.fa) if text),
        ": ".join(text for text in (en, part.en) if text),
    )
