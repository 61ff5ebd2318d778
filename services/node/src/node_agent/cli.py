"""What a person types at a node."""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console
from rich.markup import escape

from node_agent import VERSION, background, service
from node_agent.cli_events import events
from node_agent.database import StorageFull
from node_agent.doctor import examine, no_identity
from node_agent.findings import Finding, Halted, halt
from node_agent.home import AlreadyRuns, DamagedIdentity, Home, Identity, NotJoined, RunningAgent
from node_agent.joining import default_home
from node_agent.joining import join as join_network
from node_agent.leaving import say_goodbye
from node_agent.local_client import agent_status, find_agent
from node_agent.receipts import Silent, see
from node_agent.receipts import receipts as hub_receipts
from node_agent.running import configure_logs, serve
from node_agent.store import Store, StoreLimits

_ONLINE_SECONDS = 45.0
_STOP_SECONDS = 15.0

app = typer.Typer(
    name="peyvand-node",
    help="The node of a center: joins it to the network and brings its reports to the hub.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of the node [PEYVAND_NODE_HOME].")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def register(commands: typer.Typer) -> None:
    """Add the commands to another program's: `peyvand node …`."""
    for name, command in _COMMANDS.items():
        commands.command(name)(command)


def join(
    given: Annotated[
        str,
        typer.Argument(
            metavar="TOKEN", help="The token of the headquarters; - reads it from standard input."
        ),
    ],
    *,
    home: HomeOption = None,
    start: Annotated[
        bool, typer.Option(help="Start the agent in the background and wait until it is online.")
    ] = True,
    again: Annotated[
        bool, typer.Option("--again", help="Join anew as the node that is in the folder.")
    ] = False,
    fingerprint: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="The hub's fingerprint as it was heard by telephone; blanks do not matter.",
        ),
    ] = None,
    through: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="A leaf of the province to connect to, in place of the hub itself.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Join the network with a token: one outbound connection, nothing half done."""
    show = _Show(as_json=as_json)
    folder = _home(home)
    text = sys.stdin.read() if given == "-" else given
    configure_quiet_logs()
    try:
        identity = asyncio.run(
            join_network(
                text, folder, show.finding, again=again, heard=fingerprint, through=through
            )
        )
    except Halted as halted:
        show.finding(halted.finding)
        show.end({"joined": False}, "The node has not joined; nothing was changed here.")
        raise typer.Exit(1) from None
    if not start:
        result = {"joined": True, "online": False, **_identity(identity)}
        command = f"peyvand-node run --home {folder.path}"
        show.end(result, f"Joined as {_name(identity)}. Start the agent: {command}")
        return
    _start(folder, identity, show)


def _begin(folder: Home, show: "_Show") -> int | None:
    """Start the agent so that it outlives the machine, where that can be; gives its process id.

    `None` stands for a process of systemd's. Raises `Halted`.
    """
    says, _ = service.obstacle(folder)
    if not says:
        service.install(folder)
        show.finding(Finding("service", good=True, says="systemd starts it with the machine"))
        return None
    pid = background.start(folder)
    told = f"started in the background, and not again with the machine: {says}"
    show.finding(Finding("service", good=True, says=told))
    return pid


def _start(folder: Home, identity: Identity, show: "_Show") -> None:
    try:
        pid = _begin(folder, show)
    except Halted as halted:
        show.finding(halted.finding)
        show.end({"joined": True, "online": False}, "Joined, but the agent does not run.")
        raise typer.Exit(1) from None
    result = {"joined": True, **_identity(identity), "pid": pid}
    try:
        status = background.wait_online(folder, pid, _ONLINE_SECONDS)
    except background.NotStarted as error:
        show.finding(Finding("agent", good=False, says=f"The agent ended: {error}"))
        show.end(result | {"online": False}, "Joined, but the agent does not run.")
        raise typer.Exit(1) from None
    if status is None:
        now = agent_status(folder) or {"line": {"state": "unknown", "detail": None}}
        says = f"Not greeted by the hub in {_ONLINE_SECONDS:.0f} s: {now['line']['detail'] or ''}"
        mend = "It goes on trying; see peyvand-node doctor."
        show.finding(Finding("online", good=False, says=says, mend=mend))
        show.end(result | {"online": False}, "Joined; the agent runs, but is not online yet.")
        raise typer.Exit(1)
    running = folder.running()
    url = "" if running is None else running.url
    show.end(
        result | {"online": True, "url": url},
        f"online: {_name(identity)}. Hand in reports at {url}, or drop files into {folder.inbox}",
    )


