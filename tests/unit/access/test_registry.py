"""The client registry: closed rows, and a check that explains what a caller is never told."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from pathlib import Path

import pytest

from cds_service.access.registry import load_registry, read_registry
from cds_service.callers import FhirReach, gate_of, refuse_unknown_services, registered_clients
from cds_service.config import Mode, Settings
from cds_service.core.card import SmartApp
from cds_service.errors import ConfigurationError
from cds_service.fhir.access import NoAccess
from cds_service.hooks.request import FhirAccess, HookRequest, PatientViewContext
from cds_service.knowledge.files import Library
from cds_service.store.database import Database
from cds_service.web.ports import Anybody, OpenGate
from cds_service.wiring import make_app, prepared
from tests.unit.access.minting import (
    FILE_CLIENT,
    ISSUER,
    REGISTRY,
    SOURCE,
    Hosts,
    caller,
    claiming,
    registry,
    token,
    verifier,
)


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ('colour = "red"', "colour"),
        ('algorithms = ["HS256"]', "algorithms.0"),
        ('algorithms = ["ES384", "none"]', "algorithms.1"),
        ('jwks_url = "a  b"', "jwks_url"),
        ("jwks_url = 7", "jwks_url"),
        ('tenants = ["north", " south"]', "tenants.1"),
        ("tenants = []", "tenants"),
        ('fhir_servers = ["http://ehr.example.org/fhir"]', "fhir_servers"),
        ('fhir_servers = ["https://user:pw@ehr.example.org/fhir"]', "fhir_servers"),
        ('smart_app = "https://apps.example.org/launch"', "smart_app"),
        ('smart_app = [{label = "Series"}]', "smart_app.0.url"),
        (
            'smart_app = [{label = "Series", url = "https://a.example", icon = ""}]',
            "smart_app.0.icon",
        ),
        ('smart_app = [{label = "", url = "https://a.example"}]', "smart_app.0.label"),
        ('smart_app = [{label = "Series", url = "http://a.example/launch"}]', "smart_app"),
        ('smart_app = [{label = "Series", url = "javascript:alert(1)"}]', "smart_app"),
        ('smart_app = [{label = "Series", url = "https://a.example/l#here"}]', "smart_app"),
    ],
)
def test_a_bad_row_is_refused_with_the_key_and_the_number_of_its_entry(
    folder: Path, row: str, place: str
) -> None:
    (folder / "clients.toml").write_text(FILE_CLIENT + row + "\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read_registry(folder / "clients.toml")
    assert refused.value.where == f"clients.toml [[client]] 1 (hospital) {place}"
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "other/north"),  # would be the tenant `north` of the client `other`
        ("name", "two words"),
        ("name", "-a"),
        ("name", "a\\nb"),
        ("name", "\\u001b[2J"),
        ("name", ""),
        ("issuer", ""),
        ("issuer", " x"),
        ("issuer", "x\\n"),
        ("issuer", "x" * 2049),
    ],
)
def test_a_name_is_a_word_and_a_text_is_one_line_of_bounded_length(
    folder: Path, key: str, value: str
) -> None:
    row = {"name": "hospital", "issuer": ISSUER, "jwks_file": "keys.json"} | {key: value}
    text = "[[client]]\n" + "".join(f'{name} = "{given}"\n' for name, given in row.items())
    with pytest.raises(ConfigurationError) as refused:
        registry(folder, text)
    assert refused.value.where.endswith(key)
    assert refused.value.one_line().isprintable(), "one line, and nothing that moves a cursor"


def test_what_a_row_lacks_is_said_plainly(folder: Path) -> None:
    bare = '[[client]]\nname = "hospital"\nissuer = "x"\n'
    (folder / "clients.toml").write_text(bare, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read_registry(folder / "clients.toml")
    assert refused.value.text == "There are no keys."
    assert refused.value.remedy == "Give jwks_url or jwks_file."


def test_a_key_file_that_is_not_there_is_told_with_the_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clients.toml").write_text(FILE_CLIENT, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read_registry(Path("clients.toml"))
    assert refused.value.where == "clients.toml [[client]] 1 (hospital) jwks_file"
    assert refused.value.remedy == f"It is looked for in {tmp_path}."


def test_a_key_file_without_a_usable_key_is_told_with_all_that_a_key_must_be(
    folder: Path,
) -> None:
    """A key that is too short is left out like one for encryption: both have a kid."""
    with pytest.raises(ConfigurationError) as refused:
        registry(folder, FILE_CLIENT + 'algorithms = ["RS384"]\n')
    assert refused.value.remedy == "Add one for RS384: with a kid, to sign, RSA from 2048 bits on."


AGAIN = FILE_CLIENT.replace('"hospital"', '"again"')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[client]", "This is not TOML"),
        (FILE_CLIENT + "[[clients]]\n", "There is no table 'clients'."),
        ('client = "hospital"\n', "This must be a list of rows."),
        ("[client]\n", "This must be a list of rows."),
        ("client = [1]\n", "This is no row"),
        ("", "No client is registered."),
        (FILE_CLIENT + AGAIN, f"The issuer '{ISSUER}' stands here twice."),
        (FILE_CLIENT + AGAIN.replace(ISSUER, "x").replace("again", "hospital"), "The name"),
        (SOURCE + SOURCE, "The name 'lab' stands here twice."),
        (SOURCE.replace('"secret"', '"nowhere"'), "The file is not there."),
        (SOURCE.replace("https://", "http://"), "This is no address to call"),
        (FILE_CLIENT + 'jwks_url = "http://ehr.example.org/jwks"\n', "This is no address of a key"),
        (FILE_CLIENT + 'algorithms = ["RS384"]\n', "No key in it can be used"),
        (SOURCE + 'credentials = "bearer"\n', "credentials and credentials_file go together"),
        (SOURCE + 'credentials_file = "secret"\n', "credentials and credentials_file go together"),
        (SOURCE + 'credentials = "basic"\ncredentials_file = "secret"\n', "need a client_id"),
        (
            SOURCE + 'credentials = "backend-services"\ncredentials_file = "secret"\n',
            "need a client_id",
        ),
        (SOURCE + 'delivery = "hook"\n', 'relay and delivery = "hook" go together'),
        (
            SOURCE + 'relay = "https://relay.example.org"\n',
            'relay and delivery = "hook" go together',
        ),
    ],
)
def test_a_registry_with_one_bad_place_is_not_used_at_all(
    folder: Path, text: str, said: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        registry(folder, text)
    assert said in refused.value.text


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[[client]", "who.toml"),
        (FILE_CLIENT + "[[clients]]\n", "who.toml"),
        ("", "who.toml"),
        ("[client]\n", "who.toml client"),
        ("client = [1]\n", "who.toml [[client]] 1"),
        (FILE_CLIENT + "[[client]]\nname = 7\n", "who.toml [[client]] 2 name"),
        (FILE_CLIENT + AGAIN, "who.toml [[client]]"),
        (SOURCE + SOURCE, "who.toml [[source]]"),
        (SOURCE.replace("https://", "http://"), "who.toml [[source]] 1 (lab) fhir_server"),
        (
            FILE_CLIENT + 'jwks_url = "http://ehr.example.org/jwks"\n',
            "who.toml [[client]] 1 (hospital) jwks_url",
        ),
        (
            FILE_CLIENT + 'fhir_servers = ["http://ehr.example.org/fhir"]\n',
            "who.toml [[client]] 1 (hospital) fhir_servers",
        ),
    ],
)
def test_a_fault_is_told_with_its_file_row_and_key(folder: Path, text: str, where: str) -> None:
    (folder / "who.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read_registry(folder / "who.toml")
    assert refused.value.where == where


def test_a_file_in_another_encoding_is_refused_with_its_path(folder: Path) -> None:
    (folder / "clients.toml").write_bytes(FILE_CLIENT.encode("utf-16"))
    with pytest.raises(ConfigurationError, match="UTF-8") as refused:
        read_registry(folder / "clients.toml")
    assert refused.value.where == str(folder / "clients.toml")


def test_a_key_set_in_sandbox_mode_may_be_on_this_machine_and_nowhere_else(folder: Path) -> None:
    """A FHIR server may be anywhere then; keys by plain http could be anybody's."""
    row = '[[client]]\nname = "a"\nissuer = "x"\njwks_url = "http://{}/jwks"\n'
    assert load_registry(row.format("127.0.0.1:8080"), folder, Mode.SANDBOX).clients
    for host, mode in (("ehr.example.org", Mode.SANDBOX), ("127.0.0.1:8080", Mode.PRODUCTION)):
        with pytest.raises(ConfigurationError, match="no address of a key set"):
            load_registry(row.format(host), folder, mode)


