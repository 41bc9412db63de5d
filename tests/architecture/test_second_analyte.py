"""A second analyte is a folder under `cards/` and nothing else: written, proved, asked by HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.config import Settings
from cds_service.knowledge_files import Library, load_library
from cds_service.web.app import create_app
from tests import toy


@pytest.fixture
def both(tmp_path: Path) -> Library:
    """The packaged knowledge with one more folder beside it."""
    packaged = Path(__file__).parents[2] / "cards"
    for name in ("disclaimer.md", "wording.toml"):
        (tmp_path / name).write_text((packaged / name).read_text(encoding="utf-8"))
    sources = [packaged / "sources.toml", Path(toy.__file__).parent / "toy_cards" / "sources.toml"]
    joined = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    (tmp_path / "sources.toml").write_text(joined, encoding="utf-8")
    for file in (packaged / "sil2r").rglob("*"):
        if file.is_file():
            target = tmp_path / "sil2r" / file.relative_to(packaged / "sil2r")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    for name, text in toy.folder().items():
        target = tmp_path / name if name.startswith("toy/") else tmp_path / "toy" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return load_library(tmp_path)


def result(value: int) -> dict[str, Any]:
    points = {"unit": "pt/mL", "system": "http://unitsofmeasure.org", "code": "pt/mL"}
    return {
        "resourceType": "Observation",
        "id": "toy-1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": toy.SAP_POINTS}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-03-01",
        "valueQuantity": {"value": value, **points},
    }


def test_the_new_folder_is_served_beside_the_old_one(both: Library) -> None:
    client = create_app(Settings(), both).test_client()
    listed = {service["id"] for service in client.get("/cds-services").get_json()["services"]}
    assert {"sil2r-lab-result", "toy-lab-result", "toy-patient-view"} <= listed
    request = {
        "hook": Settings().lab_result_hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "patientId": "p",
            "results": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": result(250)}],
            },
        },
    }
    answer = client.post("/cds-services/toy-lab-result", json=request)
    (card,) = answer.get_json()["cards"]
    told = card["extension"]["org.sil2r-cds.evaluation"]
    assert answer.headers["Knowledge-Version"] == ", ".join(b.tag for b in both.bases.values())
    assert told["knowledge"].startswith("toy@")
    assert told["outcome"] == "interpreted"
    assert "sap-high" in told["findings"]
    assert "250 pt/mL" in card["summary"]
    assert client.post("/cds-services/sil2r-lab-result", json=request).get_json() == {"cards": []}
