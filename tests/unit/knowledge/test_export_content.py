"""What the exported knowledge says: actions, value sets, units, limits and citations."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import AdviceRow, TableRow
from cds_service.knowledge.export.write import r4_resources
from tests.unit.knowledge.conftest import DIGEST, only


def named(resources: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(resource for resource in only(resources, kind) if resource["id"] == name)


def actions(resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {action["id"]: action for action in only(resources, "PlanDefinition")[0]["action"]}


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
