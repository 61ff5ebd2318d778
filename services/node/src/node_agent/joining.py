"""Joins the network with a token: looks first, asks once, and keeps all or nothing."""

import asyncio
import contextlib
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from google.protobuf.message import DecodeError

from node_agent import PROTOCOL, VERSION
from node_agent.agent import Clock, wall_clock
from node_agent.findings import Finding, Halted, halt
from node_agent.home import (
    DamagedIdentity,
    Home,
    Identity,
    NodeCredentials,
    NotJoined,
    write_whole,
)
from node_agent.hub_identity import Certificates, shown_by, shown_certificates
from node_agent.line import Connect, Hub, LineError, Trouble, trusting
from nodekit import subjects
from nodekit.join_token import JoinToken, JoinTokenError
from nodekit.keys import KeyKind, NKey
from peyvand.node.v1 import protocol_pb2 as pb

_LEAST_FREE = 64 * 1024 * 1024  # bytes
_ANSWER_SECONDS = 15.0
_AGAIN_SECONDS = 1.0
_CLOCK_SECONDS = 5.0  # from here on a difference is worth a word

Tell = Callable[[Finding], None]


def _over_tls(address: str, authority: str) -> Connect:
    return Hub(address, trusting(authority))


@dataclass(frozen=True)
class World:
    """What is between this machine and the hub; a simulation has another.

    Attributes:
        certificates: has those shown of who answers at an address.
        reach: makes lines to the hub at an address that an authority vouches for.
        clock: this machine's.
    """

    certificates: Certificates = shown_certificates
    reach: Callable[[str, str], Connect] = _over_tls
    clock: Clock = wall_clock


_REAL = World()


async def join(
    text: str,
    home: Home,
    tell: Tell,
    *,
    again: bool = False,
    heard: str | None = None,
    through: str | None = None,
    world: World = _REAL,
) -> Identity:
    """Join with a token, and keep the identity in the folder.

    Args:
        text: the token.
        home: where the node will live.
        tell: hears of each finding as it is made.
        again: whether the folder may hold an identity already, of the same node, whose
            credentials are replaced.
        heard: the hub's fingerprint as a person has heard it; compared with the token's
            before anything is sent, when it is given.
        through: ``host:port`` of a leaf of the hub that the node connects to instead; it
            shows a certificate of the same authority.
        world: what is between here and the hub.

    Raises `Halted`; then the folder is as it was.
    """
    existed = home.path.exists()
    try:
        token = _token(text)
        tell(Finding("token", good=True, says=f"for the hub at {token.hub}"))
        _compare(token, heard)
        if through is not None:
            token = _led_through(token, through)
            tell(Finding("through", good=True, says=f"the leaf at {token.hub}"))
        tell(await asyncio.to_thread(_look_at_home, home, again=again))
        return await _join(token, home, tell, world)
    except BaseException:
        if not existed:
            with contextlib.suppress(OSError):
                home.path.rmdir()
        raise


def _led_through(token: JoinToken, through: str) -> JoinToken:
    try:
        return replace(token, hub=through)
    except JoinTokenError as error:
        raise halt("through", f"{error}.", "Give the address of the leaf: host:port.") from None


async def _join(token: JoinToken, home: Home, tell: Tell, world: World) -> Identity:
    tell(Finding("version", good=True, says=f"{VERSION}, Python {sys.version.split()[0]}"))
    shown = await asyncio.to_thread(
        shown_by, token.host, token.port, token.fingerprint, world.certificates
    )
    tell(Finding("reachability", good=True, says=f"{token.host} port {token.port} answers"))
    tell(Finding("fingerprint", good=True, says=f"the hub's is {spoken(token.fingerprint)}"))
    key = NKey.new(KeyKind.USER)
    connect = world.reach(token.hub, shown.authority)
    says = f"{shown.tls_version}, certificate good for {token.host}"
    trusted = Finding("tls", good=True, says=says)
    request = pb.JoinRequest(
        secret=token.secret,
        public_key=key.public,
        software_version=VERSION,
        protocol_version=PROTOCOL,
        expected_node_id=await asyncio.to_thread(_known_node, home),
    )
    try:
        joined = await _ask(connect, request, lambda: tell(trusted), world.clock)
    except LineError as error:
        raise _line_trouble(error, token.host, world.clock()) from None
    tell(Finding("answer", good=True, says=f"the hub has let {joined.node_id} in"))
    tell(_clock(joined, world.clock()))
    identity = _identity(token, shown.authority, key, joined)
    await asyncio.to_thread(_keep, home, identity)
    return identity


