"""A result that names no specimen has that of its panel, or of its report."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from cds_service.core.elements import Coding, Moment, SpecimenGiven, SpecimenLink
from cds_service.core.json_object import JsonObject
from cds_service.core.model import LabResult
from tests.unit.fhir.given import (
    CSF,
    LEFT_OUT,
    RESOLVED,
    bundle,
    followed,
    observation,
    record,
    resource,
    specimen,
)

SERUM = Coding("x:y", "SER")
TAKEN = {"collectedDateTime": "2026-02-27T07:50:00Z"}
LATER = {"collectedDateTime": "2026-02-27T07:55:00Z"}


def report(*specimens: str, **changes: Any) -> JsonObject:
    return resource(
        "DiagnosticReport",
        status="final",
        result=[{"reference": "Observation/obs-1"}],
        specimen=[{"reference": f"Specimen/{name}"} for name in specimens],
        **changes,
    )


def test_a_result_that_names_no_specimen_has_that_of_its_report() -> None:
    found = followed(LEFT_OUT, report("spec-1"), specimen(collection=TAKEN))
    assert found.specimen == RESOLVED
    assert isinstance(found.collected, Moment)
    assert found.collected.text == "2026-02-27T07:50:00Z"
    taken_back = report("spec-2", id="r2") | {"status": "entered-in-error"}
    assert followed(LEFT_OUT, report("spec-1"), taken_back, specimen()).specimen == RESOLVED
    again = followed(LEFT_OUT, report("spec-1"), report("spec-1", id="other"), specimen())
    assert again.specimen == RESOLVED


def test_a_result_that_takes_the_specimen_of_its_report_takes_its_words() -> None:
    described = specimen(type={"text": "Liquor", "coding": [{"display": "Cerebrospinal fluid"}]})
    found = followed(LEFT_OUT, report("spec-1", code={"text": "CSF"}), described)
    assert found.specimen.words == "Liquor"


def test_a_result_contained_in_its_report_has_its_specimen() -> None:
    inner = [observation(id="o", subject=LEFT_OUT), specimen(id="s")]
    whole = {**report(), "contained": inner, "specimen": [{"reference": "#s"}]}
    (found,) = record(bundle({**whole, "result": [{"reference": "#o"}]})).results
    assert isinstance(found, LabResult)
    assert found.specimen == RESOLVED


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [(TAKEN, TAKEN, TAKEN), (LEFT_OUT, LEFT_OUT, LEFT_OUT), (TAKEN, LATER, LEFT_OUT)],
)
def test_several_specimens_of_its_report_that_say_the_same_tell_what_it_is(
    first: Any, second: Any, taken: Any
) -> None:
    """A laboratory may have one code for both fluids: without its specimen CSF would be blood."""
    tubes = specimen(collection=first), specimen(id="spec-2", collection=second)
    found = followed(LEFT_OUT, report("spec-1", "spec-2"), *tubes)
    assert found == followed(LEFT_OUT, report("spec-1"), specimen(collection=taken))
    assert found.specimen == RESOLVED


def test_a_report_that_came_twice_with_its_specimen_inside_names_one() -> None:
    """It arrived, and a search found it again beside the results that it names."""
    inside = {**report(), "contained": [specimen(id="s")], "specimen": [{"reference": "#s"}]}
    assert followed(LEFT_OUT, inside, deepcopy(inside)).specimen == RESOLVED


def test_of_several_specimens_of_its_report_none_is_taken_for_that_of_a_result() -> None:
    serum = specimen(id="spec-2", type={"coding": [{"system": "x:y", "code": "SER"}]})
    for reports in ([report("spec-1", "spec-2")], [report("spec-1"), report("spec-2", id="two")]):
        found = followed(LEFT_OUT, *reports, specimen(), serum)
        assert found.specimen == SpecimenGiven(SpecimenLink.NONE)


def test_the_specimen_that_a_result_names_itself_stands() -> None:
    other = specimen(id="spec-2", type={"coding": [{"system": "x:y", "code": "SER"}]})
    found = followed({"reference": "Specimen/spec-2"}, report("spec-1"), specimen(), other)
    assert found.specimen.codings == (Coding("x:y", "SER"),)


def test_the_report_of_another_result_or_server_says_nothing_of_a_specimen() -> None:
    elsewhere = report("spec-1")
    elsewhere["result"] = [{"reference": "https://lab.example.org/Observation/obs-1"}]
    another = report("spec-1")
    another["result"] = [{"reference": "Observation/obs-2"}]
    for said in (elsewhere, another):
        assert followed(LEFT_OUT, said, specimen()).specimen == SpecimenGiven(SpecimenLink.NONE)


def test_a_specimen_of_the_report_that_is_another_patients_is_told_as_that() -> None:
    foreign = specimen(subject={"reference": "Patient/pat-2"})
    found = followed(LEFT_OUT, report("spec-1"), foreign)
    assert found.specimen == SpecimenGiven(SpecimenLink.OF_ANOTHER_PATIENT)


def panel_of(specimen: str, **changes: Any) -> JsonObject:
    """A panel whose one member is the result."""
    good = observation(
        id="panel",
        code={"text": "cytokines"},
        valueQuantity=LEFT_OUT,
        specimen={"reference": f"Specimen/{specimen}"},
        hasMember=[{"reference": "Observation/obs-1"}],
    )
    return {**good, **changes}


def test_a_member_of_a_panel_that_names_no_specimen_has_that_of_the_panel() -> None:
    """As in the General Health Profile among the examples of FHIR R4."""
    panel = panel_of("spec-1")
    assert followed(LEFT_OUT, panel, specimen()).specimen == RESOLVED
    whole = report("spec-1", "spec-2")
    assert followed(LEFT_OUT, whole, panel, specimen(), specimen(id="spec-2")).specimen == RESOLVED
    withdrawn = {**panel, "status": "entered-in-error"}
    unnamed = {name: value for name, value in panel.items() if name != "specimen"}
    for said in (withdrawn, unnamed, {**panel, "hasMember": [{"reference": "Observation/obs-2"}]}):
        found = followed(LEFT_OUT, said, specimen())
        assert found.specimen == SpecimenGiven(SpecimenLink.NONE)


def test_two_panels_that_name_one_uncertain_specimen_name_one() -> None:
    twice = panel_of("spec-1"), panel_of("spec-1", id="two")
    serum = specimen(type={"coding": [{"system": "x:y", "code": "SER"}]})
    found = followed(LEFT_OUT, *twice, specimen(), serum).specimen
    assert (found.link, set(found.codings)) == (SpecimenLink.UNCERTAIN, {CSF, SERUM})


@pytest.mark.parametrize(
    ("panels", "whole", "codes"),
    [
        ([panel_of("spec-1")], report("ser"), (CSF,)),
        ([panel_of("ser")], report("spec-1"), (SERUM,)),
        ([panel_of("spec-1"), panel_of("ser", id="two")], report("ser"), ()),
    ],
    ids=["the panel says CSF", "the panel says serum", "the panels do not agree"],
)
def test_what_a_panel_says_of_the_specimen_goes_before_its_report(
    panels: list[JsonObject], whole: JsonObject, codes: tuple[Coding, ...]
) -> None:
    """Nor does a report settle what two panels of one result contradict each other about."""
    serum = specimen(id="ser", type={"coding": [{"system": "x:y", "code": "SER"}]})
    found = followed(LEFT_OUT, whole, *panels, specimen(), serum)
    assert found.specimen.codings == codes
