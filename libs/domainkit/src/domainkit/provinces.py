"""The provinces of Iran, by their codes of ISO 3166-2:IR as of its change of 2020-11-24."""

PROVINCES = frozenset(f"IR-{number:02d}" for number in range(31))
"""All 31, IR-00 to IR-30."""
