"""T-30, T-48, T-66 and the key set: what goes out, what stays in, and several fetches at once."""

from __future__ import annotations

import logging
import threading
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from requests import RequestException
from urllib3.exceptions import HTTPError

from cds_service.fhir.calls.authorization import AccessToken, NoToken
from cds_service.fhir.calls.breaker import _ServerFailedError
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.exchange import Sending
from cds_service.fhir.calls.fetched import (
    JWKS_LIMIT,
    JwksFaultError,
    Refused,
    Resource,
    UpstreamFault,
)
from cds_service.fhir.calls.network import Network
from cds_service.fhir.calls.query import Read, Search
from cds_service.fhir.client import FhirClient
from cds_service.origins import AllowList, FhirBase, PlainHttp
from tests import faults
from tests.fault_server import FaultServer
from tests.faults import Fault, bundle, observation, reply, reply_json, together
from tests.leftovers import errors_without_collector
from tests.ports import free_port
from tests.unit.fhir_client.conftest import SHORT_MS, Opens

PATIENT = {"resourceType": "Patient", "id": "1"}
KEYS = b'{"keys": []}'
ERRORS = (HTTPError, RequestException, _ServerFailedError, ConnectionError, TimeoutError)


def _long() -> Deadline:
    return Deadline.after(20_000)


def test_a_request_carries_the_token_and_nothing_of_this_machine(
    server: FaultServer, client: FhirClient, base: FhirBase
) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    with client.session(base, AccessToken("secret"), _long()) as session:
        session.fetch("Patient/1")
    call = server.calls[0]
    assert call.method == "GET"
    assert call.headers == {
        "host": f"127.0.0.1:{server.port}",
        "accept": "application/fhir+json",
        "accept-encoding": "gzip",
        "user-agent": "sil2r-cds",
        "authorization": "Bearer secret",
    }


def test_a_search_asks_for_the_same_codes_behind_a_proxy_that_makes_one_slash_of_two(
    server: FaultServer, client: FhirClient, base: FhirBase
) -> None:
    """So does the SMART App Launcher; the search then found nothing, and nobody was told."""
    asked = "patient=1&code=http://loinc.org|9654-5,urn:oid:2.999.2|a%2Fb&_sort=-date"
    further = f"{asked}&page=2"
    first = bundle(observation(1), next_link=f"{server.base}/Observation?{further}")
    server.on("/fhir/Observation", reply_json(first))
    with client.session(base, NoToken(), _long()) as session:
        session.fetch(f"Observation?{asked}")
    sent = [target.partition("?") for target in server.targets()]
    assert [path for path, _, _ in sent] == ["/fhir/Observation", "/fhir/Observation"]
    assert "/" not in "".join(query for _, _, query in sent)
    assert [parse_qs(query) for _, _, query in sent] == [parse_qs(asked), parse_qs(further)]


def test_a_write_carries_its_body_and_what_it_says_of_it(
    server: FaultServer, client: FhirClient, base: FhirBase
) -> None:
    server.on("/fhir/Flag", reply(b"", status=201))
    prefer = {"Prefer": "return=representation"}
    flag = Sending("POST", "Flag", b'{"resourceType": "Flag"}', headers=prefer)
    client.send(base, flag, AccessToken("secret"), _long())
    (call,) = server.calls
    assert call.method == "POST"
    assert call.headers["content-type"] == call.headers["accept"] == "application/fhir+json"
    assert call.headers["content-length"] == str(len(flag.body))
    assert call.headers["prefer"] == "return=representation"
    assert call.headers["authorization"] == "Bearer secret"


def test_a_form_goes_out_under_client_id_and_secret_and_no_token(
    server: FaultServer, client: FhirClient, base: FhirBase
) -> None:
    """RFC 6749, section 2.3.1."""
    server.on("/token", reply(b"{}", content_type="application/json"))
    form = Sending(
        "POST",
        body=b"grant_type=client_credentials",
        media_type="application/x-www-form-urlencoded",
        accept="application/json",
        basic=("sil2r", "secret"),
    )
    client.post_form(f"{server.origin}/token", form, base, _long(), PlainHttp.LOOPBACK)
    (call,) = server.calls
    assert call.headers["authorization"] == f"Basic {b64encode(b'sil2r:secret').decode()}"
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert call.headers["accept"] == "application/json"


