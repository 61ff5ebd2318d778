"""A subject names its sender, and no id can name another subject."""

import pytest

from nodekit import subjects

NODE = "nod_01k9zzzzzzzzzzzzzzzzzzzzzz"


def test_a_subject_names_its_sender() -> None:
    exchanges: list[subjects.Exchange] = ["hello", "reports", "renew", "leave", "hb"]
    for exchange in exchanges:
        subject = subjects.to_hub(NODE, exchange)
        assert subject == f"node.{NODE}.{exchange}"
        assert subjects.sender(subject) == NODE
        assert subjects.from_any_node(exchange) == subject.replace(NODE, "*")


def test_what_goes_to_one_node() -> None:
    assert subjects.wake(NODE) == f"cmd.node.{NODE}.wake"
    assert subjects.commands(NODE) == f"cmd.node.{NODE}.>"
    assert subjects.inbox_prefix(NODE) == f"_INBOX_node_{NODE}"


@pytest.mark.parametrize("odd", ["", "*", ">", "nod_a.b", "nod_*", "ctr_1", "nod_a b", "nod_A"])
def test_what_is_no_id_makes_no_subject(odd: str) -> None:
    with pytest.raises(ValueError, match="no id of a node"):
        subjects.to_hub(odd, "hb")
    with pytest.raises(ValueError, match="no id of a node"):
        subjects.wake(odd)
    with pytest.raises(ValueError, match="no id of a node"):
        subjects.inbox_prefix(odd)


@pytest.mark.parametrize("odd", ["join", "node", f"node.{NODE}", "evt.x.y", "node.*.hb", ""])
def test_what_is_no_subject_of_a_node_has_no_sender(odd: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        subjects.sender(odd)
