"""Enforces the policy that stands in the contract.

`authorize` decides by role whether a call may be made at all; whether a resource
is the caller's own is known only once it is read, so use cases ask `reaches`.
"""

from collections.abc import Iterable

from google.protobuf.descriptor import Descriptor

from peyvand.api.v1 import annotations_pb2
from servicekit.contract import Rpc, contract, resource_spec, role_name
from servicekit.errors import Fault
from servicekit.identity import Principal


def authorize(rpc: Rpc, principal: Principal) -> None:
    """Raise `Fault` unless a grant names one of the caller's roles.

    The reason is ``UNAUTHENTICATED`` without a token, else ``PERMISSION_DENIED``.
    """
    if principal.has(*rpc.role_names):
        return
    if principal.is_anonymous:
        raise Fault("UNAUTHENTICATED")
    raise Fault("PERMISSION_DENIED", {"roles": ", ".join(rpc.role_names)})


def reaches(rpc: Rpc, principal: Principal, *, own: bool) -> bool:
    """Tell whether a grant of the rpc reaches a resource; `own` says that it is the caller's."""
    return any(
        principal.has(*(role_name(role) for role in grant.roles))
        for grant in rpc.policy.grants
        if own or grant.scope != annotations_pb2.SCOPE_OWN
    )


def sees_all(rpc: Rpc, principal: Principal) -> bool:
    """Tell whether the caller reaches every resource of the rpc, own or not."""
    return reaches(rpc, principal, own=False)


def allowed_actions(
    resource: Descriptor, steps: Iterable[str], principal: Principal, *, own: bool
) -> list[str]:
    """Of the steps that a resource's state allows, those that this caller may take.

    `steps` are named as the verbs of the contract (``enter-force``), besides
    ``update`` and ``delete``.
    """
    verbs = _verbs(resource)
    return [step for step in steps if step in verbs and reaches(verbs[step], principal, own=own)]


_VERBS: dict[str, dict[str, Rpc]] = {}


def _verbs(resource: Descriptor) -> dict[str, Rpc]:
    """The rpcs that act on one resource, by the verb in their address."""
    known = _VERBS.get(resource.full_name)
    if known is not None:
        return known
    spec = resource_spec(resource)
    plural = spec.plural if spec else ""
    verbs: dict[str, Rpc] = {}
    for rpc in contract().rpcs.values():
        if rpc.http is None or not rpc.http.path.startswith(f"/v1/{plural}/{{"):
            continue
        _, _, rest = rpc.http.path.removeprefix(f"/v1/{plural}/").partition("}")
        if rpc.http.method == "POST" and rest.startswith(":"):
            verbs[rest[1:]] = rpc
        elif not rest and rpc.http.method in ("PATCH", "PUT", "DELETE"):
            verbs["delete" if rpc.http.method == "DELETE" else "update"] = rpc
    _VERBS[resource.full_name] = verbs
    return verbs
