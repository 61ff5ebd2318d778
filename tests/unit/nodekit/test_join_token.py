"""A join token says the same at both ends, and a damaged one is told apart at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodekit.join_token import (
    MAX_LENGTH,
    PREFIX,
    JoinToken,
    JoinTokenError,
    new_secret,
    secret_digest,
)

FINGERPRINT = "0123456789abcdef" * 4
HOSTS = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,10}){0,4}", fullmatch=True),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
)


@given(HOSTS, st.integers(1, 65535), st.binary(min_size=32, max_size=32))
def test_what_is_written_is_read(host: str, port: int, fingerprint: bytes) -> None:
    token = JoinToken(f"{host}:{port}", fingerprint.hex(), new_secret())
    text = token.encode()
    assert text.startswith(PREFIX)
    assert len(text) <= MAX_LENGTH
    assert JoinToken.decode(text) == token
    assert (token.host, token.port) == (host.strip("[]"), port)


def test_line_breaks_of_a_mail_do_not_matter() -> None:
    token = JoinToken("hub.example:4443", FINGERPRINT, new_secret())
    text = token.encode()
    assert JoinToken.decode(f"  {text[:40]}\n  {text[40:]}\r\n") == token


def test_the_longest_address_fits_a_token() -> None:
    token = JoinToken("a" * 241 + ".ir:65535", FINGERPRINT, "s" * 43)
    assert len(token.hub) == 250
    assert len(token.encode()) <= MAX_LENGTH
    with pytest.raises(JoinTokenError, match="no address"):
        JoinToken("a" + token.hub, FINGERPRINT, token.secret)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no join token"),
        ("hello", "begins with"),
        (PREFIX, "damaged"),
        (PREFIX + "!!!!", "damaged"),
        (PREFIX + "eyJhIjoxfQ", "does not name"),
        (PREFIX + "A" * 600, "at most"),
    ],
)
def test_what_is_no_token_is_said_to_be_none(text: str, said: str) -> None:
    with pytest.raises(JoinTokenError, match=said):
        JoinToken.decode(text)


@given(st.text())
def test_any_text_is_a_token_or_a_clear_refusal(text: str) -> None:
    for candidate in (text, PREFIX + text):
        with pytest.raises(JoinTokenError):
            JoinToken.decode(candidate)


@given(st.data())
def test_a_token_that_lost_its_end_is_damaged(data: st.DataObject) -> None:
    text = JoinToken("hub.example:4443", FINGERPRINT, new_secret()).encode()
    length = data.draw(st.integers(len(PREFIX), len(text) - 1))
    with pytest.raises(JoinTokenError):
        JoinToken.decode(text[:length])


@pytest.mark.parametrize(
    "hub", ["hub.example", "hub.example:0", "hub.example:65536", "a b:1", "h:1:2", "-x:1", ":1"]
)
def test_an_address_names_a_host_and_a_port(hub: str) -> None:
    with pytest.raises(JoinTokenError, match="no address"):
        JoinToken(hub, FINGERPRINT, new_secret())


def test_secrets_differ_are_not_shown_and_are_kept_as_digests() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert secret_digest(first) != secret_digest(second)
    assert len(secret_digest(first)) == 32
    assert first not in repr(JoinToken("hub.example:1", FINGERPRINT, first))
