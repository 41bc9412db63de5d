"""The site file: every row is as strict as our own, and none changes a limit, a word, a source."""

from __future__ import annotations

from decimal import Decimal

import pytest

import fhir_fixtures
from cds_service.core.elements import Coding
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import CodedEntry, RecordKind
from cds_service.core.note import NoteKind
from cds_service.core.proof import faults
from cds_service.core.site.additions import concepts_behind
from cds_service.core.site.file import apply_site, read_site
from cds_service.knowledge.files import Library, with_site
from tests import toy
from tests.records import answer_to, entry, findings, named, notes, record, result
from tests.unit.core.site.site_rows import GOOD, SYSTEM, TOY, applied

TOY_CONTEXTS = toy.files()["toy/context.toml"]


def test_a_site_file_adds_and_the_result_is_proved_again() -> None:
    assert list(faults(applied(GOOD))) == []


def test_an_empty_site_file_changes_nothing() -> None:
    assert answer_to(result(), applied("")) == answer_to(result())


def test_a_table_that_is_there_and_empty_says_nothing() -> None:
    assert answer_to(result(), applied("[assay]\n[policy]\n[orders]\n")) == answer_to(result())


def test_a_local_code_is_read_as_the_loinc_code_it_stands_for() -> None:
    local = result(codings=(Coding(SYSTEM, "TOY-S"),))
    assert answer_to(local, applied(GOOD)).specimen == "sap"


def test_a_further_unit_is_read_with_its_factor_as_text_and_its_note_is_said() -> None:
    unit = applied(GOOD).units["Pkt/ml"]
    assert (unit.family, unit.factor, unit.ucum) == ("points", Decimal("0.5"), False)
    assert unit.assumed == "Laboratory A counts double."


def test_a_further_unit_stands_among_the_rows_that_are_shown_and_proved() -> None:
    assert [row.text for row in applied(GOOD).unit_rows] == [
        *(row.text for row in TOY.unit_rows),
        "Pkt/ml",
    ]


def test_the_factor_of_the_site_scales_the_results_of_its_laboratory_alone() -> None:
    """It was measured with the assay of that one."""
    for laboratory, told in (("Laboratory A", True), ("Laboratory B", False)):
        answer = answer_to(result("250 pt/mL", laboratory=laboratory), applied(GOOD))
        assert (NoteKind.ASSAY_FACTOR in notes(answer)) is told


def test_the_code_of_the_site_stands_in_the_drafts_of_its_suggestion(library: Library) -> None:
    row = f'[orders.ferritin]\nsystem = "{SYSTEM}"\ncode = "FERR"\ndisplay = "Ferritin"\n'
    base = apply_site(library.bases, read_site(row))["sil2r"]
    assert [(name, code.code) for name, code in base.orders.items()] == [("ferritin", "FERR")]


def test_rows_of_several_codes_and_units_are_all_taken() -> None:
    def rows(code: str, loinc: str, unit: str) -> str:
        return (
            f'[[code]]\nsystem = "{SYSTEM}"\ncode = "{code}"\nloinc = "{loinc}"\nnote = "n"\n'
            f'[[unit]]\ntext = "{unit}"\nfamily = "points"\nfactor = "1"\nnote = "n"\n'
        )

    base = applied(rows("ONE", toy.SAP_POINTS, "Pkt") + rows("TWO", toy.SAP_MASS, "pkt/mL"))
    assert [code for _, code in base.local_codes] == ["ONE", "TWO"]
    assert {"Pkt", "pkt/mL"} <= {row.text for row in base.unit_rows}


def test_a_local_specimen_code_means_its_kind() -> None:
    assert applied(GOOD).specimen_codes[SYSTEM, "TAU"] == "dew"


def test_the_policy_changes_where_the_site_says_so_and_nowhere_else() -> None:
    policy = applied(GOOD).policy
    assert (policy.look_back_days, policy.interpret_preliminary) == (30, True)
    assert (policy.muted_findings, policy.order_intent) == (("sap-high",), "order")
    partly = applied("[policy]\nlook_back_days = 7").policy
    assert (partly.look_back_days, partly.interpret_preliminary) == (7, False)


