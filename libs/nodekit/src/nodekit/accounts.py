"""Who may say what on the broker: its accounts, and the keys that open them.

PLATFORM holds the services and the nodes. A service may use every subject of it; a node
is signed by a scoped key, whose template keeps it to its own subjects. LOBBY holds
whoever has no credentials yet, and can do one thing: ask to join, a service that LOBBY
imports from PLATFORM. SYS is the broker's own, where accounts are changed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, cast

from nodekit import nats_jwt, subjects
from nodekit.keys import BadKey, KeyKind, NKey, UserCredentials, check_public
from nodekit.leaves import SYSTEM_RIGHTS, Leaf, LeafCredentials
from nodekit.nats_jwt import Account, AccountLimits, Permissions, Scope

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

# A broker of a province connects as a user of these two accounts; see `nodekit.leaves`.
_WITH_LEAVES = AccountLimits(leaves=-1)
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

    def system_jwt(self) -> str:
        """Return the account SYS."""
        said = Account(self.system.public, "SYS", limits=_WITH_LEAVES)
        return nats_jwt.account(self.operator, said)

    def lobby_jwt(self) -> str:
        """Return the account LOBBY."""
        said = Account(
            self.lobby.public,
            "LOBBY",
            service_imports={self.platform.public: subjects.JOIN},
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
            service_exports=[subjects.JOIN],
            revocations=revocations,
            limits=_WITH_LEAVES,
        )

    def first_platform_jwt(self) -> str:
        """Return the account PLATFORM that a broker starts with when it knows no other.

        It knows the key of the services but not that of the nodes: a broker that has lost
        what it knew lets no node in before it was told again which are barred.
        """
        said = replace(self.platform_account({}), scopes=())
        return nats_jwt.account(self.operator, said, issued_at=_BEFORE_ALL)

    def sentinel_jwt(self) -> str:
        """Return the user of LOBBY that everyone is who shows no credentials."""
        nobody = NKey.new(KeyKind.USER).public
        return nats_jwt.user(self.lobby, nobody, "joiner", permissions=JOINER, bearer=True)

    def broker_configuration(self) -> str:
        """Return the part of the broker's configuration that says whom it trusts.

        It holds no secret. Where several servers are one broker, all have the same.
        """
        lines = [
            f"operator: {self.operator_jwt()}",
            f"system_account: {self.system.public}",
            "resolver_preload {",
            f"  {self.system.public}: {self.system_jwt()}",
            f"  {self.lobby.public}: {self.lobby_jwt()}",
            f"  {self.platform.public}: {self.first_platform_jwt()}",
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
        """Make what a leaf connects with."""

        def user(signer: NKey, what: str, permissions: Permissions) -> UserCredentials:
            key = NKey.new(KeyKind.USER)
            account = "" if signer is self.system else self.platform.public
            name = f"{leaf.name}-{what}"
            jwt = nats_jwt.user(
                signer,
                key.public,
                name,
                account=account,
                permissions=permissions,
                expires_at=expires_at,
            )
            return UserCredentials(jwt, key)

        return LeafCredentials(
            platform=user(self.services, "leaf", leaf.platform_rights()),
            system=user(self.system, "leaf", SYSTEM_RIGHTS),
        )

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
