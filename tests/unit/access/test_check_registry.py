"""A registry that is shown to `clients check`: told entry by entry, with what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.access.check import Offline
from cds_service.access.registry import read_registry
from cds_service.commands.clients_check import check_registry
from cds_service.config import Mode
from cds_service.errors import ConfigurationError
from tests.unit.access.minting import FILE_CLIENT, ISSUER, JWKS, SOURCE, Hosts, registry

SERVICES = frozenset({"sil2r-lab-result", "sil2r-patient-view"})


def test_a_registry_is_told_entry_by_entry(folder: Path) -> None:
    (folder / "clients.toml").write_text(FILE_CLIENT + SOURCE)
    report = check_registry(
        read_registry(folder / "clients.toml"), Mode.PRODUCTION, Offline(), SERVICES
    )
    assert list(report.lines()) == [
        f"client hospital: issuer {ISSUER}, keys in keys.json: 1, FHIR servers: 0",
        "source lab: https://lab.example.org/fhir",
    ]
    assert report.is_acceptable


def test_a_key_file_of_the_wrong_kind_is_refused(folder: Path) -> None:
    (folder / "keys.json").write_text('{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}')
    with pytest.raises(ConfigurationError, match="symmetric-key"):
        read_registry(folder / "clients.toml")


def test_published_keys_are_looked_into_when_fetched_and_only_then(folder: Path) -> None:
    clients = registry(folder)
    hosts = Hosts()
    hosts.answers[JWKS] = b'{"keys": [{"kty": "oct", "k": "c2Vj"}]}'
    offline = check_registry(clients, Mode.PRODUCTION, Offline(), SERVICES)
    assert offline.is_acceptable
    assert [each.members["fetched"] for each in offline.clients] == [False, False]
    fetched = check_registry(clients, Mode.PRODUCTION, hosts, SERVICES)
    assert fetched.faults == [
        "client general-hospital: https://ehr.example.org/jwks cannot be used (symmetric-key)."
    ]
    assert "keys in https://other.example.org/jwks: 1" in fetched.clients[1].line


def test_published_keys_must_suit_the_clients_algorithms(folder: Path) -> None:
    hosts = Hosts()
    hosts.answers[JWKS] = b'{"keys": []}'
    (fault,) = check_registry(registry(folder), Mode.PRODUCTION, hosts, SERVICES).faults
    assert fault.endswith("holds no key for ES384 or RS384.")


@pytest.mark.parametrize(
    ("row", "content", "said"),
    [
        ('credentials = "bearer"\ncredentials_file = "own"', "short", "credentials_file"),
        ('credentials = "bearer"\ncredentials_file = "not-there"', "", "credentials_file"),
        (
            'credentials = "backend-services"\ncredentials_file = "own"\nclient_id = "x"',
            "{}",
            "JSON Web Key",
        ),
        (
            'delivery = "hook"\nrelay = "https://relay.example.org"\nrelay_secret_file = "own"',
            "short",
            "relay_secret_file",
        ),
    ],
)
def test_the_files_that_a_source_names_are_read_too(
    folder: Path, row: str, content: str, said: str
) -> None:
    (folder / "own").write_text(content)
    second = SOURCE.replace('"lab"', '"ward"')
    (folder / "clients.toml").write_text(f"{FILE_CLIENT}{SOURCE}{row}\n{second}{row}\n")
    report = check_registry(
        read_registry(folder / "clients.toml"), Mode.PRODUCTION, Offline(), SERVICES
    )
    assert not report.is_acceptable
    assert len(report.faults) == 2  # of both sources, not of the first alone
    assert all(said in fault for fault in report.faults)
