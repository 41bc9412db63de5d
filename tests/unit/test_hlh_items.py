"""Signs of HLH in the same request as the result: they are told, whatever the number says.

Read as the ward reads them, with the packaged knowledge. All patients are invented.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.card import Card
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.model import (
    Coding,
    LabResult,
    NoMoment,
    NoPatient,
    NoValue,
    Patient,
    PatientRecord,
    ReferenceRange,
    Status,
)
from cds_service.core.render import render
from cds_service.hooks.suggestions import with_suggestions
from tests import records
from tests.safety.walk import CSF, SERUM, SPECIMENS, entries

SERUM_U, SERUM_MASS, CSF_MASS, CSF_U = "9654-5", "76039-7", "99768-4", "38352-1"
CODES = {
    "ferritin": "2276-4",
    "triglycerides": "2571-8",
    "fasting triglycerides": "47210-0",
    "fibrinogen": "3255-7",
    "haemoglobin": "718-7",
    "platelets": "777-3",
    "neutrophils": "751-8",
}
URGENT = "discuss the patient urgently with a specialist"
LEADS = "other HLH-2004 items are met, discuss urgently"
FERRITIN, FIBRINOGEN = "ferritin 50000 ng/mL", "fibrinogen 0.8 g/L"
UNKNOWN_FLUID = records.specimen("no-such-code", system=SPECIMENS)
CYTOPENIA = ("haemoglobin 70 g/L", "platelets 20 10*9/L")


def labs(*values: str) -> tuple[LabResult, ...]:
    """`ferritin 50000 ng/mL`, drawn with the result."""
    told = (value.rsplit(" ", 2) for value in values)
    return tuple(
        records.named(name.replace(" ", "-"), f"{amount} {unit}", CODES[name])
        for name, amount, unit in told
    )


def given(
    value: str,
    *beside: str,
    loinc: str = SERUM_U,
    ranges: tuple[ReferenceRange, ...] = (),
    **changes: Any,
) -> PatientRecord:
    """An adult's result and what was drawn with it; `changes` are to the record around it."""
    fluid = CSF if loinc in {CSF_MASS, CSF_U} else SERUM
    result = records.result(value, loinc, specimen=fluid, ranges=ranges)
    return records.record(result, companions=labs(*beside), **changes)


def card(knowledge: KnowledgeBase, record: PatientRecord) -> Card:
    """The one card, with its drafts."""
    evaluation = records.evaluated(record, knowledge)
    cards = render(evaluation, knowledge, scope="s")
    (only,) = with_suggestions(cards, evaluation, knowledge, "p")
    return only


def drafts(told: Card) -> list[str]:
    return [suggestion["label"] for suggestion in told.suggestions]


# ------------------------------------------------------------------ never only a reassuring card


@pytest.mark.parametrize(
    ("value", "loinc", "range_"),
    [
        ("600 U/mL", SERUM_U, ("223", "710", "U/mL")),
        ("1600 U/mL", SERUM_U, ("223", "710", "U/mL")),
        (">2000 U/mL", SERUM_U, ("223", "710", "U/mL")),
        ("700 pg/mL", SERUM_MASS, ("175.3", "858.2", "pg/mL")),
        ("70000 pg/mL", SERUM_MASS, ("175.3", "858.2", "pg/mL")),
        ("100 pg/mL", CSF_MASS, ("", "120", "pg/mL")),
        ("30 U/mL", CSF_U, ("", "57.6", "U/mL")),
    ],
)
def test_two_other_items_met_are_urgent_in_every_unit_and_specimen(
    sil2r: KnowledgeBase, value: str, loinc: str, range_: tuple[str, str, str]
) -> None:
    ranges = (records.within(*range_),)
    told = card(sil2r, given(value, FERRITIN, *CYTOPENIA, loinc=loinc, ranges=ranges))
    assert told.summary.endswith(f": {LEADS}")
    assert told.detail.count(URGENT) == 1
    assert "(ferritin 50000 ng/mL, haemoglobin 70 g/L, platelets 20 10\\*9/L)" in told.detail
    assert "Henter J-I" in told.detail
    assert drafts(told)[0] == "Call haematology (HLH)"
    assert not {"Ferritin"} & set(drafts(told))
    assert told.indicator.value == "info"


