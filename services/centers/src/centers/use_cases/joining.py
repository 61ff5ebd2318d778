"""What the service does for nodes themselves: joining, hello, renewal, leaving.

What a node asks comes over the line, not through the API; each function works in the one
transaction that it is given, and its answer is told once that is committed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from centers.domain.centers import Center
from centers.domain.nodes import (
    Credential,
    Node,
    NodeState,
    check_clock,
    check_protocol,
)
from centers.repository.centers import centers
from centers.repository.nodes import (
    Key,
    bar_keys,
    find_key,
    find_token,
    has_open_keys,
    keys_since,
    newest_key,
    nodes,
    put_key,
    put_version,
    replace_tokens,
    use_token,
)
from domainkit.aggregate import Occasion
from nodekit.join_token import secret_digest
from nodekit.keys import BadKey, KeyKind, check_public
from peyvand.api.v1 import types_pb2
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault
from servicekit.mapping import fill, to_datetime, to_timestamp
from servicekit.personal_data import holds_national_id

# A node renews half a life before the end; who asks far more often is broken, and
# each key that is barred weighs on the broker until it has expired.
_RENEW_SHARE = 2
_KEYS_A_DAY = 20
_DAY = timedelta(days=1)
_BATCH_REPORTS = 500
_BATCH_BYTES = 180_000  # also one that does not compress fits a message of the broker
_SLOWEST_HEARTBEAT = 60  # seconds
_LONGEST_VERSION = 50  # characters
_LONGEST_ID = 50
_LONGEST_REASON = 2000


class Signer(Protocol):
    """Makes credentials of nodes."""

    def issue(self, public_key: str, node_id: str, expires_at: datetime) -> str:
        """Return the JWT with which the holder of a key is a node, until then."""
        ...


@dataclass(frozen=True)
class Issuing:
    """How credentials are made, and for how long."""

    signer: Signer
    life: timedelta

    def credential(self, public_key: str, now: datetime) -> Credential:
        """What is noted of credentials that are made now. Their end is told in whole seconds."""
        return Credential(public_key, now, (now + self.life).replace(microsecond=0))

    def message(self, node_id: str, credential: Credential) -> pb.Credentials:
        """Make the credentials themselves."""
        jwt = self.signer.issue(credential.public_key, node_id, credential.expires_at)
        return pb.Credentials(jwt=jwt, expires_at=to_timestamp(credential.expires_at))


async def join(
    session: WriteSession, request: pb.JoinRequest, issuing: Issuing, now: datetime
) -> pb.Joined | Fault:
    """Let a node join with a token.

    Keys that it had before are barred by `bar_former_keys`, once it was answered: the broker
    drops the answers to those who join when it is told of a bar.

    A token that was used before is a fault that is given back, not raised: that someone
    has tried is kept. Raises `Fault` and `Refused` for what leaves no trace.
    """
    check_protocol(request.protocol_version)
    _check_key(request.public_key)
    check_clock(_moment(request.time), now)
    digest = secret_digest(request.secret)
    known = await find_token(session, digest)
    if known is None:
        raise Fault("JOIN_TOKEN_UNKNOWN")
    node = await nodes.lock(session, known.node_id)
    # Who comes at the same time has waited for the lock; what it did is seen now.
    token = await find_token(session, digest)
    if token is None or token.replaced_at is not None:
        raise Fault("JOIN_TOKEN_UNKNOWN")
    if token.used_at is not None:
        if lost := await _lost_answer(session, node, token.used_at, request.public_key):
            return await _joined(session, node, lost, issuing, now)
        node.note_reused_token(_by_stranger(now))
        await nodes.save(session, node)
        return Fault("JOIN_TOKEN_USED", {"time": _told(token.used_at)})
    if token.expires_at <= now:
        raise Fault("JOIN_TOKEN_EXPIRED", {"time": _told(token.expires_at)})
    if request.expected_node_id not in ("", node.id):
        # Were it used, the node whose token it is would be put out, and nobody let in.
        raise Fault("JOIN_TOKEN_OF_ANOTHER_NODE", {"id": request.expected_node_id[:_LONGEST_ID]})
    if await find_key(session, request.public_key) is not None:
        raise Fault("PUBLIC_KEY_TAKEN")
    now = await _after_all_keys(session, node.id, now)
    credential = issuing.credential(request.public_key, now)
    node.join(credential, _version(request.software_version), _by_node(node, now))
    await use_token(session, digest, request.public_key, now)
    await put_key(session, node.id, credential)
    await nodes.save(session, node)
    return await _joined(session, node, credential, issuing, now)


async def bar_former_keys(session: WriteSession, secret: str, now: datetime) -> None:
    """Bar the keys that a node had before it joined with this secret, if any did."""
    token = await find_token(session, secret_digest(secret))
    if token is not None and token.used_at is not None:
        await see_off(session, token.node_id, now)


async def _lost_answer(
    session: ReadSession, node: Node, used_at: datetime, public_key: str
) -> Credential | None:
    """What a token has given, if it is the same who asks: the first answer may be lost.

    The same key gets the same credentials until the node was heard of. They are of no use
    to anyone without the private key.
    """
    if node.state is not NodeState.ENROLLED or node.public_key != public_key:
        return None
    key = await find_key(session, public_key)
    fits = key is not None and not key.is_barred and key.credential.issued_at == used_at
    return key.credential if key is not None and fits else None


async def _after_all_keys(session: ReadSession, node_id: str, now: datetime) -> datetime:
    """Now, or just after the newest key of a node where the clock has been set back since.

    By the order of its keys is told which ones a node has left behind.
    """
    newest = await newest_key(session, node_id)
    return now if newest is None else max(now, newest + timedelta(microseconds=1))


@dataclass(frozen=True)
class Greeted:
    """What a hello has led to."""

    node: Node
    center: Center


async def hello(session: WriteSession, node_id: str, request: pb.Hello, now: datetime) -> Greeted:
    """Take note of a node that says hello: of the key that it uses, and that it is there.

    Raises `Fault` ``KEY_REPLACED`` for a key that is no longer its own, and `Refused`
    ``NODE_NOT_SERVED``.
    """
    _check_key(request.public_key)
    node = await served(session, node_id)
    version = _version(request.software_version)
    known = node.public_key == request.public_key and node.runs(version)
    if node.state is not NodeState.ACTIVE or not known:
        node = await _locked(session, node_id)
        await _adopt(session, node, request, now)
        if node.hear(_by_node(node, now)):
            await nodes.save(session, node)
        await _note_version(session, node, version)
    return Greeted(node, await centers.get(session, node.center_id))


async def _adopt(session: WriteSession, node: Node, request: pb.Hello, now: datetime) -> None:
    """Let a renewed key be the node's own, and bar those before it."""
    if node.public_key == request.public_key:
        return
    key = await find_key(session, request.public_key)
    if key is None or key.node_id != node.id or key.is_barred or _is_former(key, node):
        raise Fault("KEY_REPLACED")
    version = _version(request.software_version) or node.software_version
    node.renew(key.credential, version, _by_node(node, now))
    await bar_keys(session, node.id, now, but=[request.public_key])
    await nodes.save(session, node)


