"""Amounts of money in the currencies of ISO 4217."""

from dataclasses import dataclass
from decimal import Decimal

import pycountry

from domainkit.rules import Broken

# Codes of ISO 4217 for metals, bonds, tests and nothing: no money is paid in these.
_NO_MONEY = frozenset(
    {"XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"}
)
CURRENCIES = frozenset(currency.alpha_3 for currency in pycountry.currencies) - _NO_MONEY
"""Codes of the currencies of ISO 4217."""


@dataclass(frozen=True)
class Money:
    """An amount as it was given, decimal, in a currency of ISO 4217."""

    amount: str
    currency: str

    @property
    def value(self) -> Decimal:
        """The amount as a number."""
        return Decimal(self.amount)

    def rules(self, path: str, currency: str) -> list[Broken]:
        """Rules of an amount of an award in this currency."""
        if self.currency not in CURRENCIES:
            params = {"value": self.currency}
            return [Broken(f"{path}.currency", "UNKNOWN_CURRENCY", params)]
        if self.currency != currency:
            params = {"value": self.currency, "currency": currency}
            return [Broken(f"{path}.currency", "OTHER_CURRENCY", params)]
        return [] if self.value > 0 else [Broken(f"{path}.amount", "AMOUNT_NOT_POSITIVE")]