def test_an_ill_infant_whose_value_lies_within_the_range_for_the_age_is_urgent(
    sil2r: KnowledgeBase,
) -> None:
    range_ = (records.within("398", "1940", "U/mL"),)
    infant = {"patient": records.born("2025-08-01")}
    told = card(sil2r, given("1500 U/mL", FERRITIN, FIBRINOGEN, ranges=range_, **infant))
    assert told.summary == f"sIL-2R 1500 U/mL (serum/plasma): {LEADS}"


def test_under_basiliximab_the_blocked_sentence_leaves_no_quiet_card(sil2r: KnowledgeBase) -> None:
    drug = (entries(sil2r)["medication.anti-cd25-therapy"],)
    told = card(sil2r, given("1600 U/mL", FERRITIN, FIBRINOGEN, entries=drug))
    assert told.summary.endswith(LEADS)
    assert URGENT in told.detail


@pytest.mark.parametrize(
    "beside",
    [(FERRITIN,), CYTOPENIA, (FERRITIN, "haemoglobin 70 g/L"), (FERRITIN, "platelets 101 10*9/L")],
)
def test_one_item_alone_is_common_and_calls_for_no_alarm(
    sil2r: KnowledgeBase, beside: tuple[str, ...]
) -> None:
    told = card(sil2r, given("600 U/mL", *beside))
    assert "HLH less likely" in told.summary
    assert URGENT not in told.detail


def test_a_warning_says_by_itself_that_hours_count(sil2r: KnowledgeBase) -> None:
    for value in ("3000 U/mL", "12000 U/mL"):
        told = card(sil2r, given(value, FERRITIN, *CYTOPENIA))
        assert told.indicator.value == "warning"
        assert LEADS not in told.summary


def test_a_warning_about_csf_is_about_other_diseases_and_the_items_are_told_beside_it(
    sil2r: KnowledgeBase,
) -> None:
    """The higher value of the same ill child must not get the quieter card."""
    told = card(sil2r, given("400 pg/mL", FERRITIN, FIBRINOGEN, *CYTOPENIA, loinc=CSF_MASS))
    assert told.indicator.value == "warning"
    infection = "above 150 pg/mL; not specific, infection first"
    assert told.summary == f"sIL-2R 400 pg/mL (CSF): {infection}; {LEADS}"
    assert told.detail.count(URGENT) == 1
    assert drafts(told)[:3] == [
        "Call haematology (HLH)",
        "Call neurology",
        "Blood count with differential",
    ]
    assert "CSF microbiology" in drafts(told)


def test_where_the_summary_has_no_room_for_both_the_warning_stays_and_the_detail_tells_the_items(
    sil2r: KnowledgeBase,
) -> None:
    digits = "0" * 25
    told = card(sil2r, given(f"400.{digits} pg/mL", FERRITIN, FIBRINOGEN, loinc=CSF_MASS))
    assert told.summary.endswith("above 150 pg/mL; not specific, infection first")
    assert URGENT in told.detail
    assert drafts(told)[0] == "Call haematology (HLH)"


def test_without_such_items_a_warning_about_csf_says_nothing_of_them(sil2r: KnowledgeBase) -> None:
    told = card(sil2r, given("400 pg/mL", FERRITIN, loinc=CSF_MASS))
    assert told.summary.endswith("infection first")
    assert URGENT not in told.detail


def test_what_made_the_card_urgent_is_listed_as_used(sil2r: KnowledgeBase) -> None:
    told = card(sil2r, given("700 pg/mL", FERRITIN, *CYTOPENIA, loinc=SERUM_MASS))
    inputs = told.extension["inputs"]
    assert [item["resource"] for item in inputs] == [
        "Observation/r",
        "Observation/ferritin",
        "Observation/haemoglobin",
        "Observation/platelets",
    ]


# ------------------------------------------------------------------ a card without a reading

UNREADABLE: dict[str, dict[str, Any]] = {
    "unit and test code contradict each other": {"loinc": SERUM_MASS},
    "unit not recognised, so not interpreted": {"value": "600 banana"},
    "no unit, so not interpreted": {"value": "600"},
    "molar unit, for which no limits exist": {"value": "600 pmol/L"},
    "no value came with the result": {"missing": NoValue("unknown")},
    "specimen not known, so not interpreted": {"specimen": UNKNOWN_FLUID},
    "not final yet, so not interpreted": {"status": Status.PRELIMINARY},
}


