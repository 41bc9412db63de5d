"""How the items of HLH-2004 are counted: haemoglobin by age, triglycerides by fasting."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cds_service.core.card import Card
from cds_service.core.elements import Coding, NoMoment, Status
from cds_service.core.knowledge import LOINC
from cds_service.core.model import NoPatient, Patient
from tests import records
from tests.unit.cards.given import CODES, URGENT, card, card_beside, drawn

IF_ILL = "With fever, low or falling blood counts, or a large liver or spleen"

# ------------------------------------------------------------------ haemoglobin of a newborn


def item(told: Card, title: str) -> str:
    """What the count says of one item, after its title."""
    (line,) = [line for line in told.detail.splitlines() if line.strip().startswith(f"- {title}")]
    return line.partition("neutrophils below 1.0 x 10^9/L: ")[2] or line.partition("1.5 g/L: ")[2]


COUNTS = ("platelets 90 10*9/L", "neutrophils 3 10*9/L")
BELOW_90, BELOW_100 = "'below 90 g/L'", "'below 100 g/L' (below 4 weeks of age)"


@pytest.mark.parametrize(
    ("birth", "haemoglobin", "state", "against"),
    [
        ("2026-02-16", "95", "met", BELOW_100),
        ("2026-02-02", "99.9", "met", BELOW_100),
        ("2026-02-02", "100", "not met", BELOW_100),
        ("2026-02-01", "95", "not met", BELOW_90),
        ("1980-01-01", "95", "not met", BELOW_90),
        ("2026-02", "95", "unknown", f"{BELOW_90} or {BELOW_100}"),
        ("2026-03-02", "95", "unknown", f"{BELOW_90} or {BELOW_100}"),
        ("", "95", "unknown", f"{BELOW_90} or {BELOW_100}"),
        ("", "85", "met", BELOW_90),
        ("", "100", "not met", BELOW_90),
    ],
)
def test_below_four_weeks_of_age_haemoglobin_counts_below_100(
    birth: str, haemoglobin: str, state: str, against: str
) -> None:
    """Drawn on 1 March: born on 2 February is 27 days of age, on 1 February 28; and nobody is born
    after.
    """
    beside = (f"haemoglobin {haemoglobin} g/L", *COUNTS)
    told = card_beside("3000 U/mL", *beside, patient=records.born(birth))
    said = item(told, "Two of three")
    assert said.startswith(
        f"{state} (haemoglobin {haemoglobin} g/L of 2026-03-01 against {against}: "
    )


def test_where_the_age_decides_about_haemoglobin_the_birth_date_is_missing() -> None:
    born_in_february = {"patient": records.born("2026-02")}
    told = card_beside("3000 U/mL", "haemoglobin 95 g/L", *COUNTS, **born_in_february)
    assert "birth-date" in told.extension["missing"]
    told = card_beside("3000 U/mL", "haemoglobin 85 g/L", *COUNTS, **born_in_february)
    assert "birth-date" not in told.extension["missing"]


@pytest.mark.parametrize(
    ("patient", "missing"),
    [
        (records.born("2026-03-02"), {"birth-date"}),
        (records.born(""), {"birth-date"}),
        (records.NOBODY, {"patient"}),
    ],
)
def test_what_the_age_lacks_is_named_once_for_haemoglobin_as_for_the_adult_limits(
    patient: Patient | NoPatient, missing: set[str]
) -> None:
    """Drawn on 1 March: nobody is born on the day after."""
    told = card_beside("3000 U/mL", "haemoglobin 95 g/L", *COUNTS, patient=patient)
    assert {"patient", "birth-date"} & set(told.extension["missing"]) == missing


def test_haemoglobin_that_names_only_the_day_of_its_issue_is_counted_too() -> None:
    counts = [
        replace(count, collected=NoMoment(), issued=records.moment(records.DAY))
        for count in drawn("haemoglobin 85 g/L", *COUNTS)
    ]
    told = card("3000 U/mL", companions=tuple(counts))
    said = item(told, "Two of three")
    assert said.startswith(f"met (haemoglobin 85 g/L of {records.DAY} against {BELOW_90}: met; ")


@pytest.mark.parametrize(("haemoglobin", "used"), [(("haemoglobin 95 g/L",), True), ((), False)])
def test_the_patient_is_listed_as_used_where_the_limit_for_newborns_was_applied(
    haemoglobin: tuple[str, ...], *, used: bool
) -> None:
    """Drawn on 1 March, born in March: too little for an age, enough for the limit."""
    newborn = {"patient": records.born("2026-03")}
    told = card_beside("1500 U/mL", "ferritin 50000 ng/mL", *haemoglobin, *COUNTS, **newborn)
    named = [item["resource"] for item in told.extension["inputs"]]
    assert ("Patient/p" in named) is used


# ------------------------------------------------------------------ triglycerides, fasting or not


@pytest.mark.parametrize(
    ("triglycerides", "fibrinogen", "state", "each"),
    [
        ("triglycerides 400 mg/dL", "3.0", "met if fasting", ("met if fasting", "not met")),
        ("triglycerides 400 mg/dL", "0.8", "met", ("met if fasting", "met")),
        ("triglycerides 200 mg/dL", "3.0", "not met", ("not met", "not met")),
        ("triglycerides <300 mg/dL", "3.0", "unknown", ("unknown", "not met")),
        ("fasting triglycerides 3.0 mmol/L", "3.0", "met", ("met", "not met")),
        ("fasting triglycerides 2.9 mmol/L", "3.0", "not met", ("not met", "not met")),
    ],
)
def test_triglycerides_are_met_only_if_the_code_says_fasting_and_each_value_is_told(
    triglycerides: str, fibrinogen: str, state: str, each: tuple[str, str]
) -> None:
    told = card_beside("3000 U/mL", triglycerides, f"fibrinogen {fibrinogen} g/L")
    said = item(told, "Fasting triglycerides")
    assert said.startswith(f"{state} (triglycerides ")
    assert re.findall(r"2026-03-01: ([a-z ]+)", said) == list(each)


GENERAL, FASTING = Coding(LOINC, "14927-8"), Coding(LOINC, CODES["fasting triglycerides"])


@pytest.mark.parametrize(
    ("codings", "state"),
    [
        ((GENERAL,), "met if fasting"),
        ((GENERAL, FASTING), "met"),
        ((GENERAL, replace(FASTING, system="urn:oid:2.999.2")), "met if fasting"),
    ],
)
def test_one_code_of_loinc_that_says_fasting_is_enough(
    codings: tuple[Coding, ...], state: str
) -> None:
    triglycerides, fibrinogen = drawn("fasting triglycerides 3.1 mmol/L", "fibrinogen 3.0 g/L")
    labs = (replace(triglycerides, codings=codings), fibrinogen)
    told = card("3000 U/mL", companions=labs)
    assert item(told, "Fasting triglycerides").startswith(f"{state} (triglycerides ")


def test_what_is_met_only_if_fasting_leads_no_card_but_is_not_passed_over() -> None:
    fed = card_beside("600 U/mL", "ferritin 50000 ng/mL", "triglycerides 400 mg/dL")
    assert "urgently" not in fed.summary
    assert fed.detail.count(IF_ILL) == 1
    fasting = card_beside("600 U/mL", "ferritin 50000 ng/mL", "fasting triglycerides 4.5 mmol/L")
    assert URGENT in fasting.detail


# ------------------------------------------------------------------ an item that may be the second


@pytest.mark.parametrize(
    "second",
    [
        "platelets 20 10*9/L",
        "haemoglobin 70 g/L",
        "triglycerides 400 mg/dL",
        "fibrinogen <1.6 g/L",
    ],
)
@pytest.mark.parametrize("status", [Status.FINAL, Status.PRELIMINARY])
def test_what_may_be_the_second_item_is_said_to_matter_whether_final_or_not(
    second: str, status: Status
) -> None:
    """A final result must not be the calmer one."""
    ferritin, other = drawn("ferritin 50000 ng/mL", second)
    told = card("600 U/mL", companions=(ferritin, replace(other, status=status)))
    assert told.detail.count(IF_ILL) == 1
    assert "urgently" not in told.summary
    assert told.indicator.value == "info"


@pytest.mark.parametrize(
    "beside",
    [
        ("platelets 20 10*9/L", "triglycerides 400 mg/dL"),
        ("ferritin 50000 ng/mL", "platelets 101 10*9/L"),
        ("ferritin 50000 ng/mL", "fibrinogen 3.0 g/L"),
        (
            "ferritin 50000 ng/mL",
            "platelets 20 10*9/L",
            "haemoglobin 130 g/L",
            "neutrophils 4 10*9/L",
        ),
    ],
)
def test_without_one_that_is_met_or_another_that_may_be_nothing_is_said(
    beside: tuple[str, ...],
) -> None:
    assert URGENT not in card_beside("600 U/mL", *beside).detail


# ------------------------------------------------------------------ one line of several


@pytest.mark.parametrize(
    ("beside", "title", "said"),
    [
        ("platelets 45 10*9/L", "Two of three", r"unknown \(platelets 45 .*2026-03-01: met\)"),
        ("fibrinogen 3.1 g/L", "Fasting", r"unknown \(fibrinogen 3.1 .*2026-03-01: not met\)"),
        ("fibrinogen 0.9 g/L", "Fasting", r"met \(fibrinogen 0.9 g/L of 2026-03-01\)"),
    ],
)
def test_a_line_that_is_known_is_told_where_its_item_is_not(
    beside: str, title: str, said: str
) -> None:
    """As if nobody could tell whether platelets of 45 are below 100: "unknown" is the item."""
    assert re.fullmatch(said, item(card_beside("5230 U/mL", beside), title))


# ------------------------------------------------------------------ the count in the summary

FERRITIN, FIBRINOGEN = "ferritin 50000 ng/mL", "fibrinogen 0.9 g/L"
LOW_COUNTS = ("haemoglobin 79 g/L", "platelets 45 10*9/L")


@pytest.mark.parametrize(
    ("value", "beside", "ending"),
    [
        ("5230 U/mL", (), "meets one HLH-2004 criterion (5 of 8 needed)"),
        ("5230 U/mL", ("ferritin 88 ng/mL",), "meets one HLH-2004 criterion (5 of 8 needed)"),
        ("5230 U/mL", (FERRITIN,), "(5 of 8 needed); with other results 2 HLH-2004 criteria met"),
        (
            "12400 U/mL",
            (FERRITIN, FIBRINOGEN, *LOW_COUNTS),
            "HLH, malignancy or sepsis?; with other results 4 HLH-2004 criteria met",
        ),
    ],
)
def test_a_warning_counts_in_its_summary_what_other_results_meet(
    value: str, beside: tuple[str, ...], ending: str
) -> None:
    assert card_beside(value, *beside).summary.endswith(ending)


def test_what_is_met_on_a_condition_or_by_one_of_two_results_is_not_counted() -> None:
    beside = ("triglycerides 400 mg/dL", "ferritin 480 ng/mL", FERRITIN)
    told = card_beside("5230 U/mL", *beside)
    assert told.summary.endswith("meets one HLH-2004 criterion (5 of 8 needed)")
    assert "within 7 days: 1 met; of all eight criteria five are needed." in told.detail


def test_where_nothing_else_leads_the_summary_tells_how_many_items_are_met() -> None:
    """A child's value below the criterion, without a range to compare it with."""
    told = card_beside("900 U/mL", "ferritin 50000 ng/mL", patient=records.born("2018-05-01"))
    assert told.summary.endswith(": HLH-2004 laboratory items met: 1; HLH stays open")
