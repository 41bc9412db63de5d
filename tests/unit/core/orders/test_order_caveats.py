"""What the record of the patient adds to a draft order: its pair, the kidneys, drugs and age."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.elements import Coding, ResourceRef, Status
from cds_service.core.model import Availability, CodedEntry, Patient, RecordKind
from cds_service.core.orders.order import DraftOrder
from cds_service.core.schema import OrderCode
from tests.packaged import SIL2R
from tests.records import LOOKED_FOR, NOBODY, born, moment, record
from tests.unit.core.orders.ordering import (
    ANY,
    CSF,
    SERUM,
    advice_on,
    advised,
    card_on,
    condition,
    creatinine,
    ids,
    in_specimen,
    order,
    result,
    told,
)

# ------------------------------------------------------------------ CSF and its pair (CSF-R3, S18)


def lacking(*beside: DraftOrder, **changes: Any) -> list[str]:
    """What is offered beside an order for CSF."""
    found = advised(order(CSF), beside=beside, given_record=record(**changes)).advice
    return [row.id for advice in found for row in advice.lacking]


def test_csf_without_serum_and_albumins_is_told_what_they_add() -> None:
    advice = advice_on(order(CSF))
    assert ids(advice) == ["order-csf-unpaired"]
    assert [row.id for row in advice.lacking] == ["paired-serum", "albumin-serum", "albumin-csf"]
    assert advice.missing == ("albumin-csf", "albumin-serum")


def test_what_is_drafted_beside_it_is_not_proposed_again() -> None:
    serum, albumins = order(SERUM, place=1), [order("1751-7", place=2), order("1746-7", place=3)]
    assert lacking(serum) == ["albumin-serum", "albumin-csf"]
    assert lacking(*albumins) == ["paired-serum"]
    assert lacking(serum, *albumins) == []
    assert lacking(order(ANY, place=1, specimen=in_specimen("PLAS")), *albumins) == []
    assert lacking(order(CSF, place=1), *albumins) == ["paired-serum"]


@pytest.mark.parametrize(
    ("stands_for", "left"),
    [
        (("albumin-serum",), ["paired-serum", "albumin-csf"]),
        (("albumin-serum", "albumin-csf"), ["paired-serum"]),
    ],
    ids=["serum", "serum and CSF in one order"],
)
def test_what_is_drafted_under_the_site_s_own_code_is_not_proposed_again(
    stands_for: tuple[str, ...], left: list[str]
) -> None:
    site = OrderCode(system="urn:oid:2.999.2", code="ALB", display="Albumin")
    knowledge = replace(SIL2R, orders=dict.fromkeys(stands_for, site))
    albumin = order(place=1, codings=(Coding("urn:oid:2.999.2", "ALB"),))
    advice = advice_on(order(CSF), beside=(albumin,), knowledge=knowledge)
    assert [row.id for row in advice.lacking] == left


def test_what_was_measured_within_seven_days_is_not_proposed_again() -> None:
    near, far = result("700 U/mL", on="2026-11-14"), result("700 U/mL", on="2026-11-13")
    albumin = result("40 g/L", "1751-7", on="2026-11-20", ref=ResourceRef("Observation/albumin"))
    assert lacking(history=(near,)) == ["albumin-serum", "albumin-csf"]
    assert "paired-serum" in lacking(history=(far,))
    assert "paired-serum" in lacking(history=(replace(near, status=Status.CANCELLED),))
    assert "paired-serum" in lacking(history=(result("40 pg/mL", CSF, on="2026-11-14"),))
    assert lacking(companions=(albumin,)) == ["paired-serum", "albumin-csf"]


def test_an_order_for_serum_needs_no_pair() -> None:
    assert advised(order(SERUM), beside=(order(CSF, place=1),)).advice == ()


# ------------------------------------------------------------------ the patient


@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        pytest.param("2008-11-22", ["order-child"], id="17 today"),
        pytest.param("2008-11-21", [], id="18 today"),
        pytest.param("2008", [], id="a year that proves nothing"),
        pytest.param("2009", ["order-child"], id="a year that proves it"),
        pytest.param("2026-11-22", ["order-child"], id="born today where it is tomorrow"),
        pytest.param("2026-11-23", [], id="born the day after tomorrow"),
    ],
)
def test_a_child_is_told_of_as_far_as_the_birth_date_proves_it(
    birth: str, expected: list[str]
) -> None:
    assert told(order(SERUM), given_record=record(patient=born(birth))) == expected


def test_the_age_of_an_order_is_that_of_its_day_for_no_specimen_is_collected_yet() -> None:
    advice = advice_on(order(CSF), given_record=record(patient=born("1986-11-21")))
    assert advice.facts["age.adult"].because == "40 completed years on the day of the order"
    undated = advice_on(order(CSF), given_record=record(patient=born("")))
    assert undated.facts["age.adult"].because == "the age on the day of the order is not known"


@pytest.mark.parametrize("patient", [NOBODY, born("")])
def test_an_unknown_age_is_missing_and_never_a_child(patient: Patient) -> None:
    advice = advice_on(order(CSF), given_record=record(patient=patient))
    assert "order-child" not in ids(advice)
    assert {"patient", "birth-date"} & set(advice.missing)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"entries": (condition("Z99.2"),)}, ["order-dialysis"]),
        ({"entries": (condition("N18.4"),)}, ["order-renal-impairment"]),
        ({"entries": (condition("N18.6"),)}, ["order-dialysis"]),
        ({"companions": (creatinine("2.1 mg/dL"),)}, ["order-renal-impairment"]),
        ({"companions": (creatinine("2.0 mg/dL"),)}, []),
        ({"companions": (creatinine("2.1 mg/dL", on="2026-11-13"),)}, []),
    ],
    ids=["dialysis", "coded", "end stage", "creatinine", "exactly at the limit", "8 days ago"],
)
def test_kidneys_are_told_of_by_code_or_creatinine(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert told(order(SERUM), given_record=record(**changes)) == expected


def test_a_card_on_an_order_says_which_was_found_a_code_or_a_creatinine() -> None:
    coded, high = "Renal impairment is recorded.", "Renal function: creatinine 2.1 mg/dL of"
    entries, companions = (condition("N18.4"),), (creatinine("2.1 mg/dL"),)
    by_code = card_on(order(SERUM), given_record=record(entries=entries)).detail
    assert (coded in by_code, high in by_code) == (True, False)
    by_value = card_on(order(SERUM), given_record=record(companions=companions)).detail
    assert (coded in by_value, high in by_value) == (False, True)
    assert ", above 2.0 mg/dL. The value may be raised" in by_value
    both = card_on(order(SERUM), given_record=record(entries=entries, companions=companions))
    assert f"- {coded} {high}" in both.detail


@pytest.mark.parametrize("values", [("1.1", "4.1"), ("4.1", "1.1")])
def test_kidneys_that_two_creatinines_of_one_time_leave_open_are_told_before_blood_is_drawn(
    values: tuple[str, str],
) -> None:
    both = tuple(
        replace(creatinine(f"{value} mg/dL"), ref=ResourceRef(f"Observation/{number}"))
        for number, value in enumerate(values)
    )
    given_record = record(companions=both)
    card = card_on(order(SERUM), given_record=given_record)
    assert card.extension["findings"] == ["order-renal-impairment"]
    assert "More than one result of creatinine counts for the same time (" in card.detail
    assert all(f"{value} mg/dL" in card.detail for value in values)
    assert "; at least one of these is above 2.0 mg/dL. The value may" in card.detail
    assert "ask the laboratory which of them stands" in card.detail
    assert all(f"Observation/{number}" in card.detail for number in range(2))
    assert advised(order(CSF), given_record=given_record).advice[0].notes == ()


def test_two_ferritins_of_one_time_are_nothing_that_an_order_is_told_of() -> None:
    ferritin = (
        result(f"{value} ng/mL", "2276-4", "2026-11-19", ref=ResourceRef(f"Observation/{value}"))
        for value in ("480", "5200")
    )
    given_record = record(companions=(*ferritin, creatinine("2.1 mg/dL")))
    assert advice_on(order(SERUM), given_record=given_record).notes == ()


def test_kidneys_change_nothing_about_csf() -> None:
    dialysis = record(entries=(condition("Z99.2"),))
    assert ids(advice_on(order(CSF), given_record=dialysis)) == ["order-csf-unpaired"]


def basiliximab(on: str) -> CodedEntry:
    drug = Coding("http://www.whocc.no/atc", "L04AC02")
    ref = ResourceRef("MedicationRequest/basiliximab")
    return CodedEntry(ref, RecordKind.MEDICATION, (drug,), moment(on))


def test_a_drug_that_binds_the_receptor_is_told_of_before_blood_is_drawn() -> None:
    transplanted = record(entries=(basiliximab("2026-11-18"),))
    assert ids(advice_on(order(SERUM), given_record=transplanted)) == ["order-anti-cd25-therapy"]
    card = card_on(order(SERUM), given_record=transplanted)
    assert "a low value will be no argument against HLH" in card.detail
    assert ids(advice_on(order(CSF), given_record=transplanted)) == ["order-csf-unpaired"]


def test_medications_that_could_not_be_had_are_missing_from_advice_on_blood() -> None:
    unseen = {**LOOKED_FOR, "medications": Availability.MISSING}
    child = record(patient=born("2016-01-01"), availability=unseen)
    assert "medications" in advice_on(order(SERUM), given_record=child).missing


def test_the_grounds_of_a_caveat_are_inputs() -> None:
    used = advice_on(order(SERUM), given_record=record(companions=(creatinine("3 mg/dL"),)))
    assert [ref.resource for ref in used.inputs][1:] == ["Observation/creatinine"]
