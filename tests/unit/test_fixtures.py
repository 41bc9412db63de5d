"""The fixtures: synthetic, valid where they say so, broken where they say so, and found by name."""

from __future__ import annotations

import json
import re
import tomllib
import warnings
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import fhirkit
import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

import fhir_fixtures
from cds_service.core.elements import Comparator, Status
from fhir_fixtures import Answer, Kind, Story

LOINC = "http://loinc.org"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
SYNTHETIC = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
PUBLISHED_HOSTS = {
    "terminology.hl7.org",
    "hl7.org",
    "loinc.org",
    "unitsofmeasure.org",
    "www.nlm.nih.gov",
    "www.whocc.no",
}
NOT_JSON = {
    "broken_not_json",
    "broken_cut_off",
    "broken_nan",
    "broken_infinity",
    "broken_duplicate_member",
    "broken_trailing_comma",
}
STORIES = fhir_fixtures.manifest().stories
PARSED = [story for story in STORIES if story.id not in NOT_JSON]
VALID = [story for story in STORIES if story.kind is not Kind.BROKEN]


def name_of(value: object) -> str | None:
    return value.id if isinstance(value, Story) else None


every_story = pytest.mark.parametrize("story", STORIES, ids=name_of)
every_parsed_story = pytest.mark.parametrize("story", PARSED, ids=name_of)
every_valid_story = pytest.mark.parametrize("story", VALID, ids=name_of)


def parsed(story: Story) -> Any:
    """The document whatever its top level is; numbers with a fraction as Decimal."""
    return json.loads(fhir_fixtures.text(story.id), parse_float=Decimal)


def canonical(text: str) -> str:
    """The JSON text with two-space indentation, ASCII only, every number as it was written."""
    marked = json.loads(text, parse_float="\0{}".format)
    return re.sub(r'"\\u0000([^"]*)"', r"\1", json.dumps(marked, indent=2)) + "\n"


def objects(value: object) -> Iterator[dict[str, Any]]:
    """Every JSON object in a document, the document itself first."""
    match value:
        case dict():
            yield value
            for member in value.values():
                yield from objects(member)
        case list():
            for item in value:
                yield from objects(item)
        case _:
            return


def resources(value: object) -> Iterator[dict[str, Any]]:
    """Every FHIR resource in a document, also those inside Bundles and contained ones."""
    return (found for found in objects(value) if "resourceType" in found)


def outermost_resources(value: object) -> Iterator[dict[str, Any]]:
    """The FHIR resources of a document that lie in no other resource."""
    match value:
        case {"resourceType": _}:
            yield value  # type: ignore[misc]
        case dict():
            for member in value.values():
                yield from outermost_resources(member)
        case list():
            for item in value:
                yield from outermost_resources(item)
        case _:
            return


def codings(value: object) -> Iterator[dict[str, Any]]:
    return (found for found in objects(value) if {"system", "code"} <= found.keys())


def codes(value: object, system: str) -> set[str]:
    return {found["code"] for found in codings(value) if found["system"] == system}


