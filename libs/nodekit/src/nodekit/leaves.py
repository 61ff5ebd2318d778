"""Leaves: brokers of provinces, between the nodes of a province and the hub's broker.

A leaf is a NATS server that holds one line to the hub for all nodes behind it. Its nodes
are let in by the same keys and rules as at the hub, for the leaf is told of the accounts
as soon as the hub's broker is. What goes over its line is what the hub lets its user do:
the subjects of the nodes that were named to it, and joining.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nodekit import subjects
from nodekit.keys import UserCredentials
from nodekit.nats_jwt import Permissions

_LEAF = ("LEAFNODE",)
_NAME = re.compile(r"[a-z][a-z0-9-]{1,30}")
# The answers to requests that came through another account: joining.
_ANSWERS_OF_THE_LOBBY = "_R_.>"

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
        name: lower-case letters, digits and hyphens; its name in logs.
        node_ids: nodes that connect to it.
    """

    name: str
    node_ids: Sequence[str]

    def __post_init__(self) -> None:
        """Raise `BadLeaf` for what would open more than was meant."""
        if not _NAME.fullmatch(self.name):
            raise BadLeaf(
                "name",
                f"{self.name!r} cannot name a leaf: take 2 to 31 lower-case letters, digits and "
                "hyphens, a letter first.",
            )
        for id in self.node_ids:
            try:
                subjects.commands(id)
            except ValueError as error:
                raise BadLeaf("node", f"{error} (nod_…).") from error
        if not self.node_ids:
            raise BadLeaf("node", "A leaf is for the nodes that connect to it: name one.")

    def platform_rights(self) -> Permissions:
        """What the hub lets its line do in the account PLATFORM.

        Nothing of JetStream: whoever may make a consumer says where it delivers to, and the
        broker asks nobody whether that subject is theirs.
        """
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


@dataclass(frozen=True)
class LeafCredentials:
    """What a leaf is given.

    Attributes:
        platform: its line in the account PLATFORM.
        system: its line in the account SYS.
    """

    platform: UserCredentials
    system: UserCredentials
