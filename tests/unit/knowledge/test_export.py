"""The FHIR export (T-112): valid by three independent checks, shareable, the same every time."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import fhirkit
import fhirpathpy
import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhirpathpy.models import models

from cds_service.core.disclaimer import disclaimer
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.review import Approved
from cds_service.core.schema import AdviceRow, TableRow
from cds_service.knowledge.export.write import export_fhir, r4_resources, r4b_resources
from cds_service.knowledge.files import Library
from tests import toy

DIGEST = "ab" * 32
SHAREABLE = ("url", "version", "title", "status", "publisher", "description")
NAME = "name.matches('^[A-Z]([A-Za-z0-9_]){0,254}$')"
CITED = "relatedArtifact.where(type = 'citation').all(label.exists() and citation.exists())"
INVARIANTS = {
    "Library": [NAME, "content.all(data.empty() or contentType.exists())", CITED],
    "PlanDefinition": [
        NAME,
        "repeat(action).condition.expression.all(expression.exists() or reference.exists())",
        "repeat(action).condition.all(kind = 'applicability')",
        "type.coding.code = 'eca-rule'",
        CITED,
    ],
    "ActivityDefinition": [NAME, "intent = 'proposal'", "kind = 'ServiceRequest'", CITED],
    "ValueSet": [
        NAME,
        "compose.include.all(valueSet.exists() or system.exists())",
        (
            "(compose.include | compose.exclude).all((concept.exists() or filter.exists()) implies "
            "system.exists())"
        ),
        "(compose.include | compose.exclude).all(concept.empty() or filter.empty())",
    ],
    "CodeSystem": [
        NAME,
        "concept.code.isDistinct()",
        "content in ('example' | 'fragment' | 'complete') implies concept.exists()",
        "count = concept.count()",
    ],
    "ConceptMap": [
        NAME,
        (
            "group.element.target.all(comment.exists() or equivalence.empty() or "
            "((equivalence != 'narrower') and (equivalence != 'inexact')))"
        ),
        "group.element.target.all(code.exists() or equivalence = 'unmatched')",
    ],
}
"""Invariants of FHIR R4 (lib-0, pdf-0, exp-1, vsd-1 to 3, csd-1, cmd-1, att-1 ...), ours, and those
of the shareable profiles (scs-2)."""


@pytest.fixture(scope="module")
def r4(sil2r: KnowledgeBase) -> list[dict[str, Any]]:
    return r4_resources(sil2r, DIGEST)


@pytest.fixture(scope="module")
def r4b(sil2r: KnowledgeBase) -> list[dict[str, Any]]:
    return r4b_resources(sil2r, DIGEST)


def only(resources: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    found = [resource for resource in resources if resource["resourceType"] == kind]
    assert found, kind
    return found


def named(resources: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(resource for resource in only(resources, kind) if resource["id"] == name)


def actions(resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {action["id"]: action for action in only(resources, "PlanDefinition")[0]["action"]}


def empty_parts(value: object, where: str = "") -> Iterator[str]:
    if value is None or value in ("", [], {}):
        yield where
    if isinstance(value, dict):
        for name, part in value.items():
            yield from empty_parts(part, f"{where}.{name}")
    if isinstance(value, list):
        for number, part in enumerate(value):
            yield from empty_parts(part, f"{where}[{number}]")


def test_t112_every_resource_is_valid_by_fhir_resources(
    r4: list[dict[str, Any]], r4b: list[dict[str, Any]]
) -> None:
    for resource in (*r4, *r4b):
        model = get_fhir_model_class(resource["resourceType"])
        model.model_validate_json(json.dumps(resource))
        assert list(empty_parts(resource)) == [], resource["id"]


def test_t112_every_r4_resource_is_valid_by_fhirkit(r4: list[dict[str, Any]]) -> None:
    for resource in r4:
        assert [str(issue) for issue in fhirkit.validate(json.dumps(resource))] == []


@pytest.mark.parametrize("kind", INVARIANTS)
def test_t112_the_invariants_of_r4_hold(kind: str, r4: list[dict[str, Any]]) -> None:
    found = only(r4, kind)
    assert found
    for expression in INVARIANTS[kind]:
        holds = fhirpathpy.compile(expression, models["r4"])
        for resource in found:
            assert holds(resource, None) == [True], (resource["id"], expression)


def test_the_invariants_can_fail(r4: list[dict[str, Any]]) -> None:
    broken = {**only(r4, "Library")[0], "name": "not a name"}
    assert fhirpathpy.evaluate(broken, NAME, model=models["r4"]) == [False]


def test_t112_every_artifact_meets_the_shareable_minimum(
    r4: list[dict[str, Any]], r4b: list[dict[str, Any]]
) -> None:
    for resource in (*r4, *r4b):
        assert [name for name in SHAREABLE if not resource.get(name)] == [], resource["id"]
    for resource in r4:
        assert resource["experimental"] is True
        profile = f"crmi-shareable{resource['resourceType'].lower()}"
        assert resource["meta"]["profile"][0].endswith(profile)


def test_ids_are_valid_and_urls_are_unique(
    r4: list[dict[str, Any]], r4b: list[dict[str, Any]]
) -> None:
    everything = [*r4, *r4b]
    assert all(re.fullmatch(r"[A-Za-z0-9.-]{1,64}", resource["id"]) for resource in everything)
    urls = [resource["url"] for resource in everything]
    assert len(urls) == len(set(urls))
    for resource in everything:
        assert resource["url"].endswith(f"/{resource['resourceType']}/{resource['id']}")


def test_every_canonical_that_is_referred_to_is_exported(r4: list[dict[str, Any]]) -> None:
    there = {f"{resource['url']}|{resource['version']}" for resource in r4}
    referred = set(re.findall(r'"(https://sil2r-cds\.org/fhir/[^"]+\|[^"]+)"', json.dumps(r4)))
    assert len(referred) > len(only(r4, "ActivityDefinition"))
    assert referred - there == set()


def test_the_same_knowledge_gives_the_same_bytes(sil2r: KnowledgeBase) -> None:
    first, second = (json.dumps(r4_resources(sil2r, DIGEST)) for _ in range(2))
    assert first == second
    assert {resource["date"] for resource in json.loads(first)} == {
        sil2r.identity.released.isoformat()
    }


def test_each_finding_context_and_reason_is_one_action_with_its_sources(
    sil2r: KnowledgeBase, r4: list[dict[str, Any]]
) -> None:
    found = actions(r4)
    rows: tuple[TableRow | AdviceRow, ...] = (*sil2r.rows, *sil2r.order_table.advice)
    reasons = {f"reason-{name}" for name in sil2r.reasons}
    assert set(found) == {row.id for row in rows} | reasons | {"threshold-indeterminate"}
    for row in rows:
        labels = {source["label"] for source in found[row.id]["documentation"]}
        assert {sil2r.sources[name].short for name in row.sources} <= labels
        assert row.claim in found[row.id]["description"]


def test_a_condition_is_in_words(r4: list[dict[str, Any]]) -> None:
    condition = actions(r4)["csf-above-150"]["condition"][0]
    assert condition["expression"]["language"] == "text/plain"
    assert condition["expression"]["expression"] == (
        "the specimen is CSF; the unit family is mass per volume (pg/mL); "
        "the value is above 150 pg/mL"
    )


def test_alternatives_are_one_action(r4: list[dict[str, Any]]) -> None:
    words = actions(r4)["context-renal-impairment"]["condition"][0]["expression"]["expression"]
    assert "or: " in words
    assert "creatinine" in words


def test_suggestions_are_offered_and_none_is_taken_by_itself(r4: list[dict[str, Any]]) -> None:
    offered = actions(r4)["csf-above-150"]
    assert offered["selectionBehavior"] == "any"
    assert {step["precheckBehavior"] for step in offered["action"]} == {"no"}


def test_the_library_holds_content_hash_citations_and_13_source_attributes(
    sil2r: KnowledgeBase, r4: list[dict[str, Any]]
) -> None:
    library = only(r4, "Library")[0]
    assert DIGEST in library["identifier"][0]["type"]["text"]
    encoded = library["identifier"][0]["value"].removeprefix("ni:///sha-256;")
    assert base64.urlsafe_b64decode(f"{encoded}=").hex() == DIGEST
    cited = [part for part in library["relatedArtifact"] if part["type"] == "citation"]
    assert [part["label"] for part in cited] == [row.short for row in sil2r.sources.values()]
    data = {part["title"]: base64.b64decode(part["data"]) for part in library["content"]}
    attributes = json.loads(data["Source attributes"])
    assert len(attributes["sourceAttributes"]) == 13
    assert attributes["reviewStatus"] == "pending clinical review"


def test_the_disclaimer_is_in_every_resource(
    sil2r: KnowledgeBase, r4: list[dict[str, Any]], r4b: list[dict[str, Any]]
) -> None:
    said = disclaimer(sil2r)
    for resource in r4:
        assert said in resource["description"]
    for resource in r4b:
        assert {"text": said} in resource["note"]


@pytest.mark.parametrize(
    ("system", "owner"),
    [("http://loinc.org", "Regenstrief"), ("http://snomed.info/sct", "SNOMED International")],
)
def test_where_codes_are_their_owner_is_named(
    system: str, owner: str, r4: list[dict[str, Any]]
) -> None:
    holding = [resource for resource in only(r4, "ValueSet") if system in systems(resource)]
    assert holding
    assert all(owner in resource["copyright"] for resource in holding)
    others = [resource for resource in only(r4, "ValueSet") if system not in systems(resource)]
    assert not any(owner in resource["copyright"] for resource in others)


def systems(value_set: dict[str, Any]) -> set[str]:
    rules = value_set.get("compose", {"include": []})["include"]
    return {rule["system"] for rule in rules if "system" in rule}


def test_the_value_sets_hold_what_the_tables_hold(
    sil2r: KnowledgeBase, r4: list[dict[str, Any]]
) -> None:
    accepted = named(r4, "ValueSet", "sil2r-accepted")["compose"]["include"][0]["concept"]
    assert [concept["code"] for concept in accepted] == list(sil2r.accepted)
    refused = named(r4, "ValueSet", "sil2r-refused")["compose"]["include"][0]["concept"]
    assert [concept["code"] for concept in refused] == list(sil2r.refused)
    kinds = {"condition": sil2r.conditions, "medication": sil2r.medications}
    expected = {f"sil2r-{kind}-{name}" for kind, index in kinds.items() for name in index.concepts}
    expected |= {f"sil2r-companion-{name}" for name in sil2r.companions}
    assert expected <= {resource["id"] for resource in only(r4, "ValueSet")}


def test_a_category_takes_what_lies_below_it_but_no_sequelae(r4: list[dict[str, Any]]) -> None:
    sarcoidosis = named(r4, "ValueSet", "sil2r-condition-sarcoidosis")["compose"]
    below = {"property": "concept", "op": "is-a", "value": "D86"}
    assert below in [rule["filter"][0] for rule in sarcoidosis["include"] if "filter" in rule]


def test_a_unit_is_mapped_to_its_equal_only(sil2r: KnowledgeBase, r4: list[dict[str, Any]]) -> None:
    elements = named(r4, "ConceptMap", "sil2r-units")["group"][0]["element"]
    assert [element["code"] for element in elements] == [row.text for row in sil2r.unit_rows]
    units = sil2r.units
    for element in elements:
        target = element["target"][0]
        assert units[target["code"]].family == units[element["code"]].family
        assert units[target["code"]].factor == units[element["code"]].factor
        assert units[target["code"]].ucum


def test_an_assumed_unit_is_inexact_and_says_why(r4: list[dict[str, Any]]) -> None:
    elements = named(r4, "ConceptMap", "sil2r-units")["group"][0]["element"]
    target = next(element["target"][0] for element in elements if element["code"] == "IU/mL")
    assert target["equivalence"] == "inexact"
    assert "international units" in target["comment"]


def test_only_tests_and_contacts_are_proposed(r4: list[dict[str, Any]]) -> None:
    for activity in only(r4, "ActivityDefinition"):
        assert activity["kind"] == "ServiceRequest"
        assert activity["intent"] == "proposal"
        assert not {"productCodeableConcept", "dosage"} & set(activity)


def test_each_limit_is_evidence_with_population_and_weakness(
    sil2r: KnowledgeBase, r4b: list[dict[str, Any]]
) -> None:
    for limit in sil2r.limits.values():
        found = named(r4b, "Evidence", f"sil2r-limit-{limit.id}")
        assert found["variableDefinition"][0]["description"] == limit.population
        assert found["certainty"] == [{"description": limit.weakness}]
        assert [part["label"] for part in found["relatedArtifact"]] == [
            sil2r.sources[name].short for name in limit.all_sources
        ]


def test_a_statement_whose_source_was_not_located_cites_nothing(
    sil2r: KnowledgeBase, r4b: list[dict[str, Any]]
) -> None:
    lost = [row for row in sil2r.statements if row.status == "source not located"]
    assert "S7" in {row.id for row in lost}
    for row in lost:
        found = named(r4b, "Evidence", f"sil2r-statement-{row.id.lower()}")
        assert "relatedArtifact" not in found
        assert found["title"] == f"{row.id}: source not located"


def test_a_citation_holds_only_what_was_verified(
    sil2r: KnowledgeBase, r4b: list[dict[str, Any]]
) -> None:
    for source in sil2r.sources.values():
        artifact = named(r4b, "Citation", f"sil2r-source-{source.id}")["citedArtifact"]
        identifiers = {part["system"]: part["value"] for part in artifact.get("identifier", [])}
        assert identifiers.get("https://doi.org", "") == source.doi
        assert identifiers.get("http://www.ncbi.nlm.nih.gov/pubmed", "") == source.pmid
        assert ("title" in artifact) == (not source.title.startswith("("))


def test_a_signed_knowledge_is_exported_as_active(sil2r: KnowledgeBase) -> None:
    signed = replace(sil2r, review=Approved("Dr. Ada Beispiel", date(2026, 12, 1)))
    library = r4_resources(signed, DIGEST)[0]
    assert (library["status"], library["experimental"]) == ("active", False)
    assert (library["approvalDate"], library["reviewer"]) == (
        "2026-12-01",
        [{"name": "Dr. Ada Beispiel"}],
    )


def test_a_sites_own_codes_are_exported_with_it(sil2r: KnowledgeBase) -> None:
    local = replace(sil2r, local_codes={("urn:oid:2.999.2", "SIL2R-S"): "9654-5"})
    resources = r4_resources(local, DIGEST)
    group = named(resources, "ConceptMap", "sil2r-local-codes")["group"][0]
    assert (group["source"], group["element"][0]["target"][0]["code"]) == (
        "urn:oid:2.999.2",
        "9654-5",
    )
    accepted = named(resources, "ValueSet", "sil2r-accepted")
    assert "urn:oid:2.999.2" in systems(accepted)


def test_another_analyte_is_exported_by_the_same_code() -> None:
    for resource in r4_resources(toy.knowledge(), DIGEST, "https://cds.example.org/fhir"):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        assert resource["url"].startswith("https://cds.example.org/fhir/")
        assert "sil2r" not in resource["id"]


def test_files_are_named_by_type_and_id(sil2r: KnowledgeBase, tmp_path: Path) -> None:
    library = Library({"sil2r": sil2r}, {"sil2r": DIGEST})
    count = export_fhir(library, tmp_path / "out")
    files = sorted((tmp_path / "out").rglob("*.json"))
    assert len(files) == count
    for file in files:
        resource = json.loads(file.read_text(encoding="utf-8"))
        assert file.stem == f"{resource['resourceType']}-{resource['id']}"
        r4b_only = resource["resourceType"] in {"Evidence", "Citation"}
        assert (file.parent.name == "r4b") == r4b_only
