"""`records show` and `records rates`: what was answered, and what clinicians did with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import ColumnElement, Table, text, update

from cds_service.cli import cli
from cds_service.core.elements import Coding
from cds_service.core.feedback import FeedbackItem, FeedbackOutcome
from cds_service.errors import CdsError, ConfigurationError, InputError
from cds_service.store.database import Database
from cds_service.store.feedback import Feedback
from cds_service.store.pseudonym import DataKey, Pseudonymiser
from cds_service.store.records import Door, Records, SentCard
from cds_service.store.tables import cards, evaluations, feedback
from tests.kept import CLIENT, KEY, NOON, SERVICE, evaluation, keep, pseudonym
from tests.packaged import SIL2R
from tests.unit.cli.command_line import COMMANDING, document, is_harmless

CARDS = [f"6c7b5a1e-0000-4000-8000-00000000000{number}" for number in range(3)]
FINDING = "hlh-adult-less-likely"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three cards of one finding: one accepted, one overridden with a comment, one ignored."""
    file = tmp_path / "cds.sqlite3"
    with Database.open(f"sqlite:///{file}") as database:
        database.upgrade()
        for number, card in enumerate(CARDS):
            made = evaluation(
                f"evaluation-{number}",
                at=NOON + timedelta(minutes=number),
                outcomes=("interpreted",),
                findings=(FINDING,),
                patient=pseudonym("canary-12345"),
                cards=(SentCard(uuid=card, findings=(FINDING,)),),
            )
            keep(database, made)
        said = [
            FeedbackItem(card=CARDS[0], outcome=FeedbackOutcome.ACCEPTED, at=NOON),
            FeedbackItem(
                card=CARDS[1],
                outcome=FeedbackOutcome.OVERRIDDEN,
                at=NOON,
                reason=Coding("https://sil2r-cds.org/override-reason", "known"),
                comment="comment-canary",
            ),
        ]
        Feedback(database, KEY).save(said, CLIENT, SERVICE)
    return file


def run(file: Path, *arguments: str, key: DataKey = KEY) -> Result:
    environment = {"CDS_DATABASE_URL": f"sqlite:///{file}", "CDS_DATA_KEY": key.base64()}
    return CliRunner().invoke(cli, ["records", *arguments], env=environment)


def test_a_record_says_what_was_answered_and_what_was_done_with_it(file: Path) -> None:
    (record,) = document(run(file, "show", "evaluation-1", "--client", CLIENT, "--json"))["records"]
    assert (record["at"], record["service"]) == ("2026-11-21T12:01:00+00:00", SERVICE)
    assert record["findings"] == [FINDING]
    (card,) = record["cards"]
    assert card["uuid"] == CARDS[1]
    assert [(item["outcome"], len(item["suggestions"])) for item in card["feedback"]] == [
        ("overridden", 0)
    ]


