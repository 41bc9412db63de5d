"""What is told of companions that do not count, and of what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.elements import Coding, ResourceRef, Status
from cds_service.core.facts.missing import missing_words
from cds_service.core.knowledge import LOINC
from cds_service.core.model import Availability, LabResult, PatientRecord
from cds_service.core.note import NoteKind
from tests import toy
from tests.records import NOBODY, answer_to, born, companions, moment, named, notes, record, result

TOY = toy.knowledge()


def of(given: LabResult | PatientRecord) -> dict[NoteKind, dict[str, str | tuple[str, ...]]]:
    return notes(answer_to(given))


def test_a_companion_dated_ahead_of_today_is_named_as_left_aside() -> None:
    """Ferritin of Christmas; today is 2 March."""
    ferritin = companions("ferritin 20000 ng/mL", on="2026-12-25")
    told = of(record(result(), companions=ferritin))
    title = TOY.companions["ferritin"].row.title
    assert told == {NoteKind.DATE_AHEAD: {"value": f"{title} 20000 ng/mL", "date": "2026-12-25"}}


def test_a_preliminary_companion_dated_ahead_of_today_is_not_named() -> None:
    """It would not be read on any date."""
    (ferritin,) = companions("ferritin 20000 ng/mL", on="2026-12-25")
    before = replace(ferritin, status=Status.PRELIMINARY)
    assert of(record(result(), companions=(before,))) == {}


def together(*values: str) -> PatientRecord:
    """Beside a result of 1 March: companions of that day."""
    return record(result(), companions=companions(*values))


@pytest.mark.parametrize("values", [("480", "5200"), ("5200", "480")])
def test_two_companions_of_one_time_between_which_a_limit_lies_do_not_count_and_are_told(
    values: tuple[str, str],
) -> None:
    """Ferritin of 480 and of 5200 ng/mL in one sample: whichever id is the later one."""
    answer = answer_to(together(*(f"ferritin {value} ng/mL" for value in values)))
    fact = answer.facts["limit.ferritin-500"]
    assert (fact.value, fact.missing) == ("disputed", ())
    assert "ferritin 480 ng/mL" in fact.because
    assert "ferritin 5200 ng/mL" in fact.because
    told = notes(answer)[NoteKind.OF_ONE_TIME]
    title = TOY.companions["ferritin"].row.title
    assert (told["test"], set(told["values"])) == (title, {"480 ng/mL", "5200 ng/mL"})
    assert {"Observation/ferritin", "Observation/ferritin1"} <= {
        ref.resource for ref in answer.inputs
    }


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(("600 ng/mL", "5200 ng/mL"), id="both meet the limit"),
        pytest.param(("100 ng/mL", "200 ng/mL"), id="neither does"),
        pytest.param(("600 ng/mL", "600 ug/L"), id="one value in two units"),
    ],
)
def test_two_companions_of_one_time_on_one_side_of_every_limit_need_no_note(
    values: tuple[str, str],
) -> None:
    answer = answer_to(together(*(f"ferritin {value}" for value in values)))
    assert answer.facts["limit.ferritin-500"].value in {"met", "not-met"}
    assert NoteKind.OF_ONE_TIME not in notes(answer)


def test_of_two_collected_at_one_time_the_one_issued_later_is_the_newer_and_counts_alone() -> None:
    """A sample measured again: what was issued first has been replaced."""
    early, late = companions("ferritin 480 ng/mL")[0], companions("ferritin 5200 ng/mL")[0]
    early = replace(early, ref=ResourceRef("Observation/z"), issued=moment("2026-03-01T09:00:00Z"))
    late = replace(late, ref=ResourceRef("Observation/a"), issued=moment("2026-03-01T11:00:00Z"))
    answer = answer_to(record(result(), companions=(early, late)))
    assert answer.facts["limit.ferritin-500"].value == "met"
    assert NoteKind.OF_ONE_TIME not in notes(answer)


def test_they_are_told_too_where_the_result_itself_cannot_be_read() -> None:
    both = companions("ferritin 480 ng/mL", "ferritin 5200 ng/mL")
    answer = answer_to(record(result("250"), companions=both))
    assert {NoteKind.OF_ONE_TIME, NoteKind.URGENT_IF_ILL} <= notes(answer).keys()


def test_what_is_missing_has_one_order() -> None:
    availability = {"toy": Availability.MISSING, "medications": Availability.MISSING}
    given = record(patient=born(""), availability={**availability, "labs": Availability.FAILED})
    needed = ("platelets", "unit", "ferritin", "specimen", "laboratory-limit")
    assert missing_words(given, needed, "toy") == (
        *("birth-date", "specimen", "unit", "laboratory-limit"),
        *("ferritin", "platelets", "toy", "labs", "medications"),
    )


def test_where_the_patient_is_missing_so_is_the_birth_date_and_that_is_one_word() -> None:
    assert missing_words(record(patient=NOBODY), ("birth-date",), "toy") == ("patient",)


@pytest.mark.parametrize("found", [Availability.GIVEN, Availability.EMPTY, Availability.PARTIAL])
def test_what_was_looked_for_is_not_missing(found: Availability) -> None:
    assert missing_words(record(availability={"labs": found}), (), "toy") == ()


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (result("250"), "unit"),
        (result("250 mg"), "unit"),
        (named("r", "250 pg/mL", toy.ANY_MASS), "specimen"),
    ],
)
def test_a_result_that_cannot_be_read_names_what_would_help(given: LabResult, word: str) -> None:
    assert word in answer_to(given).missing


def test_the_result_and_what_was_used_of_the_record_are_its_inputs() -> None:
    both = (Coding(LOINC, toy.SAP_POINTS),)
    assert [ref.resource for ref in answer_to(result(codings=both)).inputs] == ["Observation/r"]
