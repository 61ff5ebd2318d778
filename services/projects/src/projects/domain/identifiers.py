"""Identifiers of what comes out of projects, of people, and of companies.

For each kind there is a function that brings the usual spellings to one canonical form,
and leaves what it cannot read as it came, and a check that says which rule that form
breaks. What is canonical is left as it is, so both can be asked any number of times.
"""

import re
from datetime import date
from typing import NamedTuple
from urllib.parse import unquote

import pycountry

from domainkit.identifiers import is_ror, plain
from domainkit.rules import Broken

ORCID = "https://orcid.org/"

# Registrars give suffixes of printable ASCII, without those signs that no address takes.
_DOI = re.compile(r"10\.[0-9]{4,9}(\.[0-9]+)*/[^\x00-\x20\x7f-\U0010ffff\"\\^`{|}]+")
_DOI_ADDRESS = re.compile(r"(https?://)?(dx\.|www\.)?doi\.org/", re.IGNORECASE)
_DOI_PREFIX = re.compile(
    r"(info:)?doi\s*[:/]?\s*(?=10\.|(https?://)?(dx\.|www\.)?doi\.org/)", re.IGNORECASE
)
# What a sentence puts behind an identifier.
_BEHIND = ".,;:\u060c\u061b'\"\u00bb\u201d"

_ORCID = re.compile(r"https://orcid\.org/([0-9]{4}-){3}[0-9]{3}[0-9X]")
_ORCID_PARTS = re.compile(r"([0-9]{4})-?([0-9]{4})-?([0-9]{4})-?([0-9]{3}[0-9X])")
# ORCID iDs lie in the part of the numbers of ISNI that is set aside for them, without the
# check digit: from 0000-0001-5000-0007 and from 0009-0000-0000-0000.
_ORCID_RANGES = (
    range(15_000_000, 35_000_001),
    range(900_000_000_000, 900_100_000_001),
)
_IRCT = re.compile(r"IRCT((?:13|20)[0-9]{6})([0-9]{3,6})N([1-9][0-9]{0,2})")
# As people write it: the first part in groups, and nothing within what is behind the N.
_IRCT_WRITTEN = re.compile(r"IRCT[\s\-_./:]*((?:[0-9][\s\-_./:]*)+)N([0-9]+)", re.IGNORECASE)
# Registration has begun in 2008, which was 1387; a year is left for the clocks.
_FIRST_YEARS_OF_IRCT = {"13": 1386, "20": 2007}
_NCT = re.compile(r"NCT(?!0{8})[0-9]{8}")

_LEGAL_ENTITY = re.compile(r"[0-9]{11}")
_LEGAL_ENTITY_WEIGHTS = (29, 27, 23, 19, 17, 29, 27, 23, 19, 17)


def canonical_doi(text: str) -> str:
    """A DOI without the address or prefix that it is often given with: ``10.1038/nature04533``.

    DOIs do not tell capitals from small letters; the canonical form has small ones.
    """
    while (shorter := _shorter_doi(text)) != text:
        text = shorter
    return text


def _shorter_doi(text: str) -> str:
    """A DOI without the outermost of what was written around it."""
    text = plain(text)
    address = _DOI_ADDRESS.match(text)
    if address:
        # Within an address some characters are written as %28, and ? and # end the path.
        text = unquote(re.split(r"[?#]", text[address.end() :], maxsplit=1)[0]).rstrip("/")
    text = _DOI_PREFIX.sub("", text, count=1).rstrip(_BEHIND)
    if text.endswith(")") and text.count(")") > text.count("("):
        text = text[:-1]
    return text.lower()


def check_doi(doi: str, path: str) -> list[Broken]:
    """Rule of a DOI: a prefix that was given to a registrant, a slash, and a suffix."""
    return [] if _DOI.fullmatch(doi) else [Broken(path, "NOT_A_DOI", {"value": doi})]


def canonical_orcid(text: str) -> str:
    """An ORCID iD in the form that ORCID gives it: ``https://orcid.org/0000-0002-1825-0097``."""
    text = plain(text)
    bare = re.sub(r"(?i)^(https?://)?(www\.)?orcid(\.org/|\s*:?\s*)", "", text).rstrip("/")
    parts = _ORCID_PARTS.fullmatch(bare.replace(" ", "").upper())
    return ORCID + "-".join(parts.groups()) if parts else text


def check_orcid(orcid: str, path: str) -> list[Broken]:
    """Rules of an ORCID iD: sixteen characters, of which the last one fits the others."""
    if not _ORCID.fullmatch(orcid):
        return [Broken(path, "NOT_AN_ORCID", {"value": orcid})]
    *digits, check = orcid.removeprefix(ORCID).replace("-", "")
    if check != _mod_11_2(digits):
        return [Broken(path, "ORCID_CHECKSUM", {"value": orcid})]
    if not any(int("".join(digits)) in given for given in _ORCID_RANGES):
        return [Broken(path, "NOT_AN_ORCID", {"value": orcid})]
    return []