def loinc_check_digit_is_right(code: str) -> bool:
    """LOINC's check digit is the mod 10 (Luhn) digit of the number before the hyphen."""
    number, check = code.split("-")
    doubled = [
        int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(number[::-1])
    ]
    return (sum(d // 10 + d % 10 for d in doubled) + int(check)) % 10 == 0


# ------------------------------------------------------------------ the documents


@every_parsed_story
def test_the_json_is_formatted_in_one_way(story: Story) -> None:
    assert fhir_fixtures.text(story.id) == canonical(fhir_fixtures.text(story.id))


def test_formatting_keeps_the_text_of_a_number() -> None:
    assert canonical('{"value": 150.10, "count": 3}') == '{\n  "value": 150.10,\n  "count": 3\n}\n'


@every_valid_story
def test_every_resource_is_valid_for_two_independent_readers(story: Story) -> None:
    document = json.loads(fhir_fixtures.text(story.id))
    found = list(outermost_resources(document))
    assert found or story.answer is Answer.HTTP_412
    for resource in found:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(json.dumps(resource))
        assert [str(issue) for issue in fhirkit.validate(json.dumps(resource))] == []


def flaws(resource: dict[str, Any]) -> list[str]:
    """Why a resource is not valid FHIR R4: two readers, and what both of them let pass."""
    found = [str(issue) for issue in fhirkit.validate(json.dumps(resource))]
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(json.dumps(resource))
    except ValidationError as error:
        found.append(str(error))
    for part in objects(resource):
        if part.get("resourceType") == "Observation":
            if part.get("status") not in set(Status):
                found.append("Observation.status")
            if "dataAbsentReason" in part and any(name.startswith("value") for name in part):
                found.append("obs-6")
        if part.get("comparator", "") not in set(Comparator):
            found.append("Quantity.comparator")
    return found


@pytest.mark.parametrize(
    "story",
    [s for s in STORIES if s.kind is Kind.BROKEN and s.answer is Answer.CARDS],
    ids=name_of,
)
def test_a_broken_resource_is_broken(story: Story) -> None:
    """T-64."""
    document = json.loads(fhir_fixtures.text(story.id))
    assert any(flaws(resource) for resource in outermost_resources(document))


@pytest.mark.parametrize("name", sorted(NOT_JSON))
def test_what_is_no_json_is_not_loaded(name: str) -> None:
    """T-53, T-54, TR-14."""
    with pytest.raises(ValueError, match=r"JSON|member|Expecting|comma"):
        fhir_fixtures.load(name)


def test_a_list_is_not_loaded_as_a_document() -> None:
    with pytest.raises(ValueError, match="not a JSON object"):
        fhir_fixtures.load("broken_a_list_of_requests")


# ------------------------------------------------------------------ codes and days


@pytest.mark.parametrize(("code", "right"), [("9654-5", True), ("9654-4", False), ("718-7", True)])
def test_the_loinc_check_digit_tells_right_from_wrong(code: str, *, right: bool) -> None:
    assert loinc_check_digit_is_right(code) is right


def test_every_loinc_code_passes_its_check_digit() -> None:
    used = set().union(*(codes(parsed(story), LOINC) for story in PARSED))
    assert used
    assert {code for code in used if not loinc_check_digit_is_right(code)} == set()


def test_every_icd_10_cm_code_exists() -> None:
    used = set().union(*(codes(parsed(story), ICD_10_CM) for story in PARSED))
    assert used
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it reads its data the old way
        import simple_icd_10_cm  # type: ignore[import-untyped]
    assert {code for code in used if not simple_icd_10_cm.is_valid_item(code)} == set()


def test_local_codes_that_a_site_explains_stand_only_in_stories_with_that_site() -> None:
    site = tomllib.loads(fhir_fixtures.site_path().read_text(encoding="utf-8"))
    explained = {(row["system"], row["code"]) for row in site["code"] + site["condition"]}
    for story in PARSED:
        used = {(found["system"], found["code"]) for found in codings(parsed(story))}
        assert bool(used & explained) == bool(story.site), story.id
        assert story.site in {"", fhir_fixtures.SITE_FILE}


def test_the_day_of_the_expectations_is_after_every_collection() -> None:
    day = fhir_fixtures.manifest().evaluated_on
    collected = [
        date.fromisoformat(found["effectiveDateTime"][:10])
        for story in VALID
        for found in resources(parsed(story))
        if "effectiveDateTime" in found
    ]
    assert max(collected) <= day


# ------------------------------------------------------------------ nobody is in here


@every_parsed_story
def test_every_resource_says_that_it_is_synthetic(story: Story) -> None:
    for resource in resources(parsed(story)):
        assert SYNTHETIC in resource["meta"]["tag"]
        assert resource["id"].startswith("synthetic-")


@every_parsed_story
def test_nobody_real_can_be_meant(story: Story) -> None:
    document = parsed(story)
    for found in objects(document):
        assert found.keys().isdisjoint({"identifier", "telecom", "address", "photo", "contact"})
        assert found.get("family", "Synthetic") == "Synthetic"
        if str(found.get("system", "")).startswith("urn:"):
            assert found["system"].startswith("urn:oid:2.999.")
        for name in ("patientId", "userId", "encounterId"):
            given = found.get(name, "synthetic-")
            assert isinstance(given, int) or given.split("/")[-1].startswith("synthetic-")
        reference = found.get("reference", "synthetic-")
        if isinstance(reference, str) and not reference.startswith("urn:uuid:"):
            assert reference.split("/")[-1].removeprefix("#").startswith("synthetic-")
    for resource in resources(document):
        for performer in resource.get("performer", []):
            assert performer["display"].startswith("Synthetic")


@every_story
def test_every_address_is_a_published_system_or_reserved_for_examples(story: Story) -> None:
    text = fhir_fixtures.text(story.id)
    assert "@" not in text
    for address in re.findall(r"https?://[^\s\"]+", text):
        host = urlsplit(address).hostname or ""
        assert host in PUBLISHED_HOSTS or host.endswith((".example.org", ".example.net")), host


# ------------------------------------------------------------------ the package


def test_a_story_and_its_document_are_found_by_name() -> None:
    document = fhir_fixtures.load("csf_above_150")
    assert document["resourceType"] == "Observation"
    assert fhir_fixtures.story("csf_above_150").cards[0].findings == (
        "csf-above-150",
        "no-laboratory-limit",
    )


def test_each_load_is_a_fresh_object() -> None:
    first = fhir_fixtures.load("csf_above_150")
    first["status"] = "changed"
    assert fhir_fixtures.load("csf_above_150")["status"] == "final"


def test_a_number_keeps_its_digits() -> None:
    """T-53."""
    value = fhir_fixtures.load("csf_trailing_zero")["valueQuantity"]["value"]
    assert str(value) == "150.10"
    assert '"value": 150.10,' in fhir_fixtures.text("csf_trailing_zero")


def test_an_unknown_name_is_a_key_error_that_names_the_nearest() -> None:
    with pytest.raises(fhir_fixtures.UnknownFixture, match="Did you mean csf_above_150"):
        fhir_fixtures.load("csf_abov_150")
    with pytest.raises(KeyError, match=r"See fhir_fixtures\.names"):
        fhir_fixtures.path("xyzzy")


def test_a_story_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        fhir_fixtures.story("csf_above_150").purpose = "another"  # type: ignore[misc]


def test_the_data_are_reachable_as_package_resources() -> None:
    for story in STORIES:
        resource = files("fhir_fixtures").joinpath(story.file)
        assert resource.read_text(encoding="utf-8") == fhir_fixtures.text(story.id)
        assert fhir_fixtures.path(story.id).read_bytes() == resource.read_bytes()
