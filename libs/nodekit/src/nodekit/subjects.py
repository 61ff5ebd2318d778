"""The subjects of the line between a node and the hub, as the protocol names them.

A node publishes on ``node.<its id>.>`` and hears ``cmd.node.<its id>.>``, ``net.>`` and
its own inbox; the broker holds it to that. So the id in a subject is the sender's.
"""

import re
from typing import Literal

Exchange = Literal["hello", "reports", "renew", "leave", "hb"]

JOIN = "join"
"""Where anyone with a token asks to join."""
JOIN_INBOX = "_INBOX_join"
"""Prefix of the inboxes of those who ask to join."""
NETWORK = "net.>"
"""What all nodes may hear."""
LIVE_PRESENCE = "live.presence"
"""Where the hub tells its own services what it knows of the nodes now."""
HUB_QUEUE = "centers"
"""Queue group of the processes that answer nodes: one of them takes a request."""

_NODE_ID = re.compile(r"nod_[0-9a-z]+")


def to_hub(node_id: str, exchange: Exchange) -> str:
    """Subject on which one node asks or tells the hub something."""
    return f"node.{_checked(node_id)}.{exchange}"


def from_any_node(exchange: Exchange) -> str:
    """Subject that the hub subscribes to, to hear this of every node."""
    return f"node.*.{exchange}"


def sender(subject: str) -> str:
    """Id of the node that published on a subject of its own. Raises `ValueError`."""
    first, _, rest = subject.partition(".")
    node_id, _, exchange = rest.partition(".")
    if first != "node" or not exchange:
        raise ValueError(f"{subject!r} is no subject of a node")
    return _checked(node_id)


def wake(node_id: str) -> str:
    """Subject on which the hub asks a node to say hello again."""
    return f"cmd.node.{_checked(node_id)}.wake"


def commands(node_id: str) -> str:
    """What a node subscribes to, to hear what the hub asks of it."""
    return f"cmd.node.{_checked(node_id)}.>"


def inbox_prefix(node_id: str) -> str:
    """Prefix of the inboxes in which a node gets its answers."""
    return f"_INBOX_node_{_checked(node_id)}"


def is_inbox(reply: str) -> bool:
    """Tell whether an answer may be sent there: to an inbox, also through another account.

    The broker checks where a node publishes, but not where it asks an answer to go, and
    the one that answers may publish everywhere.
    """
    return reply.startswith(("_INBOX", "_R_."))


def _checked(node_id: str) -> str:
    if not _NODE_ID.fullmatch(node_id):
        raise ValueError(f"{node_id!r} is no id of a node")
    return node_id
