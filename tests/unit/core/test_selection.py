"""One card per specimen kind: the newest final result, with what stands around it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.model import (
    Coding,
    InvalidResource,
    LabResult,
    Measured,
    NoValue,
    PatientRecord,
    ResourceRef,
    Status,
    Subject,
)
from cds_service.core.note import NoteKind
from cds_service.core.selection import Looking
from cds_service.core.verdict import (
    Answer,
    Direction,
    Evaluation,
    Interpreted,
    NotInterpretable,
    Reason,
    WrongAnalyte,
)
from cds_service.evaluate import evaluate
from tests import toy
from tests.records import (
    AT,
    answer_to,
    evaluated,
    measured,
    moment,
    named,
    record,
    result,
    specimen,
    text_only,
)

TOY = toy.knowledge()
WITHDRAWN = [Status.CANCELLED, Status.ENTERED_IN_ERROR]
NOT_YET = [Status.PRELIMINARY, Status.REGISTERED]


def about(answer: Answer) -> str:
    return answer.result.ref.resource.removeprefix("Observation/")


def read(evaluation: Evaluation) -> dict[str, str]:
    """Result -> `interpreted`, or the reason why not."""
    return {about(answer): told(answer) for answer in evaluation.answers}


def left_aside(evaluation: Evaluation) -> dict[str, str]:
    """Result -> why it has no card."""
    return {
        skipped.ref.resource.removeprefix("Observation/"): skipped.because
        for skipped in evaluation.skipped
    }


def told(answer: Answer) -> str:
    match answer.verdict:
        case Interpreted():
            return "interpreted"
        case NotInterpretable(reason):
            return reason.value
        case WrongAnalyte(loinc):
            return loinc


def notes(answer: Answer) -> dict[NoteKind, dict[str, str]]:
    return {note.kind: dict(note.values) for note in answer.notes}


def day(name: str, on: str, **changes: Any) -> LabResult:
    return named(name, "250 pt/mL", on=on, **changes)


def chart(given: PatientRecord, at: date = AT) -> Evaluation:
    return evaluate(given, TOY, at, looking=Looking.CHART_OPENED)


# ------------------------------------------------------------------ the newest wins


def test_of_several_final_results_of_one_specimen_the_newest_by_collection_speaks() -> None:
    given = record(day("old", "2026-01-01"), day("new", "2026-02-01"), day("mid", "2026-01-15"))
    assert read(evaluated(given)) == {"new": "interpreted"}


@pytest.mark.parametrize(("early", "late"), [("a", "b"), ("b", "a")])
def test_of_two_collected_together_the_one_issued_later_speaks(early: str, late: str) -> None:
    first = day(early, "2026-02-01", issued=moment("2026-02-02"))
    second = day(late, "2026-02-01", issued=moment("2026-02-03"))
    assert read(evaluated(record(second, first))) == {late: "interpreted"}


@pytest.mark.parametrize(("lower", "higher"), [("1", "2"), ("9", "10")])
def test_of_two_versions_of_one_result_the_higher_number_speaks(lower: str, higher: str) -> None:
    """Even where the lower one has the higher value."""
    versions = [
        result(value, ref=ResourceRef("Observation/r", number))
        for number, value in ((lower, "5230 pt/mL"), (higher, "520 pt/mL"))
    ]
    for given in permutations(versions):
        assert answer_to(record(*given)).result.ref.version == higher


def without(reason: str) -> LabResult:
    return replace(result(), value=NoValue(reason))


def in_words(unit: str) -> LabResult:
    return replace(result(), value=replace(measured("520 pt/mL"), unit=text_only(unit)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(day("a", "2026-02-01"), day("b", "2026-02-01"), id="two ids"),
        pytest.param(named("r", "520 pt/mL"), named("r", "520 pg/mL"), id="two coded units"),
        pytest.param(in_words("pt/mL"), in_words("pg/mL"), id="two units in words"),
        pytest.param(without("unknown"), without("error"), id="two reasons for no value"),
    ],
)
def test_between_two_results_that_nothing_orders_the_same_one_speaks_every_time(
    one: LabResult, other: LabResult
) -> None:
    first, second = (answer_to(record(*results)) for results in permutations((one, other)))
    assert first.result == second.result


@pytest.mark.parametrize(
    ("higher", "lower"),
    [
        ("5230 pt/mL", "520 pt/mL"),
        ("1000 pt/mL", "999 pt/mL"),
        (">520 pt/mL", "520 pt/mL"),
        ("520 pt/mL", "<520 pt/mL"),
        ("<=520 pt/mL", "<520 pt/mL"),
    ],
)
def test_of_two_values_under_one_id_with_nothing_to_order_them_the_higher_one_speaks(
    higher: str, lower: str
) -> None:
    """Whichever was sent first: nobody is reassured by the order of a list."""
    versions = [named("Observation/r", value) for value in (lower, higher)]
    one, other = (answer_to(record(*order)) for order in permutations(versions))
    assert one == other
    assert isinstance(one.result, LabResult)
    assert one.result.value == measured(higher)
    assert notes(one)[NoteKind.OTHER_VERSION]["value"] == lower


@pytest.mark.parametrize("number", ["5230", "0"])
def test_of_two_versions_of_which_one_has_no_number_the_number_speaks(number: str) -> None:
    versions = [named("r", f"{number} pt/mL"), replace(named("r", "1"), value=NoValue("unknown"))]
    for given in permutations(versions):
        assert answer_to(record(*given)).value.text == number


def test_a_result_without_collection_is_ordered_by_its_issue() -> None:
    undated = day("issued", "", issued=moment("2026-02-03"))
    assert read(evaluated(record(undated, day("old", "2026-02-01")))) == {"issued": "interpreted"}


def test_a_result_without_any_date_never_hides_a_dated_one() -> None:
    assert read(evaluated(record(day("never", ""), day("old", "2020-01-01")))) == {
        "old": "interpreted"
    }


def test_the_order_in_which_results_arrive_changes_nothing() -> None:
    results = [day(f"r{number}", f"2026-01-0{number}") for number in (1, 2, 3)]
    assert evaluated(record(*results)).answers == evaluated(record(*results[::-1])).answers


def test_each_specimen_kind_has_its_own_answer() -> None:
    given = record(day("sap", "2026-01-01"), named("dew", "51 pg/mL", toy.DEW_MASS))
    assert read(evaluated(given)) == {"dew": "interpreted", "sap": "interpreted"}


def test_results_hidden_by_the_same_reason_share_one_answer() -> None:
    given = record(
        named("one", "51 pg/mL", toy.ANY_MASS, on="2026-01-01"),
        named("two", "51 pg/mL", toy.ANY_MASS, on="2026-01-02"),
        named("three", "51 pg/mL", toy.ANY_MASS, specimen=specimen("RESIN")),
    )
    assert read(evaluated(given)) == {
        "three": "specimen-not-covered",
        "two": "specimen-unknown",
    }


# ------------------------------------------------------------------ a date that cannot be right


def test_a_result_dated_ahead_of_today_never_hides_another_and_is_named() -> None:
    """300 of Christmas must not hide 12,000 of this morning; today is 2 March."""
    wrong = named("wrong", "300 pt/mL", on="2026-12-25")
    real = named("real", "12000 pt/mL", on="2026-03-01")
    for given in ((wrong, real), (real, wrong)):
        for evaluation in (chart(record(*given)), evaluated(record(*given))):
            (answer,) = evaluation.answers
            assert about(answer) == "real"
            assert notes(answer) == {
                NoteKind.DATE_AHEAD: {"value": "300 pt/mL", "date": "2026-12-25"}
            }
            assert [point.direction for point in answer.series] == [Direction.CANNOT_TELL]


def test_a_result_dated_ahead_of_today_is_carded_where_it_is_the_only_one() -> None:
    only = record(named("only", "300 pt/mL", on="2026-12-25"))
    for evaluation in (chart(only), evaluated(only)):
        (answer,) = evaluation.answers
        assert told(answer) == "interpreted"
        assert notes(answer) == {NoteKind.DATE_AHEAD: {"value": "300 pt/mL", "date": "2026-12-25"}}


@pytest.mark.parametrize("changes", [{"status": Status.PRELIMINARY}, {"value": measured("3 mg")}])
def test_an_impossible_date_is_named_on_a_card_that_cannot_interpret(
    changes: dict[str, Any],
) -> None:
    given = replace(day("r", "2026-12-25"), **changes)
    assert NoteKind.DATE_AHEAD in notes(answer_to(given))


def test_an_issue_ahead_of_today_decides_nothing_between_two_collected_together() -> None:
    early = day("a", "2026-02-01", issued=moment("2026-12-25"))
    late = day("b", "2026-02-01", issued=moment("2026-02-02"))
    assert read(evaluated(record(early, late))) == {"b": "interpreted"}


def test_a_result_of_tomorrow_may_be_of_another_time_zone() -> None:
    given = record(day("today", "2026-03-02"), day("tomorrow", "2026-03-03"))
    answer = answer_to(given)
    assert (about(answer), notes(answer)) == ("tomorrow", {})


# ------------------------------------------------------------------ which one is the newest?


@pytest.mark.parametrize(
    ("high", "low"),
    [
        pytest.param("2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z", id="one time"),
        pytest.param("2026-03-01T08:00:00Z", "2026-03-01T09:00:00+01:00", id="in two zones"),
        pytest.param("2026-03-01", "2026-03-01T08:00:00Z", id="day and time"),
        pytest.param("2026-03", "2026-03-01", id="month and day"),
        pytest.param("2026", "2026-03-01T08:00:00Z", id="year and time"),
        pytest.param("", "2026-03-01", id="no date"),
    ],
)
@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
def test_where_the_dates_do_not_tell_the_newest_the_other_is_named_and_no_direction_told(
    high: str, low: str, ids: tuple[str, str]
) -> None:
    """5230 and 300 of one day: neither "then fell" nor "then rose" is known."""
    results = {
        ids[0]: named(ids[0], "5230 pt/mL", collected=moment(high)),
        ids[1]: named(ids[1], "300 pt/mL", collected=moment(low)),
    }
    one, other = (answer_to(record(*order)) for order in permutations(results.values()))
    assert one == other
    (unread,) = (found for found in results.values() if found is not results[about(one)])
    assert isinstance(unread.value, Measured)
    named_beside = notes(one)[NoteKind.ORDER_UNKNOWN]
    assert named_beside["value"] == f"{unread.value.number.text} pt/mL"
    assert [point.direction for point in one.series] == [Direction.CANNOT_TELL]


def test_a_result_that_may_be_newer_is_named_where_it_comes_from_the_history() -> None:
    arrived = named("a", "300 pt/mL", collected=moment("2026-03-01T08:00:00Z"))
    known = named("b", "5230 pt/mL", collected=moment("2026-03-01T08:00:00Z"))
    answer = answer_to(record(arrived, history=(known,)))
    assert notes(answer) == {
        NoteKind.ORDER_UNKNOWN: {
            "value": "5230 pt/mL",
            "date": "2026-03-01T08:00:00Z",
            "status": "final",
        }
    }


def test_of_several_newer_ones_only_the_newest_is_named_in_whatever_order_they_came() -> None:
    newer, newest = day("newer", "2026-02-10"), day("newest", "2026-02-20")
    for history in permutations((newer, newest)):
        answer = answer_to(record(day("arrived", "2026-02-01"), history=history))
        assert [note.values["date"] for note in answer.notes] == ["2026-02-20"]


def test_of_many_without_a_date_three_are_named() -> None:
    undated = [named(f"u{number}", f"{number} pt/mL", on="") for number in range(1, 6)]
    answer = answer_to(record(day("dated", "2026-03-01"), *undated))
    assert [note.kind for note in answer.notes] == [NoteKind.ORDER_UNKNOWN] * 3
    assert len(answer.series) == 5


# ------------------------------------------------------------------ not final


@pytest.mark.parametrize("status", [*NOT_YET, *WITHDRAWN, Status.UNKNOWN])
def test_a_newer_one_that_is_not_final_is_named_beside_the_newest_final_one(status: Status) -> None:
    answer = answer_to(record(day("old", "2026-01-01"), day("new", "2026-02-01", status=status)))
    assert about(answer) == "old"
    told_of = {"status": status.value, "date": "2026-02-01"}
    if status in WITHDRAWN:
        assert notes(answer)[NoteKind.NEWER_NOT_FINAL] == {**told_of, "value": ""}
    else:
        assert notes(answer)[NoteKind.NEWER_VALUE] == {**told_of, "value": "250 pt/mL"}


def test_what_is_newer_is_named_beside_what_there_was_to_say_of_the_result() -> None:
    corrected = day("old", "2026-01-01", status=Status.CORRECTED)
    newer = day("new", "2026-02-01", status=Status.PRELIMINARY)
    answer = answer_to(record(corrected, newer))
    assert [note.kind for note in answer.notes] == [NoteKind.NEWER_VALUE, NoteKind.CORRECTED]


def test_newer_ones_that_are_not_final_do_not_hide_each_other() -> None:
    newer = [
        day("withdrawn", "2026-02-03", status=Status.CANCELLED),
        day("preliminary", "2026-02-02", status=Status.PRELIMINARY),
    ]
    answer = answer_to(record(day("old", "2026-01-01"), *newer))
    assert [note.kind for note in answer.notes] == [NoteKind.NEWER_NOT_FINAL, NoteKind.NEWER_VALUE]


@pytest.mark.parametrize("status", [Status.FINAL, Status.AMENDED, Status.CORRECTED])
def test_final_amended_and_corrected_results_are_interpreted(status: Status) -> None:
    answer = answer_to(day("r", "2026-01-01", status=status))
    assert told(answer) == "interpreted"
    assert (NoteKind.CORRECTED in notes(answer)) is (status is not Status.FINAL)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (Status.PRELIMINARY, Reason.STATUS_PRELIMINARY),
        (Status.REGISTERED, Reason.STATUS_PRELIMINARY),
        (Status.UNKNOWN, Reason.STATUS_UNKNOWN),
    ],
)
def test_where_none_is_final_the_newest_is_told_with_its_reason(
    status: Status, reason: Reason
) -> None:
    given = record(day("old", "2026-01-01", status=status), day("new", "2026-02-01", status=status))
    answer = answer_to(given)
    assert (about(answer), told(answer)) == ("new", reason.value)
    assert answer.value.text == "250"


def interpreting_preliminary() -> KnowledgeBase:
    return replace(TOY, policy=TOY.policy.model_copy(update={"interpret_preliminary": True}))


def test_a_preliminary_result_is_interpreted_only_where_the_site_says_so() -> None:
    given = record(day("r", "2026-01-01", status=Status.PRELIMINARY))
    answer = answer_to(given, interpreting_preliminary())
    assert told(answer) == "interpreted"
    assert NoteKind.PRELIMINARY_BY_POLICY in notes(answer)


def test_a_registered_one_is_not_preliminary() -> None:
    given = record(day("r", "2026-01-01", status=Status.REGISTERED))
    assert told(answer_to(given, interpreting_preliminary())) == "status-preliminary"


# ------------------------------------------------------------------ withdrawn


@pytest.mark.parametrize("status", WITHDRAWN)
def test_a_withdrawn_result_that_nobody_was_told_of_is_left_aside(status: Status) -> None:
    evaluation = evaluated(record(day("r", "2026-01-01", status=status)))
    assert evaluation.answers == ()
    assert [skipped.because for skipped in evaluation.skipped] == [f"the result is {status.value}"]


@pytest.mark.parametrize("status", WITHDRAWN)
def test_a_withdrawn_result_that_was_carded_before_is_told_without_its_value(
    status: Status,
) -> None:
    given = record(
        day("r", "2026-01-01", status=status), carded_before=frozenset({"Observation/r"})
    )
    answer = answer_to(given)
    assert told(answer) == "status-withdrawn"
    assert answer.value.text == ""
    assert chart(given).answers == ()


def test_an_older_withdrawn_one_that_was_carded_is_told_beside_the_newest() -> None:
    given = record(
        day("old", "2026-01-01", status=Status.ENTERED_IN_ERROR),
        day("new", "2026-02-01"),
        carded_before=frozenset({"Observation/old"}),
    )
    assert read(evaluated(given)) == {"new": "interpreted", "old": "status-withdrawn"}


def test_an_older_withdrawn_one_that_nobody_saw_is_left_aside_with_the_reason() -> None:
    given = record(day("old", "2026-01-01", status=Status.CANCELLED), day("new", "2026-02-01"))
    evaluation = evaluated(given)
    assert read(evaluation) == {"new": "interpreted"}
    assert left_aside(evaluation) == {"old": "the result is cancelled"}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        pytest.param(
            (Status.PRELIMINARY, Status.CANCELLED, Status.FINAL),
            {"2": "status-withdrawn", "1": "interpreted"},
            id="under a preliminary one",
        ),
        pytest.param(
            (Status.CANCELLED, Status.FINAL),
            {"2": "status-withdrawn", "1": "interpreted"},
            id="the newest of all",
        ),
        pytest.param(
            (Status.PRELIMINARY, Status.CANCELLED),
            {"2": "status-preliminary", "1": "status-withdrawn"},
            id="where none is final",
        ),
        pytest.param(
            (Status.FINAL, Status.CANCELLED, Status.ENTERED_IN_ERROR),
            {"3": "interpreted", "2": "status-withdrawn", "1": "status-withdrawn"},
            id="two of them",
        ),
        pytest.param(
            (Status.CANCELLED, Status.ENTERED_IN_ERROR),
            {"2": "status-withdrawn", "1": "status-withdrawn"},
            id="all of them",
        ),
    ],
)
def test_every_withdrawn_result_that_was_carded_before_gets_its_card(
    statuses: tuple[Status, ...], expected: dict[str, str]
) -> None:
    """Newest first. What was said of a result that is withdrawn now no longer holds."""
    days = {str(number): status for number, status in enumerate(reversed(statuses), start=1)}
    results = [day(name, f"2026-02-0{name}", status=status) for name, status in days.items()]
    seen = frozenset(result.ref.resource for result in results)
    assert read(evaluated(record(*results, carded_before=seen))) == expected


def test_of_two_withdrawn_results_only_the_one_that_was_carded_before_is_told() -> None:
    seen, unseen = (
        day(name, on, status=Status.CANCELLED)
        for name, on in (("seen", "2026-01-01"), ("unseen", "2026-02-01"))
    )
    evaluation = evaluated(record(seen, unseen, carded_before=frozenset({"Observation/seen"})))
    assert read(evaluation) == {"seen": "status-withdrawn"}
    assert left_aside(evaluation) == {"unseen": "the result is cancelled"}


def test_a_withdrawn_result_gets_no_card_where_a_chart_is_opened() -> None:
    given = record(
        day("old", "2026-01-01", status=Status.ENTERED_IN_ERROR),
        day("new", "2026-02-01"),
        carded_before=frozenset({"Observation/old"}),
    )
    assert read(chart(given)) == {"new": "interpreted"}
    assert left_aside(chart(given)) == {"old": "the result is entered-in-error"}


# ------------------------------------------------------------------ the look-back window


@pytest.mark.parametrize(
    ("on", "seen"),
    [("2025-12-02", True), ("2025-12-01", False), ("2025-12", True), ("2025", True), ("", True)],
)
def test_a_chart_shows_results_that_can_lie_within_the_look_back_window(
    on: str, *, seen: bool
) -> None:
    given = record(day("r", on))
    assert (chart(given).answers != ()) is seen
    assert read(evaluated(given)) == {"r": "interpreted"}


def test_what_is_older_than_the_window_is_left_aside_with_the_reason() -> None:
    (skipped,) = chart(record(day("r", "2025-01-01"))).skipped
    assert skipped.because == "it is older than the look-back window"


@pytest.mark.parametrize(
    ("issued", "seen"), [("2020-05-05", False), ("2026-03-01", True), ("2026-12-25", True)]
)
def test_a_result_without_a_collection_date_is_as_old_as_its_issue(
    issued: str, *, seen: bool
) -> None:
    """300 issued in 2020 is not today's value; today is 2 March 2026."""
    given = record(day("r", "", issued=moment(issued)))
    assert (chart(given).answers != ()) is seen


