"""Identifiers that more than one domain keeps, and how identifiers are tidied up.

People write one identifier in many ways: as an address, with a prefix, in capitals, with
blanks, in Persian digits. `plain` takes away what no identifier has; each kind then has a
function that gives its one canonical form and leaves what is damaged as it came, and one
that tells whether that form can be right.
"""

import re
import unicodedata

ROR = "https://ror.org/"
_ROR_BEFORE = re.compile(r"(https?://)?(www\.)?ror\.org/|ror\s*:\s*", re.IGNORECASE)
# Crockford's base32: without i, l, o and u.
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"

_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
# Marks that steer direction and joining, and others that nobody sees.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def plain(text: str) -> str:
    """A text in the digits 0 to 9, with one kind of dash and blank, and no unseen marks."""
    text = _DASHES.sub("-", _UNSEEN.sub("", text))
    digits = [str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text]
    return " ".join("".join(digits).split())


def full_ror(text: str | None) -> str | None:
    """A ROR id in the form that the registry gives it: ``https://ror.org/01c4pz451``.

    What has another address before it is left as it came.
    """
    if not text:
        return None
    written = plain(text)
    before = _ROR_BEFORE.match(written)
    bare = written[before.end() :] if before else written
    bare = bare.rstrip("/").lower()
    return written if "/" in bare or not bare else ROR + bare


def is_ror(ror_id: str) -> bool:
    """Tell whether the last two digits fit the rest (ISO/IEC 7064, MOD 97-10)."""
    text = ror_id.removeprefix(ROR)
    body, check = text[:-2], text[-2:]
    if len(text) != 9 or text[0] != "0" or any(c not in _BASE32 for c in body):
        return False
    if not (check.isascii() and check.isdecimal()):
        return False
    number = 0
    for character in body:
        number = number * 32 + _BASE32.index(character)
    return 98 - number * 100 % 97 == int(check)
