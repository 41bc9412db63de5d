"""What the record holds as a fact: a condition, a drug, a dose or a course, and when it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.elements import ResourceRef
from cds_service.core.fact import Fact
from cds_service.core.model import Availability, CodedEntry, RecordKind
from tests.records import LOOKED_FOR, entry, moment, record, result
from tests.unit.core.facts.settling import facts


def recorded(*entries: CodedEntry, **more: Any) -> Mapping[str, Fact]:
    """All facts about a result beside these entries of the record."""
    return facts(given=record(result(), entries=entries), **more)


def test_a_recorded_condition_names_the_entry_it_rests_on() -> None:
    mould = entry("M10.1")
    fact = recorded(mould)["condition.mould"]
    assert (fact.value, fact.inputs) == ("recorded", (mould.ref,))


def test_of_several_entries_of_one_condition_the_same_is_named_however_they_arrived() -> None:
    several = entry("M10.1"), entry("M10.2")
    named = [recorded(*order)["condition.mould"].inputs for order in (several, several[::-1])]
    assert named == [(several[0].ref,)] * 2


def test_of_several_versions_of_one_entry_the_last_is_named_however_they_arrived() -> None:
    """A copy may come without its version: the card names the one that says which it is."""
    slim = entry("M10.1")
    whole = replace(slim, ref=ResourceRef(slim.ref.resource, "10"))
    for order in ((slim, whole), (whole, slim)):
        assert recorded(*order)["condition.mould"].inputs == (whole.ref,)


def test_a_record_that_was_looked_at_and_does_not_hold_it_says_not_recorded() -> None:
    assert facts()["condition.mould"].value == "not-recorded"


@pytest.mark.parametrize(
    "part", [Availability.MISSING, Availability.FAILED, Availability.OF_ANOTHER_PATIENT]
)
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
    found = facts(given=given)
    assert found["condition.mould"].value == "recorded"
    blight = found["condition.blight"]
    assert (blight.value, blight.missing) == ("unknown", ("conditions",))
    assert blight.because == "the conditions were not available"


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
        ("2026-03-03", "recorded"),
        ("2026-03-04", "not-recorded"),
    ],
)
def test_beside_a_sample_of_some_day_of_a_month_a_dose_counts_if_it_does_for_any_of_its_days(
    since: str, value: str
) -> None:
    """Today is 2 March 2026: of its days those up to the 3rd can have been, in some time zone."""
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


@pytest.mark.parametrize("kind", [RecordKind.DOSE, RecordKind.COURSE, RecordKind.MEDICATION])
@pytest.mark.parametrize(
    ("sample", "since", "value"),
    [
        ("2026-03-01T23:30:00Z", "2026-03-02T00:15:00+01:00", "recorded"),
        ("2026-03-01T23:30:00Z", "2026-03-02T00:45:00+01:00", "not-recorded"),
        ("2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z", "recorded"),
    ],
)
def test_what_was_given_before_the_sample_counts_though_its_day_in_another_zone_is_later(
    kind: RecordKind, sample: str, since: str, value: str
) -> None:
    """A quarter past midnight in Berlin is a quarter past eleven in UTC. What is later on the day
    of the sample counts anyway.
    """
    given = replace(entry("SUN", kind), since=moment(since))
    assert recorded(given, on=sample)["medication.sunlight"].value == value


@pytest.mark.parametrize(
    ("until", "value"),
    [
        ("2026-02-28T20:00:00-05:00", "recorded"),
        ("2026-02-28T19:00:00-05:00", "not-recorded"),
        ("2026-02-28", "not-recorded"),
    ],
)
def test_a_drug_was_taken_until_the_time_of_its_end_whatever_the_zone(
    until: str, value: str
) -> None:
    given = replace(entry("MOON", RecordKind.MEDICATION), until=moment(until))
    found = recorded(given, on="2026-03-01T00:30:00Z")
    assert found["medication.moonlight"].value == value


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


@pytest.mark.parametrize(
    ("until", "day_by_day", "in_few_doses"),
    [
        ("2025-11-30", "not-recorded", "not-recorded"),
        ("2026-02-28", "not-recorded", "recorded"),
        ("2026-03-01", "recorded", "recorded"),
        ("2026-03", "recorded", "recorded"),
        ("2026", "recorded", "recorded"),
        ("", "recorded", "recorded"),
    ],
)
def test_a_prescription_is_over_for_a_result_of_a_later_day_than_its_end(
    until: str, day_by_day: str, in_few_doses: str
) -> None:
    """For the sample of 1 March, whatever other results the record holds."""
    moon, sun = (
        replace(entry(code, RecordKind.MEDICATION), until=moment(until)) for code in ("MOON", "SUN")
    )
    found = recorded(moon, sun)
    assert found["medication.moonlight"].value == day_by_day
    assert found["medication.sunlight"].value == in_few_doses


def test_a_prescription_that_ended_within_the_month_of_the_sample_may_have_been_in_force() -> None:
    ended = replace(entry("MOON", RecordKind.MEDICATION), until=moment("2026-02-04"))
    assert recorded(ended, on="2026-02")["medication.moonlight"].value == "recorded"
    assert recorded(ended, on="2026-02-05")["medication.moonlight"].value == "not-recorded"


def test_a_prescription_counts_however_old_it_is() -> None:
    old = replace(entry("SUN", RecordKind.MEDICATION), since=moment("2020-01-01"))
    assert recorded(old)["medication.sunlight"].value == "recorded"


def test_a_procedure_may_stand_for_a_condition() -> None:
    assert recorded(entry("M10", RecordKind.PROCEDURE))["condition.mould"].value == "recorded"
