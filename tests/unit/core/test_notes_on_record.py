"""What became of the patient's record is told on every card, whatever kept a result from being
read: the result that could be read may stand in the part that could not be had.
"""

from __future__ import annotations

import pytest

from cds_service.core.elements import ResourceRef, Status
from cds_service.core.model import Availability, InvalidResource, LabResult, Subject
from cds_service.core.note import NoteKind
from tests import toy
from tests.records import LOOKED_FOR, NOBODY, answer_to, notes, record, result

EACH = {
    "interpreted": result(),
    "without a unit": result("250"),
    "preliminary": result(status=Status.PRELIMINARY),
    "of unknown status": result(status=Status.UNKNOWN),
    "withdrawn": result(status=Status.CANCELLED),
    "a look-alike": result("5 pg/mL", toy.LOOK_ALIKE),
    "not valid": InvalidResource(ResourceRef("Observation/r"), "Observation.status"),
    "of another patient": result(subject=Subject.ANOTHER_PATIENT),
}


def told(given: LabResult | InvalidResource, part: str, came_to: Availability) -> set[NoteKind]:
    whole = record(
        given,
        patient=NOBODY,
        availability={**LOOKED_FOR, part: came_to},
        carded_before=frozenset({"Observation/r"}),
    )
    return set(notes(answer_to(whole)))


@pytest.mark.parametrize("given", EACH.values(), ids=EACH)
def test_that_there_may_be_more_is_told_on_every_card(given: LabResult | InvalidResource) -> None:
    """A first page with a preliminary result; the raised final one stands on the next."""
    assert NoteKind.MORE_MAY_EXIST in told(given, "toy", Availability.PARTIAL)


@pytest.mark.parametrize("given", EACH.values(), ids=EACH)
def test_that_a_part_failed_is_told_on_every_card(given: LabResult | InvalidResource) -> None:
    assert NoteKind.DATA_FAILED in told(given, "toy", Availability.FAILED)


@pytest.mark.parametrize("given", EACH.values(), ids=EACH)
def test_that_all_of_a_part_is_another_patients_is_told_on_every_card(
    given: LabResult | InvalidResource,
) -> None:
    """Whose conditions were left out is not known to have none."""
    assert NoteKind.DATA_OF_ANOTHER in told(given, "conditions", Availability.OF_ANOTHER_PATIENT)


@pytest.mark.parametrize("part", ["labs", "conditions", "medications", "toy"])
def test_a_part_that_is_another_patients_is_missing(part: str) -> None:
    availability = {**LOOKED_FOR, part: Availability.OF_ANOTHER_PATIENT}
    answer = answer_to(record(result(), availability=availability))
    assert part in answer.missing
    assert notes(answer)[NoteKind.DATA_OF_ANOTHER] == {"part": part}


@pytest.mark.parametrize("given", EACH.values(), ids=EACH)
def test_that_the_patient_is_another_is_told_on_every_card(
    given: LabResult | InvalidResource,
) -> None:
    assert NoteKind.PATIENT_OF_ANOTHER in told(given, "patient", Availability.OF_ANOTHER_PATIENT)