def _is_former(key: Key, node: Node) -> bool:
    """Whether a key was left behind by joining anew, and is yet to be barred."""
    return node.joined_at is not None and key.credential.issued_at < node.joined_at


async def renew(
    session: WriteSession, node_id: str, request: pb.RenewRequest, issuing: Issuing, now: datetime
) -> pb.Credentials:
    """Make credentials for a new key; the old one is good until the new one says hello.

    The same key asked for again gets the same credentials. Raises `Fault`
    ``PUBLIC_KEY_INVALID``, ``PUBLIC_KEY_TAKEN``, ``RATE_LIMITED``, and ``UNAVAILABLE`` until
    the keys are barred that it had before it joined anew.
    """
    _check_key(request.public_key)
    node = await _locked(session, node_id)
    if node.joined_at and await has_open_keys(session, node.id, issued_before=node.joined_at):
        # It may be the machine before that asks, and whose line is about to be cut.
        raise Fault("UNAVAILABLE")
    await _note_version(session, node, _version(request.software_version))
    known = await find_key(session, request.public_key)
    if known is not None:
        waits = known.node_id == node.id and not known.is_barred
        if not waits or request.public_key == node.public_key:
            raise Fault("PUBLIC_KEY_TAKEN")
        return issuing.message(node.id, known.credential)
    if await keys_since(session, node.id, now - _DAY) >= _KEYS_A_DAY:
        raise Fault("RATE_LIMITED", {"retry_after": str(round(_DAY.total_seconds()))})
    # One that was made before and never said hello has been lost on its way.
    await bar_keys(session, node.id, now, but=[node.public_key])
    credential = issuing.credential(
        request.public_key, await _after_all_keys(session, node.id, now)
    )
    await put_key(session, node.id, credential)
    return issuing.message(node.id, credential)


