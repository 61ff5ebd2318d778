"""A fault says the same before and after the wire."""

import grpc
from google.rpc import status_pb2
from hypothesis import given
from hypothesis import strategies as st

from domainkit.rules import Broken, IllegalStep, Refused, RulesBroken
from servicekit.contract import contract
from servicekit.errors import MAX_METADATA, Fault, Violation, as_fault, from_status, to_status

reasons = st.sampled_from(sorted(contract().errors))
# Parameters are words for a sentence; line breaks have no place in them.
words = st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=20)
params = st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), words, max_size=3)
violations = st.lists(
    st.builds(Violation, st.from_regex(r"[a-z.]{1,20}", fullmatch=True), reasons, params),
    max_size=4,
)


@given(reasons, params, violations, st.none() | st.lists(words, max_size=4))
def test_a_fault_survives_the_wire(
    reason: str, given: dict[str, str], broken: list[Violation], allowed: list[str] | None
) -> None:
    sent = Fault(reason, given, violations=broken, allowed=allowed or None)
    wire = to_status(sent).SerializeToString()
    got = from_status(status_pb2.Status.FromString(wire))
    assert (got.reason, got.params) == (sent.reason, sent.params)
    assert got.violations == sent.violations
    assert got.allowed == sent.allowed


def test_a_bare_status_becomes_the_nearest_common_error() -> None:
    for code, reason in [
        (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"),
        (grpc.StatusCode.UNIMPLEMENTED, "UNAVAILABLE"),
        (grpc.StatusCode.DATA_LOSS, "INTERNAL"),
    ]:
        assert from_status(status_pb2.Status(code=code.value[0])).reason == reason


def test_what_a_domain_refuses_is_a_fault_and_a_bug_is_none() -> None:
    broken = as_fault(RulesBroken(Broken("names", "NAME_REQUIRED")))
    assert broken is not None
    assert broken.violations == (Violation("names", "NAME_REQUIRED"),)
    illegal = as_fault(IllegalStep("open", "closed", []))
    assert illegal is not None
    assert illegal.allowed == ()
    refused = as_fault(Refused("NOT_FOUND", resource="center", id="x"))
    assert refused is not None
    assert refused.params == {"resource": "center", "id": "x"}
    assert as_fault(KeyError("x")) is None


def test_every_error_of_the_contract_can_be_sent() -> None:
    for reason in contract().errors:
        assert to_status(Fault(reason)).code != 0, reason


def test_a_fault_is_never_too_large_to_travel() -> None:
    long = "ن" * 100_000
    sent = Fault(
        "INVALID_ARGUMENT",
        {"value": long},
        violations=[Violation(f"rows[{n}].{long}", "TOO_LONG", {"max": long}) for n in range(5000)],
    )
    status = to_status(sent)
    # As text in base64, with what else an answer carries.
    assert status.ByteSize() * 4 / 3 + 1024 < MAX_METADATA
    got = from_status(status)
    assert got.reason == "INVALID_ARGUMENT"
    assert got.violations[0].field.startswith("rows[0].ن")
    assert len(got.violations) > 5
