"""The store of a province's leaf: what the hub said of its centers and nodes.

It is read at the leaf, also while the hub is out of reach. What is read by stands in a
folder that the hub has written with the leaf: an address, credentials, the authority, and
what the store shall be. Who reads first makes the store.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import unquote

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from node_agent.findings import Halted, halt
from node_agent.forms import enum_names
from node_agent.line import trusting
from nodekit.join_token import is_address
from nodekit.keys import BadKey, UserCredentials
from nodekit.leaves import READER_INBOX, STORE
from peyvand.centers.v1 import centers_pb2, nodes_pb2

_EVENTS: dict[str, type[Message]] = {
    "center": centers_pb2.CenterEvent,
    "node": nodes_pb2.NodeEvent,
}
_NAME_IN_USE = 10058
_LOOK_EVERY = 1.0  # seconds, where there was nothing new
_LOOKS = 12  # for the hub, by who reads first
_TIMEOUT = 5.0  # seconds


@dataclass(frozen=True)
class Folder:
    """What a store is read by.

    Attributes:
        address: ``host:port`` of the leaf.
        stream: what the store shall be, as the broker is told of it.
        credentials: of a reader.
        authority: PEM of who signs the leaf's certificate.
    """

    address: str
    stream: dict[str, Any]
    credentials: UserCredentials
    authority: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the folder. Raises `Halted` for one that is not whole."""
        try:
            known = json.loads((path / "store.json").read_text(encoding="utf-8"))
            address, stream = str(known["address"]), cast("dict[str, Any]", known["stream"])
            credentials = UserCredentials.from_text(
                (path / "reader.creds").read_text(encoding="ascii")
            )
            authority = (path / "ca.pem").read_text(encoding="ascii")
            if not is_address(address) or stream["name"] != STORE:
                raise ValueError("store.json is damaged")
        except (OSError, ValueError, KeyError, TypeError, BadKey) as error:
            raise halt(
                "folder",
                f"{path} is not what a store is read by: {error}.",
                "Take the folder `reader` that was written with the leaf, whole.",
            ) from error
        return cls(address, stream, credentials, authority)


@dataclass(frozen=True)
class Kept:
    """What a store has.

    Attributes:
        first: number of the oldest event; greater than `last` when there is none.
        last: number of the newest event, 0 before there was one.
        heard_seconds_ago: since the hub was last heard, by all that is copied; None where it
            was not heard since the leaf started.
    """

    first: int
    last: int
    heard_seconds_ago: float | None


@dataclass(frozen=True)
class StoredEvent:
    """An event in a store.

    Attributes:
        number: its place in the store.
        envelope: it as JSON, in the form of CloudEvents.
    """

    number: int
    envelope: dict[str, Any]


class LeafStore:
    """A store that is connected to."""

    def __init__(self, client: Client, folder: Folder) -> None:
        self._client = client
        self._address = folder.address
        self._stream = folder.stream
        self._jetstream = client.jetstream(timeout=_TIMEOUT)

    async def make(self) -> None:
        """Make the store, or change it to what it shall be. Raises `Halted`."""
        answer = await self._ask(f"$JS.API.STREAM.CREATE.{STORE}")
        if answer.get("error", {}).get("err_code") == _NAME_IN_USE:
            answer = await self._ask(f"$JS.API.STREAM.UPDATE.{STORE}")
        if error := answer.get("error"):
            raise halt(
                "store",
                f"The leaf does not keep the store: {error.get('description')}.",
                "Look whether its disk is full, and into its log.",
            )

    async def begun(self) -> None:
        """Wait a little for the hub to be heard, as it is right after the store was made."""
        for _ in range(_LOOKS):
            with contextlib.suppress(NatsError, TimeoutError):
                if (await self.kept()).heard_seconds_ago is not None:
                    return
            await asyncio.sleep(_LOOK_EVERY / 4)

    async def kept(self) -> Kept:
        """Say what the store has. Raises `NatsError` and `TimeoutError`."""
        info = await self._jetstream.stream_info(STORE)
        ages = [source.active for source in info.sources or []]
        silent = not ages or any(age is None or age < 0 for age in ages)
        return Kept(
            info.state.first_seq,
            info.state.last_seq,
            None if silent else max(age or 0 for age in ages) / 1e9,
        )

    async def next(self, number: int) -> StoredEvent | None:
        """Give the first event from a number on; None when there is none yet.

        Raises `NatsError` and `TimeoutError`.
        """
        try:
            found = await self._jetstream.get_msg(STORE, number, subject=">", next=True)
        except NotFoundError:
            return None
        return StoredEvent(found.seq or number, _envelope(found))

    async def follow(self, number: int) -> AsyncGenerator[StoredEvent]:
        """Give the events from a number on, and go on as they come, also after a cut.

        Raises `Halted` once the leaf lets this reader in no more.
        """
        while True:
            try:
                event = await self.next(number)
            except (NatsError, OSError, TimeoutError):
                event = None
            if self._client.is_closed:
                raise _not_let_in(self._address)
            if event is None:
                await asyncio.sleep(_LOOK_EVERY)
            else:
                number = event.number + 1
                yield event

    async def _ask(self, subject: str) -> dict[str, Any]:
        asked = json.dumps(self._stream).encode()
        try:
            answer = await self._client.request(subject, asked, timeout=_TIMEOUT)
        except (NatsError, TimeoutError) as error:
            raise halt(
                "store",
                "The leaf does not answer for its store.",
                "Look into its log.",
            ) from error
        return cast("dict[str, Any]", json.loads(answer.data))


