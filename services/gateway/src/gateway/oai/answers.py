"""Answers to the six verbs of OAI-PMH 2.0, as markup."""

import re
from dataclasses import dataclass

from gateway.cerif import entities
from gateway.cerif.directory import Record
from gateway.cerif.harvest import Harvest, Position
from gateway.cerif.markup import leaf, tag
from gateway.oai import dublin_core, envelope
from gateway.oai.asked import DUBLIN_CORE, Asked, Selection
from gateway.oai.words import Refusal
from gateway.openapi import TITLE
from gateway.settings import GatewaySettings
from servicekit.errors import Fault

# The guidelines want each of these known, also where it holds nothing.
SETS = (
    "publications",
    "products",
    "patents",
    "persons",
    "orgunits",
    "projects",
    "funding",
    "events",
    "equipments",
)
_FORMATS = (
    (envelope.PREFIX, envelope.CERIF_SCHEMA, entities.NAMESPACE),
    (DUBLIN_CORE, dublin_core.SCHEMA, dublin_core.NAMESPACE),
)
_IDENTIFIERS = f"{envelope.NAMESPACE}oai-identifier"
# What may stand as a repository in identifiers after the schema of these.
_DOMAIN = re.compile(r"[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z][A-Za-z0-9-]*)+")
_SAMPLE = "OrgUnits/ctr_06b0k4m3q9v7x2c5e8t1n4r6w0"
# A list is cut after the page that brings it to this many records.
ENOUGH = 100
# What a service says of a page that it did not give.
_NO_PAGE = frozenset({"INVALID_PAGE_TOKEN", "INVALID_ARGUMENT"})


@dataclass(frozen=True)
class Repository:
    """What one caller is answered with: by whom, and of what that caller may see."""

    settings: GatewaySettings
    base: str
    harvest: Harvest

    async def answer(self, asked: Asked) -> str:
        """The element that answers a request. Raises `Refusal` and `Fault`."""
        match asked.verb:
            case "Identify":
                content = await self._identify()
            case "ListMetadataFormats":
                content = await self._formats(asked)
            case "ListSets":
                content = _sets(asked)
            case "GetRecord":
                prefix = asked.prefix()
                content = self._record(await self._found(asked), prefix)
            case _:
                content = await self._list(asked)
        return tag(asked.verb, content) + "\n"

    @property
    def _domain(self) -> str:
        return envelope.host(self.settings)

    async def _identify(self) -> str:
        settings = self.settings
        earliest = await self.harvest.earliest() or envelope.now()
        own = entities.service(TITLE, settings.site, self.base, settings.organization)
        domain = self._domain
        identifiers = tag(
            "oai-identifier",
            leaf("scheme", "oai"),
            leaf("repositoryIdentifier", domain),
            leaf("delimiter", ":"),
            leaf("sampleIdentifier", envelope.identifier(_SAMPLE, domain)),
            xmlns=_IDENTIFIERS,
        )
        return (
            leaf("repositoryName", TITLE)
            + leaf("baseURL", self.base)
            + leaf("protocolVersion", "2.0")
            + leaf("adminEmail", settings.contact)
            + leaf("earliestDatestamp", earliest)
            + leaf("deletedRecord", "transient")
            + leaf("granularity", "YYYY-MM-DDThh:mm:ssZ")
            + (tag("description", identifiers) if _DOMAIN.fullmatch(domain) else "")
            + tag("description", own.xml)
        )

    async def _formats(self, asked: Asked) -> str:
        if "identifier" in asked.arguments:
            await self._found(asked)
        return "".join(
            tag(
                "metadataFormat",
                leaf("metadataPrefix", prefix),
                leaf("schema", schema),
                leaf("metadataNamespace", namespace),
            )
            for prefix, schema, namespace in _FORMATS
        )

    async def _list(self, asked: Asked) -> str:
        selection = asked.selection()
        try:
            records, following = await self._selected(selection)
        except Fault as fault:
            if selection.begin.token and fault.reason in _NO_PAGE:
                raise Refusal("TOKEN") from None
            raise
        if not records:
            raise Refusal("NOTHING")
        if asked.verb == "ListRecords":
            shown = [self._record(record, selection.prefix) for record in records]
        else:
            shown = [envelope.header(record, self._domain) for record in records]
        return "\n".join(["", *shown, _token(selection, following, len(records))])

    async def _selected(self, selection: Selection) -> tuple[list[Record], Position | None]:
        """Records of a list, and where the rest of it begins.

        A rest is promised only where there is a record in it, for no list may be empty.
        """
        found: list[Record] = []
        async for at, page in self.harvest.pages(selection.begin, selection.set):
            fitting = [record for record in page if selection.has(record)]
            if fitting and len(found) >= ENOUGH:
                return found, at
            found += fitting
        return found, None

    async def _found(self, asked: Asked) -> Record:
        prefix = envelope.identifier("", self._domain)
        identifier = asked.arguments["identifier"]
        if identifier.startswith(prefix):
            found = await self.harvest.one(identifier.removeprefix(prefix))
            if found is not None:
                return found
        raise Refusal("IDENTIFIER")

    def _record(self, record: Record, prefix: str) -> str:
        header = envelope.header(record, self._domain)
        if record.deleted:
            return tag("record", header)
        is_core = prefix == DUBLIN_CORE
        element = dublin_core.element(record, self._domain) if is_core else record.xml
        return tag("record", header, tag("metadata", element))


def _sets(asked: Asked) -> str:
    if "resumptionToken" in asked.arguments:
        raise Refusal("TOKEN")
    return "".join(_set(name) for name in SETS)


def _set(name: str) -> str:
    return tag(
        "set", leaf("setSpec", f"openaire_cris_{name}"), leaf("setName", f"OpenAIRE_CRIS_{name}")
    )


def _token(selection: Selection, following: Position | None, count: int) -> str:
    """The element that leads on, empty at the end of a list that was given in several parts."""
    cursor = str(selection.given)
    if following:
        token = selection.token(following, selection.given + count)
        return leaf("resumptionToken", token, cursor=cursor) + "\n"
    return tag("resumptionToken", cursor=cursor) + "\n" if selection.resumed else ""
