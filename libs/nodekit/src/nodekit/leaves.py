"""Leaves: brokers of provinces, between the nodes of a province and the hub's broker.

A leaf is a NATS server that holds one line to the hub for all nodes behind it. Its nodes
are let in by the same keys and rules as at the hub, for the leaf is told of the accounts
as soon as the hub's broker is. What goes over its line is what the hub lets its user do:
the subjects of the nodes that were named to it, and joining.

A leaf has a store: a stream that copies what the hub says of the centers and nodes of the
province, goes on where it stopped when the line was cut, and is read when the hub is out of
reach. Whoever may make a consumer says where it delivers to, and the broker asks nobody
whether that subject is theirs. So what leaves copy from is a copy itself, in the account
COPIES, in which nobody listens to anything; the lines of leaves end in PROVINCES, which may
ask it for consumers and hears what is delivered to leaves. At the leaf the store is in an
account that the hub's broker does not know, so that who reads there is nobody here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from nodekit import subjects
from nodekit.keys import UserCredentials
from nodekit.nats_jwt import Permissions

_LEAF = ("LEAFNODE",)
_CENTER_ID = re.compile(r"ctr_[0-9a-z]+")
_NAME = re.compile(r"[a-z][a-z0-9-]{1,30}")
# The answers to requests that came through another account: joining.
_ANSWERS_OF_THE_LOBBY = "_R_.>"

HUB_DOMAIN = "hub"
"""The hub's JetStream, where leaves have one of their own."""
SOURCE = "EVT_CENTERS"
"""The stream of PLATFORM that COPIES copies."""
SOURCE_SUBJECTS = "evt.centers.>"
"""Its subjects."""
SOURCE_API = "$PLATFORM.API"
"""Under which COPIES asks for it."""
SOURCE_DELIVERIES = "copies"
"""Under which it is delivered to COPIES."""
COPY = "CENTERS"
"""The stream of COPIES, which leaves copy from."""
COPY_API = "$COPIES.API"
"""Under which a leaf asks for it."""
COPY_DELIVERIES = "leaf"
"""Under which it is delivered to leaves, each under its name."""
STORE = "PROVINCE"
"""The stream at a leaf that is its store."""
READER_INBOX = "_INBOX_reader"
"""Prefix of the inboxes of those who read a store."""
_KEPT = timedelta(days=730)
_MOST_BYTES = 1024**3

SYSTEM_RIGHTS = Permissions(
    publish=["$SYS.REQ.CLAIMS.PACK", "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP"],
    subscribe=["$SYS.REQ.CLAIMS.UPDATE", "$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE", "$SYS._INBOX.>"],
    connections=_LEAF,
)
"""What a leaf may do in the account SYS: learn what the accounts are, and nothing else.

It can answer nobody, so what the registrar is told comes from the hub's broker."""


class BadLeaf(ValueError):
    """What a leaf is described by breaks a rule; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Leaf:
    """A broker of a province.

    Attributes:
        name: lower-case letters, digits and hyphens; its name in logs, and that of its store:
            no two leaves of a hub have the same.
        node_ids: nodes that connect to it.
        center_ids: centers of which its store keeps what is said.
    """

    name: str
    node_ids: Sequence[str]
    center_ids: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Raise `BadLeaf` for what would open more than was meant."""
        if not _NAME.fullmatch(self.name):
            raise BadLeaf(
                "name",
                f"{self.name!r} cannot name a leaf: take 2 to 31 lower-case letters, digits and "
                "hyphens, a letter first.",
            )
        if self.name == HUB_DOMAIN:
            raise BadLeaf("name", f"{HUB_DOMAIN!r} is the hub's own name; take another.")
        for id in self.node_ids:
            try:
                subjects.commands(id)
            except ValueError as error:
                raise BadLeaf("node", f"{error} (nod_…).") from error
        for id in self.center_ids:
            if not _CENTER_ID.fullmatch(id):
                raise BadLeaf("center", f"{id!r} is no id of a center (ctr_…).")
        if not self.node_ids:
            raise BadLeaf("node", "A leaf is for the nodes that connect to it: name one.")

    def platform_rights(self) -> Permissions:
        """What the hub lets its line do in the account PLATFORM: nothing of JetStream."""
        return Permissions(
            publish=[subjects.JOIN, *(f"node.{id}.>" for id in self.node_ids)],
            subscribe=[
                subjects.NETWORK,
                *(f"cmd.node.{id}.>" for id in self.node_ids),
                *(f"{subjects.inbox_prefix(id)}.>" for id in self.node_ids),
                f"{subjects.JOIN_INBOX}.>",
                _ANSWERS_OF_THE_LOBBY,
            ],
            connections=_LEAF,
        )

    def kept(self) -> list[str]:
        """Subjects of the events that its store copies."""
        return [
            *(f"evt.centers.center.*.{id}" for id in self.center_ids),
            *(f"evt.centers.node.*.{id}" for id in self.node_ids),
        ]

    def provinces_rights(self) -> Permissions:
        """What the hub lets its line do in the account PROVINCES.

        It may make consumers of the copy for its own subjects: the subject of the request
        holds that of the events, and the broker compares the two.
        """
        create = f"{COPY_API}.CONSUMER.CREATE.{COPY}.*"
        return Permissions(
            publish=[*(f"{create}.{subject}" for subject in self.kept()), f"$JS.FC.{COPY}.>"],
            subscribe=[f"{self._deliveries}.>", "$JSC.R.*"],
            connections=_LEAF,
        )

    def reader_rights(self) -> Permissions:
        """What a reader of its store may do, at the leaf: make the store, and get messages.

        Whoever makes a store can also change and empty it. What it could be told to send
        elsewhere gets no further than the leaf's line.
        """
        what = ("CREATE", "UPDATE", "INFO", "MSG.GET")
        return Permissions(
            publish=[f"$JS.API.STREAM.{do}.{STORE}" for do in what],
            subscribe=[f"{READER_INBOX}.>"],
        )

    def store(self) -> dict[str, Any]:
        """Return its store as the broker is told of it: the configuration of a stream."""
        external = {"api": COPY_API, "deliver": self._deliveries}
        return {
            "name": STORE,
            "description": f"What the hub says of centers and nodes of {self.name}.",
            "retention": "limits",
            "storage": "file",
            "compression": "s2",
            "discard": "old",
            "max_age": int(_KEPT.total_seconds() * 1e9),
            "max_bytes": _MOST_BYTES,
            "num_replicas": 1,
            "sources": [
                {"name": COPY, "filter_subject": subject, "external": external}
                for subject in self.kept()
            ],
        }

    @property
    def _deliveries(self) -> str:
        return f"{COPY_DELIVERIES}.{self.name}"


@dataclass(frozen=True)
class LeafCredentials:
    """What a leaf is given.

    Attributes:
        platform: its line in the account PLATFORM.
        provinces: its line in the account PROVINCES.
        system: its line in the account SYS.
        reader: for who reads its store, at the leaf.
    """

    platform: UserCredentials
    provinces: UserCredentials
    system: UserCredentials
    reader: UserCredentials
