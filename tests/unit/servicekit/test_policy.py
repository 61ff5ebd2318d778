"""The contract decides who may call, and nobody may call what has no policy."""

from itertools import product

import pytest

from peyvand.api.v1 import annotations_pb2
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.contract import contract, descriptor_of, role_name
from servicekit.errors import Fault
from servicekit.identity import KNOWN_ROLES, Principal
from servicekit.policy import allowed_actions, authorize, reaches


def caller(*roles: str) -> Principal:
    return Principal("someone", "Someone", frozenset(roles) | {"public"})


@pytest.mark.parametrize(
    ("path", "role"), list(product(sorted(contract().rpcs), sorted(KNOWN_ROLES - {"public"})))
)
def test_a_role_may_call_exactly_what_a_grant_names(path: str, role: str) -> None:
    rpc = contract().rpcs[path]
    granted = {role_name(number) for grant in rpc.policy.grants for number in grant.roles}
    if granted & {role, "public"}:
        authorize(rpc, caller(role))
    else:
        with pytest.raises(Fault, match="PERMISSION_DENIED"):
            authorize(rpc, caller(role))


def test_who_shows_no_token_is_asked_to() -> None:
    rpc = contract().rpcs["/peyvand.centers.v1.Centers/CreateCenter"]
    with pytest.raises(Fault, match="UNAUTHENTICATED"):
        authorize(rpc, Principal.anonymous())


def test_a_grant_for_the_own_reaches_nothing_foreign() -> None:
    rpc = contract().rpcs["/peyvand.centers.v1.Centers/UpdateCenter"]
    assert reaches(rpc, caller("center_admin"), own=True)
    assert not reaches(rpc, caller("center_admin"), own=False)
    assert reaches(rpc, caller("hq_admin"), own=False)


def test_actions_are_those_of_the_state_that_the_caller_may_take() -> None:
    center = descriptor_of(pb.Center)
    steps = ["update", "delete", "suspend", "close"]
    assert allowed_actions(center, steps, caller("hq_admin"), own=False) == [
        "update",
        "suspend",
        "close",
    ]
    assert allowed_actions(center, steps, caller("center_admin"), own=True) == ["update"]
    assert allowed_actions(center, steps, caller("center_admin"), own=False) == []


def test_every_rpc_has_a_policy() -> None:
    without = [path for path, rpc in contract().rpcs.items() if not rpc.policy.grants]
    assert without == []
    assert annotations_pb2.ROLE_UNSPECIFIED not in {
        role for rpc in contract().rpcs.values() for g in rpc.policy.grants for role in g.roles
    }
