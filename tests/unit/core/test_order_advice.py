"""What is said about a draft order, by the packaged knowledge unless a test brings its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.core.card import Card, Selection
from cds_service.core.facts import fact_domains
from cds_service.core.finding import RowOutcome
from cds_service.core.knowledge import LOINC, KnowledgeBase, OrderTable
from cds_service.core.model import (
    Availability,
    CodedEntry,
    Coding,
    InvalidResource,
    LabResult,
    NoValue,
    Patient,
    PatientRecord,
    RecordKind,
    ResourceRef,
    SpecimenGiven,
    SpecimenLink,
    Status,
    Subject,
)
from cds_service.core.order import DraftOrder, Drafts, Performer
from cds_service.core.order_advice import Advice, Advised, NoSwap, Swap, advise
from cds_service.core.order_card import render_advice
from cds_service.core.order_facts import order_fact_domains
from cds_service.core.proof import faults, prove
from cds_service.core.schema import OrderCode
from cds_service.core.verdict import NotInterpretable, OrderAdvised, Reason, WrongAnalyte
from tests import toy
from tests.packaged import SIL2R
from tests.records import LOOKED_FOR, NOBODY, born, measured, moment, record

AT = date(2026, 11, 21)
V2_0487 = "http://terminology.hl7.org/CodeSystem/v2-0487"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SERUM, CSF, ANY = "9654-5", "99768-4", "38352-1"
IL2_MASS, IL2_UNITS, IL2_CSF, IL2_FLUID = "33939-0", "4651-6", "70077-3", "70078-1"


def order(*loincs: str, place: int = 0, **changes: Any) -> DraftOrder:
    given_: dict[str, Any] = {
        "ref": ResourceRef(f"ServiceRequest/order-{place}"),
        "place": place,
        "codings": tuple(Coding(LOINC, code) for code in loincs),
        "subject": Subject.THIS_PATIENT,
    }
    return DraftOrder(**{**given_, **changes})


def in_specimen(*codes: str) -> SpecimenGiven:
    return SpecimenGiven(SpecimenLink.RESOLVED, tuple(Coding(V2_0487, code) for code in codes))


def at_laboratory(display: str = "", reference: str = "") -> tuple[Performer, ...]:
    return (Performer(display, reference),)


def result(value: str, loinc: str = SERUM, on: str = "2026-11-10", **changes: Any) -> LabResult:
    given_: dict[str, Any] = {
        "ref": ResourceRef("Observation/before", "3"),
        "codings": (Coding(LOINC, loinc),),
        "status": Status.FINAL,
        "value": measured(value),
        "subject": Subject.THIS_PATIENT,
        "collected": moment(on),
        "laboratory": "Laboratory A",
    }
    return LabResult(**{**given_, **changes})


def condition(code: str) -> CodedEntry:
    return CodedEntry(ResourceRef("Condition/c"), RecordKind.CONDITION, (Coding(ICD, code),))


def advised(
    *orders: DraftOrder | InvalidResource,
    given_record: PatientRecord | None = None,
    beside: tuple[DraftOrder, ...] = (),
    knowledge: KnowledgeBase = SIL2R,
    at: date = AT,
) -> Advised:
    own = tuple(
        item
        for item in orders
        if isinstance(item, DraftOrder) and item.subject is not Subject.ANOTHER_PATIENT
    )
    drafts = Drafts(tuple(orders), (*own, *beside))
    return advise(drafts, given_record or record(), knowledge, at)


def advice_on(*orders: DraftOrder | InvalidResource, **more: Any) -> Advice:
    """The one advice there is."""
    (found,) = advised(*orders, **more).advice
    return found


def ids(advice: Advice) -> list[str]:
    return [row.id for row in advice.rows]


def card_on(*orders: DraftOrder | InvalidResource, **more: Any) -> Card:
    (card,) = render_advice(advised(*orders, **more), more.get("knowledge", SIL2R), scope="test")
    return card


# ---------------------------------------------------------------- silence has a reason


@pytest.mark.parametrize(
    ("draft", "because"),
    [
        (order(SERUM), "there is nothing to say about it"),
        (order("718-7"), "no code of it is known here"),
        (order(), "no code of it is known here"),
        (order("31123-3"), "counts cells"),
    ],
    ids=["plain serum order", "another test", "words alone", "CD25 cells"],
)
def test_an_order_that_nothing_is_said_about_is_left_aside_with_a_reason(
    draft: DraftOrder, because: str
) -> None:
    found = advised(draft)
    assert found.advice == ()
    (skipped,) = found.skipped
    assert skipped.ref == draft.ref
    assert because in skipped.because


def test_missing_data_alone_are_no_reason_to_speak() -> None:
    assert advised(order(SERUM), given_record=PatientRecord()).advice == ()


# ---------------------------------------------------------------- interleukin 2 (TR-25)


@pytest.mark.parametrize(
    ("refused", "accepted"),
    [(IL2_MASS, "76039-7"), (IL2_UNITS, "9654-5"), (IL2_CSF, "99768-4")],
)
def test_interleukin_2_is_swapped_for_the_receptor_of_the_same_specimen_and_property(
    refused: str, accepted: str
) -> None:
    advice = advice_on(order(refused))
    assert advice.verdict == WrongAnalyte(refused)
    assert ids(advice) == ["order-wrong-analyte"]
    assert isinstance(advice.swap, Swap)
    assert [(c.system, c.code) for c in advice.swap.codings] == [(LOINC, accepted)]
    assert "soluble interleukin 2 receptor (sIL-2R)" in advice.swap.text
    old, new = SIL2R.refused[refused].name, SIL2R.accepted[accepted].name
    assert old.split(" [")[1] == new.split(" [")[1], "property and specimen are the same"


def test_interleukin_2_in_a_body_fluid_is_swapped_in_words_alone() -> None:
    swap = advice_on(order(IL2_FLUID)).swap
    assert swap == Swap((), SIL2R.identity.analyte)


def test_a_draft_that_names_another_specimen_than_its_code_gets_no_code_guessed() -> None:
    assert advice_on(order(IL2_MASS, specimen=in_specimen("CSF"))).swap == Swap(
        (), SIL2R.identity.analyte
    )
    serum = advice_on(order(IL2_MASS, specimen=in_specimen("SER"))).swap
    assert isinstance(serum, Swap)
    assert [c.code for c in serum.codings] == ["76039-7"]


def test_the_site_s_own_ordering_code_stands_alone_since_the_site_knows_its_unit() -> None:
    site = OrderCode(system="urn:oid:2.999.2", code="SIL2R-S", display="sIL-2R serum")
    knowledge = replace(SIL2R, orders={"sil2r-blood": site})
    swap = advice_on(order(IL2_MASS), knowledge=knowledge).swap
    assert isinstance(swap, Swap)
    assert swap.codings == (Coding("urn:oid:2.999.2", "SIL2R-S", "sIL-2R serum"),)
    in_csf = advice_on(order(IL2_CSF), knowledge=knowledge).swap
    assert isinstance(in_csf, Swap)
    assert [c.code for c in in_csf.codings] == ["99768-4"]


def test_a_local_code_for_interleukin_2_is_interleukin_2() -> None:
    local = replace(SIL2R, local_codes={("urn:oid:2.999.2", "IL2"): IL2_MASS})
    draft = order(codings=(Coding("urn:oid:2.999.2", "IL2"),))
    assert advice_on(draft, knowledge=local).verdict == WrongAnalyte(IL2_MASS)


def test_codes_of_both_tests_are_told_and_nothing_is_swapped() -> None:
    advice = advice_on(order(IL2_MASS, SERUM))
    assert ids(advice) == ["order-codes-conflict"]
    assert advice.verdict == OrderAdvised()
    assert advice.swap == NoSwap()
    assert ids(advice_on(order(SERUM, CSF))) == ["order-codes-conflict"]


def test_two_codes_of_one_specimen_are_one_order_whatever_their_unit() -> None:
    assert advised(order(SERUM, "76039-7")).advice == ()


# ---------------------------------------------------------------- the specimen (T-103)


@pytest.mark.parametrize(
    ("draft", "told"),
    [
        (order(ANY), "order-specimen-not-named"),
        (order(SERUM, specimen=in_specimen("CSF")), "order-specimen-conflict"),
    ],
)
def test_an_order_whose_specimen_is_open_is_asked_to_name_it(draft: DraftOrder, told: str) -> None:
    advice = advice_on(draft)
    assert ids(advice) == [told]
    assert advice.missing == ("specimen",)
    assert advice.specimen == ""


def test_beside_an_order_without_a_specimen_no_result_is_of_the_same_one() -> None:
    unsettled = record(history=(result("40 pg/mL", ANY),))
    assert ids(advice_on(order(ANY), given_record=unsettled)) == ["order-specimen-not-named"]


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (order(ANY, specimen=in_specimen("SER")), []),
        (order(ANY, specimen=in_specimen("UR")), ["order-specimen-not-covered"]),
        (order(SERUM, specimen=in_specimen("CSF")), ["order-specimen-conflict"]),
        (order(ANY, specimen=in_specimen("SER", "CSF")), ["order-specimen-conflict"]),
        (order(ANY, specimen=in_specimen("NOBODY-KNOWS")), []),
        (order(ANY, specimen=SpecimenGiven(SpecimenLink.UNRESOLVED)), []),
        (order(SERUM, specimen=SpecimenGiven(SpecimenLink.UNRESOLVED)), []),
    ],
    ids=["serum", "urine", "code and specimen", "two", "unknown code", "not sent", "code fixes it"],
)
def test_a_specimen_is_read_by_code_and_only_a_fault_is_told(
    draft: DraftOrder, expected: list[str]
) -> None:
    assert [name for advice in advised(draft).advice for name in ids(advice)] == expected


@pytest.mark.parametrize(
    ("suggestion", "specimen"),
    [("sil2r-blood", "blood"), ("sil2r-csf", "csf"), ("paired-serum", "blood")],
)
def test_the_site_s_ordering_code_is_an_order_for_the_analyte_in_its_specimen(
    suggestion: str, specimen: str
) -> None:
    site = OrderCode(system="urn:oid:2.999.2", code="X", display="x")
    knowledge = replace(SIL2R, orders={suggestion: site})
    draft = order(codings=(Coding("urn:oid:2.999.2", "X"),))
    child = record(patient=born("2016-01-01"))
    advice = advice_on(draft, knowledge=knowledge, given_record=child)
    assert "order-child" in ids(advice)
    assert advice.specimen == specimen


def test_a_site_s_code_for_a_repeat_fixes_no_specimen() -> None:
    site = OrderCode(system="urn:oid:2.999.2", code="X", display="x")
    knowledge = replace(SIL2R, orders={"repeat-same-laboratory": site})
    draft = order(codings=(Coding("urn:oid:2.999.2", "X"),))
    assert ids(advice_on(draft, knowledge=knowledge)) == ["order-specimen-not-named"]


# ---------------------------------------------------------------- what is there already


def test_a_result_in_the_window_is_shown_as_it_was_received() -> None:
    there = record(history=(result("5230.0 U/mL"),))
    advice = advice_on(order(SERUM), given_record=there)
    assert ids(advice) == ["order-result-present"]
    assert [ref.resource for ref in advice.inputs] == [
        "ServiceRequest/order-0",
        "Observation/before",
    ]
    detail = card_on(order(SERUM), given_record=there).detail
    assert "5230.0 U/mL, dated 2026-11-10, status final, laboratory Laboratory A" in detail
    assert "new series" in detail


@pytest.mark.parametrize(
    "before",
    [
        result("5230 U/mL", on="2026-08-22"),
        result("40 pg/mL", CSF),
        result("5230 U/mL", status=Status.ENTERED_IN_ERROR),
        result("5230 U/mL", status=Status.REGISTERED),
        result("5230 U/mL", on=""),
        result("9 pg/mL", IL2_MASS),
        replace(result("5230 U/mL"), value=NoValue("unknown")),
    ],
    ids=[
        *("91 days ago", "other specimen", "withdrawn", "registered", "no date", "interleukin 2"),
        "no value",
    ],
)
def test_what_is_no_usable_result_of_the_window_is_no_reason_to_wait(before: LabResult) -> None:
    assert advised(order(SERUM), given_record=record(history=(before,))).advice == ()


def test_the_last_day_of_the_window_counts_and_the_newest_result_is_shown() -> None:
    assert advised(
        order(SERUM), given_record=record(history=(result("1 U/mL", on="2026-08-23"),))
    ).advice
    older = result("100 U/mL", on="2026-11-01", ref=ResourceRef("Observation/older"))
    both = record(history=(older, result("200 U/mL", on="2026-11-02")))
    assert "200 U/mL, dated 2026-11-02" in card_on(order(SERUM), given_record=both).detail


def test_a_result_dated_ahead_of_today_hides_no_other() -> None:
    ahead = result("100 U/mL", on="2026-12-25", ref=ResourceRef("Observation/ahead"))
    both = record(history=(ahead, result("200 U/mL", on="2026-11-02")))
    assert "200 U/mL, dated 2026-11-02" in card_on(order(SERUM), given_record=both).detail
    assert advised(order(SERUM), given_record=record(history=(ahead,))).advice == ()


def test_results_that_could_not_be_had_are_named_only_beside_something_to_say() -> None:
    gone = {**record().availability, "sil2r": Availability.MISSING}
    child = record(patient=born("2016-01-01"), availability=gone)
    assert "sil2r" in advice_on(order(SERUM), given_record=child).missing
    assert advised(order(SERUM), given_record=record(availability=gone)).advice == ()


# ---------------------------------------------------------------- another laboratory


ONE, TWO = "Organization/1", "Organization/2"
ELSEWHERE = "https://ehr.example.org/fhir/Organization/1"


@pytest.mark.parametrize(
    ("performers", "name", "reference", "told"),
    [
        (at_laboratory("Laboratory B"), "Laboratory A", "", True),
        (at_laboratory("laboratory  A"), "Laboratory A", "", False),
        (at_laboratory("laboratory  A"), "Laboratory A", ONE, False),
        (at_laboratory("Laboratory B"), "Laboratory A", ONE, True),
        (at_laboratory("Lab", TWO), ONE, ONE, True),
        (at_laboratory("", ELSEWHERE), ONE, ONE, False),
        (at_laboratory("", TWO), "Laboratory A", "", False),
        (at_laboratory("", TWO), "Laboratory A", ONE, True),
        (at_laboratory("Laboratory", TWO), "Laboratory", ONE, True),
        (at_laboratory("The laboratory", ONE), "Laboratory A", ELSEWHERE, False),
        (at_laboratory("Laboratory B"), ONE, ONE, False),
        (at_laboratory("Laboratory B"), ONE, ELSEWHERE, False),
        (at_laboratory("Laboratory B"), "", "", False),
        ((), "Laboratory A", ONE, False),
    ],
)
def test_a_change_of_laboratory_is_told_where_like_can_be_compared_with_like(
    performers: tuple[Performer, ...], name: str, reference: str, *, told: bool
) -> None:
    """By reference where both have one: "Laboratory" is the name of many laboratories."""
    made_by = {"laboratory": name, "laboratory_reference": reference}
    old = record(history=(result("700 U/mL", on="2026-01-10", **made_by),))
    found = advised(order(SERUM, performers=performers), given_record=old).advice
    assert [ids(advice) for advice in found] == ([["order-laboratory-change"]] if told else [])


def test_both_laboratories_are_named_on_the_card() -> None:
    old = record(history=(result("700 U/mL", on="2026-01-10"),))
    draft = order(SERUM, performers=at_laboratory("Laboratory *B*"))
    detail = card_on(draft, given_record=old).detail
    assert r"names Laboratory \*B\*" in detail
    assert "(700 U/mL, dated 2026-01-10) is from Laboratory A" in detail


# ---------------------------------------------------------------- CSF and its pair (CSF-R3, S18)


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


def test_what_is_drafted_under_the_site_s_own_code_is_not_proposed_again() -> None:
    site = OrderCode(system="urn:oid:2.999.2", code="ALB", display="Albumin")
    knowledge = replace(SIL2R, orders={"albumin-serum": site})
    albumin = order(place=1, codings=(Coding("urn:oid:2.999.2", "ALB"),))
    advice = advice_on(order(CSF), beside=(albumin,), knowledge=knowledge)
    assert [row.id for row in advice.lacking] == ["paired-serum", "albumin-csf"]


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


# ---------------------------------------------------------------- the patient


@pytest.mark.parametrize(
    ("birth", "expected"),
    [("2008-11-22", ["order-child"]), ("2008-11-21", []), ("2008", []), ("2009", ["order-child"])],
    ids=["17 today", "18 today", "a year that proves nothing", "a year that proves it"],
)
def test_a_child_is_told_of_as_far_as_the_birth_date_proves_it(
    birth: str, expected: list[str]
) -> None:
    found = advised(order(SERUM), given_record=record(patient=born(birth))).advice
    assert [name for advice in found for name in ids(advice)] == expected


@pytest.mark.parametrize("patient", [NOBODY, born("")])
def test_an_unknown_age_is_missing_and_never_a_child(patient: Patient) -> None:
    advice = advice_on(order(CSF), given_record=record(patient=patient))
    assert "order-child" not in ids(advice)
    assert {"patient", "birth-date"} & set(advice.missing)


def creatinine(value: str, on: str = "2026-11-19") -> LabResult:
    return result(value, "2160-0", on, ref=ResourceRef("Observation/creatinine"))


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
    found = advised(order(SERUM), given_record=record(**changes)).advice
    assert [name for advice in found for name in ids(advice)] == expected


@pytest.mark.parametrize("values", [("1.1", "4.1"), ("4.1", "1.1")])
def test_kidneys_that_two_creatinines_of_one_time_leave_open_are_told_before_blood_is_drawn(
    values: tuple[str, str],
) -> None:
    both = tuple(
        replace(creatinine(f"{value} mg/dL"), ref=ResourceRef(f"Observation/{number}"))
        for number, value in enumerate(values)
    )
    given_record = record(companions=both)
    (card,) = render_advice(advised(order(SERUM), given_record=given_record), SIL2R, scope="s")
    assert card.extension["findings"] == ["order-renal-impairment"]
    assert "More than one result of creatinine bears the same time (" in card.detail
    assert all(f"{value} mg/dL" in card.detail for value in values)
    assert "ask the laboratory which of them stands" in card.detail
    assert all(f"Observation/{number}" in card.detail for number in range(2))
    assert advised(order(CSF), given_record=given_record).advice[0].notes == ()


def test_two_ferritins_of_one_time_are_nothing_that_an_order_is_told_of() -> None:
    ferritin = (
        replace(
            result(f"{value} ng/mL", "2276-4", "2026-11-19"),
            ref=ResourceRef(f"Observation/{value}"),
        )
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


# ---------------------------------------------------------------- one card for several advices


def test_several_advices_are_one_card_and_the_highest_rank_is_its_headline() -> None:
    child = record(
        patient=born("2016-01-01"),
        history=(result("700 U/mL"),),
        entries=(condition("Z99.2"),),
    )
    draft = order(SERUM, performers=at_laboratory("Laboratory B"))
    expected = [
        "order-result-present",
        "order-laboratory-change",
        "order-dialysis",
        "order-child",
    ]
    assert ids(advice_on(draft, given_record=child)) == expected
    card = card_on(draft, given_record=child)
    assert card.summary == (
        "Draft order sIL-2R 9654-5 (serum/plasma): a result of 2026-11-10 is already there"
    )
    places = [card.detail.index(word) for word in ("700 U/mL", "Dialysis is", "Under 18")]
    assert places == sorted(places)


def test_each_draft_has_its_own_card() -> None:
    found = advised(order(IL2_MASS), order(ANY, place=1), order(SERUM, place=2))
    assert [ids(advice) for advice in found.advice] == [
        ["order-wrong-analyte"],
        ["order-specimen-not-named"],
    ]
    assert [skipped.ref.resource for skipped in found.skipped] == ["ServiceRequest/order-2"]


def test_the_trace_holds_every_row_considered_and_why() -> None:
    advice = advice_on(order(CSF))
    outcomes = {row.finding: row.outcome for row in advice.considered}
    assert outcomes["order-csf-unpaired"] is RowOutcome.MATCHED
    assert outcomes["order-dialysis"] is RowOutcome.NOT_MATCHED
    assert outcomes["order-child"] is RowOutcome.NOT_MATCHED
    assert all(gate.because for row in advice.considered for gate in row.gates(advice.facts))


# ---------------------------------------------------------------- invalid, and another patient's


@pytest.mark.parametrize(
    "draft",
    [
        order(SERUM, performers=at_laboratory("laboratory A")),
        order(SERUM, performers=at_laboratory("Laboratory B")),
        order(SERUM, performers=at_laboratory(reference=ONE)),
        order(SERUM),
        order(CSF),
        order(ANY),
        order(ANY, specimen=in_specimen("UR")),
        order(SERUM, specimen=in_specimen("CSF")),
    ],
)
def test_every_fact_of_an_order_has_a_value_of_its_domain(draft: DraftOrder) -> None:
    """The patient is a child with an earlier result, so that every order is spoken about."""
    there = record(history=(result("700 U/mL"),), patient=born("2016-01-01"))
    facts = advice_on(draft, given_record=there).facts
    domains = fact_domains(SIL2R) | order_fact_domains(SIL2R)
    assert {name for name, fact in facts.items() if fact.value not in domains[name]} == set()


def invalid(name: str, *loincs: str) -> InvalidResource:
    codings = tuple(Coding(LOINC, code) for code in loincs)
    return InvalidResource(ResourceRef(f"ServiceRequest/{name}"), "ServiceRequest.subject", codings)


def test_drafts_that_are_not_valid_fhir_are_one_card_that_says_where() -> None:
    advice = advice_on(invalid("a", SERUM), invalid("b"))
    assert advice.verdict == NotInterpretable(Reason.FHIR_INVALID, "ServiceRequest.subject")
    assert [ref.resource for ref in advice.inputs] == ["ServiceRequest/a", "ServiceRequest/b"]
    card = card_on(invalid("a", SERUM))
    assert card.summary == "sIL-2R: a draft order could not be read"
    assert "(at ServiceRequest.subject)" in card.detail
    assert card.extension["reason"] == "fhir-invalid"


def test_another_patient_s_order_is_silent_beside_a_card_and_without_content_alone() -> None:
    other = order(IL2_MASS, place=7, subject=Subject.ANOTHER_PATIENT)
    beside = advised(other, order(ANY))
    assert [ids(advice) for advice in beside.advice] == [["order-specimen-not-named"]]
    assert [skipped.because for skipped in beside.skipped] == ["it belongs to another patient"]
    card = card_on(other)
    assert card.extension["reason"] == "subject-mismatch"
    shown = str(card.as_json())
    assert "order-7" not in shown
    assert IL2_MASS not in shown
    assert "inputs" not in card.extension


def test_another_patient_s_order_for_another_test_is_nobody_s_business() -> None:
    assert advised(order("718-7", subject=Subject.ANOTHER_PATIENT)).advice == ()


# ---------------------------------------------------------------- cards


ORDERS = [
    order(IL2_MASS),
    order(IL2_MASS, SERUM),
    order(ANY),
    order(CSF),
    order(SERUM, specimen=in_specimen("CSF")),
    order(ANY, specimen=in_specimen("UR")),
    invalid("a"),
    order(SERUM, subject=Subject.ANOTHER_PATIENT),
]


@pytest.mark.parametrize("draft", ORDERS, ids=lambda draft: draft.ref.resource)
def test_every_card_is_info_cites_its_sources_and_closes_with_the_disclaimer(
    draft: DraftOrder | InvalidResource,
) -> None:
    card = card_on(draft)
    assert card.indicator == "info"
    assert len(card.summary) <= 139
    assert "**Sources**" in card.detail
    assert card.detail.split("\n\n")[-1].startswith("For clinical professionals")
    assert "None" not in card.detail
    assert "{" not in card.detail
    assert card.override_reasons
    assert "<" not in card.detail


@given(st.text(max_size=400), st.text(max_size=60))
def test_no_text_from_outside_breaks_the_limits_of_a_card(name: str, code: str) -> None:
    knowledge = replace(SIL2R, local_codes={("urn:oid:2.999.2", code): ANY})
    draft = order(
        codings=(Coding("urn:oid:2.999.2", code),),
        performers=at_laboratory(name),
        specimen=in_specimen("SER"),
    )
    before = record(history=(result("700 U/mL", laboratory=name[::-1]),))
    card = card_on(draft, given_record=before, knowledge=knowledge)
    assert len(card.summary) <= 139
    assert "\n" not in card.summary
    assert "<" not in card.detail
    assert "://" not in card.detail.replace("https://doi.org/", "").replace("https://pubmed", "")


def test_the_same_advice_has_the_same_ids_and_another_caller_other_ones() -> None:
    found = advised(order(ANY))
    first = render_advice(found, SIL2R, scope="one")
    assert render_advice(found, SIL2R, scope="one") == first
    assert render_advice(found, SIL2R, scope="two")[0].uuid != first[0].uuid


def test_a_swap_is_taken_or_left_and_other_drafts_one_by_one() -> None:
    assert card_on(order(IL2_MASS)).selection is Selection.AT_MOST_ONE
    assert card_on(order(CSF)).selection is Selection.ANY


@pytest.mark.parametrize("draft", ORDERS, ids=lambda draft: draft.ref.resource)
def test_no_card_from_knowledge_past_its_review_is_served_silently(
    draft: DraftOrder | InvalidResource,
) -> None:
    assert "2027-05-31" in card_on(draft, at=date(2027, 6, 1)).detail
    assert "2027-05-31" not in card_on(draft).detail


# ---------------------------------------------------------------- the table is proved


def test_an_analyte_without_orders_loads_and_says_nothing() -> None:
    base = toy.knowledge()
    prove(base)
    assert base.order_table == OrderTable()
    drafts: list[DraftOrder | InvalidResource] = [
        order(toy.SAP_POINTS),
        order(toy.LOOK_ALIKE, place=1),
        order(toy.LOOK_ALIKE, toy.SAP_POINTS, place=2),
        order(toy.SAP_POINTS, place=3, subject=Subject.ANOTHER_PATIENT),
        invalid("x"),
    ]
    found = advised(*drafts, knowledge=base)
    assert found.advice == ()
    assert len(found.skipped) == len(drafts)


TOY_ORDERS = """
[[advice]]
id = "order-sap"
rank = 1
claim = "Sap rises in spring."
sources = ["toy-2020"]
[advice.when]
order = "analyte"
specimen = "sap"
"""
TOY_WORDS = {
    "order-sap": "## headline\n\nsap\n\n## says\n\nSap {code}.\n\n## next\n\nWait.\n",
    "order-line": "## headline\n\n{name} {code}\n\n## says\n\n{name} {code}\n",
}


def toy_with(orders: str, **words: str) -> KnowledgeBase:
    texts = {**TOY_WORDS, **{name.replace("_", "-"): text for name, text in words.items()}}
    templates = {f"toy/templates/{name}.md": text for name, text in texts.items()}
    return toy.read({**toy.files(), **templates, "toy/orders.toml": orders})


def test_a_second_analyte_advises_by_its_own_table() -> None:
    base = toy_with(TOY_ORDERS)
    prove(base)
    advice = advice_on(order(toy.SAP_POINTS), knowledge=base)
    assert ids(advice) == ["order-sap"]
    (card,) = render_advice(Advised((advice,)), base, scope="toy")
    assert f"Sap {toy.SAP_POINTS}." in card.detail


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"toy-2020"', '"nobody-1900"', "'nobody-1900' does not exist"),
        ('specimen = "sap"', 'specimen = "milk"', "'milk' does not exist"),
        ('specimen = "sap"', 'mood = "good"', "'mood' does not exist"),
        ('specimen = "sap"', '"limit.sap-100" = "met"', "'limit.sap-100' does not exist"),
        ('order = "analyte"\n', "", "does not say for which orders"),
        ('order = "analyte"', 'order = "look-alike"', "nothing more is known"),
    ],
)
def test_a_fault_of_the_table_is_told_with_its_row(old: str, new: str, told: str) -> None:
    assert old in TOY_ORDERS
    found = list(faults(toy_with(TOY_ORDERS.replace(old, new))))
    assert any(told in fault.text and "orders.toml (order-sap)" in fault.where for fault in found)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ('[[swap]]\nrefused = "9000001-9"\n', "'9000001-9' does not exist"),
        ('[[swap]]\nrefused = "9000012-6"\n', "'9000012-6' does not exist"),
        ('[[swap]]\nrefused = "9000011-8"\norder = "x"\n', "'x' does not exist"),
        ('[[swap]]\nrefused = "9000011-8"\nloinc = "9654-5"\n', "'9654-5' does not exist"),
        ('[[order]]\nsuggestion = "x"\nspecimen = "sap"\n', "'x' does not exist"),
        ('[[pairing]]\nspecimen = "sap"\nsuggestions = ["x"]\n', "'x' does not exist"),
    ],
)
def test_a_swap_an_own_order_and_a_pairing_lead_to_rows_that_exist(rows: str, told: str) -> None:
    found = [fault.text for fault in faults(toy_with(TOY_ORDERS + rows))]
    assert any(told in text for text in found)


def test_a_template_that_asks_for_what_nothing_fills_is_a_fault() -> None:
    words = "## headline\n\nsap\n\n## says\n\n{performer}\n\n## next\n\nWait.\n"
    found = [fault.text for fault in faults(toy_with(TOY_ORDERS, order_sap=words))]
    assert any("{performer}" in text for text in found)