def _mod_11_2(digits: list[str]) -> str:
    """The check character of digits (ISO/IEC 7064, MOD 11-2)."""
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    return "X" if check == 10 else str(check)


def canonical_irct(text: str) -> str:
    """A number of the Iranian registry of trials: ``IRCT20080901001165N12``.

    Those of the first years begin with a date of the Persian calendar.
    """
    written = _IRCT_WRITTEN.fullmatch(plain(text).rstrip(_BEHIND))
    if written is None:
        return plain(text)
    # What follows the N is short: two numbers that a blank parts would pass for another one.
    return f"IRCT{re.sub(r'[^0-9]', '', written[1])}N{written[2]}"


def check_irct(number: str, path: str, today: date = date.max) -> list[Broken]:
    """Rules of an IRCT number: its form, and that it begins with a date.

    That is one that its calendar has, since the register began, up to `today`.
    """
    parts = _IRCT.fullmatch(number)
    if parts is None or not _is_irct_date(parts[1], today) or not parts[2].strip("0"):
        return [Broken(path, "NOT_AN_IRCT_NUMBER", {"value": number})]
    return []


def _is_irct_date(digits: str, today: date) -> bool:
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    if year < _FIRST_YEARS_OF_IRCT[digits[:2]]:
        return False
    if digits.startswith("13"):
        return 1 <= month <= 12 and 1 <= day <= _persian_month(year, month)
    try:
        return date(year, month, day) <= today
    except ValueError:
        return False


def _persian_month(year: int, month: int) -> int:
    """How many days a month of the Persian calendar has, in the years of which it is asked."""
    if month <= 6:
        return 31
    # The rule of 33 years holds from 1244 to 1472.
    is_leap = year % 33 in (1, 5, 9, 13, 17, 22, 26, 30)
    return 30 if month < 12 or is_leap else 29


def canonical_nct(text: str) -> str:
    """A number of ClinicalTrials.gov, also out of an address there: ``NCT00733733``."""
    text = plain(text).rstrip(_BEHIND)
    address = re.match(r"(?i)^(https?://)?([a-z]+\.)*clinicaltrials\.gov/\S*?(NCT[0-9]{8})\b", text)
    if address:
        return address[3].upper()
    tight = re.sub(r"[\s\-_:]", "", text).upper()
    return tight if tight.startswith("NCT") else text


def check_nct(number: str, path: str) -> list[Broken]:
    """Rule of an NCT number: eight digits, not all of them zero."""
    if _NCT.fullmatch(number):
        return []
    return [Broken(path, "NOT_AN_NCT_NUMBER", {"value": number})]


# How people call the registers that have numbers of their own form here.
_LISTED_REGISTERS = {
    "irct": "irct",
    "irctir": "irct",
    "iranianregistryofclinicaltrials": "irct",
    "iranianclinicaltrialsregistry": "irct",
    "nct": "clinicaltrials_gov",
    "clinicaltrials": "clinicaltrials_gov",
    "clinicaltrialsgov": "clinicaltrials_gov",
    "wwwclinicaltrialsgov": "clinicaltrials_gov",
}


def listed_register(name: str, number: str) -> tuple[str, str]:
    """The register that has a value of its own and is meant by another name, or by a number.

    Gives which of the two says so, ``name`` or ``number``, and the value; twice an empty
    text for a register that is none of these.
    """
    letters = re.sub(r"[^a-z]", "", plain(name).lower())
    if register := _LISTED_REGISTERS.get(letters, ""):
        return "name", register
    if not check_irct(canonical_irct(number), ""):
        return "number", "irct"
    if not check_nct(canonical_nct(number), ""):
        return "number", "clinicaltrials_gov"
    return "", ""


# Offices of more than one country, and of countries that were, after WIPO ST.3.
_OTHER_OFFICES = frozenset({"AP", "EA", "EM", "EP", "GC", "IB", "OA", "WO", "XN", "XU", "XV"})
_FORMER_OFFICES = frozenset({"CS", "DD", "SU", "YU"})
# Not a code of an office, although ISO 3166 has it; an American reissue begins so.
_NOT_OFFICES = frozenset({"RE"})
PATENT_OFFICES = (
    frozenset(country.alpha_2 for country in pycountry.countries) - _NOT_OFFICES
    | _OTHER_OFFICES
    | _FORMER_OFFICES
)
"""Codes of the offices that publish patents."""

_KIND_CODE = re.compile(r"[A-Z][0-9]?")
_NUMBER_AND_KIND = re.compile(r"(.*[0-9])([A-Z][0-9]?)")
# Letters that begin numbers of the American office: designs, reissues, plants and others.
_AMERICAN = re.compile(r"(D|RE|PP|H|T|AI)?[0-9]{1,8}|20[0-9]{9}")
_PATENT_FORMS = {
    "EP": re.compile(r"[0-9]{7}"),
    "IR": re.compile(r"[0-9]{3,18}"),
    "US": _AMERICAN,
    "WO": re.compile(r"(19|20)[0-9]{8}"),
}
_ANY_PATENT = re.compile(r"(?=.*[0-9])[0-9A-Z]{2,20}")
_FIRST_YEAR_OF_WO = 78
# Where a number begins with its year, and which was the first: WIPO has published since
# 1978, the American office applications since 2001.
_YEARS = {
    "WO": (re.compile(r"([0-9]{4})[0-9]{6}"), 1978),
    "US": (re.compile(r"(20[0-9]{2})[0-9]{7}"), 2001),
}
# Offices whose own numbers can begin with the letters of another one's code.
_LETTERS_OF_THEIR_OWN = frozenset({"BR", "IT", "MX"})
_NAMES_AN_OFFICE = re.compile(r"([A-Z]{2})[0-9]{5,}")


