"""What is written back is valid FHIR, is told to whoever ordered the test, and hides no change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.core.knowledge import KnowledgeBase
from cds_service.fhir.write.resources import evaluation_key
from cds_service.knowledge.export.write import r4_resources
from cds_service.knowledge.files import Library
from tests.event_world import PATIENT, World, observation, world


def test_what_is_kept_of_a_result_cannot_be_computed_without_the_data_key(writing: World) -> None:
    """Its id is in nothing that was made without the key; nor is what it says: its version is kept
    as it is where the server counts versions, which says nothing.
    """
    writing.fhir.put(observation())
    writing.fhir.resources["Observation/o1"]["meta"] = {"lastUpdated": "2026-03-01T09:00:00Z"}
    writing.notify("o1")
    writing.work()
    (kept,), (record,) = writing.evaluated(), writing.records()
    (tag, *_) = writing.only("DetectedIssue")["meta"]["tag"]
    assert record.id == kept.evaluation == writing.only("DetectedIssue")["identifier"][0]["value"]
    assert kept.evaluation != evaluation_key(tag["code"], kept.version, kept.knowledge, secret="")
    secret = writing.room.pseudonyms.id_secret
    assert kept.evaluation == evaluation_key(tag["code"], kept.version, kept.knowledge, secret)
    assert re.fullmatch(r"as [a-z2-7]{32}", kept.version)
    about = ("events:lab", "version", "2026-03-01T09:00:00Z")
    assert kept.version == f"as {writing.room.pseudonyms.of(*about)}", "the next release knows it"
    writing.notify("o1")
    assert writing.work() == 1
    assert len(writing.evaluated()) == 1, "it is the same version still"
    assert writing.only("Provenance")["entity"][0]["what"]["reference"] == "Observation/o1"


def test_what_is_written_back_is_valid_fhir(writing: World) -> None:
    writing.arrives(observation())
    for kind in ("DetectedIssue", "GuidanceResponse", "Provenance"):
        get_fhir_model_class(kind).model_validate(writing.only(kind))
    assert "severity" not in writing.only("DetectedIssue")


def test_the_knowledge_that_a_written_answer_names_is_one_that_is_exported(
    writing: World, sil2r: KnowledgeBase
) -> None:
    writing.arrives(observation())
    (response,) = writing.fhir.of("GuidanceResponse")
    exported = {
        f"{each['url']}|{each['version']}": each["resourceType"]
        for each in r4_resources(sil2r, digest="ab" * 32)
    }
    assert exported[response["moduleCanonical"]] == "PlanDefinition"


@pytest.mark.parametrize("notice", ["Communication", "Task"])
def test_the_clinician_who_ordered_the_test_is_told(
    tmp_path: Path, library: Library, notice: str
) -> None:
    row = f'delivery = "write-back"\nissue = "Flag"\nnotify = "{notice}"\n'
    with world(tmp_path, library, row) as here:
        here.fhir.put(PATIENT)
        order = {
            "resourceType": "ServiceRequest",
            "id": "r1",
            "requester": {"reference": "Practitioner/d1"},
        }
        here.fhir.put(order)
        ordered = [{"reference": "ServiceRequest/r1"}]
        here.fhir.put(observation("o1", basedOn=ordered))
        here.fhir.put(observation("o2"))
        here.notify("o1", "o2")
        here.work()
        (told,) = here.fhir.of(notice)
        get_fhir_model_class(notice).model_validate(told)
        assert told["basedOn"] == [{"reference": "ServiceRequest/r1"}]
        assert len(here.fhir.of("Flag")) == 2
        for flag in here.fhir.of("Flag"):
            get_fhir_model_class("Flag").model_validate(flag)

        here.arrives(observation("o1", value=12000, status="corrected", basedOn=ordered))
        assert len(here.fhir.of(notice)) == (2 if notice == "Communication" else 1)


def test_a_change_by_somebody_else_is_not_overwritten_unseen(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing.arrives(observation())
    writing.comes(observation(value=5000, status="corrected"))
    real = writing.fhir._transaction

    def meddled(bundle: Any) -> Any:
        monkeypatch.setattr(writing.fhir, "_transaction", real)
        writing.fhir.put({**writing.only("DetectedIssue"), "note": "somebody was here"})
        return real(bundle)

    monkeypatch.setattr(writing.fhir, "_transaction", meddled)
    assert writing.work() == 0
    assert "3000" in writing.only("DetectedIssue")["code"]["text"]
    writing.clock.pass_(seconds=10)
    assert writing.work() == 1
    assert "5000" in writing.only("DetectedIssue")["code"]["text"]
