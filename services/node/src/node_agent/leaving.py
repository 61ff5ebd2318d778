"""Takes a node out of the network for good."""

from node_agent.findings import Finding, Halted, halt
from node_agent.home import Home
from node_agent.line import Hub, LineError, trusting
from nodekit import subjects
from peyvand.node.v1 import protocol_pb2 as pb

_SECONDS = 20.0


async def say_goodbye(home: Home, reason: str) -> None:
    """Tell the hub that the node leaves. Raises `Halted`; then nothing has changed."""
    identity = home.identity()
    hub = Hub(identity.hub, trusting(identity.authority, by_any_clock=True))
    subject = subjects.to_hub(identity.node_id, "leave")
    request = pb.LeaveRequest(reason=reason)
    try:
        line = await hub(identity.credentials.shown(), identity.node_id)
        try:
            answer = await line.request(subject, request.SerializeToString(), _SECONDS)
        finally:
            await line.close()
    except LineError as error:
        raise halt(
            "hub",
            f"The hub could not be told: {error.detail or error.trouble.value}",
            "Try again when the line is there; or forget the network here with --force, and"
            " ask the headquarters to withdraw the node.",
        ) from None
    reply = pb.LeaveReply.FromString(answer)
    if reply.HasField("refusal"):
        raise Halted(Finding("hub", good=False, says=reply.refusal.en, says_fa=reply.refusal.fa))
