"""Keys and credentials in the text form of NATS."""

from __future__ import annotations

import base64

import pytest

from nodekit.keys import BadKey, KeyKind, NKey, UserCredentials, check_public, verify

# The pair that the documentation of NATS shows.
SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"


def test_a_key_that_others_have_made_reads_and_writes_the_same() -> None:
    key = NKey.from_seed(SEED)
    assert (key.kind, key.public, key.seed) == (KeyKind.USER, PUBLIC, SEED)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_new_key_tells_its_kind_by_its_first_letter_and_signs(kind: KeyKind) -> None:
    key = NKey.new(kind)
    assert key.public[0] == kind.letter == kind.name[0]
    assert key.seed[:2] == f"S{kind.letter}"
    assert NKey.from_seed(key.seed, kind) == key
    assert verify(key.public, b"said", key.sign(b"said"))
    assert not verify(key.public, b"not said", key.sign(b"said"))
    assert not verify(NKey.new(kind).public, b"said", key.sign(b"said"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "U",
        PUBLIC[:-1],
        PUBLIC[:-1] + "5",
        PUBLIC.replace("X", "Y", 1),
        PUBLIC.lower(),
        PUBLIC + "A",
        "ی" * 56,
        SEED,
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(BadKey):
        check_public(text, KeyKind.USER)


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(BadKey, match="account"):
        check_public(NKey.new(KeyKind.ACCOUNT).public, KeyKind.USER)
    with pytest.raises(BadKey, match="user"):
        NKey.from_seed(SEED, KeyKind.ACCOUNT)
    with pytest.raises(BadKey):
        NKey.from_seed(PUBLIC)


def test_a_key_does_not_show_its_secret_when_it_is_logged() -> None:
    key = NKey.from_seed(SEED)
    assert repr(key.secret) not in repr(key)
    assert SEED not in repr(UserCredentials("jwt", key))


def test_credentials_survive_their_file_and_answer_a_challenge() -> None:
    key = NKey.new(KeyKind.USER)
    read = UserCredentials.from_text(UserCredentials("a.b.c", key).text())
    assert (read.user_jwt(), read.key) == (b"a.b.c", key)
    assert verify(key.public, b"nonce", base64.b64decode(read.signature("nonce")))


def test_a_bearer_has_no_key_and_signs_nothing() -> None:
    read = UserCredentials.from_text(UserCredentials("a.b.c").text())
    assert (read.key, read.signature("nonce")) == (None, b"")


def test_a_file_without_a_jwt_is_no_credentials_file() -> None:
    with pytest.raises(BadKey):
        UserCredentials.from_text("nothing of the kind")
