"""The commands that read what was recorded: one evaluation, and what became of the cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds_service.commands.input import (
    CONFIG,
    FORMER_KEYS,
    database_of,
    former_data_keys,
    settings_of,
)
from cds_service.commands.ledger import ledger, verify
from cds_service.commands.output import (
    AS_JSON,
    Output,
    in_camel_case,
    members,
    print_json,
    print_lines,
)
from cds_service.commands.replay import replay

if TYPE_CHECKING:
    from cds_service.store.feedback import Feedback
    from cds_service.store.records import EvaluationRecord


@click.group()
def records() -> None:
    """Show what was answered, what came of it, and what was changed."""


for command in (ledger, replay, verify):
    records.add_command(command)


CLIENT = click.option(
    "--client", metavar="NAME", required=True, help="Whose calls they were, as in the log."
)


@records.command("list")
@CLIENT
@click.option(
    "--last",
    metavar="N",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="How many, counted from the newest.",
)
@click.option("--hook-instance", metavar="ID", default="", help="Only calls with this one.")
@FORMER_KEYS
@AS_JSON
@CONFIG
def list_(
    *,
    client: str,
    last: int,
    hook_instance: str,
    former_keys: Sequence[Path],
    as_json: bool,
    config: Path | None,
) -> None:
    """List the newest records of a client, also of calls that had no card.

    ID is `hookInstance` as the client sent it. `records show` says more of each. Needs the data
    key.
    """
    from cds_service.commands.terminal import print_list
    from cds_service.store.pseudonym import Pseudonymiser
    from cds_service.store.records import Records, recorded_clients
    from cds_service.wiring import existing_data_key

    settings = settings_of(config)
    pseudonyms = Pseudonymiser(existing_data_key(settings))
    former = tuple(map(Pseudonymiser, former_data_keys(former_keys)))
    with database_of(settings) as database:
        kept = Records(database, pseudonyms)
        if hook_instance:
            found = kept.of_hook_instance(client, hook_instance, last, former)
        else:
            found = kept.newest(client, last)
        known = (client,) if found else recorded_clients(database)
    if as_json:
        print_json({"records": [members(each) for each in found]})
    elif client not in known:
        print_lines([f"Nothing is recorded of this client. Known: {', '.join(known) or 'none'}."])
    else:
        print_list(Output(), found)


@records.command()
@click.argument("evaluation", metavar="ID")
@CLIENT
@click.option("--comments", is_flag=True, help="Show comments of clinicians too: patient data.")
@FORMER_KEYS
@AS_JSON
@CONFIG
def show(
    *,
    evaluation: str,
    client: str,
    comments: bool,
    former_keys: Sequence[Path],
    as_json: bool,
    config: Path | None,
) -> None:
    """Show the records of one evaluation, and the feedback.

    The newest comes first. ID is `id` in the card's extension. Patients and results stand there as
    pseudonyms. Needs the data key.
    """
    from cds_service.commands.terminal import print_records
    from cds_service.store.feedback import Feedback
    from cds_service.store.pseudonym import Pseudonymiser
    from cds_service.store.records import Records
    from cds_service.wiring import existing_data_key

    settings = settings_of(config)
    key = existing_data_key(settings)
    with database_of(settings) as database:
        found = Records(database, Pseudonymiser(key)).find(evaluation, client)
        feedback = Feedback(database, key, former_data_keys(former_keys))
        told = [_record(each, feedback, comments=comments) for each in found]
    if as_json:
        print_json({"records": in_camel_case(told)})
    else:
        print_records(Output(), told)


@records.command()
@AS_JSON
@CONFIG
def rates(*, as_json: bool, config: Path | None) -> None:
    """Count cards shown, accepted and overridden, or withheld.

    For each client and finding a card counts once, with the newest feedback on it. A finding that
    is overridden nearly always is one to think about. Of a client in shadow, and of events that are
    only recorded, the answers count that would have had such a card.
    """
    from cds_service.commands.terminal import print_rates
    from cds_service.store.finding_counts import finding_counts

    with database_of(settings_of(config)) as database:
        counts = [asdict(each) for each in finding_counts(database)]
    if as_json:
        print_json({"findings": in_camel_case(counts)})
    else:
        print_rates(Output(), counts)


def _record(record: EvaluationRecord, feedback: Feedback, *, comments: bool) -> dict[str, Any]:
    return {
        **asdict(record),
        "at": record.at.isoformat(),
        "cards": [
            {
                **asdict(card),
                "feedback": list(_feedback(feedback, card.uuid, record, comments=comments)),
            }
            for card in record.cards
        ],
    }


def _feedback(
    feedback: Feedback, card: str, record: EvaluationRecord, *, comments: bool
) -> Iterator[Mapping[str, Any]]:
    for item in feedback.of(card, record.client, record.service, comments=comments):
        yield {
            "outcome": item.outcome.value,
            "at": item.at.isoformat(),
            "suggestions": sorted(item.suggestions),
            "reason": item.reason.code,
            **({"comment": item.comment} if comments else {}),
        }