# ------------------------------------------------------------------ not ours, not this patient's


def test_a_look_alike_is_told_and_an_unrelated_code_is_left_aside() -> None:
    given = record(
        named("alike", "5 pg/mL", toy.LOOK_ALIKE),
        named("ignored", "5", toy.LOOK_ALIKE_TO_IGNORE),
        named("other", "5", "718-7"),
    )
    evaluation = evaluated(given)
    assert read(evaluation) == {"alike": toy.LOOK_ALIKE}
    assert {skipped.ref.resource for skipped in evaluation.skipped} == {
        "Observation/ignored",
        "Observation/other",
    }


@pytest.mark.parametrize("status", WITHDRAWN)
def test_a_withdrawn_look_alike_is_left_aside(status: Status) -> None:
    assert evaluated(record(named("r", "5 pg/mL", toy.LOOK_ALIKE, status=status))).answers == ()


def test_another_patients_result_is_told_without_anything_of_it_where_nothing_else_is_left() -> (
    None
):
    foreign = day("foreign", "2026-01-01", subject=Subject.ANOTHER_PATIENT)
    answer = answer_to(foreign)
    assert told(answer) == "subject-mismatch"
    assert (answer.value.text, answer.inputs) == ("", ())


def test_another_patients_result_of_another_test_is_no_card() -> None:
    haemoglobin = named("foreign", "5", "718-7", subject=Subject.ANOTHER_PATIENT)
    evaluation = evaluated(record(haemoglobin))
    assert evaluation.answers == ()
    assert left_aside(evaluation) == {"foreign": "no code of it is known here"}


