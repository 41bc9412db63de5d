"""Our own access to a FHIR server: signed, kept until it expires, and shown to nobody."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from cds_service.errors import ConfigurationError
from cds_service.events.faults import UpstreamFailed
from cds_service.events.proof import SharedSecret
from cds_service.events.source import ClientSecret, EventSource
from cds_service.events.tokens import Tokens
from cds_service.fhir.calls.authorization import AccessToken
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import HttpAnswer, Refused, UpstreamFault
from cds_service.fhir.client import FhirClient
from cds_service.knowledge.files import Library
from cds_service.origins import FhirBase
from tests.event_world import World, observation, world
from tests.ports import free_port
from tests.unit.events.watching import classic, classic_there

CREDENTIALS = 'credentials = "{kind}"\ncredentials_file = "own.key"\nclient_id = "sil2r"\n'
PATIENCE = 30
"""Seconds that only a test that fails waits for."""
KEYS: dict[str, ECKey | RSAKey] = {
    "ES384": ECKey.generate_key("P-384", {"kid": "k1"}),
    "RS384": RSAKey.generate_key(2048, {"kid": "k2"}),
}


@contextmanager
def with_credentials(
    folder: Path, library: Library, kind: str, secret: str, row: str = ""
) -> Iterator[World]:
    """A world whose FHIR server asks for the token `t0ken`, and gives it."""
    (folder / "own.key").write_text(secret)
    with world(folder, library, CREDENTIALS.format(kind=kind) + row) as made:
        made.fhir.token = "t0ken"
        made.fhir.put(observation())
        yield made


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_backend_services_sign_an_assertion_for_the_token_endpoint(
    tmp_path: Path, library: Library, algorithm: str
) -> None:
    key = KEYS[algorithm]
    secret = json.dumps(key.as_dict(private=True))
    with with_credentials(tmp_path, library, "backend-services", secret) as here:
        here.notify("o1")
        assert here.work() == 1
        (form,) = here.fhir.forms
        endpoint = here.fhir.base.removesuffix("/fhir") + "/token"
    assert form["grant_type"] == "client_credentials"
    assert form["client_assertion_type"].endswith(":jwt-bearer")
    assert "system/Observation.read" in form["scope"].split()
    token = jwt.decode(form["client_assertion"], key, algorithms=[algorithm])
    assert token.header["kid"] == key.kid
    claims = token.claims
    assert claims["iss"] == claims["sub"] == "sil2r"
    assert claims["aud"] == endpoint
    assert claims["exp"] - claims["iat"] <= 300
    assert claims["jti"]


def test_a_token_is_kept_until_it_expires(tmp_path: Path, library: Library) -> None:
    secret = json.dumps(KEYS["ES384"].as_dict(private=True))
    with with_credentials(tmp_path, library, "backend-services", secret) as here:
        tokens = here.workshop.worker.tokens
        moment = [1_000.0]
        tokens._clock = lambda: moment[0]
        for number in range(3):
            here.fhir.put(observation(f"o{number}"))
            here.notify(f"o{number}")
            here.work()
        assert len(here.fhir.forms) == 1
        moment[0] += 300  # expires_in
        here.arrives(observation("o9"))
        assert len(here.fhir.forms) == 2
        assertions = {form["client_assertion"] for form in here.fhir.forms}
        assert len(assertions) == 2


def test_a_token_the_server_no_longer_takes_is_replaced(tmp_path: Path, library: Library) -> None:
    with with_credentials(tmp_path, library, "basic", "a-secret-of-the-client") as here:
        here.notify("o1")
        here.work()
        here.fhir.token = "an0ther"
        here.comes(observation(value=4000, status="corrected"))
        assert here.work() == 0
        here.clock.pass_(seconds=5)
        assert here.work() == 1
        assert len(here.fhir.forms) == 2


def test_a_token_outlives_any_other_fault_of_its_server(tmp_path: Path, library: Library) -> None:
    with with_credentials(tmp_path, library, "basic", "a-secret-of-the-client") as here:
        here.notify("o1")
        here.fhir.broken = 503
        here.work()
        here.fhir.broken = 0
        here.clock.pass_(seconds=5)
        assert here.work() == 1
        assert len(here.fhir.forms) == 1


def test_who_looks_after_subscriptions_gets_a_new_token_too(
    tmp_path: Path, library: Library
) -> None:
    """A server that was started anew may have forgotten its tokens and its subscriptions."""
    with with_credentials(tmp_path, library, "basic", "a-secret-of-the-client") as here:
        classic(here, "active")
        here.rounds(minutes=16)
        here.fhir.token = "an0ther"
        classic_there(here, "off")
        here.rounds(minutes=32)
        assert here.ready()["causes"] == {"events": ["subscription"]}


def test_who_catches_up_gets_a_new_token_too(tmp_path: Path, library: Library) -> None:
    with with_credentials(tmp_path, library, "basic", "a-secret-of-the-client") as here:
        caretaker, lab = here.workshop.caretaker, here.room.source("lab")
        since = here.clock() - timedelta(hours=1)
        caretaker.catch_up(lab, since)
        here.fhir.token = "an0ther"
        with pytest.raises(UpstreamFailed):
            caretaker.catch_up(lab, since)
        assert caretaker.catch_up(lab, since).targets


def test_a_secret_is_shown_with_the_name_that_was_registered_for_it(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 6749, section 2.3.1: the name first, then the secret."""
    shown: list[str] = []
    with with_credentials(tmp_path, library, "basic", "a-secret-of-the-client") as here:
        real = here.fhir.answer

        def answer(method: str, target: str, body: bytes, authorization: str) -> Any:
            if target == "/token":
                shown.append(authorization)
            return real(method, target, body, authorization)

        monkeypatch.setattr(here.fhir, "answer", answer)
        here.workshop.caretaker.exchange(here.room.source("lab"))
    assert shown == [f"Basic {b64encode(b'sil2r:a-secret-of-the-client').decode()}"]


