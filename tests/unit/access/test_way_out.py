"""Where a hospital's service may be led by the names it was given (T-43): whatever calls out.

A registered name may lead into the hospital's own network; one that leads to this machine, or to
where a cloud keeps its secrets, is not called: not for a chart, a key set, or a notified result.
"""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from cds_service import event_wiring
from cds_service.access.tokens import RegisteredCaller
from cds_service.callers import FhirReach, key_fetch
from cds_service.config import Mode, Settings, Tls
from cds_service.event_wiring import open_event_room
from cds_service.fhir.access import NoAccess, ServerAccess
from cds_service.fhir.calls.authorization import NoToken
from cds_service.fhir.calls.breaker import Breakers
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import JwksFaultError, Refused, UpstreamFault
from cds_service.hooks.request import FhirAccess, HookRequest, PatientViewContext
from cds_service.store.database import Database
from cds_service.store.pseudonym import DataKey
from tests.unit.access.minting import REGISTRY, registry

SOURCE = """
[[source]]
name = "lab"
fhir_server = "https://ehr.example.org/fhir"
secret_file = "lab.secret"
"""
KEY = bytes(range(32))
PRODUCTION = Settings(
    mode=Mode.PRODUCTION,
    public_url="https://cds.example.org",
    clients=Path("clients.toml"),
    tls=Tls.PROXY,
    data_key=base64.b64encode(KEY).decode(),
    deadline_ms=20_000,
)


def reaching(server: str, folder: Path) -> AbstractContextManager[ServerAccess | NoAccess]:
    """What a registered client gets who names this server."""
    clients = registry(folder)
    asked = HookRequest(
        hook_instance="x",
        context=PatientViewContext(patient_id="p"),
        prefetch={},
        fhir=FhirAccess(server=server),
    )
    return FhirReach(PRODUCTION, clients)(RegisteredCaller(clients.clients[0]), asked)


def fault_of_a_chart(folder: Path) -> UpstreamFault:
    with reaching("https://ehr.example.org/fhir", folder) as access:
        assert isinstance(access, ServerAccess)
        answer = access.session.fetch("Patient/p")
    assert isinstance(answer, Refused)
    return answer.fault


def fault_of_a_key_set(_folder: Path) -> UpstreamFault:
    with pytest.raises(JwksFaultError) as refused:
        key_fetch(Mode.PRODUCTION)("https://ehr.example.org/jwks")
    assert isinstance(refused.value.fault, UpstreamFault)
    return refused.value.fault


def fault_of_a_notified_result(folder: Path) -> UpstreamFault:
    (folder / "lab.secret").write_text("a-shared-secret-of-the-test", encoding="utf-8")
    sources = registry(folder, REGISTRY + SOURCE).sources
    with Database.open(f"sqlite:///{folder}/cds.sqlite3") as database:
        room = open_event_room(PRODUCTION, sources, database, DataKey(KEY))
    client = event_wiring._client(room, Breakers())
    with client.session(room.sources["lab"].base, NoToken(), Deadline.after(20_000)) as session:
        answer = session.fetch("Observation/o")
    client.close()
    assert isinstance(answer, Refused)
    return answer.fault


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1"])
@pytest.mark.parametrize(
    "fault_of", [fault_of_a_chart, fault_of_a_key_set, fault_of_a_notified_result]
)
def test_t43_outside_sandbox_mode_no_registered_name_leads_to_this_machine(
    fault_of: Callable[[Path], UpstreamFault],
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connected: list[object] = []
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", lambda *to, **_: connected.append(to))
    assert fault_of(tmp_path) is UpstreamFault.NOT_ALLOWED
    assert connected == []


@pytest.mark.parametrize("host", ["127.0.0.1:8090", "localhost:8090", "[::1]:8090"])
def test_t40_outside_sandbox_mode_a_server_on_this_machine_is_called_by_nobody_s_word(
    host: str, tmp_path: Path
) -> None:
    with reaching(f"http://{host}/fhir", tmp_path) as access:
        assert isinstance(access, NoAccess)


def test_outside_sandbox_mode_no_key_set_is_fetched_without_tls() -> None:
    with pytest.raises(JwksFaultError) as refused:
        key_fetch(Mode.PRODUCTION)("http://127.0.0.1:9/jwks")
    assert refused.value.fault is UpstreamFault.NOT_ALLOWED