def test_a_client_names_the_apps_of_its_ehr_each_at_the_address_as_written(folder: Path) -> None:
    def app(url: str) -> str:
        return f'[[client.smart_app]]\nlabel = "Series"\nurl = "{url}"\n'

    (client,) = registry(folder, FILE_CLIENT).clients
    assert client.smart_apps == ()
    launch, tab = "https://apps.example.org/launch/", "https://apps.example.org/l?tab=a%20b"
    (client,) = registry(folder, FILE_CLIENT + app(launch) + app(tab)).clients
    assert client.smart_apps == (SmartApp("Series", launch), SmartApp("Series", tab))
    local = app("http://127.0.0.1:8085/launch.html")
    (client,) = load_registry(FILE_CLIENT + local, folder, Mode.SANDBOX).clients
    assert client.smart_apps[0].url == "http://127.0.0.1:8085/launch.html"
    with pytest.raises(ConfigurationError, match="This is no address of an app"):
        registry(folder, FILE_CLIENT + local)


def test_the_servers_that_may_be_called_are_those_of_all_clients_and_sources(folder: Path) -> None:
    row = 'fhir_servers = ["https://{}.example.org/fhir"]\n'
    other = AGAIN.replace(ISSUER, "x")
    whole = registry(
        folder, FILE_CLIENT + row.format("north") + other + row.format("south") + SOURCE
    )
    hosts = {base.url.host for base in whole.fhir_servers}
    assert hosts == {"north.example.org", "south.example.org", "lab.example.org"}


