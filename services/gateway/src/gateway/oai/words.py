"""What a harvester is told that asked for something that there is not, in both languages."""

from collections.abc import Mapping

from gateway.languages import Language

# By rule: the error code of OAI-PMH 2.0, and the sentence in English and in Persian.
_REFUSALS: Mapping[str, tuple[str, str, str]] = {
    "VERB": (
        "badVerb",
        "verb: has to stand once and be one of {allowed}.",
        "verb: باید یک بار بیاید و یکی از این‌ها باشد: {allowed}.",
    ),
    "UNKNOWN": (
        "badArgument",
        "{name}: {verb} takes no such argument.",
        "{name}: {verb} چنین آرگومانی نمی‌گیرد.",
    ),
    "REPEATED": (
        "badArgument",
        "{name}: may stand only once.",
        "{name}: تنها یک بار می‌تواند بیاید.",
    ),
    "MISSING": (
        "badArgument",
        "{name}: {verb} needs it.",
        "{name}: برای {verb} لازم است.",
    ),
    "ALONE": (
        "badArgument",
        "resumptionToken: stands alone, without any other argument.",
        "resumptionToken: باید تنها و بی هیچ آرگومان دیگری بیاید.",
    ),
    "FORM": (
        "badArgument",
        "{name}: has to have the form {expected}.",
        "{name}: باید به این شکل باشد: {expected}.",
    ),
    "GRANULARITY": (
        "badArgument",
        "from, until: both have to be days, or both points in time.",
        "from و until: هر دو باید روز باشند یا هر دو زمان.",
    ),
    "ORDER": (
        "badArgument",
        "from: must not be later than until.",
        "from: نباید پس از until باشد.",
    ),
    "TOO_MUCH": (
        "badArgument",
        "body: has more arguments than there are.",
        "body: بیش از آرگومان‌های موجود دارد.",
    ),
    "TOKEN": (
        "badResumptionToken",
        "resumptionToken: none of this list; begin it again.",
        "resumptionToken: از این فهرست نیست؛ آن را از نو آغاز کنید.",
    ),
    "FORMAT": (
        "cannotDisseminateFormat",
        "metadataPrefix: has to be one of {allowed}.",
        "metadataPrefix: باید یکی از این‌ها باشد: {allowed}.",
    ),
    "IDENTIFIER": (
        "idDoesNotExist",
        "identifier: there is no such record that you may see.",
        "identifier: چنین رکوردی که شما ببینید نیست.",
    ),
    "NOTHING": (
        "noRecordsMatch",
        "from, until, set: there is no such record that you may see.",
        "from، until و set: چنین رکوردی که شما ببینید نیست.",
    ),
}


class Refusal(Exception):
    """A request that cannot be answered, by the rule that it breaks."""

    def __init__(self, rule: str, **params: str) -> None:
        super().__init__(rule)
        self.code, self._en, self._fa = _REFUSALS[rule]
        self._params = params

    @property
    def echoes(self) -> bool:
        """Whether what was asked is understood, so that the answer repeats it."""
        return self.code not in ("badVerb", "badArgument")

    def sentence(self, language: Language) -> str:
        """What is said of it."""
        return (self._fa if language == "fa" else self._en).format_map(self._params)