def run(
    home: HomeOption = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="Port of the local API [PEYVAND_NODE_PORT; that of last time, or a free one].",
            envvar="PEYVAND_NODE_PORT",
            show_envvar=False,
        ),
    ] = None,
    quota_mib: Annotated[
        int,
        typer.Option(
            help="Room that reports may take, in MiB.", min=1, envvar="PEYVAND_NODE_QUOTA_MIB"
        ),
    ] = 2048,
    reserve_mib: Annotated[
        int,
        typer.Option(
            help="Room on the disk that is left free, in MiB.",
            min=0,
            envvar="PEYVAND_NODE_RESERVE_MIB",
        ),
    ] = 32,
) -> None:
    """Run the agent in the foreground; Ctrl-C or SIGTERM ends it."""
    configure_logs()
    folder = _home(home)
    limits = StoreLimits(quota_bytes=quota_mib * 1024**2, reserve_bytes=reserve_mib * 1024**2)
    try:
        asyncio.run(serve(folder, port, limits))
    except (NotJoined, DamagedIdentity) as error:
        found = no_identity(folder, error)
        structlog.get_logger().error("not_started", detail=found.says, mend=found.mend)
        raise typer.Exit(1) from None
    except (AlreadyRuns, StorageFull, OSError) as error:
        structlog.get_logger().error("not_started", detail=str(error))
        raise typer.Exit(1) from None


def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show how the node and its line are."""
    folder, show = _home(home), _Show(as_json=as_json)
    identity = _joined(folder, show)
    files = {"refused_files": len(folder.file_faults())}
    agent = find_agent(folder)
    if agent is None or agent.status is None:
        kept = {**_identity(identity), **_kept(folder), **files}
        if agent is None:
            says, result = "the agent does not run", {"running": False, **kept}
        else:
            says = agent.silence()
            result = {"running": True, "answers": False, "pid": agent.pid, "url": agent.url, **kept}
        show.end(result, f"{_name(identity)}: {says}. {_waiting(kept)}")
        raise typer.Exit(1)
    found = agent.status
    line = found["line"]
    text = f"{_name(identity)}: {line['state']} since {line['since']}. {_waiting(found)}"
    if line["detail"]:
        text += f" {line['detail']}"
    if files["refused_files"]:
        text += f" {files['refused_files']} files of the watched folder were not taken whole."
    text += f" Hand in reports at {agent.url}"
    show.end(
        {"running": True, "answers": True, "pid": agent.pid, "url": agent.url, **found, **files},
        text,
    )
    if line["state"] != "online":
        raise typer.Exit(1)


def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Look the node over; each finding comes with a way to mend it."""
    show = _Show(as_json=as_json)
    good = True
    for finding in examine(_home(home)):
        show.finding(finding)
        good = good and finding.good
    show.end({"good": good}, "All is well." if good else "Something is to be mended.")
    if not good:
        raise typer.Exit(1)


