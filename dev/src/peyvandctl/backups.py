"""Backs up the network of one machine, and puts it back into a home."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hubkit.authority import Authority
from hubkit.backup.archive import Archive, sync_folder
from hubkit.backup.keys import HubIdentity
from hubkit.backup.making import Made, Source, make_backup
from hubkit.backup.restoring import (
    check,
    identity_of,
    require_place,
    restore_databases,
    restore_files,
)
from hubkit.broker import keep_keys, read_keys
from hubkit.errors import HubError
from hubkit.installation import broker_keys_of, identity_files, signing_key_of
from hubkit.private_files import write_private
from hubkit.topology import SERVICES
from peyvandctl.client import Access, Api, ApiError
from peyvandctl.cluster import Cluster
from peyvandctl.errors import ClusterError
from peyvandctl.issuer import LocalIssuer
from peyvandctl.paths import Home
from peyvandctl.postgres import PostgresServer
from peyvandctl.processes import end_orphans, orphans
from peyvandctl.state import HomeLock, Secrets, State
from servicekit.object_store import ObjectSettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from pathlib import Path

    from servicekit.object_store import ObjectStore

    Say = Callable[[str], None]

_ASIDE = ".before-"
_CLUSTER_ID = "cluster-id"
_NODES_PORT = "nodes-port"
_SERVICES = tuple(service.name for service in SERVICES if service.has_database)
_FOLLOWED_WITHIN_SECONDS = 120.0
_REBUILD_SECONDS = 600.0


async def back_up(
    home: Home, wanted: Path, *, keys: bool, files: bool, passphrase: str | None, say: Say
) -> Made:
    """Back up the network of a home, whether it runs or not.

    Args:
        home: where its data are.
        wanted: the folder or the file that the backup goes to.
        keys: whether the keys of the hub are kept, beside the backup.
        files: whether files of evidence are kept.
        passphrase: what the keys are sealed with; `None` leaves them in plain text.
        say: told what is done.

    Raises:
        ClusterError: there is no network, or it cannot be backed up.
    """
    if not (home.postgres / "data").exists():
        raise ClusterError(
            f"There is no network in {home.root}.", "Set PEYVAND_HOME to the folder of its data."
        )
    with told_at_the_terminal():
        async with _postgres(home, say) as postgres:
            source = Source(
                databases={name: postgres.dsn(name) for name in _SERVICES},
                files=_store(home) if files else None,
                identity=HubIdentity(_identity(home)) if keys else None,
                passphrase=passphrase,
            )
            return await make_backup(source, wanted, say)


class Restore:
    """A backup on its way into a home.

    All is made in a folder beside the home, which takes the home's name at the end. What comes
    to nothing is removed, but for a network that did not start: its logs say why. Whoever is
    killed in between leaves that folder, which the next try removes, and the home as it was.
    """

    def __init__(self, archive: Archive, home: Home, say: Say) -> None:
        self._archive = archive
        self._home = home
        self._say = say
        self._draft = Home(home.root.with_name(f"{home.root.name}.restoring"))

    async def run(self, identity: HubIdentity | None, *, replace: bool, trial: bool) -> Path | None:
        """Put the backup in place.

        Args:
            identity: the keys of the hub; without them it gets new ones.
            replace: set aside what is in the home.
            trial: start the network once, fill its streams and make its picture anew,
                before it takes its place.

        Returns:
            Where what was in the home is now, when there was something.

        Raises:
            ClusterError: the home is in use or not empty, or the backup is unfit; the home is
                as it was.
        """
        with told_at_the_terminal():
            await check(self._archive, self._say)
        with told_at_the_terminal(), _held(self._home):
            if is_filled(self._home) and not replace:
                raise ClusterError(
                    f"{self._home.root} holds data.",
                    "Name an empty folder by --home, or add --replace: what is there is set aside.",
                )
            try:
                await self._make_draft(identity)
            except BaseException:
                await _clear(self._draft)
                raise
            if trial:
                await self._try()
            self._finish_state()
            return await self._put_in_place()

    async def _make_draft(self, identity: HubIdentity | None) -> None:
        draft = self._draft
        await _clear(draft)
        draft.prepare()
        if identity is not None:
            _adopt(draft, identity)
        store = _store(draft)
        require_place(self._archive, store)
        self._say("Starting PostgreSQL")
        async with self._cluster(services=[]) as cluster:
            databases = {name: cluster.postgres.dsn(name) for name in _SERVICES}
            await restore_databases(
                self._archive,
                cluster.postgres.connect,
                databases,
                self._say,
                files=lambda: restore_files(self._archive, store, self._say),
            )

    async def _try(self) -> None:
        self._say("Starting the network out of sight, to fill its streams")
        async with self._cluster(services=None) as cluster:
            access = Access(cluster.gateway_url, cluster.token("hq_admin"))
            await asyncio.to_thread(_follow_and_rebuild, access, self._say)

    def _cluster(self, services: list[str] | None) -> Cluster:
        # On loopback and on ports of its own: no node may hand anything in to what may yet
        # be given up. And no file of the store that others use may be forgotten by it.
        return Cluster(
            self._draft.root,
            services=services,
            port=0,
            host="127.0.0.1",
            nodes_host="",
            leaves_port=0,
            nodes_port=0,
            env={"PEYVAND_OBJECTS_URL": self._draft.objects.as_uri()},
        )

    def _finish_state(self) -> None:
        """Remember the port that nodes know, and none of those of the trial."""
        keep = self._draft.root / _NODES_PORT
        state = State(self._draft)
        state.forget_ports()
        if keep.exists():
            state.remember_port("nats", int(keep.read_text(encoding="ascii")))
            keep.unlink()
        state.save()

    async def _put_in_place(self) -> Path | None:
        home, aside = self._home.root, None
        os.sync()
        if is_filled(self._home):
            await end_orphans(self._home, orphans(self._home))
            aside = home.with_name(f"{home.name}{_ASIDE}{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
            home.rename(aside)
        elif home.exists():
            shutil.rmtree(home)
        self._draft.root.rename(home)
        _take_nodes(home)
        sync_folder(home.parent)
        return aside


def open_keys(archive: Archive, path: Path, passphrase: str | None) -> HubIdentity:
    """Read the keys that belong to a backup. Raises `ClusterError` if they do not."""
    with told_at_the_terminal():
        return identity_of(archive, path, passphrase)


def is_filled(home: Home) -> bool:
    """Whether a home holds anything; its lock does not count."""
    try:
        return any(path.name != home.lock.name for path in home.root.iterdir())
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True


@contextmanager
def told_at_the_terminal() -> Generator[None]:
    """Tell a person at the terminal what the hub's own code has found."""
    try:
        yield
    except HubError as error:
        raise ClusterError(error.message, error.mend) from error
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise ClusterError(f"{place}{error.strerror or error}.") from error