def test_t01_without_a_registry_the_sandbox_is_open_and_production_is_not(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'cds.sqlite3'}")
    settings = Settings()
    assert isinstance(gate_of(settings, registered_clients(settings), database), OpenGate)
    database.close()


def _asking(server: str) -> HookRequest:
    return HookRequest(
        hook_instance="x",
        context=PatientViewContext(patient_id="p"),
        prefetch={},
        fhir=FhirAccess(server=server),
    )


def test_t40_t44_a06_each_caller_has_its_own_list_of_fhir_servers(tmp_path: Path) -> None:
    of_the_other = 'fhir_servers = ["https://other.example.org/fhir"]\n'
    clients = registry(tmp_path, REGISTRY + of_the_other)
    settings = Settings(public_url="https://cds.example.org")
    reach = FhirReach(settings, clients)
    checks = verifier(clients, hosts=Hosts())
    registered = caller(checks, token())
    with reach(registered, _asking("https://ehr.example.org/fhir")) as allowed:
        assert not isinstance(allowed, NoAccess)
    for who, server in (
        (registered, "https://other.example.org/fhir"),
        (registered, "https://ehr.example.org/other"),
        (Anybody(), "https://ehr.example.org/fhir"),
    ):
        with reach(who, _asking(server)) as refused:
            assert isinstance(refused, NoAccess)


def test_t10_the_service_starts_while_the_key_set_is_down_and_answers_401(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        nobody_there = f"http://127.0.0.1:{taken.getsockname()[1]}/jwks"
    (tmp_path / "clients.toml").write_text(
        REGISTRY.replace("https://ehr.example.org/jwks", nobody_there), encoding="utf-8"
    )
    settings = Settings(
        clients=tmp_path / "clients.toml", database_url=f"sqlite:///{tmp_path}/cds.sqlite3"
    )
    client = make_app(settings, prepared(settings)).test_client()
    assert client.get("/health/ready").status_code == 200
    now, path = int(time.time()), "/cds-services/sil2r-lab-result"
    minted = claiming(iat=now, exp=now + 300, aud=f"{settings.public_url}{path}")
    answer = client.post(path, json={}, headers={"Authorization": f"Bearer {minted}"})
    assert answer.status_code == 401
    told = capsys.readouterr().err
    assert '"cause":"keys-unavailable"' in told
    assert '"code":"CDS-L303"' in told


def test_a_registry_that_cannot_be_read_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_registry(tmp_path / "nowhere.toml", Mode.SANDBOX)
    assert refused.value.one_line().count("\n") == 0


def test_a_misspelt_grant_is_refused_at_the_start(tmp_path: Path, library: Library) -> None:
    misspelt, file = (
        REGISTRY.replace("sil2r-patient-view", "sil2r-patientview"),
        tmp_path / "c.toml",
    )
    file.write_text(misspelt, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="'sil2r-patientview', which is not a service"):
        prepared(Settings(clients=file, database_url=f"sqlite:///{tmp_path}/cds.sqlite3"))
    refuse_unknown_services(registry(tmp_path), library)