def install_service(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Have systemd run the agent: with the machine, and again whenever it ends."""
    folder, show = _home(home), _Show(as_json=as_json)
    identity = _joined(folder, show)
    try:
        says, mend = service.obstacle(folder)
        if says:
            raise halt("service", says, mend)
        _stop(folder)
        service.install(folder)
        if background.wait_answering(folder, None, _ONLINE_SECONDS) is None:
            raise halt("agent", "It does not answer.", f"See journalctl -u {service.NAME}.")
    except Halted as halted:
        show.finding(halted.finding)
        show.end({"installed": False}, "The service does not run.")
        raise typer.Exit(1) from None
    show.end({"installed": True}, f"{_name(identity)}: systemd starts it with the machine.")


def restart(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Start the agent anew, with the software that this command is of: after an update."""
    folder, show = _home(home), _Show(as_json=as_json)
    identity = _joined(folder, show)
    try:
        if not service.is_installed(folder):
            _stop(folder)
        pid = _begin(folder, show)
        if background.wait_answering(folder, pid, _ONLINE_SECONDS) is None:
            raise halt("agent", "It does not answer.", f"See {folder.log_file}, or journalctl.")
    except (Halted, background.NotStarted) as error:
        found = error.finding if isinstance(error, Halted) else None
        show.finding(found or Finding("agent", good=False, says=f"The agent ended: {error}"))
        show.end({"running": False}, f"{_name(identity)}: the agent does not run.")
        raise typer.Exit(1) from None
    show.end({"running": True}, f"{_name(identity)}: the agent runs, version {VERSION}.")


def _stop(folder: Home) -> None:
    running = folder.running()
    if not background.stop(folder, _STOP_SECONDS):
        raise _not_stopped(running)


def receipts(
    home: HomeOption = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All receipts, and not only refusals not seen yet.")
    ] = False,
    seen: Annotated[
        bool, typer.Option("--seen", help="Note that these were seen; doctor is well again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the hub has refused of this node's reports: field, rule, and why."""
    folder, show = _home(home), _Show(as_json=as_json)
    identity = _joined(folder, show)
    try:
        found = hub_receipts(folder, everything=everything)
        if seen and found:
            see(folder, int(found[-1]["position"]))
    except (Silent, StorageFull) as error:
        text = error.says if isinstance(error, Silent) else str(error)
        show.end({"receipts": None}, f"{_name(identity)}: {text}.")
        raise typer.Exit(1) from None
    for receipt in () if as_json else found:
        for line in _said(receipt):
            typer.echo(line)
    kinds = "receipts" if everything else "refusals that were not seen yet"
    show.end({"receipts": found}, f"{_name(identity)}: {len(found)} {kinds}.")


def _said(receipt: dict[str, Any]) -> list[str]:
    """Lines in which a receipt is told."""
    head = f"{receipt['decided_at']}  {receipt['key']}"
    if receipt["decision"]:
        return [f"{head}  {receipt['decision']}: {receipt['comment'] or ''}"]
    if receipt["accepted"]:
        return [f"{head}  accepted: {receipt['id'] or ''}"]
    lines = [f"{head}  refused"]
    for broken in receipt["refusals"]:
        lines += [
            f"  {broken['field'] or ''}  {broken['rule']}",
            *(f"    {broken[language]}" for language in ("en", "fa")),
        ]
    return lines


def leave(
    reason: Annotated[str, typer.Option(help="Why, for the node's history.")],
    home: HomeOption = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also with reports that wait, or when the hub is away."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Leave the network for good. The node's history stays at the hub, its files here."""
    folder, show = _home(home), _Show(as_json=as_json)
    identity = _joined(folder, show)
    configure_quiet_logs()
    running = folder.running()
    try:
        if not force:
            _require_empty(agent_status(folder) or _kept(folder))
        # What waits is counted when nobody can hand in any more; until all is over the lock
        # keeps a service manager from starting the agent again.
        kept_running = running and running.pid and background.is_kept_running(running.pid)
        _stop(folder)
    except Halted as halted:
        show.finding(halted.finding)
        show.end({"left": False}, "The node has not left; the hub was told nothing.")
        raise typer.Exit(1) from None
    try:
        with folder.locked():
            if not force:
                _require_empty(_kept(folder))
            told = _tell_hub(folder, reason, show, force=force)
            folder.forget()
    except (Halted, AlreadyRuns) as error:
        if isinstance(error, Halted):
            show.finding(error.finding)
        if running and not kept_running and not folder.is_locked():
            background.start(folder)
        show.end({"left": False}, "Nothing was changed.")
        raise typer.Exit(1) from None
    try:
        service.remove(folder)
    except Halted as halted:
        show.finding(halted.finding)
    show.end({"left": True, "hub_told": told}, f"{_name(identity)} has left the network.")


def _require_empty(found: dict[str, Any]) -> None:
    waiting = found["queued_reports"]
    if waiting:
        says = f"{waiting} reports wait for the hub and would not arrive."
        raise halt("queue", says, "Wait, or leave with --force.")


def _not_stopped(running: RunningAgent | None) -> Halted:
    pid = None if running is None else running.pid
    if pid == 1:
        mend = "Stop the container, and leave in one that runs nothing else."
    else:
        mend = "End its process (systemctl stop peyvand-node), then leave."
    who = "its process is not known" if pid is None else f"pid {pid}"
    return halt("agent", f"The agent still runs, and cannot be ended from here: {who}.", mend)


def _tell_hub(folder: Home, reason: str, show: "_Show", *, force: bool) -> bool:
    try:
        asyncio.run(say_goodbye(folder, reason))
    except Halted as halted:
        if not force:
            raise
        show.finding(halted.finding)
        return False
    return True


def version() -> None:
    """Print the version of this software."""
    typer.echo(VERSION)


_COMMANDS = {
    "join": join,
    "run": run,
    "install-service": install_service,
    "restart": restart,
    "status": status,
    "doctor": doctor,
    "receipts": receipts,
    "events": events,
    "leave": leave,
    "version": version,
}
register(app)


def configure_quiet_logs() -> None:
    """Keep logs out of what a person reads."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    logging.basicConfig(level=logging.CRITICAL)


def _home(path: Path | None) -> Home:
    found = path or default_home(dict(os.environ), is_root=os.getuid() == 0)
    return Home(found.expanduser().absolute())


def _joined(home: Home, show: "_Show") -> Identity:
    try:
        return home.identity()
    except (NotJoined, DamagedIdentity) as error:
        show.finding(no_identity(home, error))
        text = "There is no node here."
        if isinstance(error, DamagedIdentity):
            text = "The node that is here cannot be read."
        show.end({"joined": False}, text)
        raise typer.Exit(1) from None


def _kept(home: Home) -> dict[str, Any]:
    """What the store says while no agent runs."""
    if not home.store_file.exists():
        return {"queued_reports": 0}
    store = Store(home.store_file)
    try:
        return {"queued_reports": store.standing().queued}
    finally:
        store.close()


def _waiting(found: dict[str, Any]) -> str:
    return f"{found['queued_reports']} reports wait for the hub."


def _name(identity: Identity) -> str:
    names = identity.center_names
    return f"{names.get('en') or names.get('fa') or ''} ({identity.center_code})".strip()


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "node_id": identity.node_id,
        "center_id": identity.center_id,
        "center_code": identity.center_code,
        "center_names": identity.center_names,
        "hub": identity.hub,
        "credentials_expire_at": identity.credentials.expires_at.isoformat(),
    }


class _Show:
    """Shows findings as they come, or all as one JSON document at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._findings: list[Finding] = []
        self._console = Console(highlight=False, soft_wrap=True)

    def finding(self, finding: Finding) -> None:
        self._findings.append(finding)
        if self._as_json:
            return
        mark = "[green]✓[/]" if finding.good else "[red]✗[/]"
        self._console.print(f"{mark} {finding.check}: {escape(finding.says)}")
        for text in (finding.says_fa, finding.mend):
            if text:
                self._console.print(f"  {escape(text)}")

    def end(self, result: dict[str, Any], text: str) -> None:
        if self._as_json:
            findings = [finding.plain() for finding in self._findings]
            typer.echo(json.dumps(result | {"findings": findings}, ensure_ascii=False))
        else:
            self._console.print(escape(text))
