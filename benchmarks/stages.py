"""Where the time of one answer goes: the steps of the hot path, each by itself, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from benchmarks import payload
from cds_service.config import Settings
from cds_service.core.model import PatientRecord
from cds_service.core.render import render
from cds_service.core.results.selection import Looking
from cds_service.evaluate import evaluate
from cds_service.fhir.read import read_record
from cds_service.fhir.supplied import supplied
from cds_service.fhir.validate import check
from cds_service.fhir.wanted import wanted_by
from cds_service.hooks.suggestions import with_suggestions
from cds_service.knowledge.files import load_configured
from cds_service.store.database import Database
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.records import Door, EvaluationRecord, Records, SentCard
from cds_service.strict_json import parse_object

_CALLS = 200
_ROUNDS = 9


def stages(folder: Path) -> Iterator[tuple[str, float]]:
    """Each step and its seconds, the best of some rounds."""
    knowledge = next(iter(load_configured(Settings()).bases.values()))
    wanted = wanted_by(knowledge)
    body = payload.one_result()
    request = parse_object(body)
    patient_id = request["context"]["patientId"]
    day = datetime.now(UTC).date()
    patient, observation = request["prefetch"]["patient"], payload.observation_of(request)

    def validate() -> None:
        check(patient)
        check(observation)

    def read() -> PatientRecord:
        parts = {key: supplied(value) for key, value in request["prefetch"].items()}
        results = parts["sil2r"].resource
        return read_record(
            patient_id=patient_id, fhir_base="", results=results, parts=parts, wanted=wanted
        )

    record = read()
    evaluation = evaluate(record, knowledge, day, looking=Looking.CHART_OPENED)
    cards = render(evaluation, knowledge, scope="bench")
    yield "read the JSON strictly", _best(lambda: parse_object(body))
    yield "validate two resources as FHIR", _best(validate)
    yield "read the record (validation included)", _best(read)
    yield (
        "evaluate",
        _best(lambda: evaluate(record, knowledge, day, looking=Looking.CHART_OPENED)),
    )
    yield "render", _best(lambda: render(evaluation, knowledge, scope="bench"))
    yield "suggest", _best(lambda: with_suggestions(cards, evaluation, knowledge, patient_id))
    with Database.open(f"sqlite:///{folder}/stages.sqlite3") as database:
        database.upgrade()
        records = Records(database, Pseudonymiser(DataKey.random()))
        kept = EvaluationRecord(
            id="bench",
            at=datetime.now(UTC),
            door=Door.HOOK,
            service=payload.SERVICE,
            client="bench",
            cards=tuple(SentCard(uuid=card.uuid, results=("bench",)) for card in cards),
        )
        yield "record, committed (SQLite)", _best(lambda: records.save(kept))


def _best(call: Callable[[], object]) -> float:
    """Seconds of one call in the best of the rounds."""
    rounds = []
    for _ in range(_ROUNDS):
        begun = perf_counter()
        for _ in range(_CALLS):
            call()
        rounds.append((perf_counter() - begun) / _CALLS)
    return min(rounds)
