"""Services are generated from the knowledge; discovery lists exactly what can be called."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cds_service.errors import KnowledgeError, NotFound
from cds_service.hooks.gather import Need
from cds_service.hooks.request import Trigger
from cds_service.hooks.services import ServiceRegistry, build_registry
from cds_service.knowledge.files import Library
from cds_service.setting_shapes import HOOKS_TAKEN
from tests.unit.web.rooms import library

LAB_RESULT = Trigger.LAB_RESULT
IN_SUBSET = re.compile(
    r"Patient/\{\{context\.patientId\}\}"
    r"|[A-Z][A-Za-z]+\?patient=\{\{context\.patientId\}\}"
    r"(&code=[^&]+)?(&_sort=-date)?(&_count=\d+)?"
)


def registry(of: Library | None = None, **more: Any) -> ServiceRegistry:
    given: dict[str, Any] = {"lab_result_hook": "org.example.result-create"}
    return build_registry((of or library()).bases.values(), **{**given, **more})


def test_each_analyte_has_a_service_for_each_hook() -> None:
    assert {service.id: service.hook for service in registry().services.values()} == {
        "toy-lab-result": "org.example.result-create",
        "toy-patient-view": "patient-view",
        "toy-order-select": "order-select",
        "toy-order-sign": "order-sign",
    }


def test_tr09_the_name_of_the_result_hook_is_configuration() -> None:
    service = registry(lab_result_hook="org.other.hook").find("toy-lab-result")
    assert service.as_json()["hook"] == "org.other.hook"


def test_a_hook_that_has_a_service_of_its_own_is_not_taken_for_results() -> None:
    """No call of it holds `results`, so each would be refused; the settings refuse its name."""
    others = (each for each in registry().services.values() if each.trigger is not LAB_RESULT)
    assert {service.hook for service in others} == HOOKS_TAKEN


def test_a_service_that_there_is_not_is_not_found() -> None:
    with pytest.raises(NotFound):
        registry().find("toy-lab")


def test_tr01_two_services_never_share_an_id() -> None:
    twice = [*library().bases.values(), *library().bases.values()]
    with pytest.raises(KnowledgeError, match="toy-lab-result"):
        build_registry(twice, lab_result_hook="h")


def test_d04_an_entry_has_the_fields_of_the_specification() -> None:
    for entry in registry().discovery()["services"]:
        assert set(entry) == {
            "hook",
            "title",
            "description",
            "id",
            "prefetch",
            "usageRequirements",
            "version",
            "extension",
        }
        assert entry["version"] == "2.0.1"
        assert re.fullmatch(r"[a-z0-9-]+", entry["id"])
        assert "FHIR R4" in entry["usageRequirements"]


def test_d04_a_service_says_whether_it_reads_results_or_looks_at_orders() -> None:
    entries = registry().discovery()["services"]
    said = {entry["id"]: (entry["title"], entry["description"]) for entry in entries}
    result, order = "Reads a toy result.", "Reads a toy order."
    assert said == {
        "toy-lab-result": ("Toy result (a result has arrived)", result),
        "toy-patient-view": ("Toy result (the chart is opened)", result),
        "toy-order-select": ("Toy order (an order is selected)", order),
        "toy-order-sign": ("Toy order (an order is about to be signed)", order),
    }


def test_an_entry_says_which_knowledge_answers_and_where_its_source_attributes_are() -> None:
    for entry in registry().discovery()["services"]:
        assert entry["extension"]["org.sil2r-cds.knowledge"] == {
            "knowledge": "toy@2026.1",
            "reviewStatus": "pending clinical review",
            "sourceAttributes": "knowledge/toy",
        }


def test_p05_the_prefetch_templates_keep_to_the_widely_supported_subset() -> None:
    for service in registry().services.values():
        assert list(service.templates) == ["patient", "toy", "labs", "conditions", "medications"]
        for template in service.templates.values():
            assert IN_SUBSET.fullmatch(template.query), template.query


def test_p11_no_parameter_stands_twice_in_a_template() -> None:
    for template in registry().find("toy-patient-view").templates.values():
        names = [part.partition("=")[0] for part in template.query.partition("?")[2].split("&")]
        assert len(names) == len(set(names))


def test_only_the_opened_chart_needs_its_results() -> None:
    for service in registry().services.values():
        required = {t.key for t in service.templates.values() if t.need is Need.REQUIRED}
        chart = service.trigger is Trigger.PATIENT_VIEW
        assert required == ({"toy"} if chart else set())
        assert ("Needs the prefetch toy" in service.as_json()["usageRequirements"]) is chart


def test_a_local_code_is_asked_for_too_and_cannot_break_the_query() -> None:
    of = library()
    of.bases["toy"].local_codes[("urn:oid:2.999.2", "A&B,C|D #+")] = "0000-0"  # type: ignore[index]
    query = registry(of).find("toy-patient-view").templates["toy"].query
    assert query.count("&") == 3
    assert "urn:oid:2.999.2|A%26B%2CC%7CD%20%23%2B" in query


def test_what_must_be_said_of_an_installation_stands_in_every_description() -> None:
    for entry in registry(remark="Sandbox mode.").discovery()["services"]:
        assert entry["description"].startswith("Reads a toy ")
        assert entry["description"].endswith(". Sandbox mode.")
