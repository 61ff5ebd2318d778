"""Who may say what on the broker: its accounts, and the keys that open them.

PLATFORM holds the services and the nodes. A service may use every subject of it; a node
is signed by a scoped key, whose template keeps it to its own subjects. LOBBY holds
whoever has no credentials yet, and can do one thing: ask to join, a service that LOBBY
imports from PLATFORM. SYS is the broker's own, where accounts are changed. COPIES holds a
copy of events, and nobody; PROVINCES holds the lines of the brokers of provinces, which copy
from there. `nodekit.leaves` says why.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, cast

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from nodekit import nats_jwt, subjects
from nodekit.keys import BadKey, KeyKind, NKey, UserCredentials, check_public
from nodekit.leaves import (
    COPY,
    COPY_API,
    COPY_DELIVERIES,
    SOURCE,
    SOURCE_API,
    SOURCE_DELIVERIES,
    SOURCE_SUBJECTS,
    SYSTEM_RIGHTS,
    Leaf,
    LeafCredentials,
)
from nodekit.nats_jwt import Account, AccountLimits, Permissions, Scope, Shared

NAME = "{{name()}}"
NODE_PAYLOAD = 256 * 1024  # bytes
JOIN_PAYLOAD = 16 * 1024  # bytes

NODE = Permissions(
    publish=[f"node.{NAME}.>"],
    subscribe=[f"cmd.node.{NAME}.>", subjects.NETWORK, f"_INBOX_node_{NAME}.>"],
    subscriptions=16,
    payload=NODE_PAYLOAD,
)
"""What a node may do; the name in its credentials is its id."""

JOINER = Permissions(
    publish=[subjects.JOIN],
    subscribe=[f"{subjects.JOIN_INBOX}.>"],
    subscriptions=2,
    payload=JOIN_PAYLOAD,
)
"""What anyone may do who can reach the broker."""

_JOINING = Shared(subjects.JOIN)
# A broker of a province connects as a user of these accounts.
_WITH_LEAVES = AccountLimits(leaves=-1)


def _to_copy(stream: str, deliveries: str) -> tuple[Shared, ...]:
    """What an account offers to one that copies a stream of events: to ask, and to hear."""
    return (
        Shared(f"$JS.API.CONSUMER.CREATE.{stream}.*.{SOURCE_SUBJECTS}"),
        Shared(f"$JS.FC.{stream}.>"),
        Shared(f"{deliveries}.>", "stream"),
    )


def _copied(offers: Sequence[Shared], of: NKey, api: str) -> list[Shared]:
    """The same at the account that copies, which asks under `api`."""
    ask, *rest = (replace(shared, of=of.public) for shared in offers)
    return [replace(ask, here=ask.subject.replace("$JS.API", api)), *rest]


_SOURCE = _to_copy(SOURCE, SOURCE_DELIVERIES)
_COPY = _to_copy(COPY, COPY_DELIVERIES)
_LOBBY = AccountLimits(connections=64, subscriptions=128, payload=JOIN_PAYLOAD)
# Older than anything that the registrar has ever said, so that what it said prevails.
_BEFORE_ALL = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class HubKeys:
    """Every key of the broker's side. Whoever reads them is the hub.

    Attributes:
        operator: signs the accounts.
        system: the account SYS.
        platform: the account PLATFORM.
        lobby: the account LOBBY.
        services: signing key of PLATFORM for the services.
        nodes: scoped signing key of PLATFORM for the nodes.
    """

    operator: NKey
    system: NKey
    platform: NKey
    lobby: NKey
    services: NKey
    nodes: NKey

    @property
    def copies(self) -> NKey:
        """The account COPIES.

        It follows from that of PLATFORM, as that of PROVINCES does: hubs whose keys were made
        before there were these accounts have them too.
        """
        return self._derived("account COPIES")

    @property
    def provinces(self) -> NKey:
        """The account PROVINCES."""
        return self._derived("account PROVINCES")

    def store(self, leaf: Leaf) -> NKey:
        """The account of a leaf's store, which the hub's broker knows nothing of."""
        return self._derived(f"store of {leaf.name}")

    def store_jwt(self, leaf: Leaf, written_at: datetime) -> str:
        """Return the account of a leaf's store, which the leaf alone is told of.

        Readers that were written before that time are let in no more.
        """
        before = written_at - timedelta(seconds=1)
        said = Account(
            self.store(leaf).public,
            "STORE",
            jetstream=True,
            revocations={"*": before},
            limits=_WITH_LEAVES,
        )
        return nats_jwt.account(self.operator, said)

    def _derived(self, what: str) -> NKey:
        made = HKDF(SHA256(), 32, salt=None, info=f"peyvand {what}".encode())
        return NKey(KeyKind.ACCOUNT, made.derive(self.platform.secret))

    @classmethod
    def new(cls) -> Self:
        """Make all keys."""
        return cls(**{name: NKey.new(kind) for name, kind in _kinds().items()})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the folder that `files` was written to.

        Raises:
            OSError: a file cannot be read.
            BadKey: a file holds no key, or one of another kind.
        """
        return cls(
            **{
                name: NKey.from_seed((folder / f"{name}.nk").read_text(encoding="ascii"), kind)
                for name, kind in _kinds().items()
            }
        )

    def files(self) -> dict[str, str]:
        """Return names and contents of the files to keep, readable for the registrar alone."""
        return {f"{name}.nk": cast("NKey", getattr(self, name)).seed + "\n" for name in _kinds()}

    def operator_jwt(self) -> str:
        """Return what the broker trusts."""
        return nats_jwt.operator(self.operator, "peyvand", self.system.public)

    def system_account(self, revocations: Mapping[str, datetime]) -> Account:
        """Return the account SYS as it shall be.

        Args:
            revocations: public keys of leaves, and the time up to which what they were
                issued is void.
        """
        return Account(self.system.public, "SYS", revocations=revocations, limits=_WITH_LEAVES)

    def lobby_jwt(self) -> str:
        """Return the account LOBBY."""
        said = Account(
            self.lobby.public,
            "LOBBY",
            takes=[replace(_JOINING, of=self.platform.public)],
            limits=_LOBBY,
        )
        return nats_jwt.account(self.operator, said)

    def platform_account(self, revocations: Mapping[str, datetime]) -> Account:
        """Return the account PLATFORM as it shall be.

        Args:
            revocations: public keys of nodes and leaves, and the time up to which what they
                were issued is void.
        """
        return Account(
            self.platform.public,
            "PLATFORM",
            jetstream=True,
            signing_keys=[self.services.public],
            scopes=[Scope(self.nodes.public, "node", NODE)],
            offers=[_JOINING, *_SOURCE],
            revocations=revocations,
            limits=_WITH_LEAVES,
        )

    def provinces_account(self, revocations: Mapping[str, datetime]) -> Account:
        """Return the account PROVINCES as it shall be.

        Args:
            revocations: public keys of leaves, and the time up to which what they were
                issued is void.
        """
        return Account(
            self.provinces.public,
            "PROVINCES",
            takes=_copied(_COPY, self.copies, COPY_API),
            revocations=revocations,
            limits=_WITH_LEAVES,
        )

    def copies_account(self) -> Account:
        """Return the account COPIES."""
        return Account(
            self.copies.public,
            "COPIES",
            jetstream=True,
            offers=_COPY,
            takes=_copied(_SOURCE, self.platform, SOURCE_API),
        )

    def first_jwts(self) -> dict[str, str]:
        """Return the accounts that a broker starts with when it knows no others, by their keys.

        PLATFORM knows the key of the services but not that of the nodes: a broker that has lost
        what it knew lets no node in before it was told again which are barred.
        """
        said = [
            self.system_account({}),
            replace(self.platform_account({}), scopes=()),
            self.copies_account(),
            self.provinces_account({}),
        ]
        first = {
            account.public: nats_jwt.account(self.operator, account, issued_at=_BEFORE_ALL)
            for account in said
        }
        return first | {self.lobby.public: self.lobby_jwt()}

    def sentinel_jwt(self) -> str:
        """Return the user of LOBBY that everyone is who shows no credentials."""
        nobody = NKey.new(KeyKind.USER).public
        return nats_jwt.user(self.lobby, nobody, "joiner", permissions=JOINER, bearer=True)

    def broker_configuration(self, more: Mapping[str, str] | None = None) -> str:
        """Return the part of a broker's configuration that says whom it trusts.

        It holds no secret. Where several servers are one broker, all have the same.

        Args:
            more: accounts that it knows beside those of the hub, by their keys.
        """
        accounts = self.first_jwts() | dict(more or {})
        lines = [
            f"operator: {self.operator_jwt()}",
            f"system_account: {self.system.public}",
            "resolver_preload {",
            *(f"  {public}: {jwt}" for public, jwt in accounts.items()),
            "}",
            f"default_sentinel: {self.sentinel_jwt()}",
        ]
        return "\n".join(lines) + "\n"

    def service_credentials(self, name: str) -> UserCredentials:
        """Make credentials of a service, named in the broker's logs."""
        key = NKey.new(KeyKind.USER)
        account = self.platform.public
        return UserCredentials(nats_jwt.user(self.services, key.public, name, account=account), key)

    def system_credentials(self, name: str) -> UserCredentials:
        """Make credentials for the account SYS."""
        key = NKey.new(KeyKind.USER)
        return UserCredentials(nats_jwt.user(self.system, key.public, name), key)

    def leaf_credentials(self, leaf: Leaf, expires_at: datetime) -> LeafCredentials:
        """Make what a leaf connects with, and what its store is read with."""

        def user(
            signer: NKey, key: NKey, what: str, permissions: Permissions, account: str = ""
        ) -> UserCredentials:
            jwt = nats_jwt.user(
                signer,
                key.public,
                f"{leaf.name}-{what}",
                account=account,
                permissions=permissions,
                expires_at=expires_at,
            )
            return UserCredentials(jwt, key)

        # One key for all lines, so that one word bars them all.
        key, reader = NKey.new(KeyKind.USER), NKey.new(KeyKind.USER)
        platform = self.platform.public
        return LeafCredentials(
            platform=user(self.services, key, "leaf", leaf.platform_rights(), platform),
            provinces=user(self.provinces, key, "leaf", leaf.provinces_rights()),
            system=user(self.system, key, "leaf", SYSTEM_RIGHTS),
            reader=user(self.store(leaf), reader, "reader", leaf.reader_rights()),
        )

    def copies_credentials(self, name: str) -> UserCredentials:
        """Make credentials for the account COPIES."""
        key = NKey.new(KeyKind.USER)
        return UserCredentials(nats_jwt.user(self.copies, key.public, name), key)

    def node_signer(self) -> "NodeSigner":
        """Return what issues credentials of nodes, and can do nothing else."""
        return NodeSigner(self.platform.public, self.nodes)


