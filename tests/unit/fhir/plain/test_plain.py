"""Plain resources are accepted without the models: so every one of them must be valid for these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fhir_fixtures
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource
from cds_service.errors import MalformedJson
from cds_service.exact import ExactDecimal
from cds_service.fhir import validate
from cds_service.fhir.plain.grammar import (
    DECIMAL,
    PATTERNS,
    TEXT,
    Code,
    Element,
    Kind,
    Primitive,
    Several,
)
from cds_service.fhir.plain.resources import PLAIN, is_plain
from cds_service.fhir.shape import Refusal, type_of
from cds_service.strict_json import parse
from tests.unit.fhir.given import LEFT_OUT, observation, only, patient, quantity
from tests.unit.fhir.plain import plain_samples as samples

FIXTURES = Path(fhir_fixtures.__file__).parent


def fault(resource: JsonObject, check: Callable[[JsonObject], None] = validate.check_fully) -> str:
    """Where a check finds a fault, empty when it finds none."""
    try:
        check(resource)
    except Refusal as refusal:
        return refusal.where
    return ""


def assert_proved(resource: JsonObject) -> bool:
    """If it is plain, the full check finds no fault. Says whether it is plain."""
    plain = is_plain(resource)
    assert not plain or not fault(resource), resource
    return plain


def of_fixtures() -> Iterator[tuple[str, JsonObject]]:
    """Every resource of a kind that we validate in the fixtures that can be read."""
    for file in sorted(FIXTURES.rglob("*.json")):
        try:
            document = parse(file.read_bytes())
        except MalformedJson:
            continue
        for path in ((), *samples.places(document)):
            match samples.at(document, path):
                case {"resourceType": str(kind)} as resource if kind in PLAIN:
                    yield file.name, resource


def places_of_fixtures() -> Iterator[tuple[JsonObject, list[tuple[Any, ...]]]]:
    """Resources of the fixtures, each with those of its places that none before it has."""
    met: set[object] = set()
    for _, found in of_fixtures():
        if new := samples.new_places(found, met):
            yield found, new


@pytest.mark.parametrize("kind", PLAIN)
def test_every_member_of_a_table_is_one_of_fhir_with_the_type_that_the_table_says(
    kind: str,
) -> None:
    for resource in samples.good(PLAIN[kind]):
        assert is_plain(resource), resource
        assert not fault(resource), resource


def test_whatever_odd_stands_in_any_place_of_a_table_what_is_plain_is_valid() -> None:
    met: set[int] = set()
    tried = [
        assert_proved(resource)
        for element in PLAIN.values()
        for resource in samples.odd(element, met)
        if isinstance(resource, dict)
    ]
    assert len(met) > 30
    assert True in tried
    assert tried.count(False) > 20_000


@pytest.mark.parametrize(
    ("resource", "paths"),
    [pytest.param(found, new, id=found["resourceType"]) for found, new in places_of_fixtures()],
)
def test_whatever_is_changed_in_a_fixture_what_is_plain_is_valid(
    resource: JsonObject, paths: list[tuple[Any, ...]]
) -> None:
    tried = [assert_proved(mutant) for mutant in samples.mutants(resource, paths)]
    assert tried.count(False) > len(tried) / 3
    assert (True in tried) or not is_plain(resource)


WRITTEN = {name: st.from_regex(pattern, fullmatch=True) for name, pattern in PATTERNS.items()}
OF_NAME: dict[str, st.SearchStrategy[Any]] = {
    **WRITTEN,
    "boolean": st.booleans(),
    "decimal": st.integers() | st.decimals(allow_nan=False).map(str).map(ExactDecimal),
    "integer": st.integers(),
    "positiveInt": st.integers(),
    "string": st.text(st.characters()),
}


def values_of(kind: Kind) -> st.SearchStrategy[Any]:
    """Good values of a kind, drawn from its whole domain, and a few from beyond its edge."""
    match kind:
        case Primitive(name):
            return OF_NAME[name]
        case Code(words):
            return st.sampled_from(sorted(words))
        case Several(of):
            return st.lists(st.deferred(lambda: values_of(of)), min_size=1, max_size=2)
        case Element():
            return elements(kind)


@st.composite
def elements(draw: st.DrawFn, element: Element) -> JsonObject:
    names = draw(st.sets(st.sampled_from(sorted(element.kinds)), max_size=4))
    drawn = {name: draw(values_of(element.kinds[name])) for name in sorted(names)}
    for one in element.one_of:
        drawn = {n: v for n, v in drawn.items() if n not in sorted(names & one.members.keys())[1:]}
    needed = samples.least(element)
    rivals = {n for one in element.one_of if names & one.members.keys() for n in one.members}
    return {n: v for n, v in needed.items() if n not in rivals or not drawn} | drawn


@given(st.sampled_from(sorted(PLAIN)).flatmap(lambda kind: values_of(PLAIN[kind])))
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_drawn_from_the_domain_of_a_table_what_is_plain_is_valid(
    resource: JsonObject,
) -> None:
    assert_proved(resource)


ORDINARY = {
    *("Condition", "MedicationRequest", "Observation", "Patient", "ServiceRequest", "Specimen"),
}
TAKES_THE_LONG_WAY = {
    "broken_comparator_tilde.json",  # refused where the value is read
    "broken_result_in_good_request.json",
    "broken_status_banana.json",
    "broken_value_as_string.json",
    "csf_units_above_laboratory_limit.json",  # these hold their specimen
    "csf_units_below_measuring_floor.json",
    "csf_units_within_laboratory_limit.json",
    "specimen_conflict.json",
    "specimen_contained_serum.json",
    "specimen_text_only.json",
    "specimen_urine.json",
}
"""Fixtures with a resource that the full check lets through and that is not plain."""


def test_the_resources_of_the_fixtures_are_plain_but_for_those_that_contain_another() -> None:
    valid = [(name, found) for name, found in of_fixtures() if not fault(found)]
    doubtful = {name for name, found in valid if not is_plain(found)}
    assert {found["resourceType"] for _, found in valid if is_plain(found)} == ORDINARY
    assert doubtful == TAKES_THE_LONG_WAY


def chart_like() -> JsonObject:
    """An Observation with what real ones commonly hold."""
    return observation(
        meta={
            "versionId": "1",
            "lastUpdated": "2026-03-01T10:00:00.123+01:00",
            "source": "#1",
            "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"],
            "tag": [{"system": "urn:x", "code": "HTEST"}],
        },
        text={"status": "generated", "div": "<div>5200 U/mL</div>"},
        extension=[{"url": "urn:x", "extension": [{"url": "urn:y", "valueCode": "z"}]}],
        identifier=[
            {"use": "usual", "system": "urn:x", "value": "7", "assigner": {"display": "L"}}
        ],
        category=[{"coding": [{"system": "urn:x", "code": "laboratory"}], "text": "Laboratory"}],
        encounter={"reference": "Encounter/1"},
        issued="2026-03-01T10:00:00Z",
        performer=[{"reference": "Organization/1", "type": "Organization", "display": "Labor Süd"}],
        interpretation=[{"coding": [{"system": "urn:x", "code": "H"}]}],
        note=[{"text": "Repeated.", "time": "2026-03-01", "authorString": "N."}],
        method={"text": "CLEIA"},
        specimen={"reference": "Specimen/1"},
        device={"display": "An analyser"},
        referenceRange=[
            {"low": quantity("158"), "high": quantity("623.0"), "age": {"low": quantity(18, "a")}}
        ],
    )


@pytest.mark.parametrize(
    "resource",
    [
        chart_like(),
        observation(valueQuantity=quantity(comparator="<=")),
        observation(valueQuantity=LEFT_OUT, valueString="> 7500 U/mL"),
        observation(effectiveDateTime="2026-03", valueQuantity=quantity(5200)),
        patient(
            active=True,
            gender="female",
            name=[{"use": "official", "family": "Müller", "given": ["Ada", "B."]}],
            telecom=[{"system": "phone", "value": "0", "use": "mobile", "rank": 1}],
            address=[{"use": "home", "line": ["Weg 1"], "city": "X", "postalCode": "1"}],
            birthDate="1961",
            deceasedBoolean=False,
            generalPractitioner=[{"reference": "Practitioner/1"}],
        ),
    ],
)
def test_what_ordinary_senders_write_is_plain(resource: JsonObject) -> None:
    assert is_plain(resource)
    assert not fault(resource)


HAND_IN_HAND = [{"url": "urn:x", "valueString": "a"}]


@pytest.mark.parametrize(
    ("resource", "where"),
    [
        (observation(status=LEFT_OUT), "Observation.status"),
        (observation(status=None), "Observation.status"),
        (observation(status=""), "Observation.status"),
        (observation(code=LEFT_OUT), "Observation.code"),
        (observation(code={}), "Observation.code"),
        (observation(code={"coding": []}), "Observation.code.coding"),
        (observation(code={"coding": [None]}), "Observation.code.coding"),
        (observation(code={"coding": [{"code": " a"}]}), "Observation.code.coding[0].code"),
        (observation(code={"coding": [{"code": 7}]}), "Observation.code.coding[0].code"),
        (observation(code=[{"text": "a"}]), "Observation.code"),
        (observation(category={"text": "a"}), "Observation.category"),
        (observation(effectiveDateTime="2026-02-30"), "Observation.effectiveDateTime"),
        (observation(effectiveDateTime="2026-02-29T08:00:00Z"), "Observation.effectiveDateTime"),
        (observation(effectiveDateTime="2026-03-01T08:00Z"), "Observation.effectiveDateTime"),
        (observation(effectiveDateTime="2026-03-01T24:00:00Z"), "Observation.effectiveDateTime"),
        (observation(effectiveDateTime="2026-03-01T08:00:00"), "Observation.effectiveDateTime"),
        (observation(issued="2026-03-01"), "Observation.issued"),
        (observation(issued="2026-03-01T08:00:00+14:01"), "Observation.issued"),
        (observation(effectiveInstant="2026-03-01T08:30:00Z"), "Observation"),
        (observation(valueString="a"), "Observation"),
        (observation(valueQuantity={"value": "5"}), ""),
        (observation(valueQuantity={"value": True}), "Observation.valueQuantity.value"),
        (observation(valueQuantity={"amount": 5}), "Observation.valueQuantity"),
        (observation(valueInteger=2**31, valueQuantity=LEFT_OUT), "Observation.valueInteger"),
        (observation(unheardOf=1), "Observation"),
        (observation(id="a" * 65), "Observation.id"),
        (observation(id="a_b"), "Observation.id"),
        (observation(implicitRules="urn:x"), "Observation.implicitRules"),
        (observation(modifierExtension=HAND_IN_HAND), "Observation.modifierExtension"),
        (
            observation(referenceRange=[{"text": "a", "modifierExtension": HAND_IN_HAND}]),
            "Observation.referenceRange[0].modifierExtension",
        ),
        (observation(note=[{"authorString": "a"}]), "Observation.note[0].text"),
        (observation(extension=[{"valueString": "a"}]), "Observation.extension[0].url"),
        (observation(meta={"lastUpdated": "2026-03-01"}), "Observation.meta.lastUpdated"),
        (observation(meta={"versionId": "a b"}), "Observation.meta.versionId"),
        (observation(subject={"reference": ""}), "Observation.subject.reference"),
        (patient(birthDate="2026-02-30"), "Patient.birthDate"),
        (patient(birthDate="1961-07-14T00:00:00Z"), "Patient.birthDate"),
        (patient(deceasedBoolean=True, deceasedDateTime="2026"), "Patient"),
        (patient(name=[{"given": ["Ada", None]}]), "Patient.name[0].given[1]"),
        (patient(communication=[{"preferred": True}]), "Patient.communication[0].language"),
        (patient(photo=[{"data": "abc"}]), "Patient.photo[0].data"),
    ],
)
def test_what_the_full_check_refuses_is_refused_at_the_same_place(
    resource: JsonObject, where: str
) -> None:
    assert not is_plain(resource)
    assert fault(resource) == where
    assert fault(resource, validate.check) == where


@pytest.mark.parametrize("resource", [{}, {"resourceType": "Group"}, {"resourceType": ["Patient"]}])
def test_a_resource_of_another_type_is_never_plain(resource: JsonObject) -> None:
    assert not is_plain(resource)
    assert fault(resource) == type_of(resource)


@pytest.mark.parametrize("number", [5200, 0, -1, 10**63, ExactDecimal("1.50"), ExactDecimal("-0")])
def test_a_number_is_taken_as_the_strict_reader_gives_it(number: object) -> None:
    assert DECIMAL.check(number)


@pytest.mark.parametrize("number", [True, 5200.0, "5200", None, ExactDecimal("NaN"), 10**64])
def test_what_the_strict_reader_never_gives_for_a_number_is_in_doubt(number: object) -> None:
    assert not DECIMAL.check(number)


def test_no_text_of_blanks_and_no_half_character_is_plain() -> None:
    blanks = [chr(c) for c in range(0x110000) if chr(c).isspace()]
    assert len(blanks) > 25
    assert not any(TEXT.check(f" {blank}") for blank in blanks)
    assert not any(TEXT.check(f"a{chr(half)}") for half in range(0xD800, 0xE000))


def test_the_models_are_asked_only_about_what_is_not_plain(asked: list[str]) -> None:
    assert not isinstance(only(chart_like(), patient()), InvalidResource)
    assert asked == []
    assert isinstance(only(observation(status="banana")), InvalidResource)
    assert asked == ["Observation"]
