"""Cards say what holds for their own specimen, with the sources and the data of what they say.

Read as the ward reads them, with the packaged knowledge. All patients are invented adults.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.card import Card
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import (
    CodedEntry,
    RecordKind,
    ReferenceRange,
    ResourceRef,
    SpecimenGiven,
)
from cds_service.core.render import render
from tests import records
from tests.safety.walk import CSF, SERUM, entries

SERUM_U, SERUM_MASS, CSF_MASS, CSF_U = "9654-5", "76039-7", "99768-4", "38352-1"


def card(
    knowledge: KnowledgeBase,
    value: str,
    loinc: str,
    ranges: tuple[ReferenceRange, ...] = (),
    **changes: Any,
) -> Card:
    """The one card about one result; `changes` are to the record around it."""
    fluid: SpecimenGiven = CSF if loinc in {CSF_MASS, CSF_U} else SERUM
    result = records.result(value, loinc, specimen=fluid, ranges=ranges)
    given = records.record(result, **changes)
    (only,) = render(records.evaluated(given, knowledge), knowledge, scope="s")
    return only


def recorded(knowledge: KnowledgeBase, *facts: str) -> dict[str, Any]:
    return {"entries": tuple(entries(knowledge)[fact] for fact in facts)}


def up_to(limit: str, unit: str) -> tuple[ReferenceRange, ...]:
    return (records.within("", limit, unit),)


# ------------------------------------------------------------------ numbers of the other specimen


@pytest.mark.parametrize(
    ("value", "loinc", "limit"),
    [("30 U/mL", CSF_U, "57.6 U/mL"), ("100 pg/mL", CSF_MASS, "120 pg/mL")],
)
def test_a_csf_card_within_the_range_does_not_speak_of_blood_donors(
    sil2r: KnowledgeBase, value: str, loinc: str, limit: str
) -> None:
    said = card(sil2r, value, loinc, up_to(*limit.split())).detail
    assert "leaves HLH, lymphoma, sarcoidosis and CNS disease open" in said
    assert "blood donors" not in said
    assert "891" not in said


def test_a_serum_card_within_the_range_says_who_the_healthy_people_were(
    sil2r: KnowledgeBase,
) -> None:
    assert (
        "that of blood donors reached twice as high"
        in card(sil2r, "300 U/mL", SERUM_U, up_to("710", "U/mL")).detail
    )


def test_the_spread_of_the_upper_limits_of_serum_is_not_told_of_csf(sil2r: KnowledgeBase) -> None:
    spread = "differ up to ten-fold in mass units"
    in_csf = card(sil2r, "80 U/mL", CSF_U, up_to("57.6", "U/mL")).detail
    assert "neither the value nor the multiple can be compared between laboratories" in in_csf
    assert spread not in in_csf
    assert spread in card(sil2r, "900 U/mL", SERUM_U, up_to("710", "U/mL")).detail


# ------------------------------------------------------------------ a figure with its conditions


@pytest.mark.parametrize("context", [(), ("condition.subarachnoid-haemorrhage",)])
def test_the_93_percent_of_csf_always_brings_its_conditions(
    sil2r: KnowledgeBase, context: tuple[str, ...]
) -> None:
    said = card(sil2r, "400 pg/mL", CSF_MASS, **recorded(sil2r, *context)).detail
    assert said.count("93%") == 1
    assert (
        "11 patients with untreated neurosarcoidosis the limit had an accuracy of 93% against "
        "non-infectious CNS disease: neither a sensitivity nor a specificity"
    ) in said


def test_patients_of_a_study_are_not_called_samples_nor_two_groups_the_whole_study(
    sil2r: KnowledgeBase,
) -> None:
    said = card(sil2r, "400 pg/mL", CSF_MASS).detail
    assert "139 paired samples of CSF and serum from 11 neurosarcoidosis, 21 MS" in said
    sarcoidosis = recorded(sil2r, "condition.sarcoidosis")
    said = card(sil2r, "900 U/mL", SERUM_U, up_to("710", "U/mL"), **sarcoidosis).detail
    assert "33 sarcoidosis, 17 tuberculosis, 15 reactive, 11 healthy: sensitivity 48.5%" in said


# ------------------------------------------------------------------ sources of what is said


def sources(of: Card) -> str:
    return of.detail.partition("**Sources**")[2]


def test_a_csf_card_in_units_cites_the_studies_of_csf_that_it_speaks_of(
    sil2r: KnowledgeBase,
) -> None:
    cited = sources(card(sil2r, "80 U/mL", CSF_U, up_to("57.6", "U/mL")))
    for study_of_csf in ("Otto C", "Petereit H-F", "Zhao Y"):
        assert study_of_csf in cited
    for page_about_serum in ("Gottschalk R", "ARUP", "Henter J-I"):
        assert page_about_serum not in cited


def test_a_serum_card_in_mass_units_cites_the_criterion_that_it_leaves_open(
    sil2r: KnowledgeBase,
) -> None:
    said = card(sil2r, "900 pg/mL", SERUM_MASS, up_to("858.2", "pg/mL"))
    assert "the sIL-2R criterion of HLH-2004" in said.detail
    assert "Henter J-I" in sources(said)


def test_a_serum_card_with_sarcoidosis_cites_no_study_of_csf_markers(sil2r: KnowledgeBase) -> None:
    sarcoidosis = recorded(sil2r, "condition.sarcoidosis", "medication.corticosteroids")
    cited = sources(card(sil2r, "900 U/mL", SERUM_U, up_to("710", "U/mL"), **sarcoidosis))
    assert "Khoury J" not in cited
    assert "Petereit H-F" not in cited
    in_csf = sources(card(sil2r, "400 pg/mL", CSF_MASS, **sarcoidosis))
    assert "Khoury J" in in_csf
    assert "Petereit H-F" in in_csf


CHILD = {"patient": records.born("2014-01-01")}


def test_a_childs_card_in_mass_units_cites_no_study_of_figures_in_units(
    sil2r: KnowledgeBase,
) -> None:
    of_figures_in_units = ("Lin M", "Cincinnati Children's", "Seattle Children's")
    in_mass = card(sil2r, "900 pg/mL", SERUM_MASS, up_to("858.2", "pg/mL"), **CHILD)
    assert "U/mL below 3 years" not in in_mass.detail
    assert [name for name in of_figures_in_units if name in sources(in_mass)] == []
    assert "Mayo Clinic Laboratories" in sources(in_mass)
    in_units = card(sil2r, "900 U/mL", SERUM_U, up_to("710", "U/mL"), **CHILD)
    assert "U/mL below 3 years" in in_units.detail
    assert [name for name in of_figures_in_units if name not in sources(in_units)] == []


def test_a_sentence_that_a_context_shortens_leaves_its_sources_away(sil2r: KnowledgeBase) -> None:
    """Weakened, the card names no causes of a raised value, so it cites no study of them."""
    up = up_to("858.2", "pg/mL")
    full = card(sil2r, "900 pg/mL", SERUM_MASS, up)
    weakened = card(sil2r, "900 pg/mL", SERUM_MASS, up, **recorded(sil2r, "condition.dialysis"))
    causes, study = "Among them infection, malignancy", "Active sarcoidosis cohort"
    assert (causes in full.detail, study in sources(full)) == (True, True)
    assert (causes in weakened.detail, study in sources(weakened)) == (False, False)


def test_a_limit_that_is_left_open_brings_the_source_of_its_number_alone(
    sil2r: KnowledgeBase,
) -> None:
    """The card tells whose limit it is, and no figure of how well it performed."""
    cited = sources(card(sil2r, "<200 pg/mL", CSF_MASS))
    assert "Petereit H-F" in cited
    assert "Otto C" not in cited
    assert "Zhao Y" not in cited


def test_a_range_that_is_left_open_alone_brings_the_source_of_what_below_a_number_means(
    sil2r: KnowledgeBase,
) -> None:
    ageless = records.born("")
    said = card(sil2r, "<100 U/mL", SERUM_U, up_to("90", "U/mL"), patient=ageless)
    assert said.extension["findings"] == ["threshold-indeterminate"]
    assert "HL7 FHIR Release 4: Observation and Quantity" in sources(said)


# ------------------------------------------------------------------ before and after the sample

LABCORP = (records.within("223", "710", "U/mL"),)
SAMPLE_DAY, TEN_DAYS_BEFORE, TEN_DAYS_LATER = records.DAY, "2026-02-19", "2026-03-11"


def treated(
    knowledge: KnowledgeBase, fact: str, on: str, kind: RecordKind = RecordKind.MEDICATION
) -> dict[str, tuple[CodedEntry, ...]]:
    """A treatment that is dated so."""
    what = entries(knowledge)[fact]
    return {"entries": (replace(what, kind=kind, since=records.moment(on)),)}


@pytest.mark.parametrize(
    ("fact", "kind"),
    [
        ("medication.t-cell-depleting-therapy", RecordKind.MEDICATION),
        ("condition.car-t", RecordKind.PROCEDURE),
    ],
)
def test_a_treatment_after_the_sample_does_not_take_weight_from_a_warning(
    sil2r: KnowledgeBase, fact: str, kind: RecordKind
) -> None:
    later = treated(sil2r, fact, TEN_DAYS_LATER, kind)
    said = card(sil2r, "12000 U/mL", SERUM_U, LABCORP, **later).detail
    assert "weighs less here" not in said
    assert "**Context**" not in said
    before = treated(sil2r, fact, TEN_DAYS_BEFORE, kind)
    assert "weighs less here" in card(sil2r, "12000 U/mL", SERUM_U, LABCORP, **before).detail


def test_basiliximab_ordered_after_the_sample_did_not_lower_its_value(
    sil2r: KnowledgeBase,
) -> None:
    drug = "medication.anti-cd25-therapy"
    later = card(sil2r, "600 U/mL", SERUM_U, LABCORP, **treated(sil2r, drug, TEN_DAYS_LATER))
    assert "HLH less likely" in later.summary
    same_day = card(sil2r, "600 U/mL", SERUM_U, LABCORP, **treated(sil2r, drug, SAMPLE_DAY))
    assert "HLH less likely" not in same_day.summary


def test_car_t_cells_count_although_their_request_is_completed(sil2r: KnowledgeBase) -> None:
    infused = treated(sil2r, "medication.car-t", TEN_DAYS_BEFORE, RecordKind.COURSE)
    said = card(sil2r, "12000 U/mL", SERUM_U, LABCORP, **infused).detail
    assert "The local cell-therapy protocol leads" in said


# ------------------------------------------------------------------ one context, all its findings


@pytest.mark.parametrize("condition", ["hiv", "infection", "dialysis"])
def test_what_raises_the_value_takes_weight_from_each_finding_on_the_card(
    sil2r: KnowledgeBase, condition: str
) -> None:
    given = recorded(sil2r, f"condition.{condition}", "condition.haematological-malignancy")
    ferritin = records.named("f", "5000 ng/mL", "2276-4")
    said = card(sil2r, "12000 U/mL", SERUM_U, LABCORP, companions=(ferritin,), **given).detail
    for weakly in (
        "so this figure may not hold here",
        "so the index weighs less here",
        "so this criterion weighs less here",
        "so this says less here",
    ):
        assert weakly in said


# ------------------------------------------------------------------ what was used


def used(of: Card) -> str:
    return of.detail.partition("**Used**")[2].partition("\n\n**")[0]


def test_a_ferritin_that_no_sentence_rests_on_is_not_called_used(sil2r: KnowledgeBase) -> None:
    ferritin = records.named("ferritin", "50000 ng/mL", "2276-4")
    in_mass = card(sil2r, "700 pg/mL", SERUM_MASS, up_to("858.2", "pg/mL"), companions=(ferritin,))
    assert "Observation/ferritin" not in used(in_mass)
    counted = card(sil2r, "700 U/mL", SERUM_U, LABCORP, companions=(ferritin,))
    assert "Observation/ferritin" in used(counted)


@pytest.mark.parametrize(
    ("version", "told"),
    [("2", "Observation/r (version 1, 2026-03-01)"), ("1", "Observation/r (version 1)")],
)
def test_a_result_is_used_with_its_own_date_and_never_with_that_of_another_version(
    sil2r: KnowledgeBase, version: str, told: str
) -> None:
    own, other = (ResourceRef("Observation/r", number) for number in ("1", version))
    head = records.result("9000 U/mL", SERUM_U, specimen=SERUM, ref=own)
    before = records.result("9000 U/mL", SERUM_U, specimen=SERUM, ref=other, on="2026-02-01")
    given = records.record(head, history=(before,))
    (said,) = render(records.evaluated(given, sil2r), sil2r, scope="s")
    assert used(said).strip() == told


def test_a_code_that_is_too_coarse_is_used_where_the_card_names_what_it_lacks(
    sil2r: KnowledgeBase,
) -> None:
    leukaemia = recorded(sil2r, "condition.atl")
    said = card(sil2r, "5000 U/mL", SERUM_U, LABCORP, **leukaemia)
    assert "clinical type of ATL (the recorded code does not tell it)" in said.detail
    (condition,) = leukaemia["entries"]
    assert condition.ref.resource in used(said)


# ------------------------------------------------------------------ what a context rests on


@pytest.mark.parametrize(
    ("context", "rests_on"),
    [
        (
            "medication.corticosteroids",
            "The study behind this is of CSF in neurosarcoidosis.",
        ),
        (
            "condition.sarcoidosis",
            "The consensus behind this, and the study of lower values, are on neurosarcoidosis.",
        ),
    ],
)
def test_a_blood_card_says_where_a_context_rests_on_the_nervous_system(
    sil2r: KnowledgeBase, context: str, rests_on: str
) -> None:
    blood = card(sil2r, "300 U/mL", SERUM_U, up_to("710", "U/mL"), **recorded(sil2r, context))
    csf = card(sil2r, "100 pg/mL", CSF_MASS, **recorded(sil2r, context))
    assert rests_on in blood.detail
    assert rests_on not in csf.detail
    assert "The limit published for CSF comes from" in csf.detail


def test_a_transplant_is_not_said_to_raise_the_value_by_itself(sil2r: KnowledgeBase) -> None:
    """Rejection and infection do; beside basiliximab nothing on the card would raise it."""
    both = ("condition.transplant", "medication.anti-cd25-therapy")
    said = card(sil2r, "900 U/mL", SERUM_U, up_to("710", "U/mL"), **recorded(sil2r, *both)).detail
    assert "The record names something that can explain a raised value (see Context)" in said
    assert "raises sIL-2R by itself" not in said


@pytest.mark.parametrize("value", ["<3000 U/mL", ">2000 U/mL"])
def test_dilution_is_spoken_of_for_what_lies_above_the_assay_and_not_for_what_lies_below(
    sil2r: KnowledgeBase, value: str
) -> None:
    said = card(sil2r, value, SERUM_U).detail
    assert "of a value above what its assay measures, after dilution" in said
