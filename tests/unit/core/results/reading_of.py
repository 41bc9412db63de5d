"""What became of each result of a record, by its name."""

from __future__ import annotations

from datetime import date
from typing import Any

from cds_service.core.model import LabResult, PatientRecord
from cds_service.core.results.selection import Looking
from cds_service.core.verdict import Answer, Evaluation, Interpreted, NotInterpretable, WrongAnalyte
from cds_service.evaluate import evaluate
from tests import toy
from tests.records import AT, named

TOY = toy.knowledge()


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


def day(name: str, on: str, **changes: Any) -> LabResult:
    return named(name, "250 pt/mL", on=on, **changes)


def chart(given: PatientRecord, at: date = AT) -> Evaluation:
    return evaluate(given, TOY, at, looking=Looking.CHART_OPENED)