def unreadable(*beside: str, missing: NoValue | None = None, **more: Any) -> PatientRecord:
    """600 U/mL in serum, but for what keeps it from being read."""
    result = records.result(**{"value": "600 U/mL", "loinc": SERUM_U, "specimen": SERUM, **more})
    result = replace(result, value=missing) if missing else result
    return records.record(result, companions=labs(*beside))


@pytest.mark.parametrize("reason", UNREADABLE)
def test_what_cannot_be_read_hides_no_signs_of_hlh(sil2r: KnowledgeBase, reason: str) -> None:
    told = card(sil2r, unreadable(FERRITIN, FIBRINOGEN, *CYTOPENIA, **UNREADABLE[reason]))
    assert told.summary.endswith(f": {reason}; {LEADS}")
    assert told.detail.count(URGENT) == 1
    assert "(ferritin 50000 ng/mL, fibrinogen 0.8 g/L, haemoglobin 70 g/L" in told.detail
    assert "Henter J-I" in told.detail
    assert drafts(told)[0] == "Call haematology (HLH)"
    assert not {"Ferritin", "Fibrinogen"} & set(drafts(told))
    used = [item["resource"] for item in told.extension["inputs"]]
    assert used[:3] == ["Observation/r", "Observation/ferritin", "Observation/fibrinogen"]


@pytest.mark.parametrize("reason", UNREADABLE)
def test_what_cannot_be_read_says_when_to_call_where_one_item_alone_is_met(
    sil2r: KnowledgeBase, reason: str
) -> None:
    told = card(sil2r, unreadable(FERRITIN, "platelets 300 10*9/L", **UNREADABLE[reason]))
    assert told.summary.endswith(f": {reason}")
    assert "If fever, falling blood counts or a large liver or spleen is present" in told.detail
    assert "Call haematology (HLH)" not in drafts(told)


def test_counts_of_another_month_say_nothing_about_a_result_that_cannot_be_read(
    sil2r: KnowledgeBase,
) -> None:
    told = card(sil2r, unreadable(FERRITIN, *CYTOPENIA, on="2026-01-10", value="600"))
    assert LEADS not in told.summary
    assert told.detail.count(URGENT) == 1


# ------------------------------------------------------------------ interleukin 2 itself

INTERLEUKIN_2 = ("33939-0", "4651-6", "70077-3")


def interleukin_2(loinc: str, *beside: str, on: str = records.DAY) -> PatientRecord:
    """A result of interleukin 2 itself; whoever ordered it may have meant the receptor."""
    return records.record(records.result("3.1 pg/mL", loinc, on=on), companions=labs(*beside))


@pytest.mark.parametrize("loinc", INTERLEUKIN_2)
def test_a_result_of_the_wrong_analyte_hides_no_signs_of_hlh(
    sil2r: KnowledgeBase, loinc: str
) -> None:
    told = card(sil2r, interleukin_2(loinc, FERRITIN, FIBRINOGEN, *CYTOPENIA))
    assert told.extension["outcome"] == "wrong-analyte"
    assert told.summary.endswith(f": not sIL-2R; check which test was meant; {LEADS}")
    assert told.detail.count(URGENT) == 1
    assert "leave this card aside" not in told.detail
    assert "other than sIL-2R are met (ferritin 50000 ng/mL, fibrinogen 0.8 g/L" in told.detail
    assert "Henter J-I" in told.detail
    assert told.indicator.value == "info"
    assert drafts(told)[0] == "Call haematology (HLH)"
    assert not {"Ferritin", "Fibrinogen"} & set(drafts(told))
    used = [item["resource"] for item in told.extension["inputs"]]
    assert used[:3] == ["Observation/r", "Observation/ferritin", "Observation/fibrinogen"]


