"""Facts: each has a closed domain, is `unknown` where the data do not settle it, and says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.fact import Fact
from cds_service.core.facts import Facts, fact_domains, facts_of
from cds_service.core.model import (
    Availability,
    CodedEntry,
    LabResult,
    Measured,
    PatientRecord,
    RecordKind,
)
from cds_service.core.quantity import UnitUnderstood, quantity
from cds_service.core.reading import shown
from cds_service.core.situation import Literature, Situation
from cds_service.core.verdict import Unpaired
from tests import toy
from tests.records import (
    AT,
    LOOKED_FOR,
    NOBODY,
    born,
    companions,
    entry,
    measured,
    moment,
    record,
    result,
    within,
)

TOY = toy.knowledge()


def facts(
    value: str = "250 pt/mL",
    given: PatientRecord | None = None,
    specimen: str = "sap",
    literature: Literature = Literature.APPLIES,
    **changes: Any,
) -> Mapping[str, Fact]:
    """All facts about one result of the toy."""
    return settled(value, given, specimen, literature, **changes).by_name


def settled(
    value: str = "250 pt/mL",
    given: PatientRecord | None = None,
    specimen: str = "sap",
    literature: Literature = Literature.APPLIES,
    **changes: Any,
) -> Facts:
    """The same, with which of them the result and its record settle."""
    main: LabResult = result(value, **changes)
    unit = TOY.units.read(measured(value).unit)
    assert isinstance(main.value, Measured)
    assert isinstance(unit, UnitUnderstood)
    situation = Situation(
        TOY,
        given or record(main),
        main,
        specimen,
        shown(main.value, unit),
        quantity(main.value, unit),
        literature,
        AT,
        Unpaired(),
    )
    return facts_of(situation)


def recorded(*entries: CodedEntry, **more: Any) -> Mapping[str, Fact]:
    """All facts about a result beside these entries of the record."""
    return facts(given=record(result(), entries=entries), **more)


def with_companions(*values: str) -> PatientRecord:
    return record(result(), companions=companions(*values))


# ------------------------------------------------------------------ domains


def test_every_fact_has_a_value_of_its_domain_and_no_other_fact_exists() -> None:
    found = facts(ranges=(within("20", "90"),))
    domains = fact_domains(TOY)
    assert set(found) == set(domains)
    assert {name for name, fact in found.items() if fact.value not in domains[name]} == set()


@pytest.mark.parametrize(
    "given",
    [
        record(result()),
        record(result(), companions=companions("ferritin 600 ng/mL"), entries=(entry("M10"),)),
    ],
)
def test_the_usual_facts_were_read_from_nothing_and_none_stays_open(given: PatientRecord) -> None:
    found = settled(given=given, ranges=(within("20", "90"),))
    assert {name for name, fact in found.usual.by_name.items() if fact.inputs} == set()
    assert {name for name, fact in found.by_name.items() if fact.name != name} == set()


def test_every_fact_says_why() -> None:
    assert [fact.name for fact in facts().values() if not fact.because] == []


def test_specimen_and_unit_family_are_facts() -> None:
    assert facts()["specimen"].value == "sap"
    assert facts()["unit-family"].value == "points"


# ------------------------------------------------------------------ limits of the analyte itself


@pytest.mark.parametrize(
    ("value", "at_or_above_100", "above_1000"),
    [
        ("99.99 pt/mL", "not-met", "not-met"),
        ("100 pt/mL", "met", "not-met"),
        ("1000 dpt/mL", "met", "not-met"),
        ("1000 pt/mL", "met", "not-met"),
        ("1000.1 pt/mL", "met", "met"),
        (">500 pt/mL", "met", "straddles"),
        ("<100 pt/mL", "not-met", "not-met"),
        ("<=100 pt/mL", "straddles", "not-met"),
        ("1000 pg/mL", "not-applicable", "not-applicable"),
    ],
)
def test_a_limit_is_held_against_its_own_family_only(
    value: str, at_or_above_100: str, above_1000: str
) -> None:
    found = facts(value)
    assert found["limit.sap-100"].value == at_or_above_100
    assert found["limit.sap-1000"].value == above_1000


def test_a_limit_of_one_specimen_is_never_held_against_another() -> None:
    assert facts("1000 pg/mL", specimen="dew")["limit.dew-50"].value == "met"
    assert facts("1000 pg/mL", specimen="sap")["limit.dew-50"].value == "not-applicable"
    assert facts("1000 pt/mL", specimen="dew")["limit.sap-100"].value == "not-applicable"


def test_where_unit_and_code_contradict_each_other_no_limit_of_a_study_applies() -> None:
    found = facts("1000 pt/mL", literature=Literature.BARRED)
    own = [name for name, limit in TOY.limits.items() if limit.of == "toy"]
    assert {found[f"limit.{name}"].value for name in own} == {"not-applicable"}
    assert found["panel.toy-items"].value == "not-applicable"


# ------------------------------------------------------------------ the laboratory's own range


def test_an_absent_range_is_none_and_names_what_is_missing() -> None:
    fact = facts()["laboratory-range"]
    assert (fact.value, fact.missing) == ("none", ("laboratory-limit",))


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ("95 pt/mL", "above"),
        ("50 pt/mL", "within"),
        ("5 pt/mL", "below"),
        ("<50 pt/mL", "straddles"),
    ],
)
def test_the_place_in_the_range_is_a_fact(value: str, where: str) -> None:
    assert facts(value, ranges=(within("20", "90"),))["laboratory-range"].value == where


# ------------------------------------------------------------------ age


@pytest.mark.parametrize(
    ("birth", "adult", "missing"),
    [
        ("2008-03-01", "yes", ()),
        ("2008-03-02", "no", ()),
        ("2008", "unknown", ("birth-date",)),
        ("2007", "yes", ()),
        ("", "unknown", ("birth-date",)),
        ("2026-03-02", "unknown", ("birth-date",)),
    ],
)
def test_t65_age_counts_at_collection_and_only_as_far_as_it_is_proved(
    birth: str, adult: str, missing: tuple[str, ...]
) -> None:
    fact = facts(given=record(result(), patient=born(birth)))["age.adult"]
    assert (fact.value, fact.missing) == (adult, missing)


@pytest.mark.parametrize(
    ("birth", "words"),
    [("1986-03-01", "40 completed years"), ("2008", "17 to 18 completed years")],
)
def test_the_age_is_told_as_far_as_it_is_proved(birth: str, words: str) -> None:
    fact = facts(given=record(result(), patient=born(birth)))["age.adult"]
    assert fact.because == f"{words} at collection"


@pytest.mark.parametrize(
    ("birth", "missing"), [("2008-03-02", ()), ("2008", ("birth-date",)), ("", ("birth-date",))]
)
def test_where_the_day_of_the_sample_is_open_only_an_open_birth_date_is_missing(
    birth: str, missing: tuple[str, ...]
) -> None:
    """Drawn some day in March 2026: 17 or 18 years old."""
    given = record(result(), patient=born(birth))
    fact = facts(given=given, on="2026-03")["age.adult"]
    assert (fact.value, fact.missing) == ("unknown", missing)


def test_without_a_patient_the_patient_is_missing_not_the_birth_date() -> None:
    fact = facts(given=record(result(), patient=NOBODY))["age.adult"]
    assert (fact.value, fact.missing) == ("unknown", ("patient",))


# ------------------------------------------------------------------ conditions and medications


def test_a_recorded_condition_names_the_entry_it_rests_on() -> None:
    mould = entry("M10.1")
    fact = recorded(mould)["condition.mould"]
    assert (fact.value, fact.inputs) == ("recorded", (mould.ref,))


def test_a_record_that_was_looked_at_and_does_not_hold_it_says_not_recorded() -> None:
    assert facts()["condition.mould"].value == "not-recorded"


@pytest.mark.parametrize("part", [Availability.MISSING, Availability.FAILED])
def test_conditions_that_could_not_be_had_are_unknown_not_absent(part: Availability) -> None:
    given = record(result(), availability={**LOOKED_FOR, "conditions": part})
    found = facts(given=given)
    mould = found["condition.mould"]
    assert (mould.value, mould.missing) == ("unknown", ("conditions",))
    assert found["medication.sunlight"].value == "not-recorded"


def test_what_nobody_asked_for_is_unknown_not_absent() -> None:
    fact = facts(given=record(result(), availability={}))["condition.mould"]
    assert (fact.value, fact.missing) == ("unknown", ("conditions",))


def test_a_recorded_condition_is_recorded_even_where_the_list_is_incomplete() -> None:
    given = record(
        result(), entries=(entry("M10"),), availability={"conditions": Availability.FAILED}
    )
    assert facts(given=given)["condition.mould"].value == "recorded"


def test_a_code_too_coarse_to_tell_leaves_the_finer_one_unknown() -> None:
    fact = recorded(entry("M10"))["condition.fine-mould"]
    assert (fact.value, fact.missing) == ("unknown", ("atl-subtype",))


@pytest.mark.parametrize(
    ("kind", "condition", "medication"),
    [
        (RecordKind.MEDICATION, "not-recorded", "recorded"),
        (RecordKind.CONDITION, "not-recorded", "not-recorded"),
        (RecordKind.PROCEDURE, "not-recorded", "not-recorded"),
    ],
)
def test_a_medication_code_counts_among_medications_only(
    kind: RecordKind, condition: str, medication: str
) -> None:
    found = recorded(entry("SUN", kind))
    assert found["condition.mould"].value == condition
    assert found["medication.sunlight"].value == medication


@pytest.mark.parametrize(
    ("since", "value"),
    [
        ("2026-02-01", "recorded"),
        ("2025-12-01", "recorded"),
        ("2025-11-30", "not-recorded"),
        ("2025-11", "not-recorded"),
        ("2025", "recorded"),
        ("", "recorded"),
    ],
)
def test_a_dose_counts_until_it_surely_lies_before_the_look_back_window(
    since: str, value: str
) -> None:
    dose = replace(entry("SUN", RecordKind.DOSE), since=moment(since))
    assert recorded(dose)["medication.sunlight"].value == value


@pytest.mark.parametrize(
    ("since", "value"),
    [
        ("2025-11-30", "not-recorded"),
        ("2025-12-01", "recorded"),
        ("2026-03-31", "recorded"),
        ("2026-04-01", "not-recorded"),
    ],
)
def test_beside_a_sample_of_some_day_of_a_month_a_dose_counts_if_it_does_for_any_of_its_days(
    since: str, value: str
) -> None:
    dose = replace(entry("SUN", RecordKind.DOSE), since=moment(since))
    assert recorded(dose, on="2026-03")["medication.sunlight"].value == value


AFTER_COLLECTION = [
    ("2026-03-02", "not-recorded"),
    ("2026-03-01", "recorded"),
    ("2026-03", "recorded"),
    ("2026-04", "not-recorded"),
]


@pytest.mark.parametrize("kind", [RecordKind.DOSE, RecordKind.COURSE, RecordKind.MEDICATION])
@pytest.mark.parametrize(("since", "value"), AFTER_COLLECTION)
def test_what_was_given_or_ordered_only_after_collection_does_not_count(
    kind: RecordKind, since: str, value: str
) -> None:
    given = replace(entry("SUN", kind), since=moment(since))
    assert recorded(given)["medication.sunlight"].value == value


@pytest.mark.parametrize(("since", "value"), AFTER_COLLECTION)
def test_a_procedure_of_a_day_after_collection_does_not_count(since: str, value: str) -> None:
    done = replace(entry("M10", RecordKind.PROCEDURE), since=moment(since))
    assert recorded(done)["condition.mould"].value == value


def test_a_condition_noticed_after_collection_may_have_been_there_before() -> None:
    noticed = replace(entry("M10"), since=moment("2026-03-12"))
    assert recorded(noticed)["condition.mould"].value == "recorded"


def test_a_later_order_of_a_drug_taken_day_by_day_may_renew_an_earlier_one() -> None:
    renewed = replace(entry("MOON", RecordKind.MEDICATION), since=moment("2026-03-12"))
    assert recorded(renewed)["medication.moonlight"].value == "recorded"


@pytest.mark.parametrize(
    ("since", "until", "value"),
    [
        ("2026-02-24", "", "recorded"),
        ("2025-11-30", "", "not-recorded"),
        ("2025-06-01", "2025-12-01", "recorded"),
        ("2004-01-01", "2004-02-01", "not-recorded"),
        ("", "2025-11-30", "not-recorded"),
        ("", "", "recorded"),
    ],
)
def test_a_course_that_is_over_counts_like_its_last_dose(
    since: str, until: str, value: str
) -> None:
    course = replace(entry("SUN", RecordKind.COURSE), since=moment(since), until=moment(until))
    assert recorded(course)["medication.sunlight"].value == value


def test_of_a_drug_taken_day_by_day_a_course_that_is_over_does_not_count() -> None:
    course = replace(entry("MOON", RecordKind.COURSE), since=moment("2026-02-24"))
    assert recorded(course)["medication.moonlight"].value == "not-recorded"


def test_a_prescription_counts_however_old_it_is() -> None:
    old = replace(entry("SUN", RecordKind.MEDICATION), since=moment("2020-01-01"))
    assert recorded(old)["medication.sunlight"].value == "recorded"


def test_a_procedure_may_stand_for_a_condition() -> None:
    assert recorded(entry("M10", RecordKind.PROCEDURE))["condition.mould"].value == "recorded"


# ------------------------------------------------------------------ companions and the panel


@pytest.mark.parametrize(
    ("value", "mass_limit", "mole_limit"),
    [
        ("265 mg/dL", "met", "not-applicable"),
        ("264.9 mg/dL", "not-met", "not-applicable"),
        ("3.0 mmol/L", "not-applicable", "met"),
        ("2.99 mmol/L", "not-applicable", "not-met"),
        ("<300 mg/dL", "straddles", "not-applicable"),
    ],
)
def test_a_companion_meets_the_limit_of_its_own_family(
    value: str, mass_limit: str, mole_limit: str
) -> None:
    found = facts(given=with_companions(f"triglycerides {value}"))
    assert found["limit.triglycerides-265"].value == mass_limit
    assert found["limit.triglycerides-3"].value == mole_limit


def test_ferritin_in_moles_leaves_its_limit_unknown_never_not_met() -> None:
    fact = facts(given=with_companions("ferritin 2000 pmol/L"))["limit.ferritin-500"]
    assert (fact.value, fact.missing) == ("unknown", ("ferritin",))


def test_a_companion_that_is_not_there_is_unknown_and_named() -> None:
    fact = facts()["limit.ferritin-500"]
    assert (fact.value, fact.missing) == ("unknown", ("ferritin",))


def test_companions_that_could_not_be_had_are_named_as_such_too() -> None:
    given = record(result(), availability={**LOOKED_FOR, "labs": Availability.MISSING})
    assert facts(given=given)["limit.ferritin-500"].missing == ("ferritin", "labs")


def panel(value: str, *values: str) -> tuple[str, dict[str, str]]:
    """Value of the panel fact, and item -> met, not-met or unknown."""
    fact = facts(value, given=with_companions(*values))["panel.toy-items"]
    items = dict(item.split(" ", 1) for item in fact.because.split(", ")) if fact.inputs else {}
    return fact.value, items


@pytest.mark.parametrize(
    ("cells", "cytopenia"),
    [
        (("haemoglobin 89 g/L", "platelets 99 10*9/L"), "met"),
        (("haemoglobin 89 g/L", "neutrophils 1.0 10*9/L"), "met"),
        (("haemoglobin 8.9 g/dL", "platelets 99 10*9/L", "neutrophils 3 10*9/L"), "met"),
        (("haemoglobin 89 g/L",), "unknown"),
        (("haemoglobin 89 g/L", "platelets 100 10*9/L"), "unknown"),
        (("haemoglobin 90 g/L", "platelets 100 10*9/L"), "not-met"),
        (("haemoglobin 90 g/L",), "unknown"),
        (("haemoglobin 89 g/L", "platelets 100 10*9/L", "neutrophils 1.1 10*9/L"), "not-met"),
        (("haemoglobin 90 g/L", "platelets <150 10*9/L", "neutrophils 1 10*9/L"), "unknown"),
    ],
)
def test_two_of_three_cell_lines_are_met_not_met_or_still_open(
    cells: tuple[str, ...], cytopenia: str
) -> None:
    assert panel("250 pt/mL", *cells)[1]["cytopenia"] == cytopenia


@pytest.mark.parametrize(
    ("value", "item"),
    [
        ("265 mg/dL", "met"),
        ("3.0 mmol/L", "met"),
        ("2.9 mmol/L", "not-met"),
        ("<3.5 mmol/L", "unknown"),
    ],
)
def test_either_family_can_meet_an_item(value: str, item: str) -> None:
    assert panel("250 pt/mL", f"triglycerides {value}")[1]["triglycerides"] == item


def test_a_panel_is_counted_as_soon_as_one_companion_is_known() -> None:
    assert panel("250 pt/mL") == ("unknown", {})
    assert panel("99 pt/mL", "ferritin 499 ng/mL") == (
        "counted",
        {
            "toyin": "not-met",
            "ferritin": "not-met",
            "triglycerides": "unknown",
            "cytopenia": "unknown",
        },
    )


def test_a_panel_names_what_it_could_not_count() -> None:
    fact = facts(given=with_companions("ferritin 600 ng/mL"))["panel.toy-items"]
    assert fact.missing == ("triglycerides", "haemoglobin", "platelets", "neutrophils")


@pytest.mark.parametrize(("value", "specimen"), [("250 pg/mL", "sap"), ("250 pt/mL", "dew")])
def test_a_panel_is_for_its_own_specimen_and_family(value: str, specimen: str) -> None:
    given = with_companions("ferritin 600 ng/mL")
    assert facts(value, given, specimen)["panel.toy-items"].value == "not-applicable"
