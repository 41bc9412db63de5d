"""Settings: where they come from, what is refused, and when the service does not start."""

from __future__ import annotations

import base64
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

from cds_service.config import SETTING_NAMES, Mode, Settings, Tls, load_settings
from cds_service.errors import ConfigurationError

KEY = base64.b64encode(bytes(range(32))).decode()


def secure(folder: Path) -> dict[str, str]:
    return {
        "CDS_CLIENTS": str(folder / "clients.toml"),
        "CDS_PUBLIC_URL": "https://cds.example.org",
        "CDS_TLS": "proxy",
        "CDS_DATA_KEY": KEY,
    }


def refusal(
    environment: dict[str, str], mode: Mode = Mode.SANDBOX, file: Path | None = None
) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(mode, environment, file)
    return caught.value


def test_without_any_setting_sandbox_mode_has_the_documented_defaults() -> None:
    settings = load_settings(Mode.SANDBOX, {"PATH": "/bin"})
    assert settings == Settings()
    assert (settings.deadline_ms, settings.max_body) == (400, 10 * 1024 * 1024)
    assert (settings.token_lifetime, settings.token_leeway) == (900, 60)
    assert settings.lab_result_hook == "org.sil2r-cds.lab-result-create"
    assert settings.cors_origins == ()
    assert settings.management_port == 0
    assert settings.terminologies == frozenset({"snomed"})


def test_every_setting_but_the_mode_can_be_given() -> None:
    assert {each.name for each in fields(Settings)} == SETTING_NAMES | {"mode"}


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().deadline_ms = 1  # type: ignore[misc]


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "cds.toml"
    file.write_text('deadline_ms = 300\nlab_result_hook = "org.example.result-create"\n')
    settings = load_settings(Mode.SANDBOX, {"CDS_DEADLINE_MS": "250"}, file)
    assert settings.deadline_ms == 250
    assert settings.lab_result_hook == "org.example.result-create"


def test_relative_paths_in_the_file_are_relative_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "cds.toml"
    file.write_text('clients = "clients.toml"\nsite = "/etc/site.toml"\n')
    settings = load_settings(Mode.SANDBOX, {"CDS_KNOWLEDGE": "cards"}, file)
    assert settings.clients == tmp_path / "clients.toml"
    assert settings.site == Path("/etc/site.toml")
    assert settings.knowledge == Path("cards")


def test_lists_are_toml_lists_or_texts_with_commas(tmp_path: Path) -> None:
    file = tmp_path / "cds.toml"
    file.write_text('cors_origins = ["https://a.example", "https://b.example:8443"]\n')
    settings = load_settings(
        Mode.SANDBOX, {"CDS_FHIR_SERVERS": "https://f.example/r4, https://g.example"}, file
    )
    assert settings.cors_origins == ("https://a.example", "https://b.example:8443")
    assert [str(base) for base in settings.fhir_servers] == [
        "https://f.example/r4",
        "https://g.example",
    ]


def test_a_misspelt_setting_is_refused_with_the_likely_name() -> None:
    error = refusal({"CDS_DEADLINE": "5"})
    assert error.where == "CDS_DEADLINE"
    assert "CDS_DEADLINE_MS" in error.remedy


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cds.toml"
    file.write_text("debug = true\n")
    assert refusal({}, file=file).where == f"{file} debug"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CDS_DEADLINE_MS", "soon"),
        ("CDS_DEADLINE_MS", "0"),
        ("CDS_DEADLINE_MS", "-1"),
        ("CDS_MAX_BODY", "\u0661\u0660\u0660\u0660\u0660"),
        ("CDS_TOKEN_LEEWAY", "121"),
        ("CDS_MANAGEMENT_PORT", "65536"),
        ("CDS_TLS", "none"),
        ("CDS_SNOMED", "maybe"),
        ("CDS_DISCOVERY_TOKEN", "yes"),
        ("CDS_PUBLIC_URL", "cds.example.org"),
        ("CDS_PUBLIC_URL", "http://[x"),
        ("CDS_PUBLIC_URL", "https://cds.example.org:65536"),
        ("CDS_PUBLIC_URL", "https://cds.example.org:"),
        ("CDS_QUEUE_URL", "redis://[x"),
        ("CDS_FHIR_SERVERS", "fhir.example.org"),
        ("CDS_FHIR_SERVERS", "https://f.example/r4, ftp://g.example"),
        ("CDS_PUBLIC_URL", "https://user:secret@cds.example.org"),
        ("CDS_PUBLIC_URL", "https://cds.example.org/?a=b"),
        ("CDS_PUBLIC_URL", "https://cds.example.org/#a"),
        ("CDS_PUBLIC_URL", "https://cds.example.org?"),
        ("CDS_PUBLIC_URL", "https://cds.example.org/cds#"),
        ("CDS_PUBLIC_URL", "https://cds.example.org/my cds"),
        ("CDS_PUBLIC_URL", "https://cds.exam\tple.org"),
        ("CDS_PUBLIC_URL", "https://cds.example.org/\u00e4"),
        ("CDS_CORS_ORIGINS", "*"),
        ("CDS_CORS_ORIGINS", "null"),
        ("CDS_CORS_ORIGINS", "https://*.example.org"),
        ("CDS_CORS_ORIGINS", "https://ehr.example.org/app"),
        ("CDS_LAB_RESULT_HOOK", "lab result"),
        ("CDS_LAB_RESULT_HOOK", "patient-view"),
        ("CDS_LAB_RESULT_HOOK", "order-select"),
        ("CDS_LAB_RESULT_HOOK", "order-sign"),
        ("CDS_CLIENTS", "  "),
        ("CDS_DATA_KEY", "c2hvcnQ="),
        ("CDS_DATA_KEY", "not base64!"),
        ("CDS_DATA_KEY", base64.b64encode(bytes(32)).decode()),
    ],
)
def test_an_unusable_value_is_refused_by_the_name_of_its_setting(name: str, text: str) -> None:
    error = refusal({name: text})
    assert error.where == name
    assert error.remedy.startswith(("Give ", "Make "))


