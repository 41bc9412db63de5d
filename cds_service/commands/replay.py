"""`cds-service records replay`: the cards of a recorded evaluation, made anew from its request.

The service does not keep what goes into an evaluation, but a client may keep its requests. The id
of an evaluation is made of every word on its cards, so the same id proves the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service import __version__
from cds_service.commands.input import (
    CONFIG,
    FILE,
    FORMER_KEYS,
    database_of,
    former_data_keys,
    library_of,
    settings_of,
)
from cds_service.commands.output import AS_JSON, Output, cell, print_json
from cds_service.errors import DataUnavailable, InputError

if TYPE_CHECKING:
    from cds_service.core.card import Card
    from cds_service.hooks.request import HookRequest
    from cds_service.hooks.services import Service
    from cds_service.store.pseudonym import Pseudonymiser
    from cds_service.store.records import EvaluationRecord, Records


@dataclass(frozen=True, slots=True)
class Replay:
    """What the request of a recorded evaluation comes to now."""

    record: EvaluationRecord
    cards: tuple[Card, ...]
    differences: tuple[str, ...]
    """Why these are not the cards of the record, as sentences; none where they are."""


@click.command()
@click.argument("evaluation", metavar="ID")
@click.argument("request", metavar="REQUEST", type=FILE)
@click.option("--client", metavar="NAME", required=True, help="Whose call it was, as in the log.")
@FORMER_KEYS
@AS_JSON
@CONFIG
def replay(
    *,
    evaluation: str,
    request: Path,
    client: str,
    former_keys: Sequence[Path],
    as_json: bool,
    config: Path | None,
) -> None:
    """Show what stood on the cards of an evaluation.

    ID is `id` in the card's extension, REQUEST a file with the hook request as the client sent it.
    It is evaluated anew, as on its day. The same id proves that the words are the same. No server
    is called. Needs the data key; what is shown is patient data. Exit code 1 where the cards are
    others, with the reason as far as it can be told.
    """
    from cds_service.commands.documents import read_document
    from cds_service.commands.terminal import print_cards
    from cds_service.hooks.request import read_request
    from cds_service.hooks.services import build_registry
    from cds_service.store.pseudonym import Pseudonymiser
    from cds_service.store.records import Records
    from cds_service.wiring import existing_data_key

    settings = settings_of(config)
    keys = (existing_data_key(settings), *former_data_keys(former_keys))
    registry = build_registry(
        library_of(settings).bases.values(), lab_result_hook=settings.lab_result_hook
    )
    with database_of(settings) as database:
        kept = [(Records(database, names), names) for names in map(Pseudonymiser, keys)]
        record = kept[0][0].find(evaluation, client)[0]
        _require_an_answer(record)
        service = registry.find(record.service)
        asked = read_request(
            read_document(request), service.trigger, service.hook, service.templates
        )
        replays = [_replayed(record, asked, service, *each) for each in kept]
    shown = next((each for each in replays if not each.differences), replays[0])
    if as_json:
        print_json(_document(shown))
    else:
        _print(Output(), shown)
        print_cards(Output(), [card.as_json() for card in shown.cards])
    if shown.differences:
        raise SystemExit(1)


def _require_an_answer(record: EvaluationRecord) -> None:
    if record.door == "event":
        raise InputError(
            "This evaluation came from an event, which has no request to replay.",
            where="ID",
            remedy="Give that of a call; `cds-service records list` shows them.",
        )
    if record.error:
        raise InputError(
            f"This call ended with {record.error}: there were no cards.",
            where="ID",
            remedy="The log says why, under the same time.",
        )


def _replayed(
    record: EvaluationRecord,
    asked: HookRequest,
    service: Service,
    records: Records,
    pseudonyms: Pseudonymiser,
) -> Replay:
    from cds_service.fhir.access import NoAccess, NoAccessReason
    from cds_service.hooks.answer import answer
    from cds_service.hooks.call import Call
    from cds_service.journal import StoredJournal
    from cds_service.web.ports import Anybody

    journal, patient_id = StoredJournal(records, pseudonyms), asked.context.patient_id

    def carded_before(references: Iterable[str]) -> frozenset[str]:
        return journal.carded_before(Anybody(name=record.client), patient_id, references)

    call = Call(
        service=service,
        request=asked,
        caller=record.client,
        at=record.at.date(),
        access=NoAccess(NoAccessReason.NO_SERVER),
        carded_before=carded_before,
        id_secret=journal.id_secret,
    )
    if pseudonyms.of(record.client, "Patient", patient_id) != record.patient:
        another = "The request is about another patient, or was recorded under another data key."
        return Replay(record, (), (another,))
    try:
        cards = answer(call).cards
    except DataUnavailable as error:
        return Replay(
            record, (), (f"{error.text} It was fetched then, and is not in the request.",)
        )
    if {card.extension["id"] for card in cards} == ({record.id} if record.outcomes else set()):
        return Replay(record, cards, ())
    differences = _differences(record, asked, cards, service, pseudonyms)
    return Replay(record, cards, tuple(differences))


def _differences(
    record: EvaluationRecord,
    asked: HookRequest,
    cards: Sequence[Card],
    service: Service,
    pseudonyms: Pseudonymiser,
) -> Iterator[str]:
    from cds_service.kept_cards import inputs_of, kept_words

    knowledge = service.knowledge.tag
    if record.knowledge != knowledge:
        yield (
            f"It was made from {record.knowledge}, and these settings hold {knowledge}:"
            " let CDS_KNOWLEDGE name a folder of that version."
        )
    if record.software != __version__:
        yield f"It was made by version {record.software} of this software; this is {__version__}."
    used = {pseudonyms.of_reference(record.client, each) for each in inputs_of(cards)}
    if missing := len(set(record.inputs) - used):
        yield (
            f"{missing} of the {len(record.inputs)} resources it rests on are not used now: where"
            " they are not in the request, they were fetched."
        )
    said = kept_words(cards)
    for name, then, now in (
        ("outcomes", record.outcomes, said["outcomes"]),
        ("findings", record.findings, said["findings"]),
        ("reasons", record.reasons, said["reasons"]),
        ("missing", record.missing, said["missing"]),
    ):
        if then != now:
            yield f"{name} then: {_listed(then)}; now: {_listed(now)}."
    if asked.fhir.server:
        yield (
            "The request names a FHIR server, which is not asked now:"
            " what it had then, or could not give, may be the difference."
        )
    yield "Settings, site file and approval must be as on that day, and the request as it was sent."


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) or "none"


def _document(replayed: Replay) -> dict[str, object]:
    return {
        "same": not replayed.differences,
        "evaluation": replayed.record.id,
        "at": replayed.record.at.isoformat(),
        "service": replayed.record.service,
        "door": replayed.record.door.value,
        "knowledge": replayed.record.knowledge,
        "differences": list(replayed.differences),
        "cards": [card.as_json() for card in replayed.cards],
    }


def _print(console: Output, replayed: Replay) -> None:
    record = replayed.record
    shown = "withheld from the client, which was in shadow" if record.door == "shadow" else "sent"
    recorded = (
        f"Recorded {record.at:%Y-%m-%d %H:%M:%S} UTC: {record.service}, {record.knowledge},"
        f" {len(record.outcomes)} card(s), {shown}."
    )
    console.print(cell(recorded))
    if not replayed.differences:
        console.print("The request comes to the same, word by word:")
        return
    console.print("The request comes to something else now.")
    for sentence in replayed.differences:
        console.print(cell(f"- {sentence}"))
    console.print("What it comes to now:")
