"""Clinical traps that other CDS Hooks servers fall into (TR-18 to TR-25, TR-27), over HTTP."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

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


def searchset(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def versions_of(resource: dict[str, Any], **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A resource as it was, and as it is since it was changed."""
    as_it_was = {**resource, "meta": {"versionId": "1"}}
    return as_it_was, {**resource, "meta": {"versionId": "2"}, **changes}


def result_in_chart() -> dict[str, Any]:
    chart = request_of("patient_view_full_prefetch")["prefetch"]["sil2r"]
    observation: dict[str, Any] = chart["entry"][0]["resource"]
    return observation


def test_tr21_a_result_that_was_withdrawn_since_gives_no_card_in_its_former_version(
    post: Post,
) -> None:
    for sent in permutations(versions_of(result_in_chart(), status="entered-in-error")):
        chart = request_of("patient_view_full_prefetch", prefetch__sil2r=searchset(*sent))
        assert cards_of(post(chart, CHART_SERVICE)) == []


def test_tr21_a_corrected_result_is_read_as_it_is_and_not_as_it_was(post: Post) -> None:
    value = {"valueQuantity": {**result_in_chart()["valueQuantity"], "value": 520}}
    for sent in permutations(versions_of(result_in_chart(), status="corrected", **value)):
        chart = request_of("patient_view_full_prefetch", prefetch__sil2r=searchset(*sent))
        (card,) = cards_of(post(chart, CHART_SERVICE))
        assert card["summary"].startswith("sIL-2R 520 U/mL")
        assert "5230" not in card["detail"]
        assert evaluation_of(card)["inputs"][0]["version"] == "2"


@pytest.mark.parametrize("status", ["entered-in-error", "corrected"])
def test_tr21_a_message_that_comes_late_does_not_bring_back_what_was_changed_since(
    post: Post, status: str
) -> None:
    value = {"valueQuantity": {**result_in_chart()["valueQuantity"], "value": 520}}
    was, now = versions_of(result_in_chart(), status=status, **value)
    patient_id = was["subject"]["reference"].removeprefix("Patient/")
    body = request_of(
        "lab_result_minimal",
        context__patientId=patient_id,
        context__results={**searchset(was), "type": "collection"},
        prefetch__sil2r=searchset(now),
    )
    cards = cards_of(post(body))
    said = [card["summary"].partition(" (")[0] for card in cards]
    assert said == (["sIL-2R 520 U/mL"] if status == "corrected" else [])


def test_tr21_a_companion_that_was_withdrawn_since_is_missing(post: Post) -> None:
    labs = request_of("patient_view_full_prefetch")["prefetch"]["labs"]
    (ferritin,) = (e["resource"] for e in labs["entry"] if "ferritin" in e["resource"]["id"])
    others = [e["resource"] for e in labs["entry"] if "ferritin" not in e["resource"]["id"]]
    sent = searchset(*others, *versions_of(ferritin, status="entered-in-error"))
    chart = request_of("patient_view_full_prefetch", prefetch__labs=sent)
    (card,) = cards_of(post(chart, CHART_SERVICE))
    assert "ferritin" in evaluation_of(card)["missing"]


def test_tr21_an_earlier_result_that_was_withdrawn_since_is_not_shown_beside_an_order(
    post: Post,
) -> None:
    order = request_of("order_sign_duplicate")
    (earlier,) = (entry["resource"] for entry in order["prefetch"]["sil2r"]["entry"])
    was, now = versions_of(earlier, status="entered-in-error")

    def advice(*sent: dict[str, Any]) -> list[str]:
        body = request_of("order_sign_duplicate", prefetch__sil2r=searchset(*sent))
        cards = cards_of(post(body, "sil2r-order-sign"))
        return [name for card in cards for name in evaluation_of(card)["findings"]]

    assert "order-result-present" in advice(was)
    assert "order-result-present" not in advice(was, now)


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