@pytest.mark.parametrize("value", ["true", "1.5", "[1]", '""'])
def test_a_value_of_the_wrong_toml_type_is_refused(tmp_path: Path, value: str) -> None:
    file = tmp_path / "cds.toml"
    file.write_text(f"deadline_ms = {value}\n")
    assert "whole number" in refusal({}, file=file).remedy


def test_a_path_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cds.toml"
    file.write_text(r'clients = "\u0000"')
    assert "path" in refusal({}, file=file).remedy


@pytest.mark.parametrize("content", [b"= 1", b"\xff", None])
def test_a_file_that_is_no_toml_or_not_there_is_refused(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "cds.toml"
    if content is not None:
        file.write_bytes(content)
    assert refusal({}, file=file).where == str(file)


def test_t70_production_starts_when_it_is_safe_to(tmp_path: Path) -> None:
    settings = load_settings(Mode.PRODUCTION, secure(tmp_path))
    assert settings.tls is Tls.PROXY


@pytest.mark.parametrize("name", ["CDS_CLIENTS", "CDS_PUBLIC_URL", "CDS_TLS", "CDS_DATA_KEY"])
def test_t70_j01_production_refuses_to_start_without(tmp_path: Path, name: str) -> None:
    environment = secure(tmp_path)
    del environment[name]
    error = refusal(environment, Mode.PRODUCTION)
    assert error.where == name
    assert "--sandbox" in error.remedy


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CDS_PUBLIC_URL", "http://cds.example.org"),
        ("CDS_FHIR_SERVERS", "https://f.example"),
        ("FLASK_DEBUG", "1"),
        ("CDS_DATA_KEY", base64.b64encode(b"a" * 32).decode()),
        ("CDS_DATA_KEY", base64.b64encode(b"abcdefgh" * 4).decode()),
        ("CDS_DATA_KEY", base64.b64encode(bytes(range(16)) * 2).decode()),
        ("CDS_DATA_KEY", base64.b64encode(b"correct horse battery staple 123").decode()),
    ],
)
def test_t70_production_refuses_to_start_with(tmp_path: Path, name: str, text: str) -> None:
    assert refusal(secure(tmp_path) | {name: text}, Mode.PRODUCTION).where == name


def test_t70_tls_of_our_own_needs_certificate_and_key(tmp_path: Path) -> None:
    environment = secure(tmp_path) | {"CDS_TLS": "direct"}
    assert refusal(environment, Mode.PRODUCTION).where == "CDS_TLS_CERT"
    (tmp_path / "cert.pem").touch()
    environment["CDS_TLS_CERT"] = str(tmp_path / "cert.pem")
    assert refusal(environment, Mode.PRODUCTION).where == "CDS_TLS_KEY"


@pytest.mark.parametrize("name", sorted(SETTING_NAMES))
def test_a_refusal_never_repeats_the_value_which_may_be_a_secret(name: str) -> None:
    secret = "hunter2 \n\x00"
    try:
        load_settings(Mode.PRODUCTION, {f"CDS_{name.upper()}": secret})
    except ConfigurationError as error:
        line = error.one_line()
    assert "hunter2" not in line


def test_secrets_are_not_shown() -> None:
    given: dict[str, Any] = {"data_key": KEY, "database_url": "postgresql://u:hunter2@db/cds"}
    shown = repr(Settings(**given))
    assert KEY not in shown
    assert "hunter2" not in shown
