"""Batches of reports as they are on the wire: zlib over the serialised message.

Reports of one node are much alike, so that compressing many at once saves most of a
narrow line. What is unpacked is bounded: a few bytes must not become a gigabyte.
"""

import zlib

from google.protobuf.message import DecodeError

from peyvand.node.v1 import protocol_pb2 as pb

MAX_PACKED = 200 * 1024  # bytes; the broker takes 256 KB from a node, envelope included
MAX_UNPACKED = 4 * 1024 * 1024  # bytes
_LEVEL = 6


class BatchError(ValueError):
    """What was sent is no batch, or a larger one than is taken."""


def pack(batch: pb.ReportBatch) -> bytes:
    """Write a batch for the wire. Raises `BatchError` if it is too large for it."""
    plain = batch.SerializeToString()
    if len(plain) > MAX_UNPACKED:
        raise BatchError(f"a batch of {len(plain)} bytes; at most {MAX_UNPACKED} are taken")
    packed = zlib.compress(plain, _LEVEL)
    if len(packed) > MAX_PACKED:
        raise BatchError(f"a batch of {len(packed)} bytes packed; at most {MAX_PACKED} are taken")
    return packed


def unpack(data: bytes, *, limit: int = MAX_UNPACKED) -> pb.ReportBatch:
    """Read a batch from the wire, of at most `limit` bytes unpacked. Raises `BatchError`."""
    plain = decompress(data, limit)
    try:
        return pb.ReportBatch.FromString(plain)
    except DecodeError as error:
        raise BatchError("this is no batch of reports") from error


def decompress(data: bytes, limit: int) -> bytes:
    """Unpack what zlib has packed, to at most `limit` bytes. Raises `BatchError`."""
    reader = zlib.decompressobj()
    try:
        plain = reader.decompress(data, limit + 1)
    except zlib.error as error:
        raise BatchError("this is not packed as a batch is") from error
    if len(plain) > limit:
        raise BatchError(f"more than {limit} bytes unpacked")
    if not reader.eof or reader.unused_data:
        raise BatchError("the packed batch ends too early, or too late")
    return plain
