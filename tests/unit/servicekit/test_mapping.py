"""Domain and contract carry the same values, whichever way they go."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from centers.domain.centers import Center, CenterState, Contact, Position
from domainkit.values import Citation, ImpreciseDate, LocalizedText
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.mapping import from_message, read_fields, to_message

words = st.text(max_size=20)
texts = st.builds(LocalizedText, words, words)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
# Timestamps carry nanoseconds, the domain microseconds.
moments = st.datetimes(min_value=EPOCH, max_value=EPOCH.replace(year=2200), timezones=st.just(UTC))
centers = st.builds(
    Center,
    id=words,
    external_key=st.none() | st.text(min_size=1, max_size=9),
    version=st.integers(0, 9),
    created_at=moments,
    updated_at=moments,
    deleted_at=st.none(),
    citations=st.lists(st.builds(Citation, words, words, st.lists(words), st.booleans(), words)),
    sample=st.booleans(),
    pending=st.just([]),
    state=st.sampled_from(CenterState),
    state_reason=words,
    state_since=moments,
    code=words,
    names=texts,
    province=words,
    city=st.none() | texts,
    position=st.none() | st.builds(Position, st.floats(-90, 90), st.floats(-180, 180)),
    host_institution=st.none() | texts,
    opened_date=st.none() | st.builds(ImpreciseDate, words, st.booleans(), words),
    contact=st.none() | st.builds(Contact, st.none() | texts, st.lists(words), words, words),
)


@given(centers)
def test_a_center_is_the_same_after_the_wire(center: Center) -> None:
    wire = to_message(center, pb.Center).SerializeToString()
    fields = read_fields(pb.Center.FromString(wire), Center)
    for name, value in fields.items():
        assert value == getattr(center, name), name
    assert set(fields) >= {"id", "names", "state", "contact", "citations"}


def test_absent_is_none_and_not_empty() -> None:
    fields = read_fields(pb.Center(), Center, only=["external_key", "city", "contact", "code"])
    assert fields == {"external_key": None, "city": None, "contact": None, "code": ""}


def test_a_value_that_is_there_but_empty_stays_there() -> None:
    message = to_message(Contact(), pb.Contact)
    holder = pb.Center(contact=message)
    assert from_message(holder.contact, Contact) == Contact()
    assert holder.HasField("contact")
