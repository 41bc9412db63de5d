"""A graver value never speaks more softly, and who knows less never says more.

Relations between two whole answers of the service: no number is expected, only a direction.
"""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.property.conftest import cards, evaluation
from tests.property.wire import HOOKS, Chart, Json, charts, resources

services = st.sampled_from(sorted(HOOKS))
few = settings(max_examples=20)
FINAL = {"final", "amended", "corrected"}
FINER = {"patient": {"birth-date"}, "conditions": {"atl-subtype"}}
"""What the part itself may lack, once it is there. A record of ATL opens the question of which."""


def about(card: Json) -> str:
    """The result that a card is about; empty where it is about none of this patient's."""
    inputs: list[dict[str, str]] = evaluation(card).get("inputs", [{}])
    return inputs[0].get("resource", "")


def told(card: Json, name: str) -> set[str]:
    """`findings` or `missing` of a card."""
    return set(evaluation(card).get(name, ()))


def final_result(request: Json, draw: Any) -> Json:
    """One of the final results of the analyte."""
    finals = [
        each for each in resources(request) if each["id"][0] == "o" and each["status"] in FINAL
    ]
    assume(finals)
    result: Json = draw.draw(st.sampled_from(finals))
    return result


@few
@given(charts(), services, st.data(), st.sampled_from((1.001, 2, 40)))
def test_a_higher_value_takes_no_warning_away(
    client: FlaskClient, chart: Chart, service: str, data: st.DataObject, times: float
) -> None:
    request = chart.request(service)
    quantity = final_result(request, data)["valueQuantity"]
    before = cards(client, service, request)
    quantity["value"] = quantity["value"] * times
    after = {about(card): card["indicator"] for card in cards(client, service, request)}
    for card in before:
        assert card["indicator"] == "info" or after[about(card)] == "warning"


@few
@given(
    charts(),
    services,
    st.data(),
    st.sampled_from(("preliminary", "registered", "unknown", "cancelled", "entered-in-error")),
)
def test_a_result_that_does_not_stand_is_not_interpreted_and_lends_nothing_to_another(
    client: FlaskClient, chart: Chart, service: str, data: st.DataObject, status: str
) -> None:
    request = chart.request(service)
    result = final_result(request, data)
    before = {about(card): card for card in cards(client, service, request)}
    result["status"] = status
    for card in cards(client, service, request):
        if about(card) == f"Observation/{result['id']}":
            assert evaluation(card)["outcome"] == "not-interpretable"
            assert told(card, "findings") == set()
        elif about(card) in before:
            assert told(card, "findings") <= told(before[about(card)], "findings")


@pytest.mark.parametrize("part", ["patient", "labs", "conditions", "medications"])
@few
@given(charts(), services)
def test_what_comes_along_is_never_missed_more(
    client: FlaskClient, part: str, chart: Chart, service: str
) -> None:
    whole, less = chart.request(service), chart.request(service)
    assume(part in whole["prefetch"])
    del less["prefetch"][part]
    without = {about(card): told(card, "missing") for card in cards(client, service, less)}
    for card in cards(client, service, whole):
        missed = told(card, "missing") - without[about(card)]
        assert missed <= FINER.get(part, set())


@few
@given(charts())
def test_a_chart_says_of_results_what_was_said_when_they_arrived(
    client: FlaskClient, chart: Chart
) -> None:
    """What was withdrawn is told only when it arrives, and only if it had been carded."""
    chart.arrived, chart.earlier = [*chart.arrived, *chart.earlier], []
    opened = chart.request("sil2r-patient-view")
    arrived = chart.request("sil2r-lab-result")
    arrived["prefetch"]["sil2r"] = opened["prefetch"]["sil2r"]
    at_arrival = cards(client, "sil2r-lab-result", arrived)
    on_the_chart = cards(client, "sil2r-patient-view", opened)
    assert [card["detail"] for card in at_arrival] == [card["detail"] for card in on_the_chart]
