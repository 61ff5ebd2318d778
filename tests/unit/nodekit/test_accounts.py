"""The keys of the hub as files, and what stands in its accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from nodekit import nats_jwt, subjects
from nodekit.accounts import HubKeys, NodeSigner
from nodekit.keys import BadKey, KeyKind, NKey

if TYPE_CHECKING:
    from pathlib import Path

KEYS = HubKeys.new()


def _write(folder: Path) -> None:
    for name, text in KEYS.files().items():
        (folder / name).write_text(text)


def test_the_keys_of_a_hub_survive_their_folder(tmp_path: Path) -> None:
    _write(tmp_path)
    assert HubKeys.read(tmp_path) == KEYS


def test_a_folder_with_a_key_in_the_wrong_place_is_refused(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "operator.nk").write_text(KEYS.platform.seed)
    with pytest.raises(BadKey, match="operator"):
        HubKeys.read(tmp_path)
    (tmp_path / "operator.nk").unlink()
    with pytest.raises(FileNotFoundError):
        HubKeys.read(tmp_path)


def test_what_centers_gets_can_issue_nodes_and_holds_no_other_key() -> None:
    text = KEYS.node_signer().text()
    signer = NodeSigner.from_text(text)
    assert signer == KEYS.node_signer()
    others = (KEYS.operator, KEYS.system, KEYS.platform, KEYS.lobby, KEYS.services)
    assert not [key for key in others if key.seed in text]
    until = datetime.now(UTC) + timedelta(days=30)
    node = NKey.new(KeyKind.USER).public
    claims = nats_jwt.decode(signer.issue(node, "nod_1", until))
    assert (claims.subject, claims.name, claims.issuer) == (node, "nod_1", KEYS.nodes.public)
    with pytest.raises(BadKey):
        signer.issue(KEYS.platform.public, "nod_1", until)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"account": "AX", "signing_seed": "SX"}', "7"])
def test_what_is_no_signer_is_refused(text: str) -> None:
    with pytest.raises(BadKey):
        NodeSigner.from_text(text)


def test_a_broker_that_knows_nothing_else_knows_no_key_of_nodes() -> None:
    first = nats_jwt.decode(KEYS.first_jwts()[KEYS.platform.public])
    told = nats_jwt.decode(nats_jwt.account(KEYS.operator, KEYS.platform_account({})))
    assert first.nats["signing_keys"] == [KEYS.services.public]
    assert [str(key) for key in told.nats["signing_keys"]] != first.nats["signing_keys"]
    # The newer prevails when the broker starts with both.
    assert first.issued_at < told.issued_at


def test_what_a_node_may_do_fits_the_subjects_of_the_protocol() -> None:
    scope = KEYS.platform_account({}).scopes[0].permissions
    filled = [
        pattern.replace("{{name()}}", "nod_1") for pattern in (*scope.publish, *scope.subscribe)
    ]
    own = subjects.to_hub("nod_1", "hello").removesuffix("hello") + ">"
    inbox = subjects.inbox_prefix("nod_1") + ".>"
    assert filled == [own, subjects.commands("nod_1"), subjects.NETWORK, inbox]
