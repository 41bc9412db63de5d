"""What a registered source may be reached by: outside sandbox mode nothing goes in the clear."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cds_service.access.registry import load_registry
from cds_service.config import Mode
from cds_service.errors import ConfigurationError
from cds_service.events.source import EventSource, Relay, event_sources
from cds_service.fhir.calls.authorization import AccessToken, NoToken
from cds_service.origins import PlainHttp

REGISTRY = """
[[source]]
name = "lab"
fhir_server = "https://ehr.example.org/fhir"
secret_file = "lab.secret"
"""
SHORT = 'relay_secret_file = "short.secret"\n'


def registered(folder: Path, row: str, mode: Mode) -> EventSource:
    (folder / "lab.secret").write_text("a-shared-secret-of-the-test\n")
    (folder / "relay.secret").write_text(" the-secret-of-the-relay\n")
    sources = load_registry(REGISTRY + row, folder, mode).sources
    return event_sources(sources, mode)["lab"]


def relaying(address: str, row: str = "") -> str:
    return f'delivery = "hook"\nrelay = "{address}"\n{row}'


@pytest.mark.parametrize("address", ["http://relay.example.org/hook", "relay.example.org", "/hook"])
def test_an_answer_is_relayed_over_tls_or_not_at_all(tmp_path: Path, address: str) -> None:
    """It names a patient."""
    with pytest.raises(ConfigurationError) as refused:
        registered(tmp_path, relaying(address), Mode.PRODUCTION)
    assert refused.value.where == "clients.toml [[source]] 1 (lab) relay"


def test_in_sandbox_mode_a_relay_may_be_reached_in_the_clear(tmp_path: Path) -> None:
    delivery = registered(tmp_path, relaying("http://127.0.0.1:1/hook"), Mode.SANDBOX).delivery
    assert isinstance(delivery, Relay)
    assert str(delivery.address) == "http://127.0.0.1:1/hook"


def test_a_relay_is_shown_the_secret_that_was_given_for_it_and_no_other(tmp_path: Path) -> None:
    address = "https://relay.example.org/hook"
    row = relaying(address, 'relay_secret_file = "relay.secret"\n')
    silent = registered(tmp_path, relaying(address), Mode.PRODUCTION).delivery
    shown = registered(tmp_path, row, Mode.PRODUCTION).delivery
    assert isinstance(silent, Relay)
    assert silent.token == NoToken()
    assert isinstance(shown, Relay)
    assert isinstance(shown.token, AccessToken)
    assert shown.token.header() == "Bearer the-secret-of-the-relay"


def test_a_token_endpoint_may_be_plain_http_on_this_machine_in_sandbox_mode_only(
    tmp_path: Path,
) -> None:
    assert registered(tmp_path, "", Mode.PRODUCTION).plain_http is PlainHttp.REFUSED
    assert registered(tmp_path, "", Mode.SANDBOX).plain_http is PlainHttp.LOOPBACK


@pytest.mark.parametrize(
    "secret", ["fifteen-letters", "sixteen letters!", "sixteen-létters!", "sixteen\tletters", ""]
)
def test_a_shared_secret_is_at_least_sixteen_letters_that_can_stand_in_a_header(
    tmp_path: Path, secret: str
) -> None:
    registered(tmp_path, "", Mode.SANDBOX)
    (tmp_path / "short.secret").write_text(secret, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        registered(tmp_path, relaying("https://relay.example.org", SHORT), Mode.SANDBOX)
    assert refused.value.where == "clients.toml [[source]] 1 (lab) relay_secret_file"


def test_one_of_sixteen_letters_is_long_enough(tmp_path: Path) -> None:
    (tmp_path / "short.secret").write_text("sixteen-letters!")
    row = relaying("https://relay.example.org", SHORT)
    assert isinstance(registered(tmp_path, row, Mode.SANDBOX).delivery, Relay)


def test_a_path_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    row = relaying("https://relay.example.org", r'relay_secret_file = "\u0000"')
    with pytest.raises(ConfigurationError) as refused:
        registered(tmp_path, row, Mode.SANDBOX)
    assert refused.value.where == "clients.toml [[source]] 1 (lab) relay_secret_file"


@pytest.mark.parametrize(
    ("row", "promised"),
    [("", 0), ("heartbeat_seconds = 0\n", 0), ("heartbeat_seconds = 86400\n", 86_400)],
)
def test_a_heartbeat_is_promised_by_the_row_and_at_least_once_a_day(
    tmp_path: Path, row: str, promised: int
) -> None:
    heartbeat = registered(tmp_path, row, Mode.PRODUCTION).heartbeat
    assert heartbeat == timedelta(seconds=promised)


@pytest.mark.parametrize("seconds", [-1, 86_401])
def test_a_heartbeat_less_than_once_a_day_is_refused(tmp_path: Path, seconds: int) -> None:
    with pytest.raises(ConfigurationError) as refused:
        registered(tmp_path, f"heartbeat_seconds = {seconds}\n", Mode.PRODUCTION)
    assert refused.value.where == "clients.toml [[source]] 1 (lab) heartbeat_seconds"


def test_a_failed_subscription_is_left_to_people_unless_the_row_says_otherwise(
    tmp_path: Path,
) -> None:
    assert registered(tmp_path, "", Mode.PRODUCTION).reactivate is False
    assert registered(tmp_path, "reactivate = true\n", Mode.PRODUCTION).reactivate is True