def test_another_patients_result_is_left_aside_beside_this_patients() -> None:
    foreign = day("foreign", "2026-02-01", subject=Subject.ANOTHER_PATIENT)
    evaluation = evaluated(record(day("own", "2026-01-01"), foreign))
    assert read(evaluation) == {"own": "interpreted"}
    assert [s.because for s in evaluation.skipped] == ["it belongs to another patient"]


def test_a_result_that_names_nobody_is_read_and_says_so() -> None:
    answer = answer_to(day("r", "2026-01-01", subject=Subject.NOT_NAMED))
    assert told(answer) == "interpreted"
    assert NoteKind.SUBJECT_NOT_NAMED in notes(answer)


@pytest.mark.parametrize(
    ("codes", "answers"),
    [
        ((toy.SAP_POINTS,), {"broken": "fhir-invalid"}),
        ((), {"broken": "fhir-invalid"}),
        (("718-7",), {}),
        ((toy.LOOK_ALIKE,), {}),
    ],
)
def test_an_invalid_resource_is_told_unless_its_code_shows_another_test(
    codes: tuple[str, ...], answers: dict[str, str]
) -> None:
    broken = InvalidResource(
        ResourceRef("Observation/broken"),
        "Observation.status",
        tuple(Coding(LOINC, code) for code in codes),
    )
    assert read(evaluated(replace(record(), results=(broken,)))) == answers


