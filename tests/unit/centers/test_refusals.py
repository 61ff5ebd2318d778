"""A node is told why in both languages, with what is known of it filled in."""

import pytest

from centers.line.refusals import refusal, refused_field, sentences
from peyvand.centers.v1 import nodes_pb2
from servicekit.errors import Fault, Violation

REASONS = [
    value.name
    for value in nodes_pb2.NodesError.DESCRIPTOR.values
    if not value.name.endswith("UNSPECIFIED")
] + ["UNAVAILABLE", "INTERNAL", "RATE_LIMITED"]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_a_sentence_in_both_languages(reason: str) -> None:
    told = refusal(Fault(reason))
    assert told.reason == reason
    for sentence in (told.en, told.fa):
        assert sentence
        assert "{" not in sentence
    assert told.en.isascii() or "…" in told.en
    assert any("\u0600" <= character <= "\u06ff" for character in told.fa)


def test_what_is_known_is_filled_in() -> None:
    en, fa = sentences("CLOCK_TOO_FAR_OFF", {"seconds": "4000", "limit": "300"})
    assert en.startswith("The node's clock is 4000 seconds off the hub's; 300 are allowed.")
    assert "4000" in fa
    assert "300" in fa


def test_what_a_parameter_says_is_not_filled_again() -> None:
    en, _ = sentences("NODE_NOT_SERVED", {"state": "{limit}"})
    assert "{limit}" in en


def test_a_broken_rule_names_its_field() -> None:
    broken = Violation("software_version", "PERSONAL_DATA")
    told = refusal(Fault.invalid(broken))
    assert told.reason == "PERSONAL_DATA"
    assert told.en.startswith("software_version: ")
    assert told.fa.startswith("software_version: ")
    field = refused_field(broken)
    assert (field.field, field.reason) == ("software_version", "PERSONAL_DATA")
    assert told.en == f"software_version: {field.en}"
