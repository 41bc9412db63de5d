"""The decision table: facts meet gates by equality, and every row says what became of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.finding import ConsideredRow, Finding, RowOutcome, Strength
from cds_service.core.model import Availability, PatientRecord, RecordKind
from cds_service.core.note import NoteKind
from cds_service.core.table import wanted
from cds_service.core.verdict import Answer
from tests import toy
from tests.records import (
    LOOKED_FOR,
    answer_to,
    born,
    companions,
    entry,
    findings,
    record,
    result,
    within,
)

TOY = toy.knowledge()
RANGE = (within("20", "90"),)


def row(answer: Answer, finding: str) -> ConsideredRow:
    (found,) = (row for row in answer.rows if row.finding == finding)
    return found


def finding(answer: Answer, name: str) -> Finding:
    (found,) = (finding for finding in answer.findings if finding.id == name)
    return found


def test_a_gate_wants_one_value_or_any_of_several() -> None:
    assert wanted({"pair": "paired"}, "pair") == ("paired",)
    assert wanted({"pair": ["paired", "alone"]}, "pair") == ("paired", "alone")


def test_every_row_of_the_table_is_considered_once() -> None:
    considered = [row.finding for row in answer_to(result()).rows]
    assert considered == [*(row.id for row in TOY.findings), *(row.id for row in TOY.contexts)]


def test_a_row_whose_gates_all_hold_fires() -> None:
    answer = answer_to(result("250 pt/mL"))
    assert row(answer, "sap-high").outcome is RowOutcome.MATCHED
    assert findings(answer) == {"sap-high", "no-laboratory-limit"}


def test_a_gate_that_speaks_against_it_keeps_a_row_silent() -> None:
    answer = answer_to(result("99 pt/mL"))
    assert row(answer, "sap-high").outcome is RowOutcome.NOT_MATCHED
    assert row(answer, "dew-high").outcome is RowOutcome.NOT_MATCHED


def test_a_limit_inside_the_interval_straddles_and_says_which() -> None:
    answer = answer_to(result("<200 pt/mL"))
    assert row(answer, "sap-high").outcome is RowOutcome.STRADDLED
    assert row(answer, "sap-not-high").outcome is RowOutcome.STRADDLED
    assert finding(answer, "threshold-indeterminate").about == ("sap-100",)


def test_each_straddled_limit_is_named_once() -> None:
    answer = answer_to(result(">50 pt/mL"))
    assert finding(answer, "threshold-indeterminate").about == ("sap-1000", "sap-100")


def test_a_straddled_range_of_the_laboratory_gives_none_of_its_four_findings() -> None:
    answer = answer_to(result(">50 pt/mL", ranges=RANGE))
    assert finding(answer, "threshold-indeterminate").about == (
        "sap-1000",
        "sap-100",
        "laboratory-range",
    )
    assert not {name for name in findings(answer) if name.endswith("-laboratory-limit")}


def test_a_limit_is_not_indeterminate_where_another_gate_closes_the_row() -> None:
    child = answer_to(record(result(">500 pt/mL"), patient=born("2015-01-01")))
    assert row(child, "sap-very-high").outcome is RowOutcome.NOT_MATCHED
    assert "threshold-indeterminate" not in findings(child)


def test_an_unknown_fact_leaves_a_row_unknown_and_names_what_is_missing() -> None:
    answer = answer_to(record(result("1500 pt/mL"), patient=born("")))
    assert row(answer, "sap-very-high").outcome is RowOutcome.UNKNOWN
    assert "birth-date" in answer.missing


def test_what_is_missing_is_not_named_where_it_would_settle_nothing() -> None:
    answer = answer_to(result("1500 pt/mL", ranges=RANGE))
    assert "atl-subtype" not in answer.missing
    coarse = answer_to(record(result("1500 pt/mL", ranges=RANGE), entries=(entry("M10"),)))
    assert "atl-subtype" in coarse.missing


def test_a_matched_row_names_what_it_could_not_count() -> None:
    counted = record(result(), companions=companions("ferritin 600 ng/mL"))
    assert {"triglycerides", "haemoglobin"} <= set(answer_to(counted).missing)


# ------------------------------------------------------------------ contexts


SUNLIGHT = entry("SUN", RecordKind.MEDICATION)


def sunlit(value: str) -> PatientRecord:
    return record(result(value, ranges=RANGE), entries=(SUNLIGHT,))


def test_a_context_weakens_the_wording_of_what_it_names_and_nothing_else() -> None:
    answer = answer_to(record(result("250 pt/mL", ranges=RANGE), entries=(entry("M10"),)))
    weakened = {f.id: f.weakened_by for f in answer.findings if f.strength is Strength.WEAKENED}
    assert weakened == {
        "sap-high": ("context-mould",),
        "above-laboratory-limit": ("context-mould",),
    }


def test_a_context_that_blocks_a_claim_keeps_it_off_the_card_and_says_so_in_the_trace() -> None:
    answer = answer_to(sunlit("50 pt/mL"))
    blocked = row(answer, "sap-not-high")
    assert (blocked.outcome, blocked.note) == (RowOutcome.BLOCKED, "context-sunlight")
    assert findings(answer) == {"within-laboratory-limit", "context-sunlight"}


def test_a_context_never_changes_a_number() -> None:
    plain, lit = (answer_to(given) for given in (record(result("50 pt/mL")), sunlit("50 pt/mL")))
    assert plain.facts["limit.sap-100"] == lit.facts["limit.sap-100"]


def test_a_context_needs_its_own_gate_to_be_known() -> None:
    unknown = {**LOOKED_FOR, "medications": Availability.MISSING}
    answer = answer_to(record(result("50 pt/mL"), availability=unknown))
    assert row(answer, "context-sunlight").outcome is RowOutcome.UNKNOWN
    assert row(answer, "sap-not-high").outcome is RowOutcome.MATCHED
    assert "medications" in answer.missing


# ------------------------------------------------------------------ muted by the site


@pytest.mark.parametrize("name", ["sap-high", "context-mould"])
def test_a_muted_finding_stays_in_the_trace_and_off_the_card(name: str) -> None:
    policy = TOY.policy.model_copy(update={"muted_findings": (name,)})
    given = record(result("250 pt/mL"), entries=(entry("M10"),))
    answer = answer_to(given, replace(TOY, policy=policy))
    muted = row(answer, name)
    assert (muted.outcome, muted.note) == (RowOutcome.MUTED, "muted by the site file")
    assert name not in findings(answer)


def hushed(given: PatientRecord, *muted: str) -> Answer:
    """The answer at a site that has muted these."""
    policy = TOY.policy.model_copy(update={"muted_findings": muted})
    return answer_to(given, replace(TOY, policy=policy))


def caveats(answer: Answer) -> list[object]:
    return [n.values["caveats"] for n in answer.notes if n.kind is NoteKind.CAVEAT_MUTED]


def test_a_muted_context_that_weakens_what_is_said_is_named_without_its_words() -> None:
    """The finding says less and points to the context: a reader must know to which."""
    mouldy = entry("M10")
    answer = hushed(record(result("250 pt/mL"), entries=(mouldy,)), "context-mould")
    assert finding(answer, "sap-high").weakened_by == ("context-mould",)
    assert caveats(answer) == [("context-mould",)]
    assert mouldy.ref in answer.inputs


def test_a_muted_context_that_keeps_a_claim_off_the_card_keeps_it_off_and_is_named() -> None:
    answer = hushed(sunlit("50 pt/mL"), "context-sunlight")
    assert "sap-not-high" not in findings(answer)
    assert caveats(answer) == [("context-sunlight",)]
    without_range = record(result("50 pt/mL"), entries=(SUNLIGHT,))
    assert caveats(hushed(without_range, "context-sunlight")) == [("context-sunlight",)]


def test_what_a_muted_context_rests_on_is_an_input_only_where_the_card_names_the_context() -> None:
    """A drug that hides the analyte is no ground of a value that is high all the same."""
    low, high = (hushed(sunlit(value), "context-sunlight") for value in ("50 pt/mL", "250 pt/mL"))
    assert SUNLIGHT.ref in low.inputs
    assert caveats(high) == []
    assert SUNLIGHT.ref not in high.inputs


def test_a_muted_context_that_changes_nothing_on_the_card_is_not_named() -> None:
    """Mould weakens findings of a high value: beside a low one it had only its own words."""
    low = hushed(record(result("50 pt/mL"), entries=(entry("M10"),)), "context-mould")
    silent = hushed(
        record(result("250 pt/mL"), entries=(entry("M10"),)), "context-mould", "sap-high"
    )
    assert caveats(low) == caveats(silent) == []


@pytest.mark.parametrize(
    ("value", "told"),
    [("250 pt/mL", [("sap-high",)]), ("50 pt/mL", []), ("<250 pt/mL", [])],
    ids=["it would warn", "it would not", "open anyway"],
)
def test_a_muted_warning_that_a_result_would_have_is_named_without_its_words(
    value: str, told: list[object]
) -> None:
    """Whoever reads the card sees that one is not there, and still learns when to call."""
    answer = hushed(record(result(value)), "sap-high")
    withheld = [n.values["warnings"] for n in answer.notes if n.kind is NoteKind.WARNING_MUTED]
    assert withheld == told
    assert "sap-high" not in findings(answer)
    calls = NoteKind.URGENT_IF_ILL in {note.kind for note in answer.notes}
    assert calls is (value != "50 pt/mL")


def test_what_was_missing_is_named_though_the_site_has_muted_the_finding() -> None:
    """A site that does not want "no range was sent" on the card still learns that none was."""
    policy = TOY.policy.model_copy(update={"muted_findings": ("no-laboratory-limit",)})
    answer = answer_to(result("250 pt/mL"), replace(TOY, policy=policy))
    assert "no-laboratory-limit" not in findings(answer)
    assert "laboratory-limit" in answer.missing


# ------------------------------------------------------------------ unit against code


def test_where_unit_and_code_contradict_only_the_laboratorys_range_is_consulted() -> None:
    answer = answer_to(result("250 pt/mL", toy.SAP_MASS, ranges=RANGE))
    assert findings(answer) == {"above-laboratory-limit"}
    assert {row.finding for row in answer.rows} == {
        "above-laboratory-limit",
        "within-laboratory-limit",
        "below-laboratory-limit",
        "no-laboratory-limit",
    }


def test_there_a_row_may_ask_for_the_specimen_and_the_unit_family_as_well() -> None:
    (above,) = (each for each in TOY.findings if each.id == "above-laboratory-limit")
    asks = {"specimen": "sap", "unit-family": "points", "laboratory-range": "above"}
    narrow = replace(TOY, findings=(above.model_copy(update={"when": asks}),))
    given = record(result("250 pt/mL", toy.SAP_MASS, ranges=RANGE))
    assert findings(answer_to(given, narrow)) == {"above-laboratory-limit"}


def test_there_too_the_site_may_mute_a_finding() -> None:
    policy = TOY.policy.model_copy(update={"muted_findings": ("above-laboratory-limit",)})
    given = record(result("250 pt/mL", toy.SAP_MASS, ranges=RANGE))
    assert findings(answer_to(given, replace(TOY, policy=policy))) == set()


def test_there_too_a_straddled_range_is_indeterminate() -> None:
    answer = answer_to(result(">50 pt/mL", toy.SAP_MASS, ranges=RANGE))
    assert findings(answer) == {"threshold-indeterminate"}
