"""Refusals as a node is told them: the stable reason, and its sentence in both languages.

A node is answered without a gateway between, so the sentences of the contract are filled
here, and the person at the node reads the same as the caller of the API does.
"""

import re
from collections.abc import Mapping

from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.contract import contract
from servicekit.errors import Fault, Violation

_PARAMETER = re.compile(r"\{([a-z_]+)\}")


def refusal(fault: Fault) -> pb.Refusal:
    """What a node is told when nothing came of its request."""
    if fault.violations:
        first = fault.violations[0]
        en, fa = sentences(first.reason, first.params)
        return pb.Refusal(reason=first.reason, en=f"{first.field}: {en}", fa=f"{first.field}: {fa}")
    en, fa = sentences(fault.reason, fault.params)
    return pb.Refusal(reason=fault.reason, en=en, fa=fa)


def refused_field(violation: Violation) -> pb.RefusedField:
    """One broken rule of a report, as its receipt names it."""
    en, fa = sentences(violation.reason, violation.params)
    return pb.RefusedField(field=violation.field, reason=violation.reason, en=en, fa=fa)


def sentences(reason: str, params: Mapping[str, str]) -> tuple[str, str]:
    """Sentence of a reason, filled, in English and Persian.

    What is not known of it shows as an ellipsis. Raises `KeyError` for a reason that no
    contract declares.
    """
    spec = contract().error(reason)
    return _filled(spec.en, params), _filled(spec.fa, params)


def _filled(sentence: str, params: Mapping[str, str]) -> str:
    return _PARAMETER.sub(lambda match: params.get(match[1], "…"), sentence)