async def leave(session: WriteSession, node_id: str, reason: str, now: datetime) -> None:
    """Take a node out of the network as it asks; asked again, it has left already.

    Its line is cut by `see_off`, once it was told.
    """
    node = await nodes.lock(session, node_id)
    if node.state is NodeState.WITHDRAWN:
        return
    node.require_served()
    node.take("withdraw", _by_node(node, now, _plain(reason, _LONGEST_REASON)))
    await replace_tokens(session, node.id, now)
    await nodes.save(session, node)


async def see_off(session: WriteSession, node_id: str, now: datetime) -> None:
    """Bar the keys that a node has left behind: all if it has left, those before it joined."""
    node = await nodes.lock(session, node_id)
    if node.state is NodeState.WITHDRAWN:
        await bar_keys(session, node.id, now)
    elif node.joined_at is not None:
        await bar_keys(session, node.id, now, issued_before=node.joined_at)


async def warn_of_expiry(session: WriteSession, node_id: str, now: datetime) -> int | None:
    """Warn of the end of a node's credentials if that is due; tell at how many days."""
    node = await nodes.lock(session, node_id)
    days = node.due_warning(now)
    if days is not None:
        node.warn(days, Occasion(actor="centers", at=now))
        await nodes.save(session, node, beside={"days_left": days})
    return days


async def served(session: ReadSession, node_id: str) -> Node:
    """The node, if the hub listens to it. Raises `Fault` or `Refused` ``NODE_NOT_SERVED``."""
    node = await nodes.find(session, node_id)
    if node is None:
        raise Fault("NODE_NOT_SERVED", {"state": "unknown"})
    node.require_served()
    return node


def settings_for(center: Center, life: timedelta) -> pb.NodeSettings:
    """How a node of a center should behave: three heartbeats before it would be late."""
    interval = center.expected().late_seconds // 3
    return pb.NodeSettings(
        heartbeat_seconds=max(1, min(interval, _SLOWEST_HEARTBEAT)),
        renew_before_seconds=round(life.total_seconds()) // _RENEW_SHARE,
        batch_reports=_BATCH_REPORTS,
        batch_bytes=_BATCH_BYTES,
    )


async def _joined(
    session: ReadSession, node: Node, credential: Credential, issuing: Issuing, now: datetime
) -> pb.Joined:
    center = await centers.get(session, node.center_id)
    names = types_pb2.LocalizedText()
    if center.names is not None:
        fill(names, center.names)
    return pb.Joined(
        node_id=node.id,
        center_id=center.id,
        center_code=center.code,
        center_names=names,
        credentials=issuing.message(node.id, credential),
        settings=settings_for(center, issuing.life),
        time=to_timestamp(now),
    )


async def _locked(session: WriteSession, node_id: str) -> Node:
    await served(session, node_id)
    node = await nodes.lock(session, node_id)
    node.require_served()
    return node


def _check_key(public_key: str) -> None:
    try:
        check_public(public_key, KeyKind.USER)
    except BadKey as error:
        raise Fault("PUBLIC_KEY_INVALID") from error


def _moment(timestamp: Timestamp) -> datetime:
    try:
        return to_datetime(timestamp)
    except (ValueError, OverflowError) as error:  # a year that no calendar has
        raise Fault("MESSAGE_UNREADABLE") from error


def _plain(text: str, most: int) -> str:
    """What a node says in words: what can be printed of it, and no more than fits."""
    return "".join(character for character in text if character.isprintable())[:most]


def _version(text: str) -> str:
    """The version of its software that a node tells; none where it looks like a person's."""
    version = _plain(text, _LONGEST_VERSION)
    return "" if holds_national_id(version) else version


async def _note_version(session: WriteSession, node: Node, version: str) -> None:
    """Show the version that a node runs. It is no step in its life, and no event tells it."""
    if not node.runs(version):
        node.software_version = version
        await put_version(session, node.id, version)


def _by_node(node: Node, now: datetime, reason: str = "") -> Occasion:
    return Occasion(actor=node.id, at=now, reason=reason)


def _by_stranger(now: datetime) -> Occasion:
    return Occasion(actor="stranger", at=now)


def _told(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
