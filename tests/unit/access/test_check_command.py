"""`clients check` at the command line: what it says, with which exit code, and what it fetches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner, Result

from cds_service.access.faults import IN_WORDS, TokenFault
from cds_service.cli import cli
from cds_service.errors import InputError
from tests import toy
from tests.fault_server import FaultServer
from tests.faults import reply
from tests.unit.access.minting import (
    EC,
    FILE_CLIENT,
    ISSUER,
    NOW,
    SERVICE,
    SOURCE,
    claiming,
    header,
    key_set,
    token,
)
from tests.unit.cli.command_line import is_harmless


def run(folder: Path, *more: str, **environment: str) -> Result:
    arguments = ["clients", "check", str(folder / "clients.toml"), *more]
    return CliRunner().invoke(cli, arguments, env=environment)


def with_token(folder: Path, minted: str) -> list[str]:
    (folder / "token").write_text(minted)
    return ["--token", str(folder / "token"), "--audience", SERVICE]


@pytest.fixture
def at_noon() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.usefixtures("at_noon")
def test_the_command_says_that_a_token_holds(folder: Path) -> None:
    shown = run(folder, *with_token(folder, token()))
    assert shown.exit_code == 0
    assert shown.output.splitlines()[-1] == "The token holds: client hospital."


def test_a_row_that_somebody_else_wrote_is_no_command_to_the_terminal(folder: Path) -> None:
    row = FILE_CLIENT.replace(ISSUER, rf"{ISSUER}\u001b[31m\u202e")  # as TOML writes it
    (folder / "clients.toml").write_text(row, encoding="utf-8")
    shown = run(folder)
    assert shown.exit_code == 0
    assert is_harmless(shown.stdout)


@pytest.mark.usefixtures("at_noon")
def test_a_token_that_does_not_hold_is_exit_code_1(folder: Path) -> None:
    minted = claiming(aud="https://elsewhere.example", jti="")
    shown = run(folder, *with_token(folder, minted))
    assert shown.exit_code == 1
    assert IN_WORDS[TokenFault.WRONG_AUDIENCE] in shown.output
    assert IN_WORDS[TokenFault.NO_JTI] in shown.output


@pytest.mark.parametrize("nothing", ["", " \n"])
def test_a_file_without_a_token_is_called_empty(folder: Path, nothing: str) -> None:
    shown = run(folder, *with_token(folder, nothing))
    assert isinstance(shown.exception, InputError)
    assert shown.exception.where == str(folder / "token")


@pytest.mark.usefixtures("at_noon")
def test_the_command_follows_the_settings(folder: Path) -> None:
    asked = with_token(folder, claiming(iat=NOW + 90, exp=NOW + 300))
    assert run(folder, *asked).exit_code == 1
    assert run(folder, *asked, CDS_TOKEN_LEEWAY="90").exit_code == 0
    both = {"CDS_TOKEN_LEEWAY": "90", "CDS_TOKEN_LIFETIME": "200"}
    assert "further from it than is allowed" in run(folder, *asked, **both).output
    (folder / "settings.toml").write_text("token_leeway = 90\n")
    assert run(folder, *asked, "--config", str(folder / "settings.toml")).exit_code == 0


@pytest.mark.usefixtures("at_noon")
def test_machines_get_json(folder: Path) -> None:
    (folder / "clients.toml").write_text(FILE_CLIENT + SOURCE)
    shown = run(folder, "--json", *with_token(folder, token(header(kid="ec-9"))))
    report = json.loads(shown.output)
    assert shown.exit_code == 1
    assert [client["name"] for client in report["clients"]] == ["hospital"]
    assert [source["usable"] for source in report["sources"]] == [True]
    assert report["faults"] == []
    assert [fault["code"] for fault in report["token"]["faults"]] == ["unknown-key"]


def test_a_registry_without_clients_is_warned_of_where_serve_would_refuse_it(folder: Path) -> None:
    (folder / "clients.toml").write_text(SOURCE)
    shown = run(folder)
    assert shown.exit_code == 0
    assert shown.output.splitlines()[-1].endswith("Add a [[client]] row.")
    assert len(json.loads(run(folder, "--json").output)["warnings"]) == 1
    assert json.loads(run(folder, "--sandbox", "--json").output)["warnings"] == []


def test_a_token_needs_the_address_it_was_sent_to(folder: Path) -> None:
    arguments = with_token(folder, token())[:2]
    assert run(folder, *arguments).exit_code == 2


def test_the_command_fetches_only_when_told_to(folder: Path) -> None:
    with FaultServer() as server:
        server.on("/jwks", reply(key_set(EC), content_type="application/json"))
        at_an_address = f'jwks_url = "{server.origin}/jwks"'
        row = FILE_CLIENT.replace('jwks_file = "keys.json"', at_an_address)
        (folder / "clients.toml").write_text(row)
        assert "not fetched" in run(folder, "--sandbox").output
        assert server.calls == []
        assert "/jwks: 1," in run(folder, "--sandbox", "--fetch").output
        assert len(server.calls) == 1


def test_the_command_allows_in_sandbox_mode_what_production_refuses(folder: Path) -> None:
    row = 'fhir_servers = ["http://127.0.0.1:8090/fhir"]\n'
    (folder / "clients.toml").write_text(FILE_CLIENT + row)
    assert run(folder).exit_code == 1
    assert "FHIR servers: 1" in run(folder, "--sandbox").output


def test_t106_a_client_in_shadow_is_named_as_one(folder: Path) -> None:
    (folder / "clients.toml").write_text(FILE_CLIENT + 'rollout = "shadow"\n')
    assert "in shadow: answered without cards" in run(folder).output
    (folder / "clients.toml").write_text(FILE_CLIENT + 'rollout = "live"\n')
    assert "shadow" not in run(folder).output
    (folder / "clients.toml").write_text(FILE_CLIENT + 'rollout = "silent"\n')
    assert run(folder).exit_code == 1


def test_the_apps_that_cards_link_to_are_named(folder: Path) -> None:
    app = '[[client.smart_app]]\nlabel = "Series"\nurl = "https://apps.example.org/launch"\n'
    (folder / "clients.toml").write_text(FILE_CLIENT + app)
    assert "SMART apps on its cards: Series" in run(folder).output
    (row,) = json.loads(run(folder, "--json").output)["clients"]
    assert row["smartApps"] == [{"label": "Series", "url": "https://apps.example.org/launch"}]
    (folder / "clients.toml").write_text(FILE_CLIENT)
    assert "SMART" not in run(folder).output


def test_a_service_that_the_start_would_refuse_is_a_fault_here_too(folder: Path) -> None:
    misspelt = 'services = ["sil2r-patientview", "sil2r-order-sign"]\n'
    (folder / "clients.toml").write_text(FILE_CLIENT + misspelt)
    shown = run(folder, "--json")
    report = json.loads(shown.output)
    assert shown.exit_code == 1
    assert [client["usable"] for client in report["clients"]] == [False]
    (fault,) = report["faults"]
    assert "hospital is granted 'sil2r-patientview', which is not a service here." in fault
    assert "sil2r-patient-view" in fault, "what would be right"


def test_the_services_are_those_of_the_knowledge_that_the_settings_name(folder: Path) -> None:
    (folder / "clients.toml").write_text(FILE_CLIENT + 'services = ["toy-order-sign"]\n')
    for name, text in toy.files().items():
        (folder / "cards" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "cards" / name).write_text(text)
    (folder / "settings.toml").write_text('knowledge = "cards"\n')
    assert run(folder).exit_code == 1
    assert run(folder, "--config", str(folder / "settings.toml")).exit_code == 0


def test_where_the_knowledge_cannot_be_read_the_check_says_what_it_could_not_tell(
    folder: Path,
) -> None:
    (folder / "clients.toml").write_text(FILE_CLIENT + 'services = ["sil2r-order-sign"]\n')
    shown = run(folder, CDS_KNOWLEDGE=str(folder / "not-there"))
    assert shown.exit_code == 0
    assert "Whether the granted services exist could not be checked." in shown.output
    assert "not-there" in shown.output
