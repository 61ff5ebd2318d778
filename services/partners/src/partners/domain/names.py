"""Names of institutions and persons, in any number of languages."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domainkit.rules import Broken
from domainkit.values import LocalizedText


class NameKind(StrEnum):
    """What a name is to its bearer."""

    OFFICIAL = "official"
    ALIAS = "alias"
    ACRONYM = "acronym"
    SPELLING = "spelling"


@dataclass(frozen=True)
class Name:
    """One name in one language (BCP 47); without a kind it counts as official."""

    text: str
    language: str
    script: str = ""
    kind: NameKind | None = None


def check_names(names: Sequence[Name]) -> list[Broken]:
    """Rules of a list of names: at least one, none empty, none twice."""
    broken = [] if names else [Broken("names", "NAME_REQUIRED")]
    seen = set[tuple[str, str]]()
    for index, name in enumerate(names):
        if not name.text.strip():
            broken.append(Broken(f"names[{index}].text", "REQUIRED"))
        key = (name.text, name.language)
        if key in seen:
            broken.append(Broken(f"names[{index}]", "DUPLICATE", {"value": name.text}))
        seen.add(key)
    return broken


def as_text(names: Sequence[Name]) -> LocalizedText:
    """The name to write into a document, in Persian and English as far as they are known.

    A bearer with a name in neither is written as its first name stands.
    """
    text = LocalizedText(fa=_first(names, "fa"), en=_first(names, "en"))
    if not text and names:
        text = LocalizedText(en=names[0].text)
    return text


def _first(names: Sequence[Name], language: str) -> str:
    spoken = [name for name in names if name.language.partition("-")[0] == language]
    official = [name for name in spoken if name.kind in (None, NameKind.OFFICIAL)]
    return next((name.text for name in [*official, *spoken]), "")