def test_however_many_token_endpoints_a_server_names_they_share_their_threads(
    client: FhirClient, base: FhirBase
) -> None:
    """A server that names another one each time leaves nothing behind that grows."""
    form = Sending("POST", body=b"grant_type=client_credentials")
    before = set(threading.enumerate())
    with ExitStack() as running:
        for _ in range(6):
            server = running.enter_context(FaultServer())
            server.on("/token", reply(b"{}", content_type="application/json"))
            url = f"{server.origin}/token"
            client.post_form(url, form, base, _long(), PlainHttp.LOOPBACK)
            assert len(server.calls) == 1
        kept = set(threading.enumerate()) - before
        assert len([one for one in kept if one.name.startswith("fhir-client")]) == 1


def test_a_form_goes_by_https_only(server: FaultServer, client: FhirClient, base: FhirBase) -> None:
    form = Sending("POST", body=b"grant_type=client_credentials", basic=("sil2r", "secret"))
    for address in (f"{server.origin}/token", "https://user@ehr.example.org/token", ""):
        sent = client.post_form(address, form, base, _long())
        assert sent == Refused(UpstreamFault.NOT_ALLOWED)
    assert server.connections == 0


def test_a07_without_a_token_no_authorization_is_sent(
    server: FaultServer, session_of: Opens
) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    session_of().fetch("Patient/1")
    assert "authorization" not in server.calls[0].headers


def test_t48_proxies_and_netrc_of_the_environment_are_ignored(
    server: FaultServer,
    session_of: Opens,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    with FaultServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert session_of().fetch("Patient/1") == Resource(PATIENT)
        assert proxy.connections == 0
    assert "authorization" not in server.calls[0].headers


def test_cookies_are_not_kept(server: FaultServer, session_of: Opens) -> None:
    cookie = (("Set-Cookie", "session=1; Path=/"),)
    server.on("/fhir/Patient/1", reply_json(PATIENT, headers=cookie))
    session = session_of()
    session.fetch("Patient/1")
    session.fetch("Patient/1")
    assert ["cookie" in call.headers for call in server.calls] == [False, False]


def test_t30_no_log_at_any_level_holds_a_patient_id_or_a_token(
    server: FaultServer, client: FhirClient, base: FhirBase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("/fhir/Patient/canary-4711", faults.reset_mid_body)
    server.on("/fhir/Observation", reply_json(bundle()))
    with client.session(base, AccessToken("canary-token"), _long()) as session:
        session.fetch("Patient/canary-4711")
        session.fetch("Observation?patient=canary-4711")
    assert len(server.calls) == 2
    assert "canary" not in caplog.text


def test_t66_several_fetches_run_side_by_side(server: FaultServer, session_of: Opens) -> None:
    """Each is answered only once all four have arrived: one after the other would never end."""
    answer = together(4, reply_json(bundle(observation(1))))
    server.on("/fhir/Observation", answer)
    queries = {str(n): Search("Observation", f"patient={n}") for n in range(4)}
    fetched = session_of().fetch_all(queries)
    assert all(isinstance(result, Resource) for result in fetched.values())
    assert list(fetched) == ["0", "1", "2", "3"]


def test_t66_one_deadline_holds_for_all_and_what_came_in_time_is_kept(
    server: FaultServer, session_of: Opens
) -> None:
    server.on("/fhir/Patient/1", reply_json(PATIENT))
    server.on("/fhir/Observation", faults.drip_body)
    server.on("/fhir/Condition", faults.hang_before_headers)
    fetched = session_of(1_000).fetch_all(
        {
            "patient": Read("Patient", "1"),
            "labs": Search("Observation", "patient=1"),
            "conditions": Search("Condition", "patient=1"),
        }
    )
    assert fetched == {
        "patient": Resource(PATIENT),
        "labs": Refused(UpstreamFault.TIMEOUT),
        "conditions": Refused(UpstreamFault.TIMEOUT),
    }


def test_more_fetches_than_threads_are_refused_at_the_deadline_unasked(
    server: FaultServer, base: FhirBase
) -> None:
    server.on("/fhir/Patient/1", faults.hang_before_headers)
    client = FhirClient(AllowList.of([base]), threads=1)
    queries = {str(n): Read("Patient", "1") for n in range(3)}
    with client.session(base, NoToken(), Deadline.after(5 * SHORT_MS)) as session:
        fetched = session.fetch_all(queries)
    client.close()
    assert fetched["0"] == Refused(UpstreamFault.TIMEOUT)
    assert set(fetched.values()) <= {
        Refused(UpstreamFault.TIMEOUT),
        Refused(UpstreamFault.DEADLINE),
    }
    assert len(server.calls) <= 1


def test_a_name_server_that_hangs_does_not_hold_the_caller(server: FaultServer) -> None:
    released = threading.Event()

    def hang(_host: str, _port: int) -> list[str]:
        released.wait(30)
        return ["127.0.0.1"]

    base = FhirBase.parse(f"http://ehr.example.org:{server.port}/fhir", PlainHttp.ALLOWED)
    client = FhirClient(AllowList.of([base]), network=Network(resolve=hang))
    with client.session(base, NoToken(), Deadline.after(SHORT_MS)) as session:
        assert session.fetch("Patient/1") == Refused(UpstreamFault.TIMEOUT)
    released.set()
    client.close()
    assert server.connections == 0


def test_a_key_set_is_fetched_as_bytes_without_any_token(
    server: FaultServer, client: FhirClient
) -> None:
    server.on("/jwks", reply(KEYS, content_type="application/json"))
    address = f"{server.origin}/jwks?p=1"
    assert client.jwks_fetch(address, _long(), PlainHttp.LOOPBACK) == KEYS
    (call,) = server.calls
    assert (call.method, call.target) == ("GET", "/jwks?p=1")
    assert call.headers["accept"] == "application/json"
    assert "authorization" not in call.headers


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.redirect("https://evil.example/jwks"), UpstreamFault.REDIRECT),
        (reply(b" " * (JWKS_LIMIT + 1)), UpstreamFault.TOO_LARGE),
        (faults.gzip_bomb(50_000_000), UpstreamFault.TOO_LARGE),
        (reply(b"", status=500), UpstreamFault.STATUS_5XX),
        (reply(b"", status=404), UpstreamFault.STATUS_404),
        (faults.reset_mid_body, UpstreamFault.BROKEN),
    ],
)
def test_t08_a_key_set_that_cannot_be_had_is_a_fault_with_its_reason(
    fault: Fault, expected: UpstreamFault, server: FaultServer, client: FhirClient
) -> None:
    server.on("/jwks", fault)
    with pytest.raises(JwksFaultError) as raised:
        client.jwks_fetch(f"{server.origin}/jwks", _long(), PlainHttp.LOOPBACK)
    assert raised.value.fault is expected