def _token(text: str) -> JoinToken:
    try:
        return JoinToken.decode(text)
    except JoinTokenError as error:
        raise halt(
            "token",
            f"This is no join token: {error}.",
            "Copy the whole token, or ask for a new one.",
        ) from None


def spoken(fingerprint: str) -> str:
    """Write a fingerprint in groups of four, as it is read out."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def _compare(token: JoinToken, heard: str | None) -> None:
    """See that the token names the hub whose fingerprint was heard."""
    if heard is None:
        return
    plain = re.sub(r"[\s:-]", "", heard).lower()
    if plain != token.fingerprint:
        raise halt(
            "fingerprint",
            f"The token names {spoken(token.fingerprint)}, and {spoken(plain) or 'none'} was"
            " heard. Nothing was sent.",
            "Let the headquarters read it out again. If it is another one, the token is not"
            " theirs: do not use it, and tell them.",
        )


def _look_at_home(home: Home, *, again: bool) -> Finding:
    try:
        _require_free(home, again=again)
        home.make()
        probe = home.path / ".probe"
        write_whole(probe, "written to see whether one can write here")
        probe.unlink()
        free = shutil.disk_usage(home.path).free
    except OSError as error:
        raise halt(
            "home",
            f"{home.path} cannot be written: {error.strerror}.",
            "Name a folder that this user can write, by --home.",
        ) from None
    if free < _LEAST_FREE:
        raise halt(
            "disk",
            f"Only {free // 1024**2} MiB are free where {home.path} is.",
            f"Make room: at least {_LEAST_FREE // 1024**2} MiB, better 2 GiB.",
        )
    return Finding("home", good=True, says=f"{home.path}, {free // 1024**2} MiB free")


def _require_free(home: Home, *, again: bool) -> None:
    """See that the folder is no other node's, and that no agent runs in it."""
    if home.has_joined() and not again:
        raise halt(
            "home",
            f"{home.path} holds the node {_known_node(home) or 'of a damaged file'} already.",
            "Name another folder by --home; or, to join anew as the same node, add --again.",
        )
    if home.is_locked():
        raise halt(
            "home",
            f"An agent runs in {home.path}.",
            "Stop it first (systemctl stop peyvand-node, or end its process).",
        )


def _known_node(home: Home) -> str:
    """Id of the node that the folder holds; empty for none, or one that cannot be read."""
    known = _known(home)
    return "" if known is None else known.node_id


def _known(home: Home) -> Identity | None:
    try:
        return home.identity()
    except (NotJoined, DamagedIdentity):
        return None


async def _ask(
    connect: Connect, request: pb.JoinRequest, connected: Callable[[], None], clock: Clock
) -> pb.Joined:
    request.time.FromDatetime(clock())
    try:
        reply = pb.JoinReply.FromString(await _answer(connect, request, connected))
    except DecodeError:
        raise halt(
            "answer", "The hub's answer cannot be read.", "Install the version that the hub has."
        ) from None
    if not reply.HasField("joined"):
        raise Halted(
            Finding(
                _about(reply.refusal.reason),
                good=False,
                says=reply.refusal.en,
                mend="Nothing was changed here.",
                says_fa=reply.refusal.fa,
            )
        )
    return reply.joined


async def _answer(
    connect: Connect, request: pb.JoinRequest, connected: Callable[[], None]
) -> bytes:
    """Ask, and ask again with the same key when an answer is lost: the hub then repeats it."""
    told = False
    for last in (False, False, True):
        try:
            line = await connect(None, "", lambda: None)
            if not told:
                connected()
                told = True
            try:
                return await line.request(
                    subjects.JOIN, request.SerializeToString(), _ANSWER_SECONDS
                )
            finally:
                await line.close()
        except LineError as error:
            # Before the first line stood nothing was sent that could have been lost.
            if last or not told or error.trouble in (Trouble.UNTRUSTED, Trouble.REJECTED):
                raise
        await asyncio.sleep(_AGAIN_SECONDS)
    raise AssertionError("the last attempt returns or raises")