def test_a_result_waits_while_no_token_is_to_be_had(tmp_path: Path, library: Library) -> None:
    nobody = f'token_url = "http://127.0.0.1:{free_port()}/token"\n'
    secret = "a-secret-of-the-client"
    with with_credentials(tmp_path, library, "basic", secret, nobody) as here:
        here.notify("o1")
        here.try_in_vain()
        here.try_in_vain()
        assert (here.causes(), here.set_aside()) == (["token: connect"], [])
        assert here.fhir.calls == []


READ = [
    "Observation",
    "DiagnosticReport",
    "Specimen",
    "Patient",
    "Condition",
    "MedicationRequest",
    "Medication",
]
WRITTEN = ["GuidanceResponse", "Provenance"]


@pytest.mark.parametrize(
    ("row", "written"),
    [
        ("", []),
        ('notify = "Task"\n', []),
        ('delivery = "hook"\nrelay = "http://127.0.0.1:1/relay"\n', []),
        ('delivery = "write-back"\n', ["DetectedIssue", *WRITTEN]),
        ('delivery = "write-back"\nissue = "Flag"\n', ["Flag", *WRITTEN]),
        ('delivery = "write-back"\nnotify = "Task"\n', ["DetectedIssue", *WRITTEN, "Task"]),
    ],
)
def test_what_is_asked_for_is_what_is_read_and_what_is_written_back(
    tmp_path: Path, library: Library, row: str, written: list[str]
) -> None:
    """What is written is read too: what was written before is looked for first."""
    with with_credentials(tmp_path, library, "basic", "a-secret-of-the-client", row) as here:
        here.workshop.caretaker.exchange(here.room.source("lab"))
        (form,) = here.fhir.forms
    assert form["scope"].split() == [
        *(f"system/{kind}.read" for kind in READ + written),
        *(f"system/{kind}.write" for kind in written),
    ]