@contextlib.asynccontextmanager
async def leaf_store(folder: Folder, on_lost: Callable[[], None]) -> AsyncGenerator[LeafStore]:
    """Connect to the store of a leaf, and stay connected. Raises `Halted`.

    Args:
        folder: what it is read by.
        on_lost: called when the leaf is out of reach; the connection comes back by itself.
    """
    client = Client()

    async def lost() -> None:
        if not client.is_closed:
            on_lost()

    said: list[Exception] = []

    async def note(error: Exception) -> None:
        said.append(error)

    options: dict[str, Any] = {
        "name": "reader",
        "tls": trusting(folder.authority),
        "tls_handshake_first": True,
        "inbox_prefix": READER_INBOX.encode(),
        "max_reconnect_attempts": -1,
        "connect_timeout": _TIMEOUT,
        "error_cb": note,
        "disconnected_cb": lost,
        **folder.credentials.callbacks(),
    }
    try:
        await asyncio.wait_for(client.connect(f"tls://{folder.address}", **options), _TIMEOUT)
    except (NatsError, OSError, TimeoutError) as error:
        await client.close()
        raise _unreached(folder, [*said, error]) from error
    try:
        yield LeafStore(client, folder)
    finally:
        await client.close()


def _unreached(folder: Folder, said: list[Exception]) -> Halted:
    words = " ".join(map(str, said)).lower()
    why = str(said[0]) or type(said[0]).__name__
    if "authorization" in words or "authentication" in words:
        return _not_let_in(folder.address)
    return halt(
        "reachability",
        f"The leaf at {folder.address} does not answer: {why}.",
        "Look whether it runs, and whether this machine reaches it.",
    )


def _not_let_in(address: str) -> Halted:
    return halt(
        "credentials",
        f"The leaf at {address} does not let this reader in.",
        "The leaf was written anew, the reader has expired, or the leaf is of before there were "
        "stores: take the folder `reader` that was written with it last, or write it anew.",
    )


def _envelope(found: RawStreamMsg) -> dict[str, Any]:
    headers = found.headers or {}
    told: dict[str, Any] = {
        name.removeprefix("ce-"): unquote(value)
        for name, value in headers.items()
        if name.startswith("ce-")
    }
    kind = told.get("type", "").partition(".v1.")[2].partition(".")[0]
    try:
        message = _EVENTS[kind]()
        message.ParseFromString(found.data or b"")
    except (KeyError, DecodeError):
        # Of a hub that is younger than this software, or not of Peyvand.
        return told | {"data": None}
    return told | {"datacontenttype": "application/json", "data": _plain(message)}


def _plain(message: Message) -> dict[str, Any]:
    """A message as the hub's API has it, but for what is not set: that is left out."""
    told = MessageToDict(message, preserving_proto_field_name=True)
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            if field.message_type.full_name.startswith("google.protobuf."):
                continue
            parts = value if field.is_repeated else [value]
            plain = [_plain(cast("Message", part)) for part in parts]
            told[field.name] = plain if field.is_repeated else plain[0]
        elif field.enum_type is not None:
            known = enum_names(field.enum_type)
            names = [
                known.get(number, str(number))
                for number in (value if field.is_repeated else [value])
            ]
            told[field.name] = names if field.is_repeated else names[0]
    return told
