"""What came out of a project: one of seven kinds of things, each with its own rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken, IllegalStep, Refused, RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name
from projects.domain.company import Company, CompanyState
from projects.domain.identifiers import (
    PatentNumber,
    canonical_doi,
    canonical_irct,
    canonical_nct,
    canonical_patent,
    check_doi,
    check_irct,
    check_nct,
    check_patent,
    listed_register,
)
from projects.domain.people import check_in_order

_CheckOfNumber = Callable[[str, str, date], list[Broken]]


class OutputKind(StrEnum):
    """What an output is; also the name of the field that holds it."""

    PUBLICATION = "publication"
    PATENT = "patent"
    LICENCE = "licence"
    TRIAL = "trial"
    COMPANY = "company"
    PRODUCT = "product"
    THERAPY = "therapy"


class OutputState(StrEnum):
    """Whether an output counts."""

    RECORDED = "recorded"
    WITHDRAWN = "withdrawn"


class TrialRegister(StrEnum):
    """A register of clinical trials."""

    IRCT = "irct"
    CLINICALTRIALS_GOV = "clinicaltrials_gov"
    OTHER = "other"


@dataclass(frozen=True)
class Publication:
    """A published text."""

    doi: str
    venue: str = ""
    published_date: ImpreciseDate | None = None
    open_access: bool = False

    def __post_init__(self) -> None:
        """Write the DOI in its canonical form."""
        object.__setattr__(self, "doi", canonical_doi(self.doi))

    @property
    def identifier(self) -> str:
        """What the network knows it by."""
        return f"doi:{self.doi}"

    def rules(self, path: str, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = check_doi(self.doi, f"{path}.doi")
        return broken + check_date(self.published_date, f"{path}.published_date", today=today)


@dataclass(frozen=True)
class Patent:
    """A patent document."""

    number: str
    office: str = ""
    kind_code: str = ""
    filed_date: ImpreciseDate | None = None
    published_date: ImpreciseDate | None = None
    granted_date: ImpreciseDate | None = None

    def __post_init__(self) -> None:
        """Write the office, the number and the kind in their canonical form."""
        for name, value in canonical_patent(*self._name)._asdict().items():
            object.__setattr__(self, name, value)

    @property
    def identifier(self) -> str:
        """What the network knows it by: an application and its grant are one."""
        return f"patent:{self.office}{self.number}"

    def rules(self, path: str, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        dates = [
            ("filed_date", self.filed_date),
            ("published_date", self.published_date),
            ("granted_date", self.granted_date),
        ]
        broken = check_patent(self._name, path, today)
        for name, value in dates:
            broken += check_date(value, f"{path}.{name}", today=today)
        # It is published before it is granted, or with that; filed before both.
        for later in dates[1:]:
            broken += _new(check_in_order([dates[0], later], path), broken)
        return broken

    @property
    def _name(self) -> PatentNumber:
        return PatentNumber(self.office, self.number, self.kind_code)


@dataclass(frozen=True)
class Licence:
    """The right to use the knowledge, given to somebody."""

    licensee: LocalizedText | None
    licensee_company_id: str = ""
    exclusive: bool = False
    territory: LocalizedText | None = None
    signed_date: ImpreciseDate | None = None
    until_date: ImpreciseDate | None = None

    @property
    def identifier(self) -> str:
        """A licence has none."""
        return ""

    def rules(self, path: str, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = check_name(self.licensee, f"{path}.licensee")
        broken += check_date(self.signed_date, f"{path}.signed_date", today=today)
        dates = [("signed_date", self.signed_date), ("until_date", self.until_date)]
        return broken + _new(check_in_order(dates, path), broken)


@dataclass(frozen=True)
class Trial:
    """A registered clinical trial."""

    register: TrialRegister | None
    number: str
    register_name: str = ""
    registered_date: ImpreciseDate | None = None
    first_enrolment_date: ImpreciseDate | None = None

    def __post_init__(self) -> None:
        """Write the number in the canonical form of its register."""
        if self.register is not None and (form := _TRIAL_NUMBERS.get(self.register)):
            canonical, _ = form
            object.__setattr__(self, "number", canonical(self.number))

    @property
    def identifier(self) -> str:
        """What the network knows it by."""
        named = self.register_name.strip().lower() or (self.register or "")
        return f"trial:{named}:{self.number.strip()}"

    def rules(self, path: str, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken: list[Broken] = []
        if self.register is None:
            broken.append(Broken(f"{path}.register", "REQUIRED"))
        elif bool(self.register_name.strip()) != (self.register == TrialRegister.OTHER):
            broken.append(Broken(f"{path}.register_name", "REGISTER_NAME_MISPLACED"))
        form = _TRIAL_NUMBERS.get(self.register) if self.register else None
        if form is not None:
            _, check = form
            broken += check(self.number, f"{path}.number", today)
        elif not self.number.strip():
            broken.append(Broken(f"{path}.number", "REQUIRED"))
        elif self.register == TrialRegister.OTHER:
            broken += self._listed_rules(path)
        dates = [
            ("registered_date", self.registered_date),
            ("first_enrolment_date", self.first_enrolment_date),
        ]
        broken += check_date(self.registered_date, f"{path}.registered_date", today=today)
        broken += check_date(self.first_enrolment_date, f"{path}.first_enrolment_date", today=today)
        # Registration comes before the first enrolment; that is what registers are for.
        return broken + _new(check_in_order(dates, path), broken)

    def _listed_rules(self, path: str) -> list[Broken]:
        """Under another name the checks of a register would be passed by."""
        said_by, register = listed_register(self.register_name, self.number)
        if not said_by:
            return []
        field, value = {
            "name": ("register_name", self.register_name),
            "number": ("number", self.number),
        }[said_by]
        params = {"value": value, "register": register}
        return [Broken(f"{path}.{field}", "REGISTER_IS_LISTED", params)]


@dataclass(frozen=True)
class CompanyOutput:
    """A knowledge-based company that came out of the project."""

    company_id: str

    @property
    def identifier(self) -> str:
        """What the network knows it by."""
        return f"company:{self.company_id}"

    def rules(self, path: str, today: date) -> list[Broken]:
        """Rules that the values break as they are: none of their own."""
        del path, today
        return []


@dataclass(frozen=True)
class Product:
    """A product on the market."""

    brand: LocalizedText | None = None
    authorisation_number: str = ""
    company_id: str = ""
    launched_date: ImpreciseDate | None = None

    @property
    def identifier(self) -> str:
        """What the network knows it by, if it has an authorisation."""
        number = self.authorisation_number.strip()
        return f"product:{number}" if number else ""

    def rules(self, path: str, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        return check_date(self.launched_date, f"{path}.launched_date", today=today)


@dataclass(frozen=True)
class Therapy:
    """A therapy that patients receive at a center."""

    center_id: str
    indication: LocalizedText | None = None
    since_date: ImpreciseDate | None = None
    until_date: ImpreciseDate | None = None

    @property
    def identifier(self) -> str:
        """A therapy has none: a center may give several."""
        return ""

    def rules(self, path: str, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = check_date(self.since_date, f"{path}.since_date", today=today)
        dates = [("since_date", self.since_date), ("until_date", self.until_date)]
        return broken + _new(check_in_order(dates, path), broken)


Thing = Publication | Patent | Licence | Trial | CompanyOutput | Product | Therapy


@dataclass(kw_only=True)
class Output(Stateful):
    """One thing that came out of a project; exactly one of the fields of the kinds is given."""

    MACHINE: ClassVar[Machine[OutputState]] = Machine(
        {
            "withdraw": ([OutputState.RECORDED], OutputState.WITHDRAWN),
            "reinstate": ([OutputState.WITHDRAWN], OutputState.RECORDED),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {"withdraw": "withdrawn", "reinstate": "reinstated"}
    REASONED: ClassVar[frozenset[str]] = frozenset({"withdraw", "reinstate"})
    EDITABLE: ClassVar[frozenset[str]] = frozenset({"titles", *OutputKind, "citations", "sample"})
    FIXED: ClassVar[frozenset[str]] = frozenset({"project_id"})

    project_id: str
    titles: LocalizedText | None
    kind: OutputKind | None = None
    publication: Publication | None = None
    patent: Patent | None = None
    licence: Licence | None = None
    trial: Trial | None = None
    company: CompanyOutput | None = None
    product: Product | None = None
    therapy: Therapy | None = None
    state: OutputState = OutputState.RECORDED

    def __post_init__(self) -> None:
        """Take the kind from what is given."""
        given = self._given()
        if self.kind is None and len(given) == 1:
            self.kind = given[0]

    @property
    def identifier(self) -> str:
        """What it is known by, one in the project among those that count; empty without one."""
        thing = self.thing
        return thing.identifier if thing else ""

    @property
    def thing(self) -> Thing | None:
        """What it is, as its kind describes it."""
        return getattr(self, self.kind) if self.kind else None

    @property
    def company_ids(self) -> list[tuple[str, str]]:
        """Companies that it points to, with the path of the field."""
        named = [
            ("company.company_id", self.company.company_id if self.company else ""),
            ("product.company_id", self.product.company_id if self.product else ""),
            (
                "licence.licensee_company_id",
                self.licence.licensee_company_id if self.licence else "",
            ),
        ]
        return [(path, id) for path, id in named if id]

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = check_name(self.titles, "titles")
        given = self._given()
        if self.kind is None or given != [self.kind]:
            return [*broken, self._kind_rule(given)]
        thing = self.thing
        return broken + (thing.rules(self.kind.value, today) if thing else [])

    def can_be_amended(self) -> bool:
        """Tell whether `amend` would take anything now: not once it was withdrawn."""
        return self.state == OutputState.RECORDED

    def amend(self, values: Mapping[str, Any], occasion: Occasion) -> bool:
        """Set editable fields. Raises `IllegalStep` for what was withdrawn, or `RulesBroken`."""
        if not self.can_be_amended():
            raise IllegalStep("update", self.state.value, self.allowed_steps())
        return super().amend(values, occasion)

    def require_company(self, company: Company, path: str) -> None:
        """Raise `RulesBroken` unless the company that it is came out of its project, and lives.

        `company` is the one that `company.company_id` names.
        """
        if self.project_id not in company.project_ids:
            rule = "COMPANY_OF_OTHER_PROJECTS"
        elif company.state != CompanyState.ACTIVE:
            rule = "COMPANY_DISSOLVED"
        elif not company.knowledge_based:
            rule = "COMPANY_NOT_KNOWLEDGE_BASED"
        else:
            return
        raise RulesBroken(Broken(path, rule, {"id": company.id}))

    def require_only(self, other_id: str | None) -> None:
        """Raise `Refused` ``OUTPUT_RECORDED`` if another output of the project is the same."""
        if other_id:
            value = self.identifier.partition(":")[2]
            raise Refused("OUTPUT_RECORDED", value=value, id=other_id)

    def _given(self) -> list[OutputKind]:
        return [kind for kind in OutputKind if getattr(self, kind) is not None]

    def _kind_rule(self, given: list[OutputKind]) -> Broken:
        if self.kind is None:
            return Broken("", "ONE_OUTPUT_NEEDED", {"fields": ", ".join(OutputKind)})
        others = [kind for kind in given if kind != self.kind]
        path = others[0].value if others else self.kind.value
        return Broken(path, "OUTPUT_KIND_STAYS", {"kind": self.kind.value})


_TRIAL_NUMBERS: dict[TrialRegister, tuple[Callable[[str], str], _CheckOfNumber]] = {
    TrialRegister.IRCT: (canonical_irct, check_irct),
    TrialRegister.CLINICALTRIALS_GOV: (
        canonical_nct,
        lambda number, path, _: check_nct(number, path),
    ),
}


def _new(found: list[Broken], known: list[Broken]) -> list[Broken]:
    """Those rules that no field is known to break already."""
    fields = {item.field for item in known}
    return [item for item in found if item.field not in fields]
