"""A network with one of every kind that has a counterpart in CERIF, and sample data beside it."""

from typing import Any

from google.protobuf.message import Message

from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2
from peyvand.partners.v1 import institutions_pb2
from peyvand.projects.v1 import (
    awards_pb2,
    companies_pb2,
    outputs_pb2,
    people_pb2,
    projects_pb2,
)
from servicekit.contract import Rpc
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.mapping import to_timestamp
from servicekit.rpc_client import CallContext
from tests.support.dossier import at, text
from tests.support.gateway import FakeClients

DATE = types_pb2.ImpreciseDate
HOSTILE = 'A <b> & "quote" ]]> &amp; \x00\x0b\ufffe end'
CHANGED = to_timestamp(at(3))


class Network(FakeClients):
    """A network of which everything is listed, two on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.page_size = 2
        self.lists: dict[str, list[Any]] = {}

    async def call(self, rpc: Rpc, request: Any, context: CallContext) -> Message:
        name = rpc.descriptor.name
        if name not in _COLLECTIONS and name not in _KINDS:
            return await super().call(rpc, request, context)
        self.calls.append((rpc, request, context))
        if isinstance(told := self.answers.get(name), Exception):
            raise told
        return self._one(name, request) if name in _KINDS else self._page(rpc, request)

    def _one(self, name: str, request: Any) -> Message:
        (id,) = (value for _, value in request.ListFields())
        for item in self.lists.get(_KINDS[name], []):
            if item.id == id and not _is_deleted(item):
                return item
        raise Fault.not_found("thing", id)

    def _page(self, rpc: Rpc, request: Any) -> Message:
        name = rpc.descriptor.name
        items = sorted(self.lists.get(name, []), key=lambda item: item.id)
        if request.HasField("updated_since"):
            items.sort(key=lambda item: item.updated_at.ToNanoseconds())
        else:
            items = [item for item in items if not _is_deleted(item)]
        if request.page_token.strip("0123456789"):
            raise Fault("INVALID_PAGE_TOKEN")
        begin = int(request.page_token or 0)
        size = min(request.page_size, self.page_size)
        answer: Any = rpc.response_class()
        getattr(answer, _COLLECTIONS[name]).extend(items[begin : begin + size])
        answer.next_page_token = str(begin + size) if len(items) > begin + size else ""
        return answer


def _is_deleted(item: Any) -> bool:
    return "deleted_at" in item.DESCRIPTOR.fields_by_name and item.HasField("deleted_at")


_KINDS = {
    "GetInstitution": "ListInstitutions",
    "GetCenter": "ListCenters",
    "GetCompany": "ListCompanies",
    "GetPerson": "ListPersons",
    "GetProject": "ListProjects",
    "GetAward": "ListAwards",
    "GetOutput": "ListOutputs",
}
_COLLECTIONS = {
    "ListInstitutions": "institutions",
    "ListCenters": "centers",
    "ListCompanies": "companies",
    "ListPersons": "persons",
    "ListProjects": "projects",
    "ListAwards": "awards",
    "ListOutputs": "outputs",
}


INSTITUTION, PARENT, CENTER, COMPANY = (new_id(p) for p in ("ins", "ins", "ctr", "com"))
PROJECT, SAMPLE = new_id("prj"), new_id("prj")
ORCID = "https://orcid.org/0000-0002-1825-0097"


def name(words: str, language: str = "en", kind: Any = 0, script: str = "") -> Any:
    return institutions_pb2.Name(text=words, language=language, kind=kind, script=script)


def full() -> dict[str, list[Any]]:
    """One of everything, and sample data beside it."""
    return {
        "ListInstitutions": [
            institutions_pb2.Institution(
                id=INSTITUTION,
                names=[
                    name("TUMS", kind=institutions_pb2.NAME_KIND_ACRONYM),
                    name("Tehran Med", kind=institutions_pb2.NAME_KIND_ALIAS),
                    name("دانشگاه علوم پزشکی تهران", "fa", script="Arab"),
                ],
                ror_id="https://ror.org/01c4pz451",
                type=institutions_pb2.INSTITUTION_TYPE_EDUCATION,
                parent_id=PARENT,
                contact=institutions_pb2.InstitutionContact(
                    website="https://institution.example/a?b=1&c=2", email="office@example.org"
                ),
                updated_at=CHANGED,
            ),
            institutions_pb2.Institution(id=PARENT, names=[name("Ministry")], updated_at=CHANGED),
            institutions_pb2.Institution(
                id=new_id("ins"), names=[name("Made up")], sample=True, updated_at=CHANGED
            ),
        ],
        "ListCenters": [
            centers_pb2.Center(
                id=CENTER,
                code="TBZ",
                names=text("مرکز تبریز", "Tabriz center"),
                host_institution=text("", "Tabriz University"),
                updated_at=CHANGED,
            )
        ],
        "ListCompanies": [
            companies_pb2.Company(id=COMPANY, names=text(en=HOSTILE), updated_at=CHANGED)
        ],
        "ListPersons": [
            institutions_pb2.Person(
                id=new_id("per"),
                names=[name("Elena Parovichnikova")],
                positions=[
                    institutions_pb2.PersonPosition(
                        title=text(en="Director"),
                        institution_id=INSTITUTION,
                        from_date=DATE(value="2019"),
                    ),
                    institutions_pb2.PersonPosition(
                        title=text(en="Rector"), institution_id=new_id("ins")
                    ),
                    institutions_pb2.PersonPosition(
                        title=text(en="Fellow"), organization=text(en="Academy")
                    ),
                ],
                updated_at=CHANGED,
            )
        ],
        "ListProjects": [
            projects_pb2.Project(
                id=PROJECT,
                external_key="prj-cartilage",
                titles=text("وصلهٔ غضروفی", HOSTILE),
                summary=text(en="Mends cartilage."),
                lead_center_id=CENTER,
                participants=[
                    projects_pb2.ProjectParticipant(institution_id=INSTITUTION),
                    projects_pb2.ProjectParticipant(institution_id=new_id("ins")),
                ],
                people=[
                    people_pb2.ProjectPerson(
                        name=text(en="Josiah Carberry"),
                        orcid=ORCID,
                        role=people_pb2.PERSON_ROLE_CO_INVESTIGATOR,
                        since_date=DATE(value="2024-04"),
                    ),
                    people_pb2.ProjectPerson(
                        name=text("بی‌شناسه", ""),
                        role=people_pb2.PERSON_ROLE_PRINCIPAL_INVESTIGATOR,
                    ),
                ],
                state=projects_pb2.PROJECT_STATE_KILLED,
                state_since=to_timestamp(at(100)),
                updated_at=CHANGED,
            ),
            projects_pb2.Project(
                id=SAMPLE,
                titles=text(en="Sample project"),
                lead_center_id=CENTER,
                sample=True,
                updated_at=CHANGED,
            ),
        ],
        "ListAwards": [
            awards_pb2.Award(
                id=new_id("awd"),
                project_id=PROJECT,
                titles=text(en="Start"),
                grant_number="1405/214",
                funder=awards_pb2.Funder(names=text(en="The ministry"), institution_id=PARENT),
                amount=awards_pb2.Money(amount="25000000000.5", currency="IRR"),
                updated_at=CHANGED,
            ),
            awards_pb2.Award(
                id=new_id("awd"),
                project_id=PROJECT,
                titles=text(en="More"),
                funder=awards_pb2.Funder(
                    names=text(en="A fund abroad"), ror_id="https://ror.org/03yrm5c26"
                ),
                amount=awards_pb2.Money(amount="10", currency="EUR"),
                updated_at=CHANGED,
            ),
            awards_pb2.Award(
                id=new_id("awd"),
                project_id=SAMPLE,
                titles=text(en="Sample award"),
                funder=awards_pb2.Funder(names=text(en="Fund")),
                amount=awards_pb2.Money(amount="10", currency="EUR"),
                updated_at=CHANGED,
            ),
        ],
        "ListOutputs": [*_outputs()],
    }


def _outputs() -> list[outputs_pb2.Output]:
    def made(state: Any = outputs_pb2.OUTPUT_STATE_RECORDED, **values: Any) -> outputs_pb2.Output:
        given: dict[str, Any] = {
            "project_id": PROJECT,
            "titles": text(en="On cartilage"),
            "updated_at": CHANGED,
        }
        return outputs_pb2.Output(id=new_id("out"), state=state, **(given | values))

    publication = outputs_pb2.Publication(
        doi="10.1016/j.cell.2006.07.024",
        venue="Cell Journal",
        published_date=DATE(value="2006-08"),
        open_access=True,
    )
    return [
        made(publication=publication),
        made(
            patent=outputs_pb2.Patent(
                office="US",
                number="8048999",
                kind_code="B2",
                filed_date=DATE(value="2006-12-06"),
                granted_date=DATE(value="2011"),
            )
        ),
        made(patent=outputs_pb2.Patent(office="WO", number="1996022362")),
        made(
            product=outputs_pb2.Product(company_id=COMPANY, launched_date=DATE(value="2025")),
        ),
        made(trial=outputs_pb2.Trial(number="NCT00000102")),
        made(outputs_pb2.OUTPUT_STATE_WITHDRAWN, publication=publication),
        made(publication=publication, project_id=SAMPLE),
    ]
