"""What a request about orders may cost; sizes and calls are counted, never seconds."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.core.elements import SpecimenLink
from cds_service.core.json_object import JsonObject
from cds_service.fhir import scope as scope_module
from cds_service.fhir.bundle import Entry
from cds_service.fhir.orders import read_drafts
from cds_service.fhir.sent_drafts import EveryDraft, Selected
from cds_service.fhir.subject import Whose
from cds_service.fhir.wanted import Wanted
from tests.unit.fhir.conftest import calls_of
from tests.unit.fhir.given import PATIENT, SIL2R, SUBJECT, bundle, concept, resource, specimen


def test_what_an_order_contains_is_listed_once_for_all_its_performers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside = [
        resource("Organization", id=f"y{number}", name=f"Lab {number}") for number in range(90)
    ]
    order = draft(contained=inside, performer=[{"reference": f"#y{n}"} for n in range(90)])
    looked_into = calls_of(monkeypatch, scope_module, "objects")
    (read,) = drafts(order).drafts.beside
    assert [one.display for one in read.performers] == [f"Lab {number}" for number in range(90)]
    assert sum(what is inside for what in looked_into) == 1


def draft(**more: Any) -> JsonObject:
    return resource(
        "ServiceRequest",
        id="1",
        status="draft",
        intent="order",
        code=concept(*SIL2R),
        subject=SUBJECT,
        **more,
    )


def drafts(*orders: JsonObject) -> Any:
    wanted = Wanted("sil2r", frozenset({SIL2R}), frozenset())
    return read_drafts(bundle(*orders), meant=EveryDraft(), whose=Whose(PATIENT), wanted=wanted)


def test_a_specimen_that_an_order_names_many_times_is_one() -> None:
    code = {"system": "http://snomed.info/sct", "code": "258450006"}
    order = draft(specimen=[{"reference": "Specimen/spec-1"}] * 50)
    (read,) = drafts(order, specimen(subject=SUBJECT)).drafts.beside
    assert [one.code for one in read.specimen.codings] == [code["code"]]


def test_an_order_that_names_more_specimens_than_anybody_can_tell_apart_names_none() -> None:
    order = draft(specimen=[{"reference": "Specimen/spec-1"}] * 101)
    (read,) = drafts(order, specimen(subject=SUBJECT)).drafts.beside
    assert read.specimen.link is SpecimenLink.UNRESOLVED


class Unwalked(frozenset[str]):
    """References that may be asked for, but not gone through one by one."""

    def __iter__(self) -> Any:
        raise AssertionError("gone through")


@pytest.mark.parametrize(
    ("full_url", "taken"),
    [
        ("https://ehr.example.org/fhir/ServiceRequest/7", True),
        ("ServiceRequest/7", True),
        ("https://ehr.example.org/fhir/ServiceRequest/77", False),
        ("https://ehr.example.org/fhir/XServiceRequest/7", False),
        ("urn:uuid:7", False),
        ("", False),
    ],
)
def test_a_selected_draft_is_found_by_the_end_of_its_address(full_url: str, taken: bool) -> None:
    nameless = draft()
    del nameless["id"]
    entry = Entry(nameless, full_url, nameless, "ServiceRequest")
    many = Unwalked({"ServiceRequest/7", "", *(f"ServiceRequest/x{n}" for n in range(1_000))})
    assert Selected(many).takes(entry) is taken