@dataclass(frozen=True)
class NodeSigner:
    """Issues credentials of nodes.

    Attributes:
        account: public key of the account that nodes are in.
        key: its scoped signing key.
    """

    account: str
    key: NKey

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `text` has written.

        Raises:
            BadKey: it is something else.
        """
        try:
            known: Any = json.loads(text)
            account, seed = str(known["account"]), str(known["signing_seed"])
        except (ValueError, KeyError, TypeError):
            raise BadKey("This is no file with the signing key of the nodes.") from None
        return cls(check_public(account, KeyKind.ACCOUNT), NKey.from_seed(seed, KeyKind.ACCOUNT))

    def text(self) -> str:
        """Return the content of the file that the centers service reads."""
        return json.dumps({"account": self.account, "signing_seed": self.key.seed}) + "\n"

    def issue(self, public_key: str, node_id: str, expires_at: datetime) -> str:
        """Return the JWT with which the holder of `public_key` is the node `node_id`.

        Raises:
            BadKey: `public_key` is no public key of a user.
            ValueError: `node_id` is no id of a node. It fills the template, where a
                wildcard would open the subjects of all.
        """
        subjects.commands(node_id)
        return nats_jwt.scoped_user(
            self.key,
            check_public(public_key, KeyKind.USER),
            node_id,
            account=self.account,
            expires_at=expires_at,
        )


def _kinds() -> dict[str, KeyKind]:
    return {
        key.name: KeyKind.OPERATOR if key.name == "operator" else KeyKind.ACCOUNT
        for key in fields(HubKeys)
    }