_ABOUT = {"CLOCK_TOO_FAR_OFF": "clock", "PROTOCOL_NOT_SPOKEN": "version"}


def _about(reason: str) -> str:
    return _ABOUT.get(reason, "token" if reason.startswith("JOIN_TOKEN") else "answer")


def _line_trouble(error: LineError, host: str, now: datetime) -> Exception:
    detail = error.detail
    if error.trouble is Trouble.UNTRUSTED and ("not yet valid" in detail or "expired" in detail):
        shown = now.isoformat(timespec="seconds")
        return halt(
            "clock",
            f"By this machine's clock ({shown}) the hub's certificate is not good now: {detail}",
            "Set the clock, best by NTP (timedatectl set-ntp true). If it is right, tell the"
            " headquarters that the certificate has run out.",
        )
    if error.trouble is Trouble.UNTRUSTED:
        return halt(
            "tls",
            f"The hub's certificate is not good for {host}: {detail}",
            "Ask the headquarters for a token with the name that is in the certificate.",
        )
    if error.trouble in (Trouble.UNATTENDED, Trouble.SILENT):
        return halt(
            "answer",
            "The hub is reached, but nothing behind it answers now. The token may have been used.",
            "Try the same token again in a minute; if it was used, ask for a new one.",
        )
    return halt(
        "line",
        f"The hub did not let the line stand: {detail}",
        "Try again; if it stays so, tell the headquarters this sentence.",
    )


def _clock(joined: pb.Joined, now: datetime) -> Finding:
    ahead = (now - joined.time.ToDatetime(tzinfo=UTC)).total_seconds()
    good = abs(ahead) < _CLOCK_SECONDS
    says = f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} the hub's"
    mend = "" if good else "Set the clock, best by NTP (timedatectl set-ntp true)."
    return Finding("clock", good=good, says=says, mend=mend)


def _identity(token: JoinToken, authority: str, key: NKey, joined: pb.Joined) -> Identity:
    names = joined.center_names
    expires_at = joined.credentials.expires_at.ToDatetime(tzinfo=UTC)
    return Identity(
        node_id=joined.node_id,
        center_id=joined.center_id,
        center_code=joined.center_code,
        center_names={"fa": names.fa, "en": names.en},
        hub=token.hub,
        fingerprint=token.fingerprint,
        authority=authority,
        joined_at=joined.time.ToDatetime(tzinfo=UTC),
        credentials=NodeCredentials(joined.credentials.jwt, key.seed, expires_at),
    )


def _keep(home: Home, identity: Identity) -> None:
    known = _known_node(home)
    if known not in ("", identity.node_id):
        raise halt(
            "home",
            f"The token is for {identity.node_id}, but {home.path} holds {known}, with its"
            " reports.",
            "Name another folder by --home, and ask for a new token: this one is used now.",
        )
    before = _known(home)
    if before is not None:
        # The center's systems have been told this port; a new key is no reason to change it.
        identity = replace(identity, api_port=before.api_port)
    try:
        home.keep(identity)
    except OSError as error:
        raise halt(
            "home",
            f"The credentials cannot be written to {home.path}: {error.strerror}.",
            "Make room there, then ask for a new token: this one is used now.",
        ) from None


def start_command(home: Home) -> str:
    """What a person types to start the agent of a folder."""
    option = named(home)
    service = "" if option else "systemctl start peyvand-node, or "
    return f"{service}peyvand-node run{option}"


def named(home: Home) -> str:
    """Give the option that names a folder, with a blank before it; nothing for the default."""
    default = default_home(dict(os.environ), is_root=os.getuid() == 0)
    return "" if home.path == default else f" --home {shlex.quote(str(home.path))}"


def default_home(environment: dict[str, str], *, is_root: bool) -> Path:
    """Where a node lives when no folder is named."""
    if named := environment.get("PEYVAND_NODE_HOME"):
        return Path(named)
    if is_root:
        return Path("/var/lib/peyvand-node")
    data = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "peyvand-node"
