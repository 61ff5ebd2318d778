"""The sentences for what can go wrong, as the contract has them, in both languages."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from google.protobuf.descriptor import EnumDescriptor

from peyvand.api.v1 import annotations_pb2 as annotations
from peyvand.api.v1 import errors_pb2
from peyvand.centers.v1 import nodes_pb2, reports_pb2
from peyvand.node.v1 import agent_pb2

Language = Literal["en", "fa"]

_PARAMETER = re.compile(r"\{(\w+)\}")
_PARTS_FA = {
    "an object": "یک شیء",
    "a list": "یک فهرست",
    "a text": "یک متن",
    "true or false": "true یا false",
    "a whole number": "عددی صحیح",
    "a number": "یک عدد",
    "an RFC 3339 time": "زمانی به شکل RFC 3339",
    "a whole number from 0": "عددی صحیح از ۰ به بالا",
    "a whole number from 1": "عددی صحیح از ۱ به بالا",
    "there is no row in it": "هیچ سطری در آن نیست",
    "it is not UTF-8": "کدگذاری آن UTF-8 نیست",
    "it is larger than 8 MiB": "از ۸ مبی‌بایت بزرگ‌تر است",
    "a field is too long": "یک خانه بیش از اندازه بلند است",
    "its lines end in CR alone": "سطرهایش تنها با CR پایان می‌یابند",
    "a quotation mark is not closed, or stands in the wrong place": (
        "یک نشان نقل قول بسته نشده یا جای نادرستی دارد"
    ),
}


@dataclass(frozen=True)
class BrokenRule:
    """A rule that one value breaks: the path of its field, the rule, what fills the sentence."""

    path: str
    rule: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])


class Refused(Exception):
    """What was handed in is not accepted."""

    def __init__(
        self,
        reason: str,
        params: Mapping[str, str] | None = None,
        broken: tuple[BrokenRule, ...] = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.params = dict(params or {})
        self.broken = broken


@functools.cache
def _specs() -> dict[str, annotations.ErrorSpec]:
    enums: list[EnumDescriptor] = [
        errors_pb2.CommonError.DESCRIPTOR,
        reports_pb2.ReportsError.DESCRIPTOR,
        nodes_pb2.NodesError.DESCRIPTOR,
        agent_pb2.AgentError.DESCRIPTOR,
    ]
    return {
        value.name: spec
        for enum in enums
        for value in enum.values
        if (spec := _spec(value.GetOptions())).http_status
    }


def _spec(options: Any) -> annotations.ErrorSpec:
    return options.Extensions[annotations.error]


def http_status(reason: str) -> int:
    """HTTP status of a reason."""
    return _specs()[reason].http_status


def sentence(reason: str, params: Mapping[str, str], language: Language) -> str:
    """Sentence for a reason; what is not known of it shows as an ellipsis."""
    spec = _specs().get(reason)
    if spec is None:
        return reason

    def fill(match: re.Match[str]) -> str:
        value = params.get(match[1], "…").encode("utf-8", "replace").decode()
        return _PARTS_FA.get(value, value) if language == "fa" else value

    return _PARAMETER.sub(fill, spec.fa if language == "fa" else spec.en)


def pointer(path: str) -> str:
    """JSON pointer (RFC 6901) of a field path: ``items[3].used`` → ``/items/3/used``."""
    parts = path.replace("[", ".").replace("]", "").split(".")
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts if path)


def chosen_language(accept_language: str) -> Language:
    """Choose by an `Accept-Language` header; English when nothing fits."""
    best: tuple[float, Language] = (0.0, "en")
    for item in accept_language[:500].lower().split(","):
        tag, _, parameter = item.strip().partition(";")
        language: Language | None = "fa" if tag.strip().split("-")[0] == "fa" else None
        if tag.strip().split("-")[0] in ("en", "*"):
            language = "en"
        quality = _quality(parameter)
        if language is not None and quality > best[0]:
            best = (quality, language)
    return best[1]


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
