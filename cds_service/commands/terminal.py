"""What commands have to show, as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cds_service.commands.code_report import SeenCode
from cds_service.commands.output import cell, table_of

if TYPE_CHECKING:
    from cds_service.store.records import EvaluationRecord

_MARK = {
    "matched": "[bold green]fires[/]",
    "straddled": "[bold yellow]cannot tell[/]",
    "unknown": "[yellow]not known[/]",
    "blocked": "[magenta]blocked[/]",
    "muted": "[dim]muted[/]",
    "not-matched": "[dim]no[/]",
}
_COLOUR = {"info": "blue", "warning": "yellow"}
_ENDS_OF_A_RULE = 4
"""A line and a space on either side of its title."""
_NOTHING = (
    "nothing here is a result this knowledge speaks about. "
    "`cds-service codes` lists the codes in it, and which of them nobody has mapped"
)
_LOOK = (
    "look: results under these get no card. Once the laboratory has said which test it is, have it "
    "sent under http://loinc.org, letter by letter, or map the code in the site file."
)
_ALL_ASIDE = "what this knowledge speaks about was left aside, as told above"


def print_cards(console: Console, cards: Sequence[Mapping[str, Any]]) -> None:
    """Every card as a panel, in the colour of its indicator."""
    if not cards:
        console.print("No card: nothing here calls for one. `cds-service explain` says why.")
    for card in cards:
        body = Group(Text(card["summary"], style="bold"), Text(), Markdown(card["detail"]))
        console.print(
            Panel(
                body,
                title=card["indicator"],
                subtitle=Text(card["source"]["label"]),
                border_style=_COLOUR[card["indicator"]],
            )
        )


def print_explanation(console: Console, trace: Mapping[str, Any]) -> None:
    """Facts, rows and sources of every answer, then what was left aside and why."""
    console.print(f"Knowledge [bold]{trace['knowledge']}[/], evaluated on {trace['evaluatedOn']}.")
    for said in (*trace["answers"], *trace["advice"]):
        _print_answer(console, said)
    if trace["skipped"]:
        console.print(_left_aside(trace["skipped"]))
    if not trace["answers"] and not trace["advice"]:
        console.print(f"No card: {_ALL_ASIDE if trace['skipped'] else _NOTHING}.")


def _print_answer(console: Console, answer: Mapping[str, Any]) -> None:
    _print_heading(console, Text(answer["card"]["summary"]))
    reason = f" ({answer['reason']})" if answer["reason"] else ""
    console.print(f"Outcome: [bold]{answer['outcome']}[/]{reason}")
    if answer["facts"]:
        console.print(_facts(answer["facts"]))
    if answer["rows"]:
        weakened = {each["id"]: each["weakenedBy"] for each in answer.get("findings", ())}
        console.print(_rows(answer["rows"], weakened))
    if answer["limits"]:
        console.print(_limits(answer["limits"]))
    if answer["missing"]:
        console.print(Text(f"Missing: {', '.join(answer['missing'])}"))
    if answer["sources"]:
        numbered = "\n".join(f"{n}. {line}" for n, line in enumerate(answer["sources"], start=1))
        console.print(Text("Sources", style="bold"), Markdown(numbered))
    print_cards(console, [answer["card"]])


def _print_heading(console: Console, summary: Text) -> None:
    """The summary inside a rule, or below it where it does not fit: a rule cuts it off."""
    if summary.cell_len + _ENDS_OF_A_RULE <= console.width:
        console.rule(summary)
    else:
        console.rule()
        console.print(summary)


def _facts(facts: Sequence[Mapping[str, Any]]) -> Table:
    """What was read; facts that say the same for the same reason share a line.

    Facts that do not apply are left out: they stand in --json.
    """
    table = _table("Facts read", "fact", "value", "because")
    lines: dict[tuple[str, str], list[str]] = {}
    for fact in facts:
        if fact["value"] not in {"not-applicable", "not-recorded"}:
            lines.setdefault((fact["value"], fact["because"]), []).append(fact["fact"])
    for (value, because), names in lines.items():
        table.add_row(cell(", ".join(names)), cell(value), cell(because))
    return table


def _rows(rows: Sequence[Mapping[str, Any]], weakened: Mapping[str, Sequence[str]]) -> Table:
    """Each row of the decision table, those that fire first, with the gate that decided, and the
    contexts for which it is said more carefully.
    """
    table = _table("Rows considered", "finding", "outcome", "why")
    for row in sorted(rows, key=lambda row: list(_MARK).index(row["outcome"])):
        why = _why(row)
        if row["outcome"] == "matched" and (contexts := weakened.get(row["finding"])):
            why += f"; weakened by {', '.join(contexts)}"
        table.add_row(cell(row["finding"]), _MARK[row["outcome"]], cell(why))
    return table


def _why(row: Mapping[str, Any]) -> str:
    if row["note"]:
        return str(row["note"])
    against = [gate for gate in row["gates"] if not gate["holds"]]
    if not against:
        return "; ".join(gate["because"] for gate in row["gates"]) or "asks for nothing"
    return "; ".join(
        f"{gate['fact']} is {gate['found']}, asked for {' or '.join(gate['wanted'])}"
        for gate in against
    )


def _limits(limits: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("Limits behind what fired", "limit", "population", "performance", "weakness")
    for limit in limits:
        table.add_row(
            Text(f"{limit['metWhen'].replace('-', ' ')} {limit['value']}"),
            Text(limit["population"]),
            Text(limit["performance"]),
            Text(limit["weakness"]),
        )
    return table


def _table(title: str, *columns: str) -> Table:
    """A table over the whole width, whose cells are folded and never cut."""
    table = Table(title=title, title_justify="left", expand=True)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def print_codes(console: Console, codes: Sequence[SeenCode]) -> None:
    """Laboratory codes as a table, those that the site should look at first."""
    table = Table(title="Laboratory codes seen", title_justify="left")
    for column in ("code", "system", "display", "seen", "mapped"):
        table.add_column(column, overflow="fold")
    for code in codes:
        coded = cell(_with_its_blanks(code.code)), cell(_with_its_blanks(code.system))
        table.add_row(*coded, cell(code.display), str(code.count), _mapped(code))
    console.print(table)
    if any(code.worth_a_look for code in codes):
        console.print(_LOOK)


def _with_its_blanks(text: str) -> str:
    """In quotation marks where blanks at its ends make it another text, which nobody would see."""
    return text if text == text.strip() else f"'{text}'"


def _mapped(code: SeenCode) -> str:
    if code.worth_a_look:
        return "[bold yellow]look[/]"
    return "yes" if code.mapped else "beside" if code.beside_mapped else "no"


def _left_aside(skipped: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("Left aside", "resource", "because")
    for item in skipped:
        table.add_row(cell(item["resource"]), cell(item["because"]))
    return table


def print_list(console: Console, records: Sequence[EvaluationRecord]) -> None:
    """Each record on a line: when, what it came to, and the id by which more is shown."""
    if not records:
        console.print("Nothing that is recorded of this client fits.")
        return
    table = table_of()
    table.add_column("at (UTC)", no_wrap=True)
    table.add_column("call")
    table.add_column("evaluation", no_wrap=True)  # to be copied
    for each in records:
        call = cell(f"{each.service}: {_came_to(each)}")
        table.add_row(f"{each.at:%Y-%m-%d %H:%M:%S}", call, cell(each.id))
    console.print(table)


def _came_to(record: EvaluationRecord) -> str:
    if record.error:
        return f"{record.status} {record.error}"
    said = ", ".join((*record.outcomes, *record.reasons)) or "no card"
    return f"{said} (in shadow)" if record.door == "shadow" else said


def print_records(console: Console, records: Sequence[Mapping[str, Any]]) -> None:
    """Each record as a table of what it says, and the feedback on its cards below."""
    for record in records:
        table = Table(title=cell(f"{record['at']}, {record['service']}"), title_justify="left")
        table.add_column("what")
        table.add_column("recorded", overflow="fold")
        for what, said in record.items():
            if said and what != "cards":
                text = ", ".join(said) if isinstance(said, tuple) else str(said)
                table.add_row(what.replace("_", " "), cell(text))
        for card in record["cards"]:
            table.add_row("card", cell(", ".join((card["uuid"], *card["findings"]))))
            for item in card["feedback"]:
                why = (item["reason"], item.get("comment", ""))
                told = (item["at"], item["outcome"], *item["suggestions"], *why)
                table.add_row("feedback", cell(", ".join(word for word in told if word)))
        console.print(table)


def print_rates(console: Console, findings: Sequence[Mapping[str, Any]]) -> None:
    """For each client a table of how its findings fared.

    A client heads its table, so that ids of findings stay whole on a narrow terminal: they are what
    a site file mutes by. What was withheld has a column where anything was.
    """
    if not findings:
        console.print("No card so far.")
        return
    console.print(
        "Cards by finding, each with its newest feedback. Share: overridden, of all with feedback."
    )
    names = ["shown", "accepted", "overridden"]
    if any(each["withheld"] for each in findings):
        names.insert(0, "withheld")
    for client, its_findings in groupby(findings, key=itemgetter("client")):
        table = table_of("finding")
        table.title, table.title_justify = cell(client), "left"
        for column in (*names, "share"):
            table.add_column(column, justify="right")
        for each in its_findings:
            told = each["accepted"] + each["overridden"]
            share = f"{100 * each['overridden'] / told:.0f}%" if told else "-"
            table.add_row(cell(each["finding"]), *(str(each[name]) for name in names), share)
        console.print(table)
