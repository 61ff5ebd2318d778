"""The provinces that domains know."""

import pycountry

from domainkit.provinces import PROVINCES


def test_the_provinces_are_those_of_the_standard() -> None:
    subdivisions = pycountry.subdivisions.get(country_code="IR")
    assert {item.code for item in subdivisions or ()} == PROVINCES
    assert len(PROVINCES) == 31
