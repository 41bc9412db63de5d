"""T-110: an attribute declared as not used is not read by the code, and the one used is.

Every element, extension and code by which FHIR R4 carries an attribute is looked for in the text of
the service: as an attribute access, as a string, or inside one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

import cds_service
from cds_service.core.facts.result import fact_domains
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import Patient
from cds_service.fhir.plain.resources import is_plain
from cds_service.fhir.read import read_record
from cds_service.fhir.supplied import supplied
from cds_service.fhir.wanted import Wanted

CARRIERS = {
    "race": {"race", "us-core-race"},
    "ethnicity": {"ethnicity", "us-core-ethnicity"},
    "language": {"communication", "language", "preferred"},
    "sexual-orientation": {"sexualOrientation", "sexual-orientation", "76690-7"},
    "gender-identity": {"genderIdentity", "gender-identity", "76691-5"},
    "sex": {"gender", "sex", "us-core-birthsex", "us-core-sex", "76689-9"},
    "date-of-birth": {"birthDate"},
    "social-determinants-of-health": {"sdoh", "social-history", "QuestionnaireResponse"},
    "health-status-assessments": {"survey", "functional-status", "ClinicalImpression"},
}
"""Source attribute -> how FHIR R4 and US Core name what would have to be read for it."""

EXPORT = {"export"}
"""Writes FHIR and reads none: `Expression.language` is no language of a patient."""

ROOT = Path(cds_service.__file__).parent
VALIDITY = set((ROOT / "fhir" / "plain").glob("*.py"))
"""Tables of what plain FHIR R4 is: they name every element and tell only whether it is valid."""


def sources() -> Iterator[Path]:
    for file in sorted(ROOT.rglob("*.py")):
        if not EXPORT & set(file.relative_to(ROOT).parts) and file not in VALIDITY:
            yield file


def test_t110_nothing_but_a_verdict_comes_from_the_tables_of_valid_elements() -> None:
    assert VALIDITY
    taken = {
        alias.name
        for file in sources()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and "fhir.plain" in (node.module or "")
        for alias in node.names
    }
    assert taken == {"is_plain"}
    assert is_plain({"resourceType": "Patient", "gender": "female"}) is True
    assert is_plain({"resourceType": "Patient", "gender": "unheard"}) is False


@cache
def names_in(code: str) -> set[str]:
    """Whatever a piece of code could read by: attributes, keywords, and strings but docstrings.

    What a module of ours is called by (`fhir.communication(...)`) is a function, not an element.
    """
    tree = ast.parse(code)
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    modules = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=owner)) if owner in modules:
                pass
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                found.add(name)
            case ast.Constant(value=str(text)) if id(node) not in prose:
                found.add(text)
    return found


def reads(code: str, carriers: set[str]) -> set[str]:
    """The carriers that a piece of code names: alone, as a step of a path, or ending a URL."""
    steps = {step for name in names_in(code) for step in _steps(name)}
    return steps & carriers


def _steps(name: str) -> set[str]:
    return {name, *name.replace("?", ".").replace("=", ".").replace("/", ".").split(".")}


def test_t110_every_attribute_that_can_be_used_is_looked_for(sil2r: KnowledgeBase) -> None:
    declared = {row.id for row in sil2r.attributes if row.used != "not-applicable"}
    assert declared == set(CARRIERS)
    assert len(sil2r.attributes) == 13


@pytest.mark.parametrize("attribute", CARRIERS)
def test_t110_what_is_declared_is_what_the_code_reads(attribute: str, sil2r: KnowledgeBase) -> None:
    used = next(row.used for row in sil2r.attributes if row.id == attribute)
    reading = {
        file.relative_to(ROOT).as_posix(): found
        for file in sources()
        if (found := reads(file.read_text(encoding="utf-8"), CARRIERS[attribute]))
    }
    assert bool(reading) == used, reading


@pytest.mark.parametrize(
    "code",
    [
        "patient.gender",
        'resource["gender"]',
        'resource.get("gender")',
        'path = "Patient.gender"',
        'query = "Patient?gender=female"',
        'url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"',
        "read(gender=True)",
    ],
)
def test_the_search_finds_a_read_however_it_is_written(code: str) -> None:
    assert reads(code, CARRIERS["sex"])


def test_the_search_does_not_stumble_over_prose() -> None:
    assert reads('"""Says nothing of gender."""\nx = "no gender is read"', CARRIERS["sex"]) == set()


def test_t110_a_patient_as_read_has_nothing_but_a_reference_and_a_birth_date() -> None:
    assert [field.name for field in fields(Patient)] == ["ref", "birth"]


def test_t110_no_fact_is_about_an_attribute_that_is_not_used(sil2r: KnowledgeBase) -> None:
    facts = fact_domains(sil2r)
    for carriers in CARRIERS.values():
        assert not carriers & {step for fact in facts for step in fact.split(".")}


def test_t110_a_record_is_the_same_whatever_else_is_known_of_the_patient(
    sil2r: KnowledgeBase,
) -> None:
    plain = {"resourceType": "Patient", "id": "p1", "birthDate": "1980-02-29"}
    told = {
        **plain,
        "gender": "female",
        "communication": [{"language": {"text": "Synthetic"}}],
        "extension": [
            {
                "url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex",
                "valueCode": "F",
            }
        ],
    }
    wanted = Wanted("sil2r", sil2r.analyte_codes, sil2r.companion_codes)
    first, second = (
        read_record(
            patient_id="p1",
            fhir_base="",
            results={},
            parts={"patient": supplied(patient)},
            wanted=wanted,
        )
        for patient in (plain, told)
    )
    assert first == second
    assert isinstance(first.patient, Patient)
