"""Cards cite and use what their own words rest on, each for its own specimen."""

from __future__ import annotations

import re

import pytest

from cds_service.core.card import Card
from cds_service.core.elements import ResourceRef
from tests import records
from tests.unit.cards.given import (
    CSF_MASS,
    CSF_U,
    LABCORP,
    SERUM_MASS,
    SERUM_U,
    card,
    drawn,
    recorded,
    result,
    up_to,
)
from tests.unit.cards.wording import words

# ------------------------------------------------------------------ numbers of the other specimen


@pytest.mark.parametrize(
    ("value", "loinc", "limit"),
    [("30 U/mL", CSF_U, "57.6 U/mL"), ("100 pg/mL", CSF_MASS, "120 pg/mL")],
)
def test_a_csf_card_within_the_range_does_not_speak_of_blood_donors(
    value: str, loinc: str, limit: str
) -> None:
    said = card(value, loinc, up_to(*limit.split())).detail
    assert "leaves HLH, lymphoma, sarcoidosis and CNS disease open" in said
    assert "blood donors" not in said
    assert "891" not in said


def test_a_serum_card_within_the_range_says_who_the_healthy_people_were() -> None:
    said = card("300 U/mL", SERUM_U, up_to("710", "U/mL")).detail
    assert "the range of blood donors reached twice as high" in said


def test_the_spread_of_the_upper_limits_of_serum_in_mass_units_is_told_of_nothing_else() -> None:
    spread = "differ up to ten-fold in mass units"
    in_csf = card("80 U/mL", CSF_U, up_to("57.6", "U/mL")).detail
    assert "neither the value nor the multiple can be compared between laboratories" in in_csf
    assert spread not in in_csf
    in_units = card("900 U/mL", SERUM_U, up_to("710", "U/mL"))
    assert spread not in in_units.detail
    assert "ARUP" not in sources(in_units)
    in_mass = card("900 pg/mL", SERUM_MASS, up_to("858.2", "pg/mL"))
    assert spread in in_mass.detail
    assert "ARUP" in sources(in_mass)


# ------------------------------------------------------------------ a figure with its conditions


@pytest.mark.parametrize("context", [(), ("condition.subarachnoid-haemorrhage",)])
def test_the_93_percent_of_csf_always_brings_its_conditions(context: tuple[str, ...]) -> None:
    said = card("400 pg/mL", CSF_MASS, **recorded(*context)).detail
    assert said.count("93%") == 1
    assert (
        "11 patients with neurosarcoidosis the limit separated untreated ones from non-infectious "
        "CNS disease with an accuracy of 93%: neither a sensitivity nor a specificity"
    ) in said


def test_patients_of_a_study_are_not_called_samples_nor_two_groups_the_whole_study() -> None:
    said = card("400 pg/mL", CSF_MASS).detail
    assert "139 paired samples of CSF and serum from 11 neurosarcoidosis, 21 MS" in said
    sarcoidosis = recorded("condition.sarcoidosis")
    said = card("900 U/mL", SERUM_U, up_to("710", "U/mL"), **sarcoidosis).detail
    assert "17 with tuberculous and 15 with reactive lymph nodes: sensitivity 48.5%" in said
    assert "healthy: sens" not in said  # the healthy were in another comparison


def test_what_an_abstract_says_of_some_is_not_said_of_all() -> None:
    """Of the 11 of one study nobody knows how many were untreated; in another half of the samples,
    not of the patients, showed production inside the CNS; in a third the creatinine counted in
    patients with a systemic disease.
    """
    texts = words()
    assert not [name for name, text in texts.items() if re.search("11 .*untreated pat", text)]
    assert "half of the samples of 23 patients" in texts["csf-serum-pair"]
    for name in ("context-renal-impairment", "order-renal-impairment"):
        assert "those who also had a systemic disease" in texts[name]
        assert "whatever the renal disease" not in texts[name]


# ------------------------------------------------------------------ sources of what is said


def sources(of: Card) -> str:
    return of.detail.partition("**Sources**")[2]


def test_a_csf_card_in_units_cites_the_studies_of_csf_that_it_speaks_of() -> None:
    cited = sources(card("80 U/mL", CSF_U, up_to("57.6", "U/mL")))
    for study_of_csf in ("Otto C", "Petereit H-F", "Zhao Y"):
        assert study_of_csf in cited
    for page_about_serum in ("Gottschalk R", "ARUP", "Henter J-I"):
        assert page_about_serum not in cited


