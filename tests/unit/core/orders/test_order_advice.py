"""What is said about a draft order itself: its codes, its specimen, whose it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.elements import Coding, ResourceRef, SpecimenGiven, SpecimenLink
from cds_service.core.facts.result import fact_domains
from cds_service.core.knowledge import LOINC
from cds_service.core.model import InvalidResource, PatientRecord, Subject
from cds_service.core.orders.facts import order_fact_domains
from cds_service.core.orders.order import DraftOrder
from cds_service.core.orders.swap import NoSwap
from cds_service.core.schema import OrderCode
from cds_service.core.verdict import NotInterpretable, OrderAdvised, Reason, WrongAnalyte
from tests.packaged import SIL2R
from tests.records import born, record
from tests.unit.core.orders.ordering import (
    ANY,
    CSF,
    FERRITIN,
    IL2_MASS,
    SERUM,
    advice_on,
    advised,
    at_laboratory,
    card_on,
    ids,
    in_specimen,
    invalid,
    order,
    result,
    told,
)

# ------------------------------------------------------------------ silence has a reason


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


# ------------------------------------------------------------------ its codes


def test_a_local_code_for_interleukin_2_is_interleukin_2() -> None:
    local = replace(SIL2R, local_codes={("urn:oid:2.999.2", "IL2"): IL2_MASS})
    draft = order(codings=(Coding("urn:oid:2.999.2", "IL2"),))
    assert advice_on(draft, knowledge=local).verdict == WrongAnalyte(IL2_MASS)


def test_codes_of_both_tests_are_told_and_nothing_is_swapped() -> None:
    advice = advice_on(order(IL2_MASS, SERUM))
    assert ids(advice) == ["order-codes-conflict"]
    assert advice.verdict == OrderAdvised()
    assert advice.swap == NoSwap()
    for other in (CSF, FERRITIN):
        assert ids(advice_on(order(SERUM, other))) == ["order-codes-conflict"]


def test_the_site_s_ordering_code_of_another_test_contradicts_too() -> None:
    """The albumin of the draft itself counted as the one that belongs beside it."""
    site = OrderCode(system="urn:oid:2.999.2", code="ALB-L", display="albumin CSF")
    knowledge = replace(SIL2R, orders={"albumin-csf": site})
    for code, told_ in ((CSF, "order-codes-conflict"), (IL2_MASS, "order-wrong-analyte")):
        both = (Coding(LOINC, code), Coding(site.system, site.code))
        advice = advice_on(order(codings=both), knowledge=knowledge)
        assert (ids(advice), advice.swap) == ([told_], NoSwap())


@pytest.mark.parametrize("other", ["76039-7", ANY], ids=["another unit", "no specimen of its own"])
def test_two_codes_of_one_specimen_are_one_order(other: str) -> None:
    for draft in (order(SERUM, other), order(other, SERUM)):
        assert advised(draft).advice == ()


# ------------------------------------------------------------------ the specimen (T-103)

IN_CSF = in_specimen("CSF")
INVALID_CSF = replace(IN_CSF, link=SpecimenLink.INVALID)
UNCERTAIN_CSF = replace(IN_CSF, link=SpecimenLink.UNCERTAIN)


@pytest.mark.parametrize(
    ("draft", "asked"),
    [
        (order(ANY), "order-specimen-not-named"),
        (order(SERUM, specimen=in_specimen("CSF")), "order-specimen-conflict"),
        (order(SERUM, specimen=INVALID_CSF), "order-specimen-conflict"),
        (order(SERUM, specimen=UNCERTAIN_CSF), "order-specimen-conflict"),
    ],
)
def test_an_order_whose_specimen_is_open_is_asked_to_name_it(draft: DraftOrder, asked: str) -> None:
    advice = advice_on(draft)
    assert ids(advice) == [asked]
    assert advice.missing == ("specimen",)
    assert advice.specimen == ""


@pytest.mark.parametrize(
    ("draft", "fact", "because"),
    [
        (order(ANY), "specimen", "no specimen is named"),
        (
            order(ANY, specimen=in_specimen("UR")),
            "specimen",
            "the specimen is of a kind that is not covered",
        ),
        (order(CSF), "specimen", "the order is for csf"),
        (order(CSF), "order", "the code is one of this analyte"),
        (order(SERUM, CSF), "order", "the codes name two different tests"),
        (
            order(IL2_MASS),
            "order",
            "the code is of a test that is mistaken for this analyte",
        ),
    ],
)
def test_the_trace_says_in_words_what_an_order_is_taken_for(
    draft: DraftOrder, fact: str, because: str
) -> None:
    assert advice_on(draft).facts[fact].because == because


def test_a_specimen_that_is_invalid_or_may_not_be_meant_settles_no_order() -> None:
    """With CSF settled, the serum that belongs to it would be asked for."""
    assert ids(advice_on(order(ANY, specimen=IN_CSF))) == ["order-csf-unpaired"]
    for given in (INVALID_CSF, UNCERTAIN_CSF):
        assert advised(order(ANY, specimen=given)).advice == ()


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
    assert told(draft) == expected


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


# ------------------------------------------------------------------ invalid, and another patient's


@pytest.mark.parametrize(
    "draft",
    [
        order(SERUM, performers=at_laboratory("laboratory A")),
        order(SERUM, performers=at_laboratory("Laboratory B")),
        order(SERUM, performers=at_laboratory(reference="Organization/1")),
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


def test_drafts_that_are_not_valid_fhir_are_one_card_that_says_where() -> None:
    advice = advice_on(invalid("a", SERUM), invalid("b"))
    assert advice.verdict == NotInterpretable(Reason.FHIR_INVALID, "ServiceRequest.subject")
    assert [ref.resource for ref in advice.inputs] == ["ServiceRequest/a", "ServiceRequest/b"]
    card = card_on(invalid("a", SERUM))
    assert card.summary == "sIL-2R: a draft order could not be read"
    assert "(at ServiceRequest.subject)" in card.detail
    assert card.extension["reason"] == "fhir-invalid"


def test_of_invalid_drafts_the_one_that_tells_most_is_named_first() -> None:
    entry = InvalidResource(ResourceRef("Bundle"), "Bundle.entry.resource")
    drafts = [entry, invalid("a"), invalid("b", SERUM), invalid("c", SERUM)]
    named = [f"ServiceRequest/{name}" for name in ("b", "c", "a")]
    for sent in (drafts, drafts[::-1]):
        advice = advice_on(*sent)
        assert advice.verdict == NotInterpretable(Reason.FHIR_INVALID, "ServiceRequest.subject")
        assert [ref.resource for ref in advice.inputs] == [*named, "Bundle"]


def test_knowledge_that_has_no_words_for_an_invalid_draft_leaves_it_aside_and_says_why() -> None:
    rows = tuple(row for row in SIL2R.order_table.advice if row.id != "order-invalid")
    wordless = replace(SIL2R, order_table=replace(SIL2R.order_table, advice=rows))
    found = advised(invalid("a", SERUM), invalid("b", "31123-3"), knowledge=wordless)
    assert found.advice == ()
    assert {skipped.ref.resource: skipped.because for skipped in found.skipped} == {
        "ServiceRequest/a": "it is not valid FHIR",
        "ServiceRequest/b": "not valid FHIR, and by its code for another test",
    }


def test_another_patient_s_order_is_silent_beside_a_card_and_without_content_alone() -> None:
    other = order(IL2_MASS, place=7, subject=Subject.ANOTHER_PATIENT)
    beside = advised(other, order(ANY))
    assert [ids(advice) for advice in beside.advice] == [["order-specimen-not-named"]]
    assert [skipped.because for skipped in beside.skipped] == [
        "its subject is not known to be this patient"
    ]
    card = card_on(other)
    assert card.extension["reason"] == "subject-mismatch"
    shown = str(card.as_json())
    assert "order-7" not in shown
    assert IL2_MASS not in shown
    assert "inputs" not in card.extension


def test_that_orders_of_another_patient_came_is_told_once() -> None:
    foreign = [order(IL2_MASS, place=n, subject=Subject.ANOTHER_PATIENT) for n in range(3)]
    unrelated = order("718-7", place=9, subject=Subject.ANOTHER_PATIENT)
    found = advised(unrelated, *foreign)
    assert [ids(advice) for advice in found.advice] == [["order-of-another-patient"]]
    assert len(found.skipped) == 3


def test_another_patient_s_order_for_another_test_is_nobody_s_business() -> None:
    assert advised(order("718-7", subject=Subject.ANOTHER_PATIENT)).advice == ()