@asynccontextmanager
async def _postgres(home: Home, say: Say) -> AsyncGenerator[PostgresServer]:
    """The database server of a home, started for as long as it is needed if nothing runs."""
    lock = HomeLock(home)
    try:
        lock.acquire()
    except ClusterError:
        secrets = Secrets(home)
        passwords = {name: secrets.get(f"postgres-{name}") for name in _SERVICES}
        port = State(home).ports.get("postgres")
        if port is None:
            raise ClusterError(
                f"The network in {home.root} is just starting.", "Try again in a moment."
            ) from None
        yield PostgresServer(home, port, secrets.get("postgres"), passwords)
        return
    lock.release()
    say("The network does not run; starting PostgreSQL for the backup")
    async with Cluster(
        home.root, services=[], port=0, nodes_host="", nodes_port=0, leaves_port=0
    ) as cluster:
        yield cluster.postgres


@contextmanager
def _held(home: Home) -> Generator[None]:
    """Keep others from running the network of a home meanwhile."""
    was_there = home.root.exists()
    try:
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ClusterError(
            f"The folder {home.root} cannot be used: {error.strerror}.",
            "Name another one by --home.",
        ) from error
    lock = HomeLock(home)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()
        if not was_there and not is_filled(home):
            shutil.rmtree(home.root, ignore_errors=True)


