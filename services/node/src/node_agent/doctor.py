"""Looks a node over: what is well, what is not, and how to mend it."""

import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from node_agent.findings import Finding, Halted
from node_agent.home import DamagedIdentity, Home, Identity, NotJoined
from node_agent.hub_identity import shown_by
from node_agent.joining import named, start_command
from node_agent.local_client import FoundAgent, find_agent

_LOW_DISK = 256 * 1024**2
_OLD_QUEUE = timedelta(hours=1)
_CLOCK_SECONDS = 30.0


def examine(home: Home) -> Iterator[Finding]:
    """Look at everything, one after the other."""
    try:
        identity = home.identity()
    except (NotJoined, DamagedIdentity) as error:
        yield no_identity(home, error)
        return
    yield Finding("identity", good=True, says=f"{identity.node_id} of {identity.center_code}")
    yield _private(home)
    yield _disk(home)
    yield _hub(identity)
    agent = find_agent(home)
    yield _credentials(identity, agent)
    yield _inbox(home)
    if agent is None:
        says = "The agent does not run."
        yield Finding("agent", good=False, says=says, mend=start_command(home))
        return
    if agent.status is None:
        silence = agent.silence()
        yield Finding(
            "agent",
            good=False,
            says=f"{silence[0].upper()}{silence[1:]}.",
            mend=f"Look at {home.log_file}, or journalctl -u peyvand-node; end the process, and"
            f" start it again: {start_command(home)}",
        )
        return
    yield Finding("agent", good=True, says="runs")
    yield from _at_work(agent.status)


def no_identity(home: Home, error: NotJoined | DamagedIdentity) -> Finding:
    """Say that there is no identity, or none that can be read."""
    mend = f"peyvand-node join TOKEN{named(home)}"
    if isinstance(error, DamagedIdentity):
        mend = "Ask the headquarters for a token, and join anew with --again."
    return Finding("identity", good=False, says=str(error), mend=mend)


def _private(home: Home) -> Finding:
    mode = stat.S_IMODE(home.identity_file.stat().st_mode)
    good = mode & 0o077 == 0
    return Finding(
        "permissions",
        good=good,
        says=f"{home.identity_file} has mode {mode:o}",
        mend="" if good else f"chmod 600 {home.identity_file}",
    )


def _disk(home: Home) -> Finding:
    free = shutil.disk_usage(home.path).free
    good = free >= _LOW_DISK
    return Finding(
        "disk",
        good=good,
        says=f"{free // 1024**2} MiB are free",
        mend="" if good else "Make room: reports are refused when the disk is full.",
    )


def _hub(identity: Identity) -> Finding:
    host, _, port = identity.hub.rpartition(":")
    try:
        shown = shown_by(host.strip("[]"), int(port), identity.fingerprint)
    except Halted as halted:
        return halted.finding
    return Finding("hub", good=True, says=f"{identity.hub} answers, {shown.tls_version}")


def _credentials(identity: Identity, agent: FoundAgent | None) -> Finding:
    until = identity.credentials.expires_at
    good = until > _hub_time(agent)
    return Finding(
        "credentials",
        good=good,
        says=f"good until {until.isoformat(timespec='minutes')}",
        mend="" if good else "Ask the headquarters for a token, and join anew with --again.",
    )


def _hub_time(agent: FoundAgent | None) -> datetime:
    """Now by the hub's clock, as far as the agent has heard it: this machine's may be wrong."""
    ahead = agent.status["clock_ahead_of_hub_seconds"] if agent and agent.status else None
    return datetime.now(UTC) - timedelta(seconds=ahead or 0.0)


_MENDS = {
    "unreachable": "See whether this machine reaches the hub; reports are kept meanwhile.",
    "untrusted": "Who answers is not the hub that was joined. Tell the headquarters.",
    "rejected": "Ask the headquarters whether the node is suspended or revoked.",
    "revoked": "Ask the headquarters whether the node is suspended or revoked.",
    "expired": "Ask the headquarters for a token, and join anew with --again.",
}


def _at_work(status: dict[str, Any]) -> Iterator[Finding]:
    line = status["line"]
    online = line["state"] == "online"
    says = f"{line['state']} since {line['since']}"
    detail = f": {line['detail']}" if line["detail"] else ""
    mend = "" if online else _MENDS.get(line["trouble"] or "", "Wait, or ask the headquarters.")
    yield Finding("line", good=online, says=says + detail, mend=mend)
    stored = status["storage_trouble"]
    yield Finding(
        "storage",
        good=not stored,
        says=stored or "takes reports",
        mend="Make room on the disk." if stored else "",
    )
    yield _queue(status)
    ahead = status["clock_ahead_of_hub_seconds"]
    if ahead is not None:
        good = abs(ahead) < _CLOCK_SECONDS
        mend = (
            ""
            if good
            else "Set the clock, best by NTP (timedatectl set-ntp true); the line holds meanwhile."
        )
        yield Finding("clock", good=good, says=f"{ahead:+.1f} s against the hub", mend=mend)
    refused, unseen = status["refused_reports"], status["unseen_refusals"]
    yield Finding(
        "receipts",
        good=not unseen,
        says=f"{refused} reports were refused by the hub, {unseen} of them were not seen yet",
        mend="peyvand-node receipts names field and rule; with --seen this is well again."
        if unseen
        else "",
    )


def _queue(status: dict[str, Any]) -> Finding:
    queued, oldest = status["queued_reports"], status["oldest_queued_at"]
    old = oldest is not None and datetime.now(UTC) - datetime.fromisoformat(oldest) > _OLD_QUEUE
    return Finding(
        "queue",
        good=not old,
        says=f"{queued} reports wait" + (f", the oldest since {oldest}" if oldest else ""),
        mend="They go out by themselves once the line is there." if old else "",
    )


def _inbox(home: Home) -> Finding:
    found = home.file_faults()
    return Finding(
        "inbox",
        good=not found,
        says=f"{len(found)} files were refused, in whole or in part, or written to after they"
        " were taken",
        mend=f"See the .errors files in {home.inbox / 'refused'}, and remove those that are"
        " dealt with."
        if found
        else "",
    )