class PatentNumber(NamedTuple):
    """How a patent document is named: ``US``, ``7250294``, ``B2``. The kind may be unknown."""

    office: str
    number: str
    kind_code: str


def canonical_patent(office: str, number: str, kind_code: str) -> PatentNumber:
    """The name of a patent document, whichever of its parts stand in `number`.

    ``US 7,250,294 B2`` may come whole as the number, or in its parts.
    """
    office = plain(office).upper()
    kind_code = re.sub(r"[\s.]", "", plain(kind_code)).upper()
    tight = re.sub(r"[\s,./\-\u066c]", "", plain(number)).upper()
    if office:
        tight = tight.removeprefix(office)
    elif tight[:2] in PATENT_OFFICES:
        office, tight = tight[:2], tight[2:]
    parts = _NUMBER_AND_KIND.fullmatch(tight)
    if parts and kind_code in ("", parts[2]):
        tight, kind_code = parts[1], parts[2]
    return PatentNumber(office, _canonical_number(office, tight), kind_code)


def check_patent(patent: PatentNumber, path: str, today: date = date.max) -> list[Broken]:
    """Rules of a patent document: an office that there is, a number as it gives them, a kind.

    A year in the number is one in which the office has published, up to that of `today`.
    """
    office, number, kind_code = patent
    if office not in PATENT_OFFICES:
        return [Broken(f"{path}.office", "UNKNOWN_PATENT_OFFICE", {"value": office})]
    broken: list[Broken] = []
    if not _is_patent_number(office, number, today):
        params = {"value": number, "office": office}
        broken.append(Broken(f"{path}.number", "NOT_A_PATENT_NUMBER", params))
    if kind_code and not _KIND_CODE.fullmatch(kind_code):
        broken.append(Broken(f"{path}.kind_code", "NOT_A_KIND_CODE", {"value": kind_code}))
    return broken


def _is_patent_number(office: str, number: str, today: date) -> bool:
    if not _PATENT_FORMS.get(office, _ANY_PATENT).fullmatch(number):
        return False
    named = _NAMES_AN_OFFICE.fullmatch(number)
    if named and named[1] in PATENT_OFFICES and named[1] != office:
        ours = office in _LETTERS_OF_THEIR_OWN and named[1] not in _PATENT_FORMS
        if not ours:
            return False
    serial = re.sub(r"[A-Z]", "", number)
    if office in _YEARS:
        form, first = _YEARS[office]
        if dated := form.fullmatch(number):
            if not first <= int(dated[1]) <= today.year:
                return False
            serial = number[4:]
    return bool(serial.strip("0"))


def _canonical_number(office: str, number: str) -> str:
    if not number.isdecimal():
        return number
    if office == "EP":
        return number.zfill(7)
    if office == "US" and re.fullmatch(r"20[0-9]{8}", number):
        # Applications have seven digits after the year; some sources leave out the first zero.
        return f"{number[:4]}0{number[4:]}"
    if office == "WO" and len(number) in (7, 8):
        # 98/30679 and 03/012345: the year in two digits, as it was written up to 2003.
        year, rest = number[:2], number[2:]
        century = "19" if int(year) >= _FIRST_YEAR_OF_WO else "20"
        return f"{century}{year}{rest.zfill(6)}"
    return number


def canonical_legal_entity(text: str) -> str:
    """The national id of a legal entity, eleven digits: ``10380284790``."""
    return re.sub(r"[\s\-]", "", plain(text))


def check_legal_entity(number: str, path: str) -> list[Broken]:
    """Rules of the national id of a legal entity: eleven digits, of which the last is a check."""
    broken = [Broken(path, "NOT_A_LEGAL_ENTITY_ID", {"value": number})]
    if not _LEGAL_ENTITY.fullmatch(number) or not number.strip("0"):
        return broken
    *digits, check = map(int, number)
    shift = digits[-1] + 2
    weighted = zip(digits, _LEGAL_ENTITY_WEIGHTS, strict=True)
    rest = sum((shift + digit) * weight for digit, weight in weighted) % 11
    return [] if rest % 10 == check else broken


def check_ror(ror_id: str | None, path: str) -> list[Broken]:
    """Rule of a ROR id: its last two digits fit the rest."""
    if not ror_id or is_ror(ror_id):
        return []
    return [Broken(path, "ROR_CHECKSUM", {"value": ror_id})]