def test_a_serum_card_in_mass_units_cites_the_criterion_that_it_leaves_open() -> None:
    said = card("900 pg/mL", SERUM_MASS, up_to("858.2", "pg/mL"))
    assert "the sIL-2R criterion of HLH-2004" in said.detail
    assert "Henter J-I" in sources(said)


def test_a_serum_card_with_sarcoidosis_cites_no_study_of_csf_markers() -> None:
    sarcoidosis = recorded("condition.sarcoidosis", "medication.corticosteroids")
    cited = sources(card("900 U/mL", SERUM_U, up_to("710", "U/mL"), **sarcoidosis))
    assert "Khoury J" not in cited
    assert "Petereit H-F" not in cited
    in_csf = sources(card("400 pg/mL", CSF_MASS, **sarcoidosis))
    assert "Khoury J" in in_csf
    assert "Petereit H-F" in in_csf


CHILD = {"patient": records.born("2014-01-01")}


def test_a_childs_card_in_mass_units_cites_no_study_of_figures_in_units() -> None:
    of_figures_in_units = ("Lin M", "Cincinnati Children's", "Seattle Children's")
    in_mass = card("900 pg/mL", SERUM_MASS, up_to("858.2", "pg/mL"), **CHILD)
    assert "U/mL below 3 years" not in in_mass.detail
    assert [name for name in of_figures_in_units if name in sources(in_mass)] == []
    assert "Mayo Clinic Laboratories" in sources(in_mass)
    in_units = card("900 U/mL", SERUM_U, up_to("710", "U/mL"), **CHILD)
    assert "U/mL below 3 years" in in_units.detail
    assert [name for name in of_figures_in_units if name not in sources(in_units)] == []


def test_a_sentence_that_a_context_shortens_leaves_its_sources_away() -> None:
    """Weakened, the card names no causes of a raised value, so it cites no study of them."""
    up = up_to("858.2", "pg/mL")
    full = card("900 pg/mL", SERUM_MASS, up)
    weakened = card("900 pg/mL", SERUM_MASS, up, **recorded("condition.dialysis"))
    causes, study = "Among them are infection, malignancy", "Grutters JC"
    assert (causes in full.detail, study in sources(full)) == (True, True)
    assert (causes in weakened.detail, study in sources(weakened)) == (False, False)


def test_a_limit_that_is_left_open_brings_the_source_of_its_number_alone() -> None:
    """The card tells whose limit it is, and no figure of how well it performed."""
    cited = sources(card("<200 pg/mL", CSF_MASS))
    assert "Petereit H-F" in cited
    assert "Otto C" not in cited
    assert "Zhao Y" not in cited


def test_a_range_that_is_left_open_alone_brings_the_source_of_what_below_a_number_means() -> None:
    ageless = records.born("")
    said = card("<100 U/mL", SERUM_U, up_to("90", "U/mL"), patient=ageless)
    assert said.extension["findings"] == ["threshold-indeterminate"]
    assert "HL7 FHIR Release 4: Observation and Quantity" in sources(said)


# ------------------------------------------------------------------ what was used


def used(of: Card) -> str:
    return of.detail.partition("**Used**")[2].partition("\n\n**")[0]


def test_a_ferritin_that_no_sentence_rests_on_is_not_called_used() -> None:
    ferritin = drawn("ferritin 50000 ng/mL")
    in_mass = card("700 pg/mL", SERUM_MASS, up_to("858.2", "pg/mL"), companions=ferritin)
    assert "Observation/ferritin" not in used(in_mass)
    counted = card("700 U/mL", SERUM_U, LABCORP, companions=ferritin)
    assert "Observation/ferritin" in used(counted)


@pytest.mark.parametrize(
    ("version", "told"),
    [("2", "Observation/r (version 1, 2026-03-01)"), ("1", "Observation/r (version 1)")],
)
def test_a_result_is_used_with_its_own_date_and_never_with_that_of_another_version(
    version: str, told: str
) -> None:
    other = ResourceRef("Observation/r", version)
    before = result("9000 U/mL", ref=other, on="2026-02-01")
    assert used(card("9000 U/mL", history=(before,))).strip() == told


def test_a_code_that_is_too_coarse_is_used_where_the_card_names_what_it_lacks() -> None:
    leukaemia = recorded("condition.atl")
    said = card("5000 U/mL", SERUM_U, LABCORP, **leukaemia)
    assert "clinical type of ATL (the recorded code does not tell it)" in said.detail
    (condition,) = leukaemia["entries"]
    assert condition.ref.resource in used(said)
