"""A file from the command line: what it is, and its evaluation by every knowledge base.

A bare Observation, a DiagnosticReport, any Bundle, or a whole CDS Hooks request. No server is
called: what a hook request did not bring along is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cds_service.core.card import Card
from cds_service.core.json_object import JsonObject
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.orders.advice import Advice
from cds_service.core.render import render
from cds_service.core.verdict import Evaluation
from cds_service.errors import CdsError, InputError, MalformedJson
from cds_service.evaluate import Looking, evaluate
from cds_service.fhir.access import NoAccess, NoAccessReason
from cds_service.fhir.files.file import read_file
from cds_service.fhir.read import read_record
from cds_service.fhir.wanted import wanted_by
from cds_service.hooks.answer import answer
from cds_service.hooks.call import Call
from cds_service.hooks.request import read_request
from cds_service.hooks.services import Service, build_registry
from cds_service.hooks.suggestions import with_suggestions
from cds_service.knowledge.files import Library
from cds_service.strict_json import parse_object

LINES = ".ndjson"
"""One resource a line, as bulk exports have it (https://hl7.org/fhir/uv/bulkdata/)."""


@dataclass(frozen=True, slots=True)
class DocumentAnswer:
    """What one knowledge base says about one document."""

    knowledge: KnowledgeBase
    evaluation: Evaluation
    cards: tuple[Card, ...]
    advice: tuple[Advice, ...] = ()
    """On draft orders, card by card."""


def read_document(path: Path) -> JsonObject:
    """The JSON object in a file. Raises InputError or MalformedJson, naming the file."""
    with _naming(path), _readable():
        text = path.read_bytes()
        if path.suffix.lower() == LINES and b"\n" in text.strip():
            raise InputError(
                "This file holds a document in each line.",
                remedy="Give one of them as .json; `codes` and `rehearse` read all of them.",
            )
        return parse_object(text)


def read_documents(path: Path) -> Iterator[JsonObject]:
    """The JSON objects in a file: one in each line if its name ends in LINES, else a single one.

    Raises as `read_document`, naming the line too.
    """
    if path.suffix.lower() != LINES:
        yield read_document(path)
        return
    with _naming(path), _readable(), path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _line(line, number)


def _line(line: bytes, number: int) -> JsonObject:
    try:
        return parse_object(line)
    except MalformedJson as error:
        error.where = f"line {number}"
        raise


def evaluate_file(
    path: Path, library: Library, at: date, lab_result_hook: str
) -> tuple[DocumentAnswer, ...]:
    """Evaluate what a file holds, as `evaluate_document`. Errors name the file."""
    document = read_document(path)
    with _naming(path):
        return evaluate_document(document, library, at, lab_result_hook)


def evaluate_document(
    document: JsonObject, library: Library, at: date, lab_result_hook: str
) -> tuple[DocumentAnswer, ...]:
    """Evaluate whatever the file holds. Raises InputError, or BadRequest for a bad request."""
    if is_hook_request(document):
        return _evaluate_request(document, library, at, lab_result_hook)
    return evaluate_resource(document, library, at)


def evaluate_resource(
    document: JsonObject, library: Library, at: date
) -> tuple[DocumentAnswer, ...]:
    """Evaluate a FHIR resource given as a file. Raises InputError for what is none."""
    outcomes = []
    for knowledge in library.bases.values():
        wanted = wanted_by(knowledge)
        given = read_file(document, wanted)
        record = read_record(
            patient_id=given.patient_id,
            fhir_base="",
            results=given.results,
            parts=given.parts,
            wanted=wanted,
        )
        evaluation = evaluate(record, knowledge, at, looking=Looking.RESULT_ARRIVED)
        scope = f"file {knowledge.identity.id} {given.patient_id}"
        cards = render(evaluation, knowledge, scope=scope)
        cards = with_suggestions(cards, evaluation, knowledge, given.patient_id)
        outcomes.append(DocumentAnswer(knowledge, evaluation, cards))
    return tuple(outcomes)


def is_hook_request(document: Mapping[str, object]) -> bool:
    """Whether a document is a CDS Hooks request rather than a FHIR resource."""
    return "hook" in document and "resourceType" not in document


def _evaluate_request(
    document: JsonObject, library: Library, at: date, lab_result_hook: str
) -> tuple[DocumentAnswer, ...]:
    """A hook request goes to every service that is for its hook, as a server would send it."""
    registry = build_registry(library.bases.values(), lab_result_hook=lab_result_hook)
    hook = document["hook"]
    services = [service for service in registry.services.values() if service.hook == hook]
    if not services:
        raise InputError(
            "No service here is for the hook of this request.",
            where="hook",
            remedy=f"Known: {', '.join(sorted({s.hook for s in registry.services.values()}))}.",
        )
    return tuple(_asked(service, document, at) for service in services)


def _asked(service: Service, document: JsonObject, at: date) -> DocumentAnswer:
    call = Call(
        service=service,
        request=read_request(document, service.trigger, service.hook, service.templates),
        caller="file",
        at=at,
        access=NoAccess(NoAccessReason.NO_SERVER),
        carded_before=lambda _references: frozenset(),
    )
    answered = answer(call)
    return DocumentAnswer(service.knowledge, answered.evaluation, answered.cards, answered.advice)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """An error raised in the block names this file."""
    try:
        yield
    except CdsError as error:
        error.where = f"{path} {error.where}".rstrip()
        raise


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise InputError("The file cannot be read.", remedy="Check path and permissions.") from None
