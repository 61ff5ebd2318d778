"""The rules of the contract hold for callers that speak gRPC directly."""

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2 as pb
from peyvand.partners.v1 import institutions_pb2
from servicekit.ids import new_id
from servicekit.validation import violations


def create(**values: Any) -> pb.CreateCenterRequest:
    given: dict[str, Any] = {
        "code": "TBZ",
        "province": "IR-03",
        "names": types_pb2.LocalizedText(en="Tabriz"),
    }
    return pb.CreateCenterRequest(center=pb.Center(**(given | values)))


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"code": ""}, "center.code", "REQUIRED"),
        ({"code": "A"}, "center.code", "TOO_SHORT"),
        ({"code": "A" * 21}, "center.code", "TOO_LONG"),
        ({"code": "tbz"}, "center.code", "WRONG_FORMAT"),
        ({"code": "TB\x00"}, "center.code", "WRONG_FORMAT"),
        ({"code": "TBZ\n"}, "center.code", "WRONG_FORMAT"),
        ({"names": None}, "center.names", "REQUIRED"),
        ({"names": types_pb2.LocalizedText(fa="x" * 2001)}, "center.names.fa", "TOO_LONG"),
        ({"position": pb.Position(latitude=91)}, "center.position.latitude", "OUT_OF_RANGE"),
        (
            {"position": pb.Position(longitude=float("nan"))},
            "center.position.longitude",
            "OUT_OF_RANGE",
        ),
        ({"contact": pb.Contact(phones=["1"])}, "center.contact.phones[0]", "WRONG_FORMAT"),
        (
            {"contact": pb.Contact(phones=["+98 21 66468271"] * 11)},
            "center.contact.phones",
            "TOO_MANY_ITEMS",
        ),
        (
            {"citations": [types_pb2.Citation(source="")]},
            "center.citations[0].source",
            "REQUIRED",
        ),
        (
            {"opened_date": types_pb2.ImpreciseDate(value="2025-13")},
            "center.opened_date.value",
            "WRONG_FORMAT",
        ),
    ],
)
def test_a_broken_rule_names_field_and_rule(
    values: dict[str, Any], field: str, reason: str
) -> None:
    assert [(item.field, item.reason) for item in violations(create(**values))] == [(field, reason)]


def test_a_request_that_keeps_the_rules_breaks_none() -> None:
    assert violations(create(position=pb.Position(latitude=38.1, longitude=46.3))) == []


def test_an_id_of_another_kind_is_told() -> None:
    (found,) = violations(pb.GetCenterRequest(center_id=new_id("prj")))
    assert (found.field, found.reason) == ("center_id", "WRONG_ID_KIND")


def test_a_partial_update_may_leave_out_what_a_whole_resource_needs() -> None:
    request = pb.UpdateCenterRequest(
        center_id=new_id("ctr"),
        center=pb.Center(city=types_pb2.LocalizedText(fa="تبریز")),
        update_mask=FieldMask(paths=["city"]),
    )
    assert violations(request) == []
    request.update_mask.paths.append("names")
    assert [(item.field, item.reason) for item in violations(request)] == [
        ("center.names", "REQUIRED")
    ]


def test_what_only_the_service_sets_is_not_checked() -> None:
    assert violations(create(id="anything", etag="anything")) == []
    assert violations(create(state=99)) == []


def test_a_partial_update_is_checked_within_the_lists_that_it_names() -> None:
    def update(path: str, **values: Any) -> list[tuple[str, str]]:
        request = institutions_pb2.UpdateInstitutionRequest(
            institution_id=new_id("ins"),
            institution=institutions_pb2.Institution(**values),
            update_mask=FieldMask(paths=[path]),
            etag="v1",
        )
        return [(item.field, item.reason) for item in violations(request)]

    # A list that the mask does not name is not the caller's omission; one that it does is.
    assert update("country", country="IR") == []
    assert update("names") == [("institution.names", "TOO_FEW_ITEMS")]
    nameless = institutions_pb2.Name(language="en")
    assert update("names", names=[nameless]) == [("institution.names[0].text", "REQUIRED")]


def test_a_text_of_the_wrong_form_is_shown_one_of_the_right_form() -> None:
    phone = pb.Contact(phones=["021 66468271"])
    (found,) = violations(phone)
    assert (found.field, found.reason) == ("phones[0]", "WRONG_FORMAT")
    assert found.params["expected"].startswith("+98 21 66468271 (^")