def test_the_table_says_which_suggestion_was_accepted_and_what_its_card_was_about(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    chosen = CARDS[0].replace("0000", "1111")
    said = FeedbackItem(
        card=CARDS[2], outcome=FeedbackOutcome.ACCEPTED, at=NOON, suggestions=frozenset([chosen])
    )
    with Database.open(f"sqlite:///{file}") as database:
        Feedback(database, KEY).save([said], CLIENT, SERVICE)
    shown = run(file, "show", "evaluation-2", "--client", CLIENT).stdout
    assert f"accepted, {chosen}" in shown
    assert f"{CARDS[2]}, {FINDING}" in shown


def test_a_comment_is_shown_only_when_asked_for(file: Path) -> None:
    quiet = run(file, "show", "evaluation-1", "--client", CLIENT)
    asked = run(file, "show", "evaluation-1", "--client", CLIENT, "--comments")
    assert quiet.exit_code == asked.exit_code == 0
    assert "comment-canary" not in quiet.stdout
    assert "comment-canary" in asked.stdout
    assert "canary-12345" not in asked.stdout, "the patient stays a pseudonym"


def test_a_comment_is_no_command_to_the_terminal(file: Path) -> None:
    said = FeedbackItem(
        card=CARDS[2], outcome=FeedbackOutcome.OVERRIDDEN, at=NOON, comment=COMMANDING
    )
    with Database.open(f"sqlite:///{file}") as database:
        Feedback(database, KEY).save([said], CLIENT, SERVICE)
    shown = run(file, "show", "evaluation-2", "--client", CLIENT, "--comments").stdout
    assert "made | up" in shown
    assert is_harmless(shown)


def test_a_record_that_somebody_changed_is_no_command_to_the_terminal(file: Path) -> None:
    with Database.open(f"sqlite:///{file}") as database, database.writing() as connection:
        connection.execute(update(evaluations).values(service=COMMANDING))
    shown = run(file, "show", "evaluation-2", "--client", CLIENT)
    assert shown.exit_code == 0
    assert is_harmless(shown.stdout)


def test_a_comment_sealed_with_a_former_key_is_opened_with_it(file: Path, tmp_path: Path) -> None:
    former = tmp_path / "former-key"
    former.write_text(KEY.base64())
    show = ("show", "evaluation-1", "--client", CLIENT, "--comments")
    new_key = DataKey.random()
    without = run(file, *show, key=new_key)
    assert isinstance(without.exception, ConfigurationError)
    assert "--former-key" in without.exception.one_line()
    assert "comment-canary" in run(file, *show, "--former-key", str(former), key=new_key).stdout
    unread = run(file, *show[:-1], key=new_key)
    assert "overridden" in unread.stdout, "what is not shown needs no key"


@pytest.mark.parametrize(
    "wrong", [("evaluation-9", "--client", CLIENT), ("evaluation-1", "--client", "other")]
)
def test_what_is_not_there_is_said(file: Path, wrong: tuple[str, ...]) -> None:
    shown = run(file, "show", *wrong)
    assert shown.exit_code == 1
    assert isinstance(shown.exception, CdsError)
    said = shown.exception.one_line()
    assert said.startswith("CDS-1006 There is no such evaluation. Give `id` of a card's extension")


HOOK_INSTANCE = "D1577C69-DFBE-44AD-BA6D-3E05E953B2EA"


@pytest.fixture
def calls(file: Path) -> Path:
    """Two more calls: one that had no card, in shadow, and one that failed."""
    with Database.open(f"sqlite:///{file}") as database:
        later = NOON + timedelta(hours=1)
        silent = evaluation("silent", at=later, door=Door.SHADOW, hook_instance="a visit of X")
        failed = evaluation(
            "failed", at=later, status=412, error="CDS-3001", hook_instance=HOOK_INSTANCE
        )
        keep(database, silent, failed, evaluation("other", client="other"))
    return file


def test_the_newest_records_are_listed_also_those_without_a_card(calls: Path) -> None:
    listed = document(run(calls, "list", "--client", CLIENT, "--json"))["records"]
    assert [each["id"] for each in listed] == [
        "failed",
        "silent",
        "evaluation-2",
        "evaluation-1",
        "evaluation-0",
    ]
    shown = run(calls, "list", "--client", CLIENT, "--last", "3").stdout
    assert [word in shown for word in ("412 CDS-3001", "no card (in", "interpreted")] == [True] * 3
    moment = f"{NOON + timedelta(hours=1):%Y-%m-%d %H:%M:%S}"
    assert any(moment in line and f"{SERVICE}:" in line for line in shown.splitlines())
    assert "evaluation-2" in shown
    assert "evaluation-1" not in shown


@pytest.mark.parametrize(("sent", "id_"), [(HOOK_INSTANCE, "failed"), ("a visit of X", "silent")])
def test_why_a_call_had_no_card_is_found_by_its_hook_instance(
    calls: Path, sent: str, id_: str
) -> None:
    arguments = ("list", "--client", CLIENT, "--hook-instance", sent)
    (found,) = document(run(calls, *arguments, "--json"))["records"]
    assert found["id"] == id_
    assert "a visit" not in run(calls, *arguments).stdout


@pytest.mark.parametrize(("sent", "id_"), [(HOOK_INSTANCE, "failed"), ("a visit of X", "silent")])
def test_a_hook_instance_of_before_a_change_of_the_data_key_is_found_with_the_former_one(
    calls: Path, tmp_path: Path, sent: str, id_: str
) -> None:
    former, new = tmp_path / "former-key", DataKey.random()
    former.write_text(KEY.base64())
    since = evaluation("since", hook_instance=sent)
    with Database.open(f"sqlite:///{calls}") as database:
        Records(database, Pseudonymiser(new)).save(since)
    asked = ("list", "--client", CLIENT, "--hook-instance", sent, "--former-key", str(former))
    found = document(run(calls, *asked, "--json", key=new))["records"]
    assert [each["id"] for each in found] == ["since", id_]


def test_as_many_of_one_hook_instance_are_listed_as_were_asked_for(calls: Path) -> None:
    with Database.open(f"sqlite:///{calls}") as database:
        keep(database, *(evaluation(f"e{n}", hook_instance=HOOK_INSTANCE) for n in range(101)))
    arguments = ("list", "--client", CLIENT, "--hook-instance", HOOK_INSTANCE, "--last", "200")
    assert len(document(run(calls, *arguments, "--json"))["records"]) == 102


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("outcomes", "'nonsense'"),
        ("at", "'nonsense'"),
        ("door", "'nonsense'"),
        ("service", "CAST('nonsense' AS BLOB)"),
        ("reasons", "'[[1]]'"),
        ("findings", """'{"nonsense": 1}'"""),
        ("missing", f"'{'[' * 100_000}'"),
    ],
    ids=range(7),
)
@pytest.mark.parametrize("command", [("list",), ("show", "silent")])
def test_a_record_that_was_written_by_hand_is_no_crash(
    calls: Path, command: Sequence[str], column: str, value: str
) -> None:
    change(calls, evaluations, column, value, evaluations.c.id == "silent")
    refused = run(calls, *command, "--client", CLIENT)
    assert isinstance(refused.exception, InputError)
    assert "nonsense" not in refused.exception.one_line()