async def _clear(draft: Home) -> None:
    """Remove what a restore has left that was killed."""
    if not draft.root.exists():
        return
    with _held(draft):
        await end_orphans(draft, orphans(draft), grace=5.0)
        shutil.rmtree(draft.root)


def _take_nodes(home: Path) -> None:
    """Move what nodes of this machine keep into a restored home: it is theirs, and not restored.

    It lies in what was set aside last; by this restore, or by one that was killed before it
    came to move it. Whatever was set aside before has none.
    """
    beside = (it for it in home.parent.iterdir() if it.name.startswith(f"{home.name}{_ASIDE}"))
    for aside in sorted(beside, reverse=True):
        if (aside / "nodes").exists():
            (aside / "nodes").rename(home / "nodes")
            return


def _store(home: Home) -> ObjectStore | None:
    if os.environ.get("PEYVAND_OBJECTS_URL"):
        return ObjectSettings.from_environment().object_store()
    return ObjectSettings(objects_url=home.objects.as_uri()).object_store()


def _identity(home: Home) -> dict[str, str]:
    state = State(home)
    issuer = LocalIssuer(home, state.cluster_id)
    found = identity_files(
        read_keys(home.nats / "keys"),
        Authority(home.nats / "tls"),
        issuer.private_key.read_text(encoding="utf-8"),
    )
    found[_CLUSTER_ID] = state.cluster_id
    if "nats" in state.ports:
        found[_NODES_PORT] = str(state.ports["nats"])
    return found


def _adopt(draft: Home, identity: HubIdentity) -> None:
    files = identity.files
    keep_keys(draft.nats / "keys", broker_keys_of(files))
    Authority(draft.nats / "tls").adopt(files)
    state = State(draft)
    state.cluster_id = files.get(_CLUSTER_ID, state.cluster_id)
    state.save()
    write_private(LocalIssuer(draft, state.cluster_id).private_key, signing_key_of(files))
    if _NODES_PORT in files:
        write_private(draft.root / _NODES_PORT, files[_NODES_PORT])


def _follow_and_rebuild(access: Access, say: Say) -> None:
    """Wait until the picture has all events, then have it made anew from them."""
    with Api(access) as api:
        deadline = time.monotonic() + _FOLLOWED_WITHIN_SECONDS
        while True:
            behind = _behind(api)
            if not behind:
                break
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"The picture has not followed its streams: {behind}.",
                    "Look at the logs beside the home; --no-start leaves this to the first start.",
                )
            time.sleep(0.5)
        say("Making the picture of the network anew")
        result = api.post("/v1/network:rebuild", timeout=_REBUILD_SECONDS)
        same = result["digest_before"] == result["digest_after"]
        say(
            f"The picture was made anew from {result['events_after']} events"
            + ("; it is the same" if same else "; it differs from the one in the backup")
        )


def _behind(api: Api) -> str:
    """Which streams the picture has not read to their end; empty when there is none."""
    try:
        streams: list[dict[str, Any]] = api.get("/v1/network/status")["streams"]
    except ApiError as error:
        if error.status < 500:
            raise
        return error.message
    told = {stream["service"]: (stream["position"], stream["last_position"]) for stream in streams}
    late = [
        f"{name} at {told[name][0]} of {told[name][1]}" if name in told else name
        for name in _SERVICES
        if name not in told or told[name][0] != told[name][1]
    ]
    return ", ".join(late)