def test_codes_that_contradict_each_other_are_told_as_such() -> None:
    both = (Coding(LOINC, toy.SAP_MASS), Coding(LOINC, toy.DEW_MASS))
    answer = answer_to(named("r", "250 pg/mL", codings=both))
    assert told(answer) == "code-conflict"


def test_two_results_of_an_unsettled_specimen_are_not_called_of_the_same_one() -> None:
    """Nobody knows whether the two codes that contradict each other mean blood or CSF."""
    both = (Coding(LOINC, toy.SAP_MASS), Coding(LOINC, toy.DEW_MASS))
    older = named("older", "250 pg/mL", codings=both, on="2026-02-01")
    newer = named("newer", "300 pg/mL", codings=both, on="2026-02-01")
    answer = answer_to(record(older, newer))
    assert set(notes(answer)) == {NoteKind.URGENT_IF_ILL}


def test_what_shares_the_card_of_another_is_left_aside_with_the_reason() -> None:
    """One card for each kind of trouble is enough to read; the trace names them all."""
    both = (Coding(LOINC, toy.SAP_MASS), Coding(LOINC, toy.DEW_MASS))
    broken = [InvalidResource(ResourceRef(f"Observation/b{n}"), "Observation", ()) for n in (1, 2)]
    given = record(
        named("older", "250 pg/mL", codings=both, on="2026-02-01"),
        named("newer", "300 pg/mL", codings=both, on="2026-02-02"),
        named("alike-older", "5 pg/mL", toy.LOOK_ALIKE, on="2026-02-01"),
        named("alike-newer", "6 pg/mL", toy.LOOK_ALIKE, on="2026-02-02"),
    )
    evaluation = evaluated(replace(given, results=(*given.results, *broken)))
    assert read(evaluation) == {
        "newer": "code-conflict",
        "alike-newer": toy.LOOK_ALIKE,
        "b1": "fhir-invalid",
    }
    assert left_aside(evaluation) == {
        "older": "code-conflict, as told of a newer one",
        "alike-older": "a newer look-alike is told",
        "b2": "another invalid resource is told",
    }


def test_of_two_results_of_another_patient_both_are_in_the_trace() -> None:
    foreign = [day(name, "2026-01-01", subject=Subject.ANOTHER_PATIENT) for name in ("a", "b")]
    evaluation = evaluated(record(*foreign))
    assert read(evaluation) == {"a": "subject-mismatch"}
    assert left_aside(evaluation) == {"b": "it belongs to another patient"}


def test_nothing_to_say_is_no_answer_and_no_reason() -> None:
    assert evaluated(record()) == Evaluation("toy@2026.3", AT)
