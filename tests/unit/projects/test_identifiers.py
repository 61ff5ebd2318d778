"""Real, published identifiers in the ways that people write them, and damaged ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domainkit.identifiers import full_ror
from domainkit.rules import Broken
from projects.domain.identifiers import (
    PatentNumber,
    canonical_doi,
    canonical_irct,
    canonical_legal_entity,
    canonical_nct,
    canonical_orcid,
    canonical_patent,
    check_doi,
    check_irct,
    check_legal_entity,
    check_nct,
    check_orcid,
    check_patent,
    check_ror,
    listed_register,
)

Canonical = Callable[[str], str]
Check = Callable[[str, str], list[Broken]]

KINDS: dict[str, tuple[Canonical, Check]] = {
    "doi": (canonical_doi, check_doi),
    "orcid": (canonical_orcid, check_orcid),
    "irct": (canonical_irct, check_irct),
    "nct": (canonical_nct, check_nct),
    "legal_entity": (canonical_legal_entity, check_legal_entity),
}

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")

# Canonical form, and how else it is written.
REAL: list[tuple[str, str, list[str]]] = [
    (
        "doi",
        "10.1016/j.cell.2006.07.024",
        [
            "doi:10.1016/j.cell.2006.07.024",
            "DOI: 10.1016/j.cell.2006.07.024.",
            "DOI 10.1016/J.CELL.2006.07.024",
            "https://doi.org/10.1016/j.cell.2006.07.024",
            "http://dx.doi.org/10.1016/j.cell.2006.07.024?journal=cell",
            "doi.org/10.1016/j.cell.2006.07.024",
            "info:doi/10.1016/j.cell.2006.07.024",
            "  \u200f10.1016/j.cell.2006.07.024\u200f ",
            "10.1016/j.cell.2006.07.024".translate(PERSIAN),
            "https://doi.org/10.1016/j.cell.2006.07.024/",
            "doi:https://doi.org/10.1016/j.cell.2006.07.024",
            "https://www.doi.org/doi:10.1016/j.cell.2006.07.024).",
        ],
    ),
    ("doi", "10.1126/science.282.5391.1145", ["10.1126/science.282.5391.1145,"]),
    (
        "doi",
        "10.1016/s0140-6736(20)30183-5",
        ["10.1016/S0140-6736(20)30183-5", "(doi:10.1016/S0140-6736(20)30183-5)"[1:]],
    ),
    (
        "doi",
        "10.1002/(sici)1097-4571(199806)49:8<693::aid-asi4>3.0.co;2-o",
        [
            "https://doi.org/10.1002/(SICI)1097-4571(199806)49:8%3C693::AID-ASI4%3E3.0.CO;2-O",
            "10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O",
        ],
    ),
    (
        "orcid",
        "https://orcid.org/0000-0002-1825-0097",
        [
            "0000-0002-1825-0097",
            "0000000218250097",
            "0000 0002 1825 0097",
            "orcid.org/0000-0002-1825-0097",
            "http://orcid.org/0000-0002-1825-0097",
            "https://www.orcid.org/0000-0002-1825-0097/",
            "ORCID: 0000\u20130002\u20131825\u20130097",
            "ORCID 0000-0002-1825-0097",
            "0000-0002-1825-0097".translate(PERSIAN),
            "0000-0002-1825-0097".translate(ARABIC),
        ],
    ),
    ("orcid", "https://orcid.org/0000-0001-5109-3700", ["0000-0001-5109-3700"]),
    # The first and the last of the ranges, and one of the newer range.
    ("orcid", "https://orcid.org/0000-0001-5000-0007", []),
    ("orcid", "https://orcid.org/0000-0003-5000-0001", []),
    ("orcid", "https://orcid.org/0009-0000-0000-0009", []),
    ("orcid", "https://orcid.org/0009-0001-2345-6786", ["0009 0001 2345 6786"]),
    ("orcid", "https://orcid.org/0000-0002-1694-233X", ["0000-0002-1694-233x"]),
    # Dated in the Persian calendar, as up to 2010, and in the Gregorian since.
    (
        "irct",
        "IRCT138705301058N1",
        [
            "irct138705301058n1",
            "IRCT-138705301058N1",
            "IRCT 138705301058 N1",
            " IRCT138705301058N1.",
        ],
    ),
    ("irct", "IRCT138706211241N1", ["IRCT138706211241N1".translate(PERSIAN)]),
    ("irct", "IRCT138707012049N3", []),
    ("irct", "IRCT138711051556N1", []),
    # The last days of a month of 31, of a leap year of either calendar.
    ("irct", "IRCT138706311058N1", []),
    ("irct", "IRCT138712301058N1", []),
    ("irct", "IRCT20120229008505N47", []),
    ("irct", "IRCT20111224008505N47", ["irct: 20111224008505 N47"]),
    ("irct", "IRCT20120526009954N3", ["IRCT2012-0526009954N3"]),
    ("irct", "IRCT20130812014333N145", ["\u200eIRCT20130812014333N145\u200e"]),
    (
        "nct",
        "NCT01217008",
        [
            "nct01217008",
            "NCT 01217008",
            "NCT-01217008",
            "https://clinicaltrials.gov/study/NCT01217008",
            "https://clinicaltrials.gov/ct2/show/NCT01217008?term=x&rank=1",
            "https://www.clinicaltrials.gov/ct2/show/record/nct01217008",
            "NCT۰۱۲۱۷۰۰۸",
        ],
    ),
    ("nct", "NCT01344993", ["NCT01344993;"]),
    ("legal_entity", "10380284790", ["۱۰۳۸۰۲۸۴۷۹۰", "1038 028 4790"]),
    ("legal_entity", "14007650912", ["14007650912"]),
]
ALL = [(kind, canonical, way) for kind, canonical, ways in REAL for way in [canonical, *ways]]

DAMAGED = [
    ("doi", "10.1016", "NOT_A_DOI"),
    ("doi", "10.1016/", "NOT_A_DOI"),
    ("doi", "11.1016/j.cell.2006.07.024", "NOT_A_DOI"),
    ("doi", "10.10/j.cell.2006.07.024", "NOT_A_DOI"),
    ("doi", "10.1016/j.cell. 2006.07.024", "NOT_A_DOI"),
    ("doi", "https://example.org/10.1016/j.cell.2006.07.024", "NOT_A_DOI"),
    ("doi", "10.1016/j.cell\ufffd2006", "NOT_A_DOI"),
    ("doi", "10.1016/j.cell\x072006", "NOT_A_DOI"),
    ("doi", "10.1016/j.cell\u00b72006", "NOT_A_DOI"),
    ("doi", "10.1016/\u0633\u0644\u0648\u0644", "NOT_A_DOI"),
    ("doi", '10.1016/j."cell"x', "NOT_A_DOI"),
    ("doi", "10.1016/j.cell|2006", "NOT_A_DOI"),
    ("doi", "10.1016/{j.cell}x", "NOT_A_DOI"),
    ("doi", "https://doi.org/10.1016/j.cell%202006", "NOT_A_DOI"),
    ("orcid", "0000-0002-1825-0098", "ORCID_CHECKSUM"),
    # Their check digits fit, but no such iD was or can be given.
    ("orcid", "0000-0000-0000-0001", "NOT_AN_ORCID"),
    ("orcid", "0000-0001-2345-6789", "NOT_AN_ORCID"),
    ("orcid", "0000-0001-4999-9992", "NOT_AN_ORCID"),
    ("orcid", "1234-5678-9012-3451", "NOT_AN_ORCID"),
    ("orcid", "9999-9999-9999-9994", "NOT_AN_ORCID"),
    ("orcid", "0000-0002-1852-0097", "ORCID_CHECKSUM"),
    ("orcid", "0000-0002-1694-2330", "ORCID_CHECKSUM"),
    ("orcid", "0000-0002-1825-009", "NOT_AN_ORCID"),
    ("orcid", "0000-0002-1825-00977", "NOT_AN_ORCID"),
    ("orcid", "0000-0002-1X25-0097", "NOT_AN_ORCID"),
    ("orcid", "https://example.org/0000-0002-1825-0097", "NOT_AN_ORCID"),
    ("irct", "IRCT138705301058", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT1387053010N1", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT19870530105800N1", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20111224008505N4711", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20111324008505N47", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20111200008505N47", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20111232008505N47", "NOT_AN_IRCT_NUMBER"),
    ("irct", "138705301058N1", "NOT_AN_IRCT_NUMBER"),
    # Days that the calendar of the number does not have.
    ("irct", "IRCT20110231008505N47", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20110229008505N47", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT138707311058N1", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT138812301058N1", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT138700301058N1", "NOT_AN_IRCT_NUMBER"),
    # Before the register, or of nobody, or the trial before the first.
    ("irct", "IRCT19991224008505N47", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20001224008505N47", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT130005301058N1", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20111224000000N47", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20111224008505N0", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20111224008505N00", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20111224008505N07", "NOT_AN_IRCT_NUMBER"),
    # Two numbers that a blank parts are not one.
    ("irct", "IRCT20111224008505N4 7", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20111224008505N 47", "NOT_AN_IRCT_NUMBER"),
    ("irct", "IRCT20111224008505N4-7", "NOT_AN_IRCT_NUMBER"),
    ("irct", "https://irct.behdasht.gov.ir/trial/1046", "NOT_AN_IRCT_NUMBER"),
    ("nct", "NCT0121700", "NOT_AN_NCT_NUMBER"),
    ("nct", "NCT012170081", "NOT_AN_NCT_NUMBER"),
    ("nct", "NTC01217008", "NOT_AN_NCT_NUMBER"),
    ("nct", "NCT00000000", "NOT_AN_NCT_NUMBER"),
    ("nct", "01217008", "NOT_AN_NCT_NUMBER"),
    ("nct", "https://example.org/NCT01217008", "NOT_AN_NCT_NUMBER"),
    ("legal_entity", "10380284792", "NOT_A_LEGAL_ENTITY_ID"),
    ("legal_entity", "1038028479", "NOT_A_LEGAL_ENTITY_ID"),
    ("legal_entity", "00000000000", "NOT_A_LEGAL_ENTITY_ID"),
]

PATENTS: list[tuple[PatentNumber, list[tuple[str, str, str]]]] = [
    (
        PatentNumber("US", "8048999", "B2"),
        [
            ("US", "8048999", "B2"),
            ("", "US 8,048,999 B2", ""),
            ("us", "8,048,999", "b2"),
            ("US", "US8048999B2", "B2"),
            ("US", "۸٬۰۴۸٬۹۹۹", "B2"),
        ],
    ),
    (
        PatentNumber("US", "20090047263", "A1"),
        [("US", "2009/0047263", "A1"), ("", "US2009047263A1", ""), ("", "US 20090047263 A1", "")],
    ),
    (PatentNumber("US", "5843780", "A"), [("", "US5843780A", "")]),
    (PatentNumber("US", "RE36000", "E1"), [("US", "RE36,000 E1", "")]),
    (
        PatentNumber("EP", "1970446", "B1"),
        [("EP", "1 970 446", "B1"), ("", "EP1970446B1", ""), ("", "ep 1970446 b1", "")],
    ),
    (PatentNumber("EP", "0695351", "B1"), [("EP", "695351", "B1"), ("", "EP-0695351-B1", "")]),
    (
        PatentNumber("WO", "2007069666", "A1"),
        [("", "WO 2007/069666 A1", ""), ("WO", "2007/069666", "A1"), ("", "WO2007069666", "A1")],
    ),
    (PatentNumber("WO", "1996022362", "A1"), [("", "WO 96/22362 A1", ""), ("WO", "9622362", "A1")]),
    (PatentNumber("WO", "2003012345", ""), [("", "WO 03/012345", ""), ("WO", "2003/012345", "")]),
    (PatentNumber("JP", "4183742", "B2"), [("", "JP4183742B2", ""), ("JP", "4183742", "B2")]),
    (
        PatentNumber("IR", "68912", ""),
        [("IR", "۶۸۹۱۲", ""), ("", "IR68912", ""), ("ir", "68912", "")],
    ),
    (PatentNumber("IR", "140050140003009179", ""), [("IR", "140050140003009179", "")]),
    # Numbers of these offices begin with letters that elsewhere are the code of an office.
    (PatentNumber("MX", "PA05001234", "A"), [("MX", "PA05001234", "A")]),
    (PatentNumber("BR", "MU8600123", "U2"), [("BR", "MU8600123", "U2")]),
    (PatentNumber("IT", "TO20050123", "A1"), [("IT", "TO20050123", "A1")]),
]
TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(("kind", "canonical", "written"), ALL)
def test_a_real_one_is_taken_however_it_is_written(kind: str, canonical: str, written: str) -> None:
    read, check = KINDS[kind]
    assert read(written) == canonical
    assert check(canonical, "x") == []


@pytest.mark.parametrize(("kind", "damaged", "rule"), DAMAGED)
def test_a_damaged_one_is_refused_with_its_rule(kind: str, damaged: str, rule: str) -> None:
    read, check = KINDS[kind]
    (broken,) = check(read(damaged), "x")
    assert (broken.field, broken.rule) == ("x", rule)
    assert broken.params["value"] == read(damaged)


@pytest.mark.parametrize(
    ("patent", "written"), [(patent, way) for patent, ways in PATENTS for way in ways]
)
def test_a_patent_is_taken_however_it_is_written(
    patent: PatentNumber, written: tuple[str, str, str]
) -> None:
    assert canonical_patent(*written) == patent
    assert canonical_patent(*patent) == patent
    assert check_patent(patent, "x") == []


@pytest.mark.parametrize(
    ("written", "broken"),
    [
        (("XX", "8048999", "B2"), ("x.office", "UNKNOWN_PATENT_OFFICE")),
        (("", "8048999", "B2"), ("x.office", "UNKNOWN_PATENT_OFFICE")),
        (("", "RE36000", ""), ("x.office", "UNKNOWN_PATENT_OFFICE")),
        (("USA", "8048999", ""), ("x.office", "UNKNOWN_PATENT_OFFICE")),
        (("US", "804899912", "B2"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("US", "EP1970446", "B1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("EP", "19704467", "B1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("WO", "PCT/JP2006/324881", ""), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("WO", "207069666", "A1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        # The number names another office than the one that is given.
        (("JP", "EP1970446", "B1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("IR", "US8048999", "B2"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("DE", "WO2007069666", "A1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("MX", "US8048999", "B2"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("FR", "DE10200612345", "A1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        # Years in which the office published nothing.
        (("WO", "1977/069666", "A1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("WO", "2031/069666", "A1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("US", "2000/0047263", "A1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("US", "2031/0047263", "A1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        # Nothing has the number zero.
        (("US", "0000000", "B2"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("US", "RE00000", "E1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("US", "2009/0000000", "A1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("EP", "0", "B1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("WO", "2007/000000", "A1"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("IR", "000", ""), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("JP", "0000000", "B2"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("IR", "12", ""), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("JP", "", "B2"), ("x.number", "NOT_A_PATENT_NUMBER")),
        (("US", "8048999", "2B"), ("x.kind_code", "NOT_A_KIND_CODE")),
        (("US", "8048999", "B22"), ("x.kind_code", "NOT_A_KIND_CODE")),
    ],
)
def test_a_damaged_patent_is_refused_with_its_rule(
    written: tuple[str, str, str], broken: tuple[str, str]
) -> None:
    found = check_patent(canonical_patent(*written), "x", TODAY)
    assert [(item.field, item.rule) for item in found] == [broken]


# What people write around identifiers, and what makes reading them go wrong.
PIECES = [
    "doi:",
    "DOI ",
    "info:doi/",
    "https://doi.org/",
    "dx.doi.org/",
    "10.1016/",
    "10.",
    "ORCID: ",
    "https://orcid.org/",
    "0000-0002-",
    "IRCT",
    "irct: ",
    "20111224",
    "N",
    "n4",
    "NCT",
    "01217008",
    "https://clinicaltrials.gov/study/",
    "https://ror.org/",
    "ror:",
    "01c4pz451",
    "%2525",
    "%20",
    "%28",
    "?",
    "#",
    "/",
    "(",
    ")",
    ").",
    ";",
    "\u0130",
    "\u200f",
    "\u06f1",
    "\u00ab",
    "\u00bb",
    " ",
    "-",
]
JUNK = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=9).map("".join))


@given(st.sampled_from(sorted(KINDS)), JUNK)
@example("doi", "doi:doi:10.1016/x")
@example("doi", "https://doi.org/https://doi.org/10.1016/x")
@example("doi", "10.1016/x).)")
@example("doi", "https://doi.org/10.1016/x%2525 ?")
@example("doi", "10.1016/\u0130")
def test_any_text_is_read_to_something_that_stays(kind: str, junk: str) -> None:
    read, check = KINDS[kind]
    once = read(junk)
    assert read(once) == once
    check(once, "x")


@given(JUNK.filter(bool))
def test_any_text_is_read_as_a_ror_id_that_stays(junk: str) -> None:
    once = full_ror(junk)
    assert full_ror(once) == once or not once


@pytest.mark.parametrize(
    "written",
    [
        "01c4pz451",
        "https://ror.org/01c4pz451",
        "http://www.ror.org/01C4PZ451/",
        "ror.org/01c4pz451",
        "ROR: 01c4pz451",
        "\u06f0\u06f1c\u06f4pz\u06f4\u06f5\u06f1",
    ],
)
def test_a_ror_id_is_taken_however_it_is_written(written: str) -> None:
    assert full_ror(written) == "https://ror.org/01c4pz451"
    assert check_ror(full_ror(written), "x") == []


@pytest.mark.parametrize(
    "written",
    [
        "https://example.org/01c4pz451",
        "https://ror.org.example.org/01c4pz451",
        "https://ror.org/organizations/01c4pz451",
        "https://ror.org/",
        "01c4pz45",
        "11c4pz451",
        "01c4pl451",
        "01c4pz4511",
    ],
)
def test_a_damaged_ror_id_is_refused(written: str) -> None:
    assert [item.rule for item in check_ror(full_ror(written), "x")] == ["ROR_CHECKSUM"]


@given(st.integers(0, 8), st.sampled_from("0123456789abcdefghjkmnpqrstvwxyz"))
def test_one_wrong_character_of_a_ror_id_is_always_found(at: int, wrong: str) -> None:
    ror = "01c4pz451"
    damaged = ror[:at] + wrong + ror[at + 1 :]
    assert (check_ror(full_ror(damaged), "x") == []) == (damaged == ror)


@given(st.dates(date(2007, 1, 1), TODAY), st.integers(1, 999_999), st.integers(1, 999))
def test_an_irct_number_of_any_day_since_the_register_began_is_taken(
    day: date, who: int, trial: int
) -> None:
    number = f"IRCT{day:%Y%m%d}{who:06}N{trial}"
    assert canonical_irct(f"irct: {number[4:]}") == number
    assert check_irct(number, "x", TODAY) == []


@given(st.integers(1386, 1399), st.integers(1, 12), st.integers(1, 31), st.integers(1, 99_999))
def test_a_persian_day_is_one_that_its_calendar_has(
    year: int, month: int, day: int, who: int
) -> None:
    # The leap years of these, as the calendar of the country has them.
    last = 31 if month <= 6 else 30 if month < 12 or year in (1387, 1391, 1395, 1399) else 29
    number = f"IRCT{year}{month:02}{day:02}{who:05}N1"
    assert (check_irct(number, "x", TODAY) == []) == (day <= last)


def test_an_irct_number_is_not_of_a_day_to_come() -> None:
    assert check_irct("IRCT20260301008505N1", "x", TODAY) == []
    assert check_irct("IRCT20260302008505N1", "x", TODAY)


@pytest.mark.parametrize("orcid", ["0000000218250097", "000000021694233X", "0009000123456786"])
@given(st.integers(0, 15), st.sampled_from("0123456789X"))
def test_one_wrong_character_of_an_orcid_is_always_found(orcid: str, at: int, wrong: str) -> None:
    damaged = orcid[:at] + wrong + orcid[at + 1 :]
    assert (check_orcid(canonical_orcid(damaged), "x") == []) == (damaged == orcid)


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("IRCT", "2011-A", ("name", "irct")),
        ("irct.ir", "x", ("name", "irct")),
        ("Iranian Registry of Clinical Trials", "x", ("name", "irct")),
        ("\u200fI.R.C.T. ", "x", ("name", "irct")),
        ("NCT", "x", ("name", "clinicaltrials_gov")),
        ("ClinicalTrials.gov", "x", ("name", "clinicaltrials_gov")),
        ("ISRCTN", "IRCT20111224008505N47", ("number", "irct")),
        ("EudraCT", "irct 20111224008505 N47", ("number", "irct")),
        (
            "EudraCT",
            "https://clinicaltrials.gov/study/NCT01217008",
            ("number", "clinicaltrials_gov"),
        ),
        ("ISRCTN", "ISRCTN12345678", ("", "")),
        ("EudraCT", "2015-001234-12", ("", "")),
        ("UMIN", "UMIN000012345", ("", "")),
    ],
)
def test_a_register_that_is_listed_is_known_by_its_name_and_its_numbers(
    name: str, number: str, expected: tuple[str, str]
) -> None:
    assert listed_register(name, number) == expected


@given(st.text(max_size=4), st.text(max_size=24), st.text(max_size=4))
def test_any_patent_is_read_to_something_that_stays(office: str, number: str, kind: str) -> None:
    once = canonical_patent(office, number, kind)
    if not check_patent(once, "x"):
        assert canonical_patent(*once) == once


@pytest.mark.parametrize("orcid", ["0000000218250097", "0000000151093700"])
@pytest.mark.parametrize("at", range(15))
def test_two_digits_of_an_orcid_that_changed_places_are_found(orcid: str, at: int) -> None:
    swapped = orcid[:at] + orcid[at + 1] + orcid[at] + orcid[at + 2 :]
    assert (check_orcid(canonical_orcid(swapped), "x") == []) == (swapped == orcid)


def test_a_ror_id_is_refused_for_its_check_digits() -> None:
    assert check_ror("https://ror.org/01c4pz451", "x") == []
    assert check_ror(None, "x") == []
    assert [item.rule for item in check_ror("https://ror.org/01c4pz452", "x")] == ["ROR_CHECKSUM"]
