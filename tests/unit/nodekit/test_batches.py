"""A batch arrives as it was sent, small on the wire, and never larger than is taken."""

import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodekit import batches
from peyvand.node.v1 import protocol_pb2 as pb


def _batch(count: int) -> pb.ReportBatch:
    reports = [pb.Report(number=n, key=f"rpt_{n:026d}") for n in range(1, count + 1)]
    return pb.ReportBatch(journal="j", reports=reports)


def test_a_batch_arrives_as_it_was_sent_and_is_small_on_the_wire() -> None:
    batch = _batch(1000)
    packed = batches.pack(batch)
    assert batches.unpack(packed) == batch
    assert len(packed) < batch.ByteSize() / 4


def test_the_bound_holds_to_the_byte() -> None:
    batch = _batch(50)
    size = batch.ByteSize()
    packed = batches.pack(batch)
    assert batches.unpack(packed, limit=size) == batch
    with pytest.raises(batches.BatchError, match="more than"):
        batches.unpack(packed, limit=size - 1)


def test_a_few_bytes_do_not_become_a_gigabyte() -> None:
    writer = zlib.compressobj(9)
    bomb = b"".join(writer.compress(bytes(1024 * 1024)) for _ in range(64)) + writer.flush()
    assert len(bomb) < 100_000
    with pytest.raises(batches.BatchError, match="more than"):
        batches.unpack(bomb)


def test_what_does_not_fit_the_wire_is_not_packed() -> None:
    noise = pb.Report(number=1, key=os.urandom(batches.MAX_PACKED).hex())
    with pytest.raises(batches.BatchError, match="packed"):
        batches.pack(pb.ReportBatch(journal="j", reports=[noise]))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_batch_or_a_clear_refusal(data: bytes) -> None:
    for candidate in (data, zlib.compress(data)):
        try:
            read = batches.unpack(candidate)
        except batches.BatchError:
            continue
        assert isinstance(read, pb.ReportBatch)


@given(st.data())
def test_a_batch_that_lost_its_end_is_refused(data: st.DataObject) -> None:
    packed = batches.pack(_batch(20))
    length = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(batches.BatchError):
        batches.unpack(packed[:length])
    with pytest.raises(batches.BatchError, match="too late"):
        batches.unpack(packed + b"x")