def test_limits_words_and_sources_are_never_changed() -> None:
    site = applied(GOOD)
    assert (site.limits, site.templates, site.sources) == (TOY.limits, TOY.templates, TOY.sources)
    assert (site.findings, site.contexts) == (TOY.findings, TOY.contexts)


# ------------------------------------------------------------------ what a condition row opens


def test_a_condition_row_names_a_concept_or_the_context_it_opens() -> None:
    assert concepts_behind(TOY, "mould") == [("condition", "mould")]
    assert concepts_behind(TOY, "sunlight") == [("medication", "sunlight")]
    assert concepts_behind(TOY, "nothing") == []


def test_a_context_of_a_name_of_its_own_stands_for_what_it_asks_of_the_record() -> None:
    """And not for the specimen or the age that it asks for as well."""
    when = '"condition.mould" = "recorded"'
    more = f'{when}, "medication.sunlight" = "recorded", specimen = "sap", "age.adult" = "yes"'
    context = TOY_CONTEXTS.replace('id = "context-mould"', 'id = "context-damp"')
    base = toy.read({**toy.files(), "toy/context.toml": context.replace(when, more)})
    assert concepts_behind(base, "damp") == [("condition", "mould"), ("medication", "sunlight")]


@pytest.mark.parametrize("drug", ["corticosteroids", "car-t"])
@pytest.mark.parametrize("kind", [RecordKind.CONDITION, RecordKind.MEDICATION])
def test_a_site_code_of_a_drug_counts_where_it_stands_on_the_problem_list_and_as_a_medication(
    library: Library, drug: str, kind: RecordKind
) -> None:
    """The hospital's own code for prednisolone is on the medication list, seldom a diagnosis."""
    text = f'[[condition]]\nsystem = "{SYSTEM}"\ncode = "DRUG1"\nmeans = "{drug}"\nnote = "Site"'
    base = apply_site(library.bases, read_site(text))["sil2r"]
    index = base.conditions if kind is RecordKind.CONDITION else base.medications
    assert index.of(Coding(SYSTEM, "DRUG1")) == {drug}


def recorded(means: str, code: str = "LOCAL-1", match: str = "exact") -> KnowledgeBase:
    row = f'system = "{toy.CONCEPTS}"\ncode = "LOCAL"\nmeans = "{means}"\nmatch = "{match}"\n'
    text = row.replace("LOCAL", code) + 'note = "Site"'
    return applied(f"[[condition]]\n{text}")


def fact_of(name: str, base: KnowledgeBase, *entries: CodedEntry) -> str:
    return answer_to(record(result(), entries=entries), base).facts[name].value


def test_a_site_code_opens_a_gate_that_no_standard_code_can() -> None:
    assert fact_of("condition.fine-mould", recorded("fine-mould"), entry("LOCAL-1")) == "recorded"


def test_a_site_code_of_a_medication_counts_among_medications() -> None:
    drug = entry("LOCAL-1", RecordKind.MEDICATION)
    assert fact_of("medication.sunlight", recorded("sunlight"), drug) == "recorded"


@pytest.mark.parametrize(("match", "value"), [("exact", "not-recorded"), ("prefix", "recorded")])
def test_a_site_code_takes_what_stands_below_it_only_where_it_says_so(
    match: str, value: str
) -> None:
    below = recorded("mould", match=match)
    assert fact_of("condition.mould", below, entry("LOCAL-12")) == value


def test_the_site_file_of_the_fixtures_is_accepted(library: Library) -> None:
    site = with_site(library, fhir_fixtures.site_path())
    assert site.bases["sil2r"].local_codes == {("urn:oid:2.999.2", "SIL2R-S"): "9654-5"}


def test_a_muted_finding_of_the_site_is_not_on_the_card() -> None:
    answer = answer_to(named("r", "250 pt/mL", laboratory="B"), applied(GOOD))
    assert "sap-high" not in findings(answer)
