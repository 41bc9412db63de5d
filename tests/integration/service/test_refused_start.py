"""T-70: a start that is refused is one line with setting and remedy, and nothing was started."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cds_service.events.queue import QUEUE_FILE
from cds_service.store.pseudonym import DataKey
from tests.integration.service.running import bare_environment
from tests.ports import free_port
from tests.unit.access.minting import EC, ISSUER, key_set

pytestmark = pytest.mark.integration

CLIENT = f"""
[[client]]
name = "hospital"
issuer = "{ISSUER}"
jwks_file = "keys.json"
"""
SOURCE = """
[[source]]
name = "lab"
fhir_server = "https://ehr.example.org/fhir"
secret_file = "lab.secret"
"""
REGISTRIES = {
    "no client": (SOURCE, "CDS_CLIENTS: No client is registered"),
    "a service that is none": (
        f'{CLIENT}services = ["sil2r-lab-reslut"]',
        "CDS_CLIENTS: Client hospital is granted 'sil2r-lab-reslut'",
    ),
    "keys that are not there": (
        CLIENT.replace("keys.json", "none.json"),
        "clients.toml [[client]] 1 (hospital) jwks_file: ",
    ),
    "a secret that is too short": (
        CLIENT + SOURCE.replace("lab.secret", "short.secret"),
        "clients.toml [[source]] 1 (lab) secret_file: ",
    ),
    "a secret that is not there": (
        CLIENT + SOURCE.replace("lab.secret", "none.secret"),
        "clients.toml [[source]] 1 (lab) secret_file: ",
    ),
    "a word that means nothing": (
        f'{CLIENT}servces = ["sil2r-lab-result"]',
        "clients.toml [[client]] 1 (hospital) servces: ",
    ),
}
"""What is wrong with a registry -> its text, and how the refusal begins."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a registry names, as it should be."""
    (tmp_path / "keys.json").write_bytes(key_set(EC))
    (tmp_path / "lab.secret").write_text("a-long-secret-of-the-test-4bR9zQ7x\n", encoding="ascii")
    (tmp_path / "short.secret").write_text("x\n", encoding="ascii")
    return tmp_path


def refused(folder: Path, registry: str, *arguments: str, **more: str) -> str:
    """All that a start says which must be refused."""
    (folder / "clients.toml").write_text(registry, encoding="utf-8")
    for file in folder.glob("*.*"):
        file.chmod(0o600)  # else a start would tell of secrets that others may read
    settings = {
        "CDS_CLIENTS": "clients.toml",
        "CDS_PUBLIC_URL": "https://cds.example.org",
        "CDS_TLS": "proxy",
        "CDS_DATA_KEY": DataKey.random().base64(),
        **more,
    }
    start = [sys.executable, "-m", "cds_service", "serve", "--port", str(free_port())]
    ran = subprocess.run(
        [*start, "--workers", "2", *arguments],
        cwd=folder,
        env={**bare_environment(), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    return ran.stdout


@pytest.mark.parametrize("fault", REGISTRIES)
def test_t70_a_start_with_a_bad_registry_is_one_line(folder: Path, fault: str) -> None:
    registry, begins = REGISTRIES[fault]
    said = refused(folder, registry)
    assert said.startswith(f"CDS-5002 {begins}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "url", ["sqlite:////dev/null/records.sqlite3", "sqlite:///keys.json", "mysql://db/cds"]
)
def test_t70_a_start_without_a_database_is_one_line(folder: Path, url: str) -> None:
    said = refused(folder, CLIENT, CDS_DATABASE_URL=url)
    assert "CDS_DATABASE_URL" in said
    assert said.count("\n") == 1


def test_t70_a_start_with_events_and_no_room_for_their_queue_is_one_line(folder: Path) -> None:
    (folder / QUEUE_FILE).mkdir()
    said = refused(folder, CLIENT + SOURCE)
    assert said.startswith("CDS-5002 CDS_QUEUE_URL: ")
    assert said.count("\n") == 1


def test_t70_a_start_with_a_certificate_that_is_none_is_one_line(folder: Path) -> None:
    files = {"CDS_TLS_CERT": "keys.json", "CDS_TLS_KEY": "keys.json"}
    said = refused(folder, CLIENT, CDS_TLS="direct", **files)
    assert said.startswith("CDS-5002 CDS_TLS_CERT and CDS_TLS_KEY: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "form",
    [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL],
    ids=["pkcs8", "traditional"],
)
def test_t70_a_start_with_a_key_that_needs_a_passphrase_is_one_line(
    folder: Path, form: serialization.PrivateFormat
) -> None:
    """And nobody is asked for it: a start from a terminal would wait for ever."""
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        form,
        serialization.BestAvailableEncryption(b"a passphrase"),
    )
    (folder / "key.pem").write_bytes(key)
    files = {"CDS_TLS_CERT": "key.pem", "CDS_TLS_KEY": "key.pem"}
    said = refused(folder, CLIENT, CDS_TLS="direct", **files)
    assert said.startswith("CDS-5002 CDS_TLS_KEY: The key needs a passphrase.")
    assert said.count("\n") == 1


def test_t70_a_start_with_a_server_that_is_none_is_one_line(folder: Path) -> None:
    said = refused(folder, CLIENT, "--sandbox", CDS_TLS="proxy", CDS_FHIR_SERVERS="nowhere")
    assert said.startswith("CDS-5002 CDS_FHIR_SERVERS: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("setting", ["--port", "CDS_MANAGEMENT_PORT"])
def test_t70_a_start_at_an_address_that_is_taken_is_one_line_without_a_welcome(
    folder: Path, setting: str
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = str(listener.getsockname()[1])
        arguments = ["--port", port] if setting == "--port" else []
        more = {setting: port} if setting != "--port" else {}
        said = refused(folder, CLIENT, "--sandbox", *arguments, **more)
    assert said.startswith(f"CDS-5002 127.0.0.1:{port}: ")
    assert said.count("\n") == 1
