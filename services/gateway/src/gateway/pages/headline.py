"""The sentence at the head of the page, and what has to be known before any figure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.pages.picture import Picture
from gateway.pages.reading import SILENT, Reader, counted, liveness_of, state_of
from gateway.pages.view_model import Alarm
from peyvand.observatory.v1 import network_pb2


def headline(reader: Reader, status: network_pb2.NetworkStatus | None) -> str:
    """How the network stands, in one sentence made of the data."""
    words = reader.words
    if status is None:
        return words.say("Nothing can be said of the network: no figures have arrived yet.")
    there = counted(status)
    if not there:
        return words.say("No center is recorded yet.")
    clauses = [
        words.say_count(
            "%(count)s of %(all)s center is operational",
            "%(count)s of %(all)s centers are operational",
            sum(state_of(center) == "operational" for center in there),
            all=words.number(len(there)),
        ),
        *_state_clauses(reader, there),
        *_freshness_clauses(reader, there),
    ]
    return words.clauses(clauses) + "."


def title(reader: Reader, status: network_pb2.NetworkStatus | None) -> str:
    """The same in the few words that a window's title has room for."""
    words = reader.words
    if status is None:
        return words.say("No figures")
    there = counted(status)
    operational = sum(state_of(center) == "operational" for center in there)
    return words.say(
        "%(count)s of %(all)s centers operational",
        count=words.number(operational),
        all=words.number(len(there)),
    )


def alarms(reader: Reader, picture: Picture) -> Iterable[Alarm]:
    """What is out of reach, being rebuilt, or no real data."""
    words, status = reader.words, picture.status
    if picture.failing_since is not None:
        yield Alarm("down", _out_of_reach(reader, picture, picture.failing_since))
    down = sorted(picture.down - {"observatory"})
    if down:
        yield Alarm(
            "down",
            words.say(
                "Not answering now: %(services)s. What this page says of them may be old.",
                services=words.names([reader.service(name) for name in down]),
            ),
        )
    if status is None:
        return
    if status.HasField("rebuild"):
        yield Alarm(
            "rebuild",
            words.say(
                "The picture is being built anew (%(done)s of %(total)s events); shown is the"
                " one before.",
                done=words.number(status.rebuild.events_done),
                total=words.number(status.rebuild.events_total),
            ),
        )
    if status.sample:
        yield Alarm(
            "sample",
            words.say(
                "Sample data, not from a source, is among what is shown. It is marked wherever"
                " it stands, and no total counts it."
            ),
        )


def _state_clauses(reader: Reader, there: Sequence[network_pb2.CenterStatus]) -> Iterable[str]:
    say_count = reader.words.say_count
    for state, say in (
        (
            "suspended",
            lambda n, names: say_count(
                "%(names)s is suspended", "%(names)s are suspended", n, names=names
            ),
        ),
        (
            "establishing",
            lambda n, names: say_count(
                "%(names)s is being set up", "%(names)s are being set up", n, names=names
            ),
        ),
        (
            "planned",
            lambda n, names: say_count(
                "%(names)s is planned", "%(names)s are planned", n, names=names
            ),
        ),
    ):
        found = [center for center in there if state_of(center) == state]
        if found:
            yield say(len(found), reader.names(found))


def _freshness_clauses(reader: Reader, there: Sequence[network_pb2.CenterStatus]) -> Iterable[str]:
    words = reader.words
    known = [center for center in there if liveness_of(center) != "unknown"]
    if not known:
        yield words.say("no center has reported to the network yet: freshness unknown")
        return
    silent = [center for center in known if liveness_of(center) in SILENT]
    if silent:
        yield words.say_count(
            "%(names)s is late or silent",
            "%(names)s are late or silent",
            len(silent),
            names=reader.names(silent),
        )
    unknown = len(there) - len(known)
    if unknown:
        yield words.say_count(
            "%(count)s center has never reported", "%(count)s centers have never reported", unknown
        )
    elif not silent:
        yield words.say("all report on time")


def _out_of_reach(reader: Reader, picture: Picture, begun: datetime) -> str:
    say = reader.words.say
    stamp = Timestamp()
    stamp.FromDatetime(begun)
    since = reader.moment(stamp).short
    if picture.status is None:
        return say(
            "The observatory has been out of reach since %(since)s and no figures have"
            " arrived yet.",
            since=since,
        )
    if "status" in picture.missing:
        return say(
            "The observatory has been out of reach since %(since)s: these are the figures of"
            " %(last)s.",
            since=since,
            last=reader.moment(picture.status.as_of).short,
        )
    return say("Since %(since)s part of this page cannot be read and may be old.", since=since)