@pytest.mark.parametrize(
    ("table", "column", "command"),
    [
        (feedback, "outcome", ("show", "evaluation-0", "--client", CLIENT)),
        (feedback, "reason", ("show", "evaluation-0", "--client", CLIENT)),
        (cards, "findings", ("show", "evaluation-0", "--client", CLIENT)),
        (cards, "findings", ("rates",)),
    ],
    ids=range(4),
)
def test_what_was_written_by_hand_beside_a_record_is_no_crash(
    file: Path, table: Table, column: str, command: Sequence[str]
) -> None:
    change(file, table, column, "CAST('nonsense' AS BLOB)", table.c.client == CLIENT)
    assert isinstance(run(file, *command).exception, InputError)


def change(file: Path, table: Table, column: str, value: str, *those: ColumnElement[bool]) -> None:
    """Writes the value, as SQL has it, into these rows."""
    with Database.open(f"sqlite:///{file}") as database, database.writing() as connection:
        connection.execute(update(table).where(*those).values({column: text(value)}))


def test_of_a_client_without_records_that_is_said(calls: Path) -> None:
    shown = run(calls, "list", "--client", "nobody")
    said = f"Nothing is recorded of this client. Known: {CLIENT}, other.\n"
    assert (shown.exit_code, shown.stdout) == (0, said)


def test_of_a_client_without_this_hook_instance_that_is_said(calls: Path) -> None:
    shown = run(calls, "list", "--client", CLIENT, "--hook-instance", "another")
    said = "Nothing that is recorded of this client fits.\n"
    assert (shown.exit_code, shown.stdout) == (0, said)


def test_rates_count_each_card_once(file: Path) -> None:
    (counts,) = document(run(file, "rates", "--json"))["findings"]
    assert counts == {
        "client": CLIENT,
        "finding": FINDING,
        "shown": 3,
        "sent": 3,
        "accepted": 1,
        "overridden": 1,
        "withheld": 0,
    }


def test_to_count_no_data_key_is_needed(file: Path) -> None:
    environment = {"CDS_DATABASE_URL": f"sqlite:///{file}"}
    shown = CliRunner().invoke(cli, ["records", "rates", "--json"], env=environment)
    assert len(document(shown)["findings"]) == 1


def test_rates_as_a_table(file: Path) -> None:
    shown = run(file, "rates")
    assert shown.exit_code == 0
    assert CLIENT in shown.stdout
    (line,) = [line for line in shown.stdout.splitlines() if FINDING in line]
    assert line.split() == [FINDING, "3", "1", "1", "50%"]


def test_the_longest_id_of_a_finding_is_whole_on_a_narrow_terminal(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    longest = max((row.id for row in SIL2R.findings), key=len)
    with Database.open(f"sqlite:///{file}") as database:
        for client in ("the-general-hospital-of-the-north", "south"):
            made = evaluation(client, client=client, door=Door.SHADOW, findings=(longest,))
            keep(database, made)
    shown = run(file, "rates").stdout.splitlines()
    assert len([line for line in shown if longest in line]) == 2
    assert max(map(len, shown)) <= 80


def test_ids_of_evaluations_are_whole_on_a_narrow_terminal(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    came_to = {"outcomes": ("not-interpretable",), "reasons": ("fhir-invalid",)}
    with Database.open(f"sqlite:///{file}") as database:
        keep(database, evaluation(CARDS[0], door=Door.SHADOW, **came_to))
    shown = run(file, "list", "--client", CLIENT).stdout.splitlines()
    assert [line for line in shown if CARDS[0] in line]
    assert max(map(len, shown)) <= 80


def test_rates_of_nothing_say_so(tmp_path: Path) -> None:
    empty = tmp_path / "cds.sqlite3"
    with Database.open(f"sqlite:///{empty}") as database:
        database.upgrade()
    assert run(empty, "rates").stdout.startswith("No card")


def test_t106_what_was_withheld_has_a_column_where_anything_was(file: Path) -> None:
    assert "withheld" not in run(file, "rates").stdout
    with Database.open(f"sqlite:///{file}") as database:
        keep(database, evaluation("evaluation-4", door=Door.SHADOW, findings=(FINDING,)))
    assert "withheld" in run(file, "rates").stdout


def test_a_tenant_in_brackets_is_shown_as_it_is_called(file: Path) -> None:
    with Database.open(f"sqlite:///{file}") as database:
        card = SentCard(uuid=CARDS[0], findings=(FINDING,))
        keep(database, evaluation("evaluation-4", client="south/[icu]", cards=(card,)))
    assert "south/[icu]" in run(file, "rates").stdout