def test_a_result_of_the_wrong_analyte_raises_no_alarm_without_two_items_of_its_days(
    sil2r: KnowledgeBase,
) -> None:
    one_item = interleukin_2(INTERLEUKIN_2[0], FERRITIN, "platelets 300 10*9/L")
    of_another_month = interleukin_2(INTERLEUKIN_2[0], FERRITIN, *CYTOPENIA, on="2026-01-10")
    for given_ in (one_item, of_another_month):
        told = card(sil2r, given_)
        assert told.summary.endswith(": not sIL-2R; check which test was meant")
        assert URGENT not in told.detail
        assert drafts(told) == []


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
    sil2r: KnowledgeBase, birth: str, haemoglobin: str, state: str, against: str
) -> None:
    """Drawn on 1 March: born on 2 February is 27 days of age, on 1 February 28; and nobody is born
    after.
    """
    beside = (f"haemoglobin {haemoglobin} g/L", *COUNTS)
    told = card(sil2r, given("3000 U/mL", *beside, patient=records.born(birth)))
    said = item(told, "Two of three")
    assert said.startswith(
        f"{state} (haemoglobin {haemoglobin} g/L of 2026-03-01 against {against}: "
    )


def test_where_the_age_decides_about_haemoglobin_the_birth_date_is_missing(
    sil2r: KnowledgeBase,
) -> None:
    born_in_february = {"patient": records.born("2026-02")}
    told = card(sil2r, given("3000 U/mL", "haemoglobin 95 g/L", *COUNTS, **born_in_february))
    assert "birth-date" in told.extension["missing"]
    told = card(sil2r, given("3000 U/mL", "haemoglobin 85 g/L", *COUNTS, **born_in_february))
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
    sil2r: KnowledgeBase, patient: Patient | NoPatient, missing: set[str]
) -> None:
    """Drawn on 1 March: nobody is born on the day after."""
    told = card(sil2r, given("3000 U/mL", "haemoglobin 95 g/L", *COUNTS, patient=patient))
    assert {"patient", "birth-date"} & set(told.extension["missing"]) == missing


def test_haemoglobin_that_names_only_the_day_of_its_issue_is_counted_too(
    sil2r: KnowledgeBase,
) -> None:
    counts = [
        replace(count, collected=NoMoment(), issued=records.moment(records.DAY))
        for count in labs("haemoglobin 85 g/L", *COUNTS)
    ]
    told = card(sil2r, replace(given("3000 U/mL"), companions=tuple(counts)))
    said = item(told, "Two of three")
    assert said.startswith(f"met (haemoglobin 85 g/L against {BELOW_90}: met; ")


@pytest.mark.parametrize(("haemoglobin", "used"), [(("haemoglobin 95 g/L",), True), ((), False)])
def test_the_patient_is_listed_as_used_where_the_limit_for_newborns_was_applied(
    sil2r: KnowledgeBase, haemoglobin: tuple[str, ...], *, used: bool
) -> None:
    """Drawn on 1 March, born in March: too little for an age, enough for the limit."""
    newborn = {"patient": records.born("2026-03")}
    told = card(sil2r, given("1500 U/mL", FERRITIN, *haemoglobin, *COUNTS, **newborn))
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
    sil2r: KnowledgeBase, triglycerides: str, fibrinogen: str, state: str, each: tuple[str, str]
) -> None:
    told = card(sil2r, given("3000 U/mL", triglycerides, f"fibrinogen {fibrinogen} g/L"))
    said = item(told, "Fasting triglycerides")
    assert said.startswith(f"{state} (triglycerides ")
    assert re.findall(r"': ([a-z ]+)", said) == list(each)


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
    sil2r: KnowledgeBase, codings: tuple[Coding, ...], state: str
) -> None:
    (drawn,) = labs("fasting triglycerides 3.1 mmol/L")
    beside = (replace(drawn, codings=codings), *labs("fibrinogen 3.0 g/L"))
    told = card(sil2r, replace(given("3000 U/mL"), companions=beside))
    assert item(told, "Fasting triglycerides").startswith(f"{state} (triglycerides ")


def test_what_is_met_only_if_fasting_makes_no_card_urgent(sil2r: KnowledgeBase) -> None:
    fed = card(sil2r, given("600 U/mL", FERRITIN, "triglycerides 400 mg/dL"))
    assert URGENT not in fed.detail
    fasting = card(sil2r, given("600 U/mL", FERRITIN, "fasting triglycerides 4.5 mmol/L"))
    assert URGENT in fasting.detail
