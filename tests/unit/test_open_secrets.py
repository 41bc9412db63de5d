"""A start that is sound tells of each secret that others may read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cds_service.config import Mode, Settings, Tls
from cds_service.wiring import prepared

REGISTRY = """
[[source]]
name = "lab"
fhir_server = "https://ehr.example.org/fhir"
secret_file = "lab.secret"
credentials = "bearer"
credentials_file = "token.secret"
delivery = "hook"
relay = "https://relay.example.org/hook"
relay_secret_file = "relay.secret"
"""
FILES = ("lab.secret", "token.secret", "relay.secret", "tls.pem", "clients.toml")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """What a start reads, all of it for its owner only."""
    for file in FILES:
        (tmp_path / file).write_text("a-long-secret-of-the-test-4bR9zQ7x\n", encoding="ascii")
        (tmp_path / file).chmod(0o600)
    (tmp_path / "clients.toml").write_text(REGISTRY, encoding="utf-8")
    return Settings(
        mode=Mode.SANDBOX,
        clients=tmp_path / "clients.toml",
        database_url=f"sqlite:///{tmp_path}/cds.sqlite3",
        tls=Tls.DIRECT,
        tls_cert=tmp_path / "tls.pem",
        tls_key=tmp_path / "tls.pem",
    )


def told(settings: Settings, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """Source and place of each line about a secret."""
    prepared(settings)
    lines = map(json.loads, capsys.readouterr().err.splitlines())
    return [(each.get("source", ""), each["place"]) for each in lines if each["code"] == "CDS-L204"]


def test_of_secrets_for_owner_and_group_nothing_is_told(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lab.secret").chmod(0o640)
    (tmp_path / "clients.toml").chmod(0o644)
    assert told(settings, capsys) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("lab.secret", ("lab", "secret_file")),
        ("token.secret", ("lab", "credentials_file")),
        ("relay.secret", ("lab", "relay_secret_file")),
        ("tls.pem", ("", "CDS_TLS_KEY")),
    ],
)
def test_a_secret_that_others_may_read_is_told(
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    line: tuple[str, str],
) -> None:
    (tmp_path / file).chmod(0o644)
    assert told(settings, capsys) == [line]
