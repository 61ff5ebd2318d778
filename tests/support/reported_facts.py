"""What the two public reports say of the network, statement by statement."""

from dataclasses import dataclass
from typing import Any

A = "vpst-report-11491"
B = "tehran-times-2025-04-26"

# The numbers of the statements; A1, A8, A15 and B1 are no facts of the network.
STATEMENTS = {
    *(f"A{n}" for n in (2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21)),
    *(f"B{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 17, 18, 19)),
    "B12-14",
}


@dataclass(frozen=True)
class Fact:
    """What a statement says of one resource: values by path. `None` means unknown."""

    statement: str
    collection: str
    external_key: str
    says: dict[str, Any]

    @property
    def source(self) -> str:
        return A if self.statement.startswith("A") else B


def goal(number: str, text: str) -> dict[str, Any]:
    return {f"statements[kind=goal][number={number}].text.en": text}


def signed(value: str) -> dict[str, Any]:
    return {"signed_date.value": value, "signed_date.inferred": True}


CENTER_NAME = "Comprehensive Stem Cell and Regenerative Medicine Center"
MOU = "mou-tums-hematology-2025"
TREATY = "treaty-iran-russia-2025"
FACTS = [
    Fact(
        "A2",
        "institutions",
        "ins-sccr",
        {
            "names[kind=official].text": "Stem cell sciences and technologies development "
            "headquarters",
            "names[kind=acronym].text": "SCCR",
            "contact.address.en": "309 Palestine Ave., Tehran",
            "contact.phones[0]": "+98 21 66468271-5",
            "contact.email": None,
            "ror_id": None,
        },
    ),
    Fact(
        "A3",
        "plans",
        "plan-national",
        {
            "titles.en": "The national plan to develop stem cells and regenerative medicine "
            "sciences and technology"
        },
    ),
    Fact(
        "A3",
        "activities",
        "act-plan-meeting",
        {"kind": "meeting", "state": "done", "start_date": None, "end_date": None, "place": None},
    ),
    Fact(
        "A4",
        "persons",
        "person-haghdoost",
        {
            "names[language=en].text": "Ali Akbar Haghdoost",
            "positions[0].title.en": "Educational deputy",
            "positions[0].organization.en": "Ministry of Health",
        },
    ),
    Fact(
        "A4",
        "plans",
        "plan-national",
        {
            "statements[kind=finding][number=1].text.en": "Authority in science needs designed "
            "structures",
            "statements[kind=finding][number=1].attributed_to.en": "Ali Akbar Haghdoost, "
            "educational deputy, Ministry of Health",
        },
    ),
    Fact(
        "A4", "activities", "act-plan-meeting", {"participants[0].name.en": "Ali Akbar Haghdoost"}
    ),
    Fact(
        "A5",
        "persons",
        "person-ghaderifar",
        {
            "names[kind=official].text": "Esmaeil Ghaderifar",
            "names[kind=spelling].text": "Esmaeil Ghaderfar",
            "positions[0].title.en": "Head",
            "positions[0].organization.en": "Strategic technologies development headquarter",
        },
    ),
    Fact("A5", "activities", "act-plan-meeting", {"participants[1].name.en": "Esmaeil Ghaderifar"}),
    Fact(
        "A6",
        "persons",
        "person-hamidieh",
        {
            "names[language=en].text": "Amir Ali Hamidieh",
            "positions[0].title.en": "Secretary",
            "positions[0].institution_id": "@institutions/ins-sccr",
        },
    ),
    Fact("A6", "activities", "act-plan-meeting", {"participants[2].name.en": "Amir Ali Hamidieh"}),
    Fact("A7", "plans", "plan-national", goal("1", "Infrastructure and self-sufficiency")),
    Fact("A7", "plans", "plan-national", goal("2", "Scientific and technological authority")),
    Fact(
        "A7",
        "plans",
        "plan-national",
        goal("3", "Culture and information, so that the scientific community benefits"),
    ),
    Fact(
        "A7",
        "plans",
        "plan-national",
        goal("4", "Stabilise the structure of the comprehensive centres"),
    ),
    Fact(
        "A9",
        "plans",
        "plan-national",
        {
            "statements[kind=policy][number=1].text.en": "Beyond research: knowledge-based "
            "companies, startups and businesses; science made in the centres must become a business"
        },
    ),
    Fact(
        "A10",
        "plans",
        "plan-national",
        {
            "statements[kind=aim][number=1].text.en": "The centres are set up to create "
            "infrastructure in the provinces"
        },
    ),
    *(
        Fact(
            "A11",
            "centers",
            f"center-{city.lower()}",
            {
                "city.en": city,
                "province": province,
                "state": "operational",
                "names.en": f"{city} {CENTER_NAME}",
                "opened_date": None,
                "host_institution": None,
                "position": None,
                "contact": None,
                "sample": False,
            },
        )
        for city, province in (
            ("Shiraz", "IR-07"),
            ("Tehran", "IR-23"),
            ("Kerman", "IR-08"),
            ("Tabriz", "IR-03"),
        )
    ),
    Fact(
        "A12",
        "action-items",
        "item-centers-governance",
        {
            "text.en": "Settle the fate (governance) of the centres that were set up",
            "due_text.en": "Within the present management period",
            "due_date": None,
            "owner": None,
            "state": "open",
        },
    ),
    Fact(
        "A13",
        "centers",
        "center-razavi-khorasan",
        {"province": "IR-09", "state": "establishing", "city": None, "opened_date": None},
    ),
    Fact(
        "A14",
        "plans",
        "plan-national",
        {
            "statements[kind=aim][number=2].text.en": "Synergy of the existing capacities in the "
            "provinces over the network, so that knowledge flows into treatment"
        },
    ),
    Fact(
        "A16",
        "indicators",
        "ind-knowledge-based-companies",
        {
            "latest.value": "140",
            "latest.period.value": "2020",
            "latest.period.inferred": False,
            "target": None,
            "baseline": None,
            "progress": None,
        },
    ),
    Fact(
        "A17",
        "plans",
        "plan-national",
        {
            "statements[kind=finding][number=2].text.en": "Activity used to be articles only, "
            "which did not fit the policy"
        },
    ),
    Fact(
        "A18",
        "indicators",
        "ind-international-cooperation",
        {
            "observations[external_key=obs-international-claim].value": None,
            "observations[external_key=obs-international-claim].period": None,
            "observations[external_key=obs-international-claim].claim.en": "International "
            "cooperation and the attraction of the diaspora grew",
            "latest": None,
        },
    ),
    Fact(
        "A19",
        "indicators",
        "ind-field-rank",
        {
            "observations[external_key=obs-field-rank-2015].value": "31",
            "observations[external_key=obs-field-rank-2015].period.value": "2015",
            "observations[external_key=obs-field-rank-2015].period.inferred": True,
            "observations[external_key=obs-field-rank-2015].method": None,
            "direction": "down",
            "target": None,
        },
    ),
    Fact(
        "A20",
        "indicators",
        "ind-field-rank",
        {"latest.value": "13", "latest.period.value": "2020", "latest.period.inferred": False},
    ),
    Fact("A21", "regulations", "reg-cell-therapy", {"kind": "cell_therapy", "state": "drafting"}),
    Fact("A21", "regulations", "reg-gene-therapy", {"kind": "gene_therapy", "state": "drafting"}),
    Fact(
        "B2",
        "institutions",
        "ins-pcgt",
        {
            "names[kind=official].text": "Pediatric Cell and Gene Therapy Research Center",
            "country": "IR",
            "parent_id": "@institutions/ins-tums",
            "ror_id": None,
        },
    ),
    Fact(
        "B2",
        "institutions",
        "ins-tums",
        {"names[kind=official].text": "Tehran University of Medical Sciences", "ror_id": None},
    ),
    Fact(
        "B3",
        "institutions",
        "ins-ru-hematology",
        {
            "names[kind=official].text": "Federal State Budgetary Institution "
            '"Hematological Research Center"',
            "names[kind=alias].text": "Russian National Research Center for Hematology",
            "country": "RU",
            "parent_id": "@institutions/ins-ru-health-ministry",
            "ror_id": None,
        },
    ),
    Fact(
        "B4",
        "agreements",
        MOU,
        {
            **signed("2025-04-25"),
            "kind": "mou",
            "state": "signed",
            "place.en": "Russia",
            "parties[key=pcgt].institution_id": "@institutions/ins-pcgt",
            "parties[key=hematology].institution_id": "@institutions/ins-ru-hematology",
            "effective_date": None,
            "expiry_date": None,
            "notice_days": None,
            "renewal_mode": None,
            "parent_id": None,
            "suggested_parent_id": f"@agreements/{TREATY}",
        },
    ),
    Fact(
        "B5",
        "agreements",
        MOU,
        {
            "signatures[party=pcgt].name.en": "Maryam Behfar",
            "signatures[party=pcgt].person_id": "@persons/person-behfar",
            "signatures[party=pcgt].title": None,
            "signatures[party=pcgt].citations[statement=B5].note": (
                "Signed for Tehran University of Medical Sciences."
            ),
        },
    ),
    Fact(
        "B6",
        "agreements",
        MOU,
        {
            "signatures[party=hematology].name.en": "Elena Nikolaevna Parovichnikova",
            "signatures[party=hematology].person_id": "@persons/person-parovichnikova",
            "signatures[party=hematology].citations[statement=B6].note": (
                "Signed for the Russian centre."
            ),
        },
    ),
    Fact(
        "B7",
        "agreements",
        MOU,
        {
            "witnesses[0].name.en": "Mohsen Paknejad",
            "witnesses[0].title.en": "Oil minister of Iran",
            "witnesses[0].person_id": "@persons/person-paknejad",
        },
    ),
    Fact(
        "B8",
        "agreements",
        MOU,
        {
            "witnesses[1].name.en": "Sergey Tsivilev",
            "witnesses[1].title.en": "Energy minister of Russia",
            "witnesses[1].person_id": "@persons/person-tsivilev",
        },
    ),
    Fact(
        "B9",
        "activities",
        "act-joint-economic-committee-18",
        {
            "titles.en": "18th Iran-Russia Joint Economic Committee",
            "place.en": "Moscow",
            "start_date.value": "2025-04-22",
            "start_date.inferred": True,
            "end_date.value": "2025-04-24",
            "end_date.inferred": True,
            "state": "done",
        },
    ),
    Fact("B9", "agreements", MOU, signed("2025-04-25")),
    *(
        Fact("B10", "agreements", MOU, {f"scope[code={code}].text.en": text})
        for code, text in (
            ("joint-research", "Joint research on cell-gene therapy"),
            ("medical-knowledge", "Medical knowledge in both countries"),
            ("science-diplomacy", "Science diplomacy"),
            ("shared-capacities", "Each side benefits from the other's capacities"),
        )
    ),
    Fact(
        "B11",
        "persons",
        "person-jalali",
        {
            "names[language=en].text": "Kazem Jalali",
            "positions[0].title.en": "Ambassador of Iran to Russia",
        },
    ),
    Fact(
        "B12-14",
        "agreements",
        TREATY,
        {
            **signed("2025-01-17"),
            "kind": "treaty",
            "state": "awaiting_ratification",
            "place.en": "Moscow",
            "parties[key=iran].country": "IR",
            "parties[key=russia].country": "RU",
            "signatures[party=iran].name.en": "Masoud Pezeshkian",
            "signatures[party=russia].name.en": "Vladimir Putin",
            "ratifications[0].body.en": "Federation Council",
            "ratifications[0].approved": True,
            "ratifications[0].decided_date": None,
            "ratifications[1].body.en": "State Duma",
            "ratifications[1].approved": True,
            "ratifications[1].decided_date": None,
            "effective_date": None,
            "expiry_date": None,
        },
    ),
    Fact("B12-14", "persons", "person-putin", {"positions[0].title.en": "President"}),
    Fact("B12-14", "persons", "person-pezeshkian", {"positions[0].title.en": "President"}),
    Fact(
        "B15",
        "persons",
        "person-niknam",
        {
            "names[language=en].text": "Mohammad-Hossein Niknam",
            "positions[0].title.en": "Deputy health minister for international affairs",
        },
    ),
    Fact(
        "B16",
        "persons",
        "person-goudarzi",
        {
            "names[language=en].text": "Hadi Goudarzi",
            "positions[0].title.en": "Counsellor at the embassy of Iran in Russia",
        },
    ),
    *(
        Fact(
            "B17",
            "activities",
            key,
            {
                "kind": kind,
                "titles.en": title,
                "state": "proposed",
                "agreement_id": f"@agreements/{TREATY}",
                "start_date": None,
            },
        )
        for key, kind, title in (
            ("act-joint-committee", "committee", "Permanent joint committee"),
            ("act-university-network", "university_network", "University network"),
            (
                "act-presidents-meetings",
                "meeting",
                "Meetings of presidents of top medical universities",
            ),
            ("act-student-platform", "platform", "Platform for Russian students in Iran"),
        )
    ),
    *(
        Fact("B18", "agreements", TREATY, {f"scope[code={code}].text.en": text})
        for code, text in (
            ("health-system", "State health system"),
            ("disease", "Communicable and non-communicable disease"),
            ("mother-and-child", "Mother and child"),
            ("medicines-and-devices", "Rules for medicines and devices"),
            ("healthy-lifestyle", "Healthy lifestyle"),
            ("medical-research", "Medical research"),
            ("digital-technology", "Digital technology"),
            ("training", "Training"),
        )
    ),
    *(
        Fact("B19", "agreements", TREATY, {f"scope[code={code}].text.en": text})
        for code, text in (
            ("higher-education", "Long-term ties in higher education and innovation"),
            ("joint-projects", "Joint scientific and technical projects"),
            ("institutions", "Interaction of institutions"),
        )
    ),
]