def test_a_scope_that_is_registered_is_asked_for_as_it_stands(
    tmp_path: Path, library: Library
) -> None:
    row = 'scope = "system/*.rs"\ndelivery = "write-back"\n'
    with with_credentials(tmp_path, library, "basic", "a-secret-of-the-client", row) as here:
        here.workshop.caretaker.exchange(here.room.source("lab"))
        assert [form["scope"] for form in here.fhir.forms] == ["system/*.rs"]


def test_a_fixed_token_is_sent_as_it_is(tmp_path: Path, library: Library) -> None:
    with with_credentials(tmp_path, library, "bearer", "t0ken-of-sixteen") as here:
        here.fhir.token = "t0ken-of-sixteen"
        here.notify("o1")
        assert here.work() == 1
        assert here.fhir.forms == []


def test_no_token_and_no_secret_stands_in_log_or_store(
    tmp_path: Path, library: Library, capfd: pytest.CaptureFixture[str]
) -> None:
    with with_credentials(tmp_path, library, "basic", "a-secret-of-the-client") as here:
        here.notify("o1")
        here.work()
        here.fhir.broken = 503
        here.notify("o1")
        here.work()
        stored = b"".join(file.read_bytes() for file in tmp_path.glob("cds*sqlite3*"))
    said = "".join(capfd.readouterr())
    for secret in ("t0ken", "a-secret-of-the-client", "a-shared-secret", "Patient/p1"):
        assert secret not in said
        assert secret.encode() not in stored


@pytest.mark.parametrize(
    "secret", ["{}", "not a key", json.dumps(KEYS["ES384"].as_dict(private=False)), "[]"]
)
def test_a_key_that_cannot_sign_is_refused_at_the_start(
    tmp_path: Path, library: Library, secret: str
) -> None:
    with (
        pytest.raises(ConfigurationError, match=r"Web Key|private key"),
        with_credentials(tmp_path, library, "backend-services", secret),
    ):
        pass


def test_a_shared_secret_that_could_be_guessed_is_refused(tmp_path: Path, library: Library) -> None:
    with (
        pytest.raises(ConfigurationError, match="at least 16"),
        with_credentials(tmp_path, library, "basic", "short"),
    ):
        pass


def source(name: str) -> EventSource:
    """One whose token endpoint is its own."""
    return EventSource(
        name=name,
        base=FhirBase.parse(f"https://{name}.example.org/fhir"),
        secret=SharedSecret(b"a-shared-secret-of-the-test"),
        credentials=ClientSecret(
            "sil2r", "a-secret-of-the-client", f"https://{name}.example.org/token"
        ),
    )


class OneHangs:
    """Token endpoints of which `slow` answers only when the test is over."""

    def __init__(self) -> None:
        self.is_asked, self.may_answer = Event(), Event()

    def post_form(self, url: str, *_more: object) -> HttpAnswer:
        if "slow" in url:
            self.is_asked.set()
            assert self.may_answer.wait(PATIENCE)
        given = b'{"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300}'
        return HttpAnswer("application/json", given)


@pytest.fixture
def hanging() -> Iterator[Tokens]:
    """The tokens of sources of which one is being waited for, by another thread."""
    client = OneHangs()
    tokens = Tokens(cast("FhirClient", client))
    waits = Thread(target=tokens.of, args=(source("slow"), Deadline.after(PATIENCE * 1000)))
    waits.start()
    assert client.is_asked.wait(PATIENCE)
    yield tokens
    client.may_answer.set()
    waits.join()


def test_a_token_endpoint_that_hangs_holds_up_no_other_source(hanging: Tokens) -> None:
    token = hanging.of(source("fast"), Deadline.after(PATIENCE * 1000))
    assert isinstance(token, AccessToken)


def test_who_waits_for_a_token_waits_no_longer_than_there_is_time(hanging: Tokens) -> None:
    assert hanging.of(source("slow"), Deadline.after(0)) == Refused(UpstreamFault.DEADLINE)
    hanging.forget_if_refused(source("slow"), UpstreamFault.STATUS_401)
