"""Conditions and medications are matched by real codes in their own words, and by no trap.

Laboratory codes, units and companion tests: `test_code_tables.py`.
"""

from __future__ import annotations

import importlib
import re
import warnings

import pytest

from cds_service.core import schema
from tests.unit.cards.tables import SNOMED_CT, SNOMED_SPECIMENS, document, rows

with warnings.catch_warnings():
    # The package reads its own data by a deprecated function while it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    icd_10_cm = importlib.import_module("simple_icd_10_cm")

ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"

CONTEXTS_BY_CONDITION = {
    *("multiple-sclerosis", "sarcoidosis", "atl-meningeal", "nhl-meningeal", "cns-lymphoma"),
    *("subarachnoid-haemorrhage", "aseptic-meningitis", "sle", "hlh", "renal-impairment"),
    *("dialysis", "transplant", "hiv", "car-t", "infection", "corticosteroids"),
}
"""What the site file may name in `means`: contexts (docs/site-file.md)..."""

GATES_BY_CONDITION = {
    *("atl", "atl-chronic", "atl-smouldering", "indolent-atl", "nhl"),
    "haematological-malignancy",
}
"""... and the gates of findings."""

CONTEXTS_BY_MEDICATION = {
    *("il2-therapy", "anti-cd25-therapy", "t-cell-depleting-therapy", "corticosteroids", "car-t")
}

CONDITIONS = rows("conditions.toml", "condition", schema.Concept)
MEDICATIONS = rows("medications.toml", "medication", schema.Concept)
SNOMED_CONDITIONS = rows("snomed.toml", "condition", schema.Concept)
SNOMED_MEDICATIONS = rows("snomed.toml", "medication", schema.Concept)
CONCEPT_CODES = [
    code
    for concept in (*CONDITIONS, *MEDICATIONS, *SNOMED_CONDITIONS, *SNOMED_MEDICATIONS)
    for code in concept.code
]


def codes_of(system: str) -> list[schema.ConceptCode]:
    return [code for code in CONCEPT_CODES if code.system == system]


def named(concepts: list[schema.Concept], name: str) -> schema.Concept:
    (found,) = [concept for concept in concepts if concept.name == name]
    return found


# ------------------------------------------------------------------ conditions and medications


def test_every_context_and_gate_has_its_concept() -> None:
    assert {row.name for row in CONDITIONS} == CONTEXTS_BY_CONDITION | GATES_BY_CONDITION
    assert {row.name for row in MEDICATIONS} == CONTEXTS_BY_MEDICATION


@pytest.mark.parametrize("concepts", [CONDITIONS, MEDICATIONS], ids=["conditions", "medications"])
def test_concepts_are_unique_and_refer_to_each_other_by_name(
    concepts: list[schema.Concept],
) -> None:
    names = [concept.name for concept in concepts]
    assert len(set(names)) == len(names)
    for concept in concepts:
        assert {*concept.includes, *concept.undetermined_by} <= set(names) - {concept.name}
        assert set(concept.missing) <= {"atl-subtype"}
        assert bool(concept.missing) == bool(concept.undetermined_by)


def test_a_concept_has_a_code_or_says_that_there_is_none() -> None:
    silent = [c.name for c in (*CONDITIONS, *MEDICATIONS) if not (c.code or c.note)]
    assert silent == []


def test_a_code_stands_once_per_concept() -> None:
    for concept in (*CONDITIONS, *MEDICATIONS, *SNOMED_CONDITIONS, *SNOMED_MEDICATIONS):
        assert len({(code.system, code.code) for code in concept.code}) == len(concept.code)


@pytest.mark.parametrize("code", codes_of(ICD_10_CM), ids=lambda code: code.code)
def test_an_icd_10_cm_code_is_real_and_described_in_its_own_words(code: schema.ConceptCode) -> None:
    assert icd_10_cm.is_valid_item(code.code)
    assert icd_10_cm.get_description(code.code) == code.display


@pytest.mark.parametrize("code", codes_of(ICD_10_CM), ids=lambda code: code.code)
def test_a_category_is_matched_with_all_below_it_and_a_leaf_as_itself(
    code: schema.ConceptCode,
) -> None:
    leaf = icd_10_cm.is_leaf(code.code)
    assert code.match == ("exact" if leaf else "prefix")


@pytest.mark.parametrize(
    "code",
    [
        *("I69.0", "G03.9", "D76.3", "Z94.5", "Z94.6", "Z94.7", "Z76.82", "Z92.858", "Z92.859"),
        *("D89.83", "D89.831", "G92.0", "G92.05", "Z86.15", "B90", "Z85.6", "Z85.72", "D46", "D47"),
        *("Z79.51", "Z92.241", "Z92.25"),
    ],
)
def test_history_sequelae_and_ambiguous_codes_switch_nothing_on(code: str) -> None:
    rows = [(row.code, row.match) for row in codes_of(ICD_10_CM)]
    assert icd_10_cm.is_valid_item(code)
    assert (code, "exact") not in rows
    assert [c for c, match in rows if match == "prefix" and code.startswith(c)] == []


