"""The exported knowledge is FHIR: valid, with the shareable minimum, the same every time."""

from __future__ import annotations

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

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.disclaimer import disclaimer
from cds_service.core.review import Approved
from cds_service.knowledge.export.write import export_fhir, r4_resources
from cds_service.knowledge.files import Library
from tests import toy
from tests.unit.knowledge.conftest import DIGEST, only

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


def test_the_disclaimer_is_in_every_resource(
    sil2r: KnowledgeBase, r4: list[dict[str, Any]], r4b: list[dict[str, Any]]
) -> None:
    said = disclaimer(sil2r)
    for resource in r4:
        assert said in resource["description"]
    for resource in r4b:
        assert {"text": said} in resource["note"]


def test_a_signed_knowledge_is_exported_as_active(sil2r: KnowledgeBase) -> None:
    signed = replace(sil2r, review=Approved("Dr. Ada Beispiel", date(2026, 12, 1)))
    library = r4_resources(signed, DIGEST)[0]
    assert (library["status"], library["experimental"]) == ("active", False)
    assert (library["approvalDate"], library["reviewer"]) == (
        "2026-12-01",
        [{"name": "Dr. Ada Beispiel"}],
    )


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
