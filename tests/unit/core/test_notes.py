"""What a reader is told beside the findings, and which words name what was missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cds_service.core.elements import (
    Coding,
    ResourceRef,
    SpecimenGiven,
    SpecimenLink,
    Status,
    UnitGiven,
    ValueForm,
)
from cds_service.core.knowledge import LOINC
from cds_service.core.missing import missing_words
from cds_service.core.model import Availability, LabResult, PatientRecord
from cds_service.core.note import NoteKind
from cds_service.core.quantity import UCUM
from cds_service.core.verdict import PairedWith, Unpaired
from tests import toy
from tests.records import (
    DAY,
    LOOKED_FOR,
    NOBODY,
    answer_to,
    born,
    companions,
    evaluated,
    measured,
    moment,
    named,
    notes,
    record,
    result,
    specimen,
    text_only,
)

TOY = toy.knowledge()


def of(given: LabResult | PatientRecord) -> dict[NoteKind, dict[str, str | tuple[str, ...]]]:
    return notes(answer_to(given))


def test_a_plain_coded_final_dated_result_needs_no_note() -> None:
    assert of(result()) == {}


@pytest.mark.parametrize("at_the_same_time", [True, False])
def test_another_value_under_the_same_id_is_told_with_value_and_date(
    *, at_the_same_time: bool
) -> None:
    """Two versions of one result, and nothing told which of them still stands."""
    one, other = result("250 pt/mL"), result("25 pt/mL")
    given = record(one, other) if at_the_same_time else record(one, history=(other,))
    told = of(given)[NoteKind.OTHER_VERSION]
    assert told["value"] in {"25 pt/mL", "250 pt/mL"}
    assert (told["date"], told["specimen"]) == (DAY, "sap")
    assert of(record(one, history=(one,))) == {}


NOWHERE: dict[str, Any] = {"specimen": specimen("no-such-code"), "status": Status.PRELIMINARY}


@pytest.mark.parametrize(
    ("given", "kind", "named_at_most"),
    [
        ([named(f"r{n}", "7 pt/mL", on=f"2026-12-{n}") for n in range(10, 20)], "date-ahead", 3),
        ([result(f"{n} pt/mL") for n in range(10, 20)], "other-version", 3),
        (
            [named(f"r{n}", "7 pt/mL", on=f"2026-01-{n}", **NOWHERE) for n in range(10, 20)],
            "for-the-same-reason",
            8,
        ),
    ],
    ids=["dated ahead", "of one id", "of no known specimen"],
)
def test_of_many_a_card_names_as_many_as_a_reader_takes_in(
    given: list[LabResult], kind: str, named_at_most: int
) -> None:
    """One slip of an interface may repeat itself in a hundred results."""
    answer = answer_to(record(*given))
    found = [note for note in answer.notes if note.kind.value == kind]
    assert sum(len(note.values.get("results", "1")) for note in found) == named_at_most


@pytest.mark.parametrize(("value", "told"), [("25 pt/mL", [""]), ("250 pt/mL", [])])
def test_a_version_whose_specimen_nobody_knows_is_told_only_where_its_value_differs(
    value: str, told: list[str]
) -> None:
    unsettled = result(value, specimen=specimen("no-such-code"))
    answer = answer_to(record(result("250 pt/mL"), history=(unsettled,)))
    found = [note for note in answer.notes if note.kind is NoteKind.OTHER_VERSION]
    assert [note.values["specimen"] for note in found] == told


def test_a_preliminary_version_is_no_second_value_of_a_final_one() -> None:
    before = result("25 pt/mL", status=Status.PRELIMINARY)
    assert NoteKind.OTHER_VERSION not in of(record(result("250 pt/mL"), history=(before,)))


@pytest.mark.parametrize("other", ["400 pg/mL", "500 pg/mL"])
def test_a_version_of_another_specimen_is_told_and_is_no_pair_of_its_own_result(other: str) -> None:
    """One id, one date, two codes: an index of the two would be one of a result with itself."""
    given = record(
        result("400 pg/mL", toy.SAP_MASS),
        result(other, toy.DEW_MASS),
        companions=companions("albumin-csf 0.2 g/L", "albumin-serum 40 g/L"),
    )
    answers = evaluated(given).answers
    named = [notes(answer)[NoteKind.OTHER_VERSION] for answer in answers]
    assert [(told["value"], told["specimen"]) for told in named] == [
        ("400 pg/mL", "sap"),
        (other, "morning dew"),
    ]
    assert [answer.paired for answer in answers] == [Unpaired(), Unpaired()]


def test_results_of_two_specimens_without_an_id_of_their_own_are_a_pair() -> None:
    blood = result("400 pg/mL", toy.SAP_MASS, ref=ResourceRef("Observation"))
    fluid = result("400 pg/mL", toy.DEW_MASS, ref=ResourceRef("Observation"))
    first, second = evaluated(record(blood, fluid)).answers
    for answer in (first, second):
        assert isinstance(answer.paired, PairedWith)
        assert NoteKind.OTHER_VERSION not in notes(answer)


def test_results_without_an_id_of_their_own_are_no_versions_but_two_results() -> None:
    for name in ("Observation", "DiagnosticReport/rep#"):
        one = result("250 pt/mL", ref=ResourceRef(name))
        other = result("25 pt/mL", ref=ResourceRef(name))
        assert of(record(one, history=(other,))) == {
            NoteKind.ORDER_UNKNOWN: {"value": "25 pt/mL", "date": "2026-03-01", "status": "final"}
        }


def test_a_unit_read_by_assumption_is_told_with_the_assumption() -> None:
    value = replace(measured("250 pt/mL"), unit=text_only("points/mL"))
    told = of(replace(result(), value=value))
    assert told[NoteKind.UNIT_ASSUMED] == {
        "unit": "points/mL",
        "sentence": "Written out; read as pt/mL.",
    }


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("banana", "apple", {"unit": "banana", "code": "apple"}),
        ("ng/mL", "apple", {"unit": "ng/mL", "code": "apple"}),
        ("banana", "banana", {}),
        ("banana", "", {}),
        ("", "apple", {}),
    ],
)
def test_a_unit_that_is_not_understood_is_told_twice_where_text_and_code_differ(
    text: str, code: str, told: dict[str, str]
) -> None:
    value = replace(measured("250 pt/mL"), unit=UnitGiven(text, code, UCUM))
    assert of(replace(result(), value=value)).get(NoteKind.UNIT_TEXT_AND_CODE, {}) == told


def test_a_specimen_whose_codes_are_unknown_is_told_whatever_the_test_code_says() -> None:
    unknown = SpecimenGiven(
        SpecimenLink.RESOLVED, (Coding("urn:a", "LIQ", "Liquor"), Coding("urn:b", "7"))
    )
    for value, code in (("250 pt/mL", toy.SAP_POINTS), ("250 pg/mL", toy.ANY_MASS)):
        told = of(named("r", value, code, specimen=unknown))
        assert told[NoteKind.SPECIMEN_CODE_UNKNOWN] == {"codes": ("LIQ (Liquor)", "7")}
    for link in (SpecimenLink.NONE, SpecimenLink.UNRESOLVED):
        given = named("r", "250 pg/mL", toy.ANY_MASS, specimen=SpecimenGiven(link))
        assert NoteKind.SPECIMEN_CODE_UNKNOWN not in of(given)


def test_an_invalid_specimen_is_told_where_it_leaves_the_specimen_open() -> None:
    invalid = SpecimenGiven(SpecimenLink.INVALID, where="Specimen.status")
    told = {NoteKind.SPECIMEN_INVALID: {"where": "Specimen.status"}}
    assert of(named("r", "250 pg/mL", toy.ANY_MASS, specimen=invalid)).items() >= told.items()
    dew = replace(specimen("DEW"), link=SpecimenLink.INVALID, where="Specimen.status")
    assert of(named("r", "250 pt/mL", toy.SAP_POINTS, specimen=dew)).items() >= told.items()
    for settled in (invalid, replace(dew, codings=())):
        given = named("r", "250 pt/mL", toy.SAP_POINTS, specimen=settled)
        assert NoteKind.SPECIMEN_INVALID not in of(given)


def test_a_month_to_come_is_a_date_that_cannot_be_right_and_no_open_day() -> None:
    told = {"value": "250 pt/mL", "date": "2026-12"}
    assert of(result(on="2026-12")) == {NoteKind.DATE_AHEAD: told}


def test_a_unit_without_a_code_is_told() -> None:
    value = replace(measured("250 pt/mL"), unit=text_only("pt/mL"))
    assert of(replace(result(), value=value)) == {NoteKind.UNIT_FROM_TEXT: {"unit": "pt/mL"}}


def test_a_value_that_came_as_text_is_told_once_not_twice() -> None:
    value = replace(measured("<50 pt/mL", ValueForm.TEXT), unit=text_only("pt/mL"))
    assert of(replace(result(), value=value)) == {NoteKind.VALUE_FROM_TEXT: {"value": "<50 pt/mL"}}


def test_a_code_whose_name_lacks_the_decisive_word_is_told() -> None:
    told = of(named("r", "250 pg/mL", toy.ANY_MASS, specimen=specimen("SAP")))
    assert told[NoteKind.NAME_NOT_SOLUBLE]["loinc"] == toy.ANY_MASS


def test_a_result_without_any_date_is_told() -> None:
    assert NoteKind.COLLECTION_UNKNOWN in of(result(on=""))


def test_knowledge_past_its_review_is_never_served_silently() -> None:
    due = TOY.identity.review_by
    for day, overdue in ((due, False), (date(due.year, due.month, due.day + 1), True)):
        (answer,) = evaluated(record(result()), at=day).answers
        assert (NoteKind.REVIEW_OVERDUE in notes(answer)) is overdue


def test_a_patient_of_another_id_is_told() -> None:
    availability = {**LOOKED_FOR, "patient": Availability.OF_ANOTHER_PATIENT}
    told = of(record(result(), patient=NOBODY, availability=availability))
    assert NoteKind.PATIENT_OF_ANOTHER in told


def test_a_list_of_which_only_one_page_was_had_is_told() -> None:
    availability = {**LOOKED_FOR, "labs": Availability.PARTIAL}
    assert NoteKind.MORE_MAY_EXIST in of(record(result(), availability=availability))


def test_a_part_that_failed_is_told_by_name() -> None:
    availability = {**LOOKED_FOR, "conditions": Availability.FAILED}
    told = of(record(result(), availability=availability))
    assert told[NoteKind.DATA_FAILED] == {"part": "conditions"}


@pytest.mark.parametrize(
    "given",
    [
        result("250"),
        result("250 mg"),
        named("r", "250 pg/mL", toy.ANY_MASS),
        result("250 pt/mL", toy.SAP_MASS),
    ],
)
def test_a_card_that_cannot_interpret_says_what_to_do_for_an_ill_patient(given: LabResult) -> None:
    assert NoteKind.URGENT_IF_ILL in of(given)


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


# ------------------------------------------------------------------ two companions of one time


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


# ------------------------------------------------------------------ what was missing


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
