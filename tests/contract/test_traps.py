"""Clinical traps that other CDS Hooks servers fall into (TR-18 to TR-25, TR-27), over HTTP."""

from __future__ import annotations

import json
from typing import Any

import fhir_fixtures
from cds_service.cli import cli
from tests.contract.conftest import CHART_SERVICE, Post, cards_of, evaluation_of, request_of


def with_result(name: str) -> dict[str, Any]:
    """A request about one Observation of the fixtures, for the patient it belongs to."""
    observation = json.loads(fhir_fixtures.text(name))
    patient_id = observation["subject"]["reference"].removeprefix("Patient/")
    results = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": observation}]}
    return request_of("lab_result_minimal", context__results=results, context__patientId=patient_id)


def reason_of(post: Post, body: dict[str, Any]) -> str:
    (card,) = cards_of(post(body))
    assert card["indicator"] == "info"
    assert evaluation_of(card)["outcome"] == "not-interpretable"
    return str(evaluation_of(card)["reason"])


def test_tr18_a_unit_that_is_no_unit_of_it_is_named_as_the_reason(post: Post) -> None:
    assert reason_of(post, request_of("lab_result_unit_percent")) == "unit-unknown"


def test_tr20_moles_are_converted_into_nothing(post: Post) -> None:
    assert reason_of(post, with_result("serum_unit_mole")) == "unit-mole"


def test_tr20_a_unit_of_the_same_family_is_converted_and_of_another_never(post: Post) -> None:
    (kilounits,) = cards_of(post(with_result("serum_kilounits_per_litre")))
    assert "hlh-2004-criterion-met" in evaluation_of(kilounits)["findings"]
    (mass,) = cards_of(post(with_result("serum_pg_2400_is_not_2400_units")))
    assert evaluation_of(mass)["findings"] == ["above-laboratory-limit"]


def test_tr21_a_result_entered_in_error_is_not_interpreted(post: Post) -> None:
    assert cards_of(post(with_result("status_entered_in_error"))) == []
    chart = request_of("patient_view_withdrawn_result")
    assert cards_of(post(chart, CHART_SERVICE)) == []


def test_tr22_the_result_of_another_patient_is_neither_interpreted_nor_shown(post: Post) -> None:
    body = request_of("lab_result_of_another_patient")
    observation = body["context"]["results"]["entry"][0]["resource"]
    (card,) = cards_of(post(body))
    assert evaluation_of(card)["reason"] == "subject-mismatch"
    assert str(observation["valueQuantity"]["value"]) not in card["summary"] + card["detail"]


def test_tr23_a_prefetched_patient_with_another_id_is_not_used_and_the_card_says_so(
    post: Post,
) -> None:
    (own,) = cards_of(post(request_of("patient_view_full_prefetch"), CHART_SERVICE))
    body = request_of("patient_view_full_prefetch", prefetch__patient__id="somebody-else")
    (card,) = cards_of(post(body, CHART_SERVICE))
    assert "birth-date" not in evaluation_of(own).get("missing", [])
    assert "patient" in evaluation_of(card)["missing"]
    said = "The patient record that was sent belongs to someone else and was not used"
    assert said in card["detail"]
    assert said not in own["detail"]
    assert "somebody-else" not in card["detail"]


def test_tr24_a_comparator_makes_the_value_an_interval(post: Post) -> None:
    (card,) = cards_of(post(with_result("csf_less_than_200")))
    assert "threshold-indeterminate" in evaluation_of(card)["findings"]
    assert "csf-above-150" not in evaluation_of(card)["findings"]


def test_tr25_a_code_without_any_text_is_enough(post: Post) -> None:
    (card,) = cards_of(post(with_result("serum_bare_code")))
    assert evaluation_of(card)["outcome"] == "interpreted"


def test_tr27_the_service_listens_on_this_machine_only_unless_told_otherwise() -> None:
    (host,) = (option for option in cli.commands["serve"].params if option.name == "host")
    assert host.default == "127.0.0.1"
