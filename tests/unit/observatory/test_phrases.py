"""What happens has words in both languages, whatever the contract comes to announce."""

from __future__ import annotations

import re

import pytest

from observatory.domain.alerts import AlertKind
from observatory.projections.names import Name, feed_name, named_after
from observatory.projections.phrases import alert_summary, summary
from servicekit.contract import contract, event_spec

ANNOUNCED = [
    (spec.aggregate, name)
    for message in contract().messages()
    if (spec := event_spec(message))
    for name in spec.names
]
OF_NODES = frozenset(AlertKind) - {AlertKind.REPORT_LATE, AlertKind.CONDITION_OVERDUE}


@pytest.mark.parametrize(("kind", "action"), ANNOUNCED, ids=lambda word: word)
def test_an_event_has_a_sentence_in_both_languages(kind: str, action: str) -> None:
    fa, en = summary(kind, action, "نام", "name")
    # A word that is not known stands as it is in the contract: Latin letters.
    assert not re.search("[A-Za-z_]", fa), fa
    assert re.search("[\u0600-\u06ff]", fa), fa
    assert en[0].isupper(), en
    assert "_" not in en, en


def test_a_node_leaves_and_an_agreement_is_withdrawn() -> None:
    assert summary("node", "withdrawn", "", "N1") == (
        "گره «N1» از شبکه خارج شد",
        'Node "N1" left the network',
    )
    assert summary("agreement", "withdrawn", "", "A")[1] == 'Agreement "A" withdrawn'


@pytest.mark.parametrize("kind", AlertKind)
def test_an_alert_says_what_is_the_matter(kind: AlertKind) -> None:
    center, node = Name("تبریز", "Tabriz"), Name("", "Server room")
    condition = Name("", "Repeat the assay")
    fa, en = alert_summary(kind, center, node=node, feed=feed_name("capacity"), resource=condition)
    assert fa.startswith("تبریز: ")
    assert en.startswith("Tabriz: ")
    assert "{" not in fa + en
    assert ('"Server room"' in en) == (kind in OF_NODES)
    assert ('"Repeat the assay"' in en) == (kind is AlertKind.CONDITION_OVERDUE)
    nameless = alert_summary(kind, Name(), node=Name(), feed=feed_name("capacity"), resource=Name())
    assert "«»" not in nameless.fa
    assert '""' not in nameless.en


def test_what_has_no_name_is_named_after_whose_it_is() -> None:
    assert named_after(Name("تبریز", ""), feed_name("capacity")) == (
        "تبریز: ظرفیت",
        "تبریز: capacity",
    )
    assert named_after(Name(), Name("1405-07", "1405-07")) == ("1405-07", "1405-07")
