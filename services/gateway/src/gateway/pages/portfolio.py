"""Reads the portfolio for a reader who has narrowed it by the address of the page."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import EnumDescriptor

from gateway.auth import Caller
from gateway.languages import Language
from gateway.pages.portfolio_view import PATHWAY, REASON, names_of
from gateway.transcoding import Backend
from peyvand.projects.v1 import portfolio_pb2
from servicekit.contract import contract
from servicekit.errors import Fault, Violation
from servicekit.policy import authorize
from servicekit.rpc_client import CallContext

FIELDS = ("pathway", "province", "reason", "sample")
_STUCK = 12


def read_query(given: Mapping[str, str]) -> dict[str, str]:
    """What the reader has narrowed the page to: each field, empty where it is not given."""
    return {name: given.get(name, "").strip() for name in FIELDS}


class Portfolios:
    """Reads the portfolio for one caller. Raises `Fault`."""

    def __init__(self, backend: Backend, timeout: float) -> None:
        self._backend = backend
        self._timeout = timeout

    async def read(
        self, who: Caller, query: Mapping[str, str], language: Language
    ) -> portfolio_pb2.Portfolio:
        """The portfolio as this caller may see it, narrowed as `query` says."""
        rpc = contract().rpcs["/peyvand.projects.v1.Portfolios/GetPortfolio"]
        authorize(rpc, who.principal)
        request = portfolio_pb2.GetPortfolioRequest(
            pathway=_value(PATHWAY, "pathway", query["pathway"]),
            province=query["province"],
            stuck_reason=_value(REASON, "reason", query["reason"]),
            sample=query["sample"] == "true",
            stuck_limit=_STUCK,
        )
        context = CallContext(who.token, language, self._timeout)
        answer = await self._backend.call(rpc, request, context)
        assert isinstance(answer, portfolio_pb2.Portfolio)
        return answer


def _value(enum: EnumDescriptor, field: str, name: str) -> Any:
    """The number of a value, as the address names it; `None` where it names none."""
    numbers = {known: number for number, known in names_of(enum).items()}
    if name and name not in numbers:
        allowed = {"allowed": ", ".join(numbers)}
        raise Fault.invalid(Violation(field, "UNKNOWN_VALUE", allowed))
    return numbers.get(name)
