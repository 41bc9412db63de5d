"""The order in which results arrive says nothing about them, and changes nothing on a card."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import pytest

from cds_service.core.elements import ResourceRef
from cds_service.core.model import InvalidResource, PatientRecord
from tests import toy
from tests.records import answer_to, companions, evaluated, named, record, result
from tests.unit.core.results.pair_of import ALBUMINS, dew

AHEAD = [companions(f"ferritin {n} ng/mL", on=f"2026-12-{n}") for n in range(10, 15)]
INVALID = [InvalidResource(ResourceRef(f"Observation/b{n}"), "Observation.value") for n in range(3)]


@pytest.mark.parametrize(
    "given",
    [
        record(result("250 pt/mL"), history=tuple(result(f"{n} pt/mL") for n in range(10, 15))),
        record(result(), companions=tuple(chain.from_iterable(AHEAD))),
        replace(record(), results=tuple(INVALID)),
    ],
    ids=["versions", "companions dated ahead", "not valid"],
)
def test_what_is_named_of_several_is_the_same_and_in_the_same_order(given: PatientRecord) -> None:
    """Another page of the same search came first, and three other results were named."""
    turned = replace(
        given,
        results=given.results[::-1],
        history=given.history[::-1],
        companions=given.companions[::-1],
    )
    answer, other = answer_to(given), answer_to(turned)
    assert (other.result, other.notes) == (answer.result, answer.notes)


def test_of_several_that_are_not_valid_the_one_that_tells_most_leads() -> None:
    entry = InvalidResource(ResourceRef("Bundle"), "Bundle.entry[0].resource")
    unknown = InvalidResource(ResourceRef("Observation/a"), "Observation.code.coding")
    ours = replace(INVALID[0], codings=result().codings)
    assert answer_to(replace(record(), results=(entry, unknown, ours))).result == ours
    assert answer_to(replace(record(), results=(entry, unknown))).result == unknown


def test_several_values_of_one_time_that_leave_no_index_are_named_in_one_order() -> None:
    """The same results, sent in another order, got another card."""
    numbers = (1000, 1100, 1200, 1300, 1400)
    saps = [named(f"sap-{number}", f"{number} pg/mL", toy.SAP_MASS) for number in numbers]
    told = {
        answer.facts["ratio.toy-index"].because
        for arrived in (saps, saps[::-1], [*saps[2:], *saps[:2]])
        for answer in evaluated(record(dew(), *arrived, companions=companions(*ALBUMINS))).answers
        if answer.specimen == "sap"
    }
    assert told == {
        "sap has several values of one time (1400 pg/mL, 1300 pg/mL, 1200 pg/mL, 1100 pg/mL)"
    }