def test_t08_a_slow_key_set_ends_at_the_deadline(server: FaultServer, client: FhirClient) -> None:
    server.on("/jwks", faults.drip_headers)
    with pytest.raises(JwksFaultError) as raised:
        client.jwks_fetch(f"{server.origin}/jwks", Deadline.after(SHORT_MS), PlainHttp.LOOPBACK)
    assert raised.value.fault is UpstreamFault.TIMEOUT


@pytest.mark.parametrize("address", ["http://ehr.example.org/jwks", "file:///etc/passwd", "", "x"])
def test_a_key_set_is_asked_for_by_https_only(client: FhirClient, address: str) -> None:
    with pytest.raises(JwksFaultError) as raised:
        client.jwks_fetch(address, _long())
    assert raised.value.fault is UpstreamFault.NOT_ALLOWED


@pytest.mark.parametrize(
    "fault", [reply(b"", status=503), faults.hang_before_headers, faults.reset_mid_body]
)
def test_t30_of_a_read_that_failed_nothing_waits_for_the_garbage_collector(
    server: FaultServer, session_of: Opens, fault: Fault
) -> None:
    """The frames of an error hold the token, and the whole hook call that asked."""
    server.on("/fhir/Patient/1", fault)
    with errors_without_collector(*ERRORS) as errors:
        with session_of(SHORT_MS) as session:
            assert isinstance(session.fetch("Patient/1"), Refused)
        assert errors.left() == []


def test_t30_nor_of_one_that_found_nobody(client: FhirClient) -> None:
    nobody = FhirBase.parse(f"http://127.0.0.1:{free_port()}/fhir", PlainHttp.LOOPBACK)
    with errors_without_collector(*ERRORS) as errors:
        with client.session(nobody, AccessToken("secret"), _long()) as session:
            assert session.fetch("Patient/1") == Refused(UpstreamFault.CONNECT)
        assert errors.left() == []