def test_a_code_for_all_variants_of_atl_leaves_the_indolent_ones_undetermined() -> None:
    indolent = named(CONDITIONS, "indolent-atl")
    assert indolent.code == ()
    assert indolent.includes == ("atl-chronic", "atl-smouldering")
    assert (indolent.undetermined_by, indolent.missing) == (("atl",), ("atl-subtype",))
    for name in indolent.includes:
        assert named(CONDITIONS, name).code == ()


def test_a_site_code_for_a_subtype_or_site_of_a_lymphoma_is_that_lymphoma_too() -> None:
    assert set(named(CONDITIONS, "atl").includes) == {
        *("atl-chronic", "atl-smouldering", "atl-meningeal")
    }
    assert named(CONDITIONS, "nhl").includes == ("nhl-meningeal",)
    assert {"atl", "nhl", "cns-lymphoma"} <= set(
        named(CONDITIONS, "haematological-malignancy").includes
    )


def test_haematological_malignancy_covers_c81_to_c96() -> None:
    concepts = {"haematological-malignancy", "nhl", "atl", "cns-lymphoma"}
    covered = {c.code for concept in CONDITIONS if concept.name in concepts for c in concept.code}
    assert set(icd_10_cm.get_children("C81-C96")) <= covered


@pytest.mark.parametrize("code", codes_of(ATC), ids=lambda code: code.code)
def test_an_atc_code_has_the_form_of_its_level(code: schema.ConceptCode) -> None:
    substance = re.fullmatch(r"[A-V]\d{2}[A-Z]{2}\d{2}", code.code)
    group = re.fullmatch(r"[A-V]\d{2}[A-Z]{1,2}", code.code)
    assert substance if code.match == "exact" else group


def test_systemic_corticosteroids_are_named_by_atc_groups_and_never_by_an_ingredient() -> None:
    rows = [*named(MEDICATIONS, "corticosteroids").code]
    assert [(row.system, row.code) for row in rows] == [(ATC, "H02AB"), (ATC, "H02B")]
    assert [c.name for c in SNOMED_MEDICATIONS if c.name == "corticosteroids"] == []


def test_moved_atc_codes_are_kept_beside_the_new_ones() -> None:
    found = {code.code for code in codes_of(ATC)}
    assert {"L04AA02", "L04AG01", "L01XX70", "L01XL03", "L01XX71", "L01XL04"} <= found


def test_car_t_products_are_listed_one_by_one() -> None:
    products = [code.code for code in codes_of(ATC) if code.code.startswith("L01XL")]
    assert products == [f"L01XL{number:02d}" for number in (3, 4, 5, 6, 7, 8, 12)]


@pytest.mark.parametrize("code", codes_of(RXNORM), ids=lambda code: code.code)
def test_an_rxnorm_code_is_a_number_matched_as_itself(code: schema.ConceptCode) -> None:
    assert re.fullmatch(r"[1-9]\d{0,7}", code.code)
    assert code.match == "exact"


# ------------------------------------------------------------------ SNOMED CT


def verhoeff_holds(number: str) -> bool:
    """The Verhoeff check of a SNOMED CT identifier, in the dihedral group of order 10."""

    def times(left: int, right: int) -> int:
        turned = (left + right if left < 5 else left - right) % 5
        return turned + (5 if (left < 5) != (right < 5) else 0)

    permutation = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    total = 0
    for place, digit in enumerate(reversed(number)):
        permuted = int(digit)
        for _ in range(place % 8):
            permuted = permutation[permuted]
        total = times(total, permuted)
    return total == 0


def snomed_ct_identifiers() -> list[str]:
    concepts = [row.code for row in codes_of(SNOMED_CT)]
    return concepts + [row.code for row in SNOMED_SPECIMENS]


@pytest.mark.parametrize("number", snomed_ct_identifiers())
def test_the_check_digit_of_a_snomed_ct_identifier_is_right(number: str) -> None:
    assert verhoeff_holds(number)
    assert not verhoeff_holds(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_snomed_ct_stands_in_its_own_file_under_its_notice() -> None:
    elsewhere = (*CONDITIONS, *MEDICATIONS)
    assert all(code.system != SNOMED_CT for concept in elsewhere for code in concept.code)
    own = (*SNOMED_CONDITIONS, *SNOMED_MEDICATIONS)
    assert {code.system for concept in own for code in concept.code} == {SNOMED_CT}
    assert {code.match for concept in own for code in concept.code} == {"exact"}
    assert "licence" in document("snomed.toml")["notice"]


@pytest.mark.parametrize(
    ("added", "base"),
    [(SNOMED_CONDITIONS, CONDITIONS), (SNOMED_MEDICATIONS, MEDICATIONS)],
    ids=["conditions", "medications"],
)
def test_a_snomed_ct_row_adds_codes_to_a_concept_that_exists(
    added: list[schema.Concept], base: list[schema.Concept]
) -> None:
    titles = {concept.name: concept.title for concept in base}
    for concept in added:
        assert concept.code
        assert concept.title == titles[concept.name]
        assert concept.includes == concept.undetermined_by == ()
