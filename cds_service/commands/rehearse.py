"""`cds-service rehearse`: how often cards would have come, and with what, before any is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from cds_service.commands.input import CONFIG, FILE, library_of, settings_of
from cds_service.commands.output import (
    AS_JSON,
    Output,
    cell,
    members,
    print_json,
    progress,
    table_of,
)
from cds_service.errors import InputError

if TYPE_CHECKING:
    from cds_service.commands.export_files import LeftAside
    from cds_service.commands.rehearsal import Changes, Tally
    from cds_service.core.knowledge import KnowledgeBase

PATH = click.Path(exists=True, path_type=Path)
_MOST_SHOWN = 10
"""Most changes, and most files left aside, that are shown on a terminal; `--json` has all."""


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=PATH)
@click.option("--against", type=FILE, help="Other settings as TOML: what would they change?")
@AS_JSON
@CONFIG
def rehearse(
    *, paths: Sequence[Path], against: Path | None, as_json: bool, config: Path | None
) -> None:
    """Count the cards that past results would have had.

    PATH is a file or a folder of FHIR R4 resources and Bundles, one in a .json file or one in each
    line of an .ndjson file, of any number of patients. Each result is evaluated as on the day it
    was issued, beside what was known by then. Nothing is kept and no server is called.
    """
    from cds_service.commands.export_files import files_in

    bases = library_of(settings_of(config)).bases
    others = library_of(settings_of(against)).bases if against else {}
    if against and others.keys() != bases.keys():
        raise InputError(
            f"These settings hold {', '.join(others)}, and the others hold {', '.join(bases)}.",
            where=str(against),
            remedy="Compare knowledge of one id.",
        )
    files, passed_over = files_in(paths)
    compared = (bases, others) if against else (bases,)
    came_to = [_rehearsed(files, passed_over, [each[name] for each in compared]) for name in bases]
    if as_json:
        print_json({"rehearsals": [_document(*each) for each in came_to]})
        return
    for tally, changes, aside in came_to:
        _print_tally(tally)
        if against:
            _print_changes(changes, tally.arrivals)
        _print_left_aside(aside)


def _rehearsed(
    files: Sequence[Path], passed_over: Sequence[LeftAside], compared: Sequence[KnowledgeBase]
) -> tuple[Tally, Changes, Sequence[LeftAside]]:
    from cds_service.commands import rehearsal
    from cds_service.fhir.wanted import wanted_by

    with progress() as bars:
        size = rehearsal.READINGS * sum(file.stat().st_size for file in files)
        reading = bars.add_task("bytes read", total=size)
        charts, unread = rehearsal.read_charts(
            files, [wanted_by(each) for each in compared], lambda read: bars.advance(reading, read)
        )
        evaluating = bars.add_task("charts evaluated", total=len(charts))
        tally, changes = rehearsal.rehearse(
            charts, compared, datetime.now(UTC).date(), lambda done: bars.advance(evaluating, done)
        )
    return tally, changes, [*passed_over, *unread]


def _document(tally: Tally, changes: Changes, aside: Sequence[LeftAside]) -> dict[str, Any]:
    return {
        "knowledge": tally.knowledge,
        "patients": tally.patients,
        "results": tally.results,
        "arrivals": tally.arrivals,
        "withoutCard": tally.without_card,
        "undated": tally.undated,
        "withoutPatient": tally.without_patient,
        "firstDay": tally.first.isoformat() if tally.days else "",
        "lastDay": tally.last.isoformat() if tally.days else "",
        "cardsByMonth": dict(sorted(tally.months.items())),
        "cards": [
            {"indicator": indicator, "outcome": outcome, "count": count}
            for (indicator, outcome), count in tally.cards.most_common()
        ],
        "findings": dict(tally.findings.most_common()),
        "reasons": dict(tally.reasons.most_common()),
        "missing": dict(tally.missing.most_common()),
        "changes": [
            {
                "lost": list(change.lost),
                "gained": list(change.gained),
                "count": count,
                "example": changes.examples[change],
            }
            for change, count in changes.counts.most_common()
        ],
        "leftAside": [members(each) for each in aside],
    }


def _print_tally(tally: Tally) -> None:
    console = Output()
    console.print(Text(f"{tally.knowledge}: {_span(tally)}", style="bold"))
    if not tally.results:
        console.print("`cds-service codes` lists the codes in a file, mapped or not.")
        return
    cards = tally.cards.total()
    console.print(
        f"cards: {cards}{_a_month(tally)}. Times that results arrived: {tally.arrivals}, "
        f"without a card: {tally.without_card}."
    )
    if tally.undated:
        console.print(f"Without a usable day, so evaluated as of today: {tally.undated}.")
    if tally.without_patient:
        console.print(f"Without a patient, so with nothing beside them: {tally.without_patient}.")
    kinds = Counter({f"{kind}, {outcome}": n for (kind, outcome), n in tally.cards.items()})
    for title, counted in (
        ("indicator and outcome", kinds),
        ("finding", tally.findings),
        ("not interpreted because", tally.reasons),
        ("missing", tally.missing),
    ):
        if counted:
            _print_counts(console, title, counted, cards)


def _a_month(tally: Tally) -> str:
    if not tally.cards_a_month:
        return ""
    ((month, most),) = tally.months.most_common(1)
    return f", {tally.cards_a_month:.1f} a month, most in {month}: {most}"


def _span(tally: Tally) -> str:
    span = f", {tally.first} to {tally.last}" if tally.days else ""
    return f"results: {tally.results}, patients: {tally.patients}{span}"


def _print_counts(console: Output, title: str, counted: Counter[str], cards: int) -> None:
    table = table_of(title)
    table.add_column("cards", justify="right")
    table.add_column("share", justify="right")
    for name, count in counted.most_common():
        table.add_row(cell(name), str(count), f"{100 * count / cards:.0f}%")
    console.print(table)


def _print_changes(changes: Changes, arrivals: int) -> None:
    console = Output()
    changed = changes.counts.total()
    console.print(f"Against the other settings: {changed} of {arrivals} arrivals change.")
    if not changed:
        return
    table = table_of("no longer", "instead", "first seen of")
    table.add_column("times", justify="right")
    for change, count in changes.counts.most_common(_MOST_SHOWN):
        table.add_row(
            cell(", ".join(change.lost)),
            cell(", ".join(change.gained)),
            cell(changes.examples[change]),
            str(count),
        )
    console.print(table)
    _print_rest(console, len(changes.counts))


def _print_left_aside(aside: Sequence[LeftAside]) -> None:
    if not aside:
        return
    console = Output()
    table = table_of("left aside", "because")
    for each in aside[:_MOST_SHOWN]:
        table.add_row(cell(each.place), cell(each.because))
    console.print(table)
    _print_rest(console, len(aside))


def _print_rest(console: Output, count: int) -> None:
    if count > _MOST_SHOWN:
        console.print(f"and {count - _MOST_SHOWN} more: --json has them all.")
