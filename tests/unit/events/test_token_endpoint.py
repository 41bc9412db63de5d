"""Where a source's token comes from, what is sent there, and how long a token is trusted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from cds_service.events.proof import SharedSecret
from cds_service.events.source import ClientSecret, EventSource, SignedAssertion
from cds_service.events.tokens import Tokens
from cds_service.fhir.calls.authorization import AccessToken, NoToken
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.exchange import Sending
from cds_service.fhir.calls.fetched import HttpAnswer, Refused, UpstreamFault
from cds_service.fhir.client import FhirClient
from cds_service.origins import FhirBase

SERVER = "https://ehr.example.org:8443"
ENDPOINT = f"{SERVER}/token"
KEY = ECKey.generate_key("P-384", {"kid": "k1"})
GIVEN = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300}
NOW = 1_800_000_000.0


@dataclass
class Endpoint:
    """Stands for the FHIR client: what was asked where, and with which token."""

    answer: bytes = json.dumps(GIVEN).encode()
    configuration: bytes = json.dumps({"token_endpoint": ENDPOINT}).encode()
    posted: list[tuple[str, Sending]] = field(default_factory=list)
    discovered: list[tuple[str, object]] = field(default_factory=list)

    def post_form(self, url: str, sending: Sending, *_more: object) -> HttpAnswer:
        self.posted.append((url, sending))
        return HttpAnswer("application/json", self.answer)

    def send(self, _base: FhirBase, sending: Sending, token: object, _by: Deadline) -> HttpAnswer:
        self.discovered.append((sending.relative, token))
        return HttpAnswer("application/json", self.configuration)


@dataclass
class Clock:
    """Seconds since the epoch, as the test says."""

    at: float = NOW

    def __call__(self) -> float:
        return self.at


def with_secret(token_url: str = ENDPOINT, scope: str = "") -> ClientSecret:
    return ClientSecret("sil2r", "a-secret-of-the-client", token_url, scope)


def with_key(token_url: str = "", scope: str = "system/*.read") -> SignedAssertion:
    return SignedAssertion("sil2r", KEY, "ES384", token_url, scope)


def source(credentials: ClientSecret | SignedAssertion) -> EventSource:
    return EventSource(
        name="lab",
        base=FhirBase.parse(f"{SERVER}/fhir"),
        secret=SharedSecret(b"a-shared-secret-of-the-test"),
        credentials=credentials,
    )


def asked(
    endpoint: Endpoint, credentials: ClientSecret | SignedAssertion
) -> AccessToken | NoToken | Refused:
    tokens = Tokens(cast("FhirClient", endpoint), Clock())
    return tokens.of(source(credentials), Deadline.after(30_000))


def form(endpoint: Endpoint) -> dict[str, list[str]]:
    ((_url, sending),) = endpoint.posted
    return parse_qs(sending.body.decode(), strict_parsing=True)


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (300, 270),
        (31, 1),
        (3600, 3570),
        (86_400, 3570),
        *((silent, 30) for silent in (None, 0, -5, True, "300", 1.5)),
    ],
)
def test_a_token_is_used_until_half_a_minute_before_its_end_and_never_for_over_an_hour(
    expires_in: object, seconds: int
) -> None:
    """One that does not say how long it holds is trusted for a minute."""
    endpoint, clock = Endpoint(json.dumps(GIVEN | {"expires_in": expires_in}).encode()), Clock()
    tokens = Tokens(cast("FhirClient", endpoint), clock)
    for later, fetches in ((0, 1), (seconds - 1, 1), (seconds, 2)):
        clock.at = NOW + later
        assert isinstance(tokens.of(source(with_secret()), Deadline.after(30_000)), AccessToken)
        assert len(endpoint.posted) == fetches


@pytest.mark.parametrize("expires_in", [1, 30])
def test_a_token_that_ends_within_half_a_minute_is_used_once(expires_in: int) -> None:
    endpoint = Endpoint(json.dumps(GIVEN | {"expires_in": expires_in}).encode())
    tokens = Tokens(cast("FhirClient", endpoint), Clock())
    for fetches in (1, 2):
        assert isinstance(tokens.of(source(with_secret()), Deadline.after(30_000)), AccessToken)
        assert len(endpoint.posted) == fetches


@pytest.mark.parametrize(
    "change",
    [
        {"token_type": "mac"},
        {"token_type": None},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": None},
    ],
)
def test_what_is_no_bearer_token_is_not_sent_to_the_fhir_server(change: dict[str, Any]) -> None:
    endpoint = Endpoint(json.dumps(GIVEN | change).encode())
    assert asked(endpoint, with_secret()) == Refused(UpstreamFault.NOT_JSON)


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'"t0ken"'])
def test_an_answer_that_is_no_object_gives_no_token(answer: bytes) -> None:
    assert asked(Endpoint(answer), with_secret()) == Refused(UpstreamFault.NOT_JSON)


def test_the_token_type_is_read_without_regard_to_case() -> None:
    endpoint = Endpoint(json.dumps(GIVEN | {"token_type": "bEARER"}).encode())
    given = asked(endpoint, with_secret())
    assert isinstance(given, AccessToken)
    assert given.header() == f"Bearer {GIVEN['access_token']}"


def test_a_secret_goes_into_the_header_and_not_into_the_form() -> None:
    """RFC 6749, section 2.3.1; a scope that is empty is none and is left out."""
    endpoint = Endpoint()
    asked(endpoint, with_secret())
    ((url, sending),) = endpoint.posted
    assert (url, sending.method) == (ENDPOINT, "POST")
    assert sending.media_type == "application/x-www-form-urlencoded"
    assert sending.basic == ("sil2r", "a-secret-of-the-client")
    assert form(endpoint) == {"grant_type": ["client_credentials"]}


def test_name_and_secret_are_form_encoded_before_they_are_put_together() -> None:
    """RFC 6749, section 2.3.1: else a colon in the name would begin the secret."""
    endpoint = Endpoint()
    asked(endpoint, ClientSecret("sil2r:north", "näh+maschine =", ENDPOINT, ""))
    ((_url, sending),) = endpoint.posted
    assert sending.basic == ("sil2r%3Anorth", "n%C3%A4h%2Bmaschine+%3D")


def test_an_assertion_goes_into_the_form_and_is_good_for_four_minutes() -> None:
    """SMART Backend Services: at most five."""
    endpoint = Endpoint()
    asked(endpoint, with_key())
    ((_url, sending),) = endpoint.posted
    assert sending.basic is None
    assert form(endpoint)["scope"] == ["system/*.read"]
    (assertion,) = form(endpoint)["client_assertion"]
    token = jwt.decode(assertion, KEY, algorithms=["ES384"])
    assert token.header == {"alg": "ES384", "typ": "JWT", "kid": "k1"}
    assert (token.claims["iat"], token.claims["exp"]) == (int(NOW), int(NOW) + 240)
    assert token.claims["aud"] == ENDPOINT


def test_a_key_without_an_id_signs_an_assertion_that_names_none() -> None:
    endpoint, key = Endpoint(), ECKey.generate_key("P-384")
    asked(endpoint, SignedAssertion("sil2r", key, "ES384", ENDPOINT))
    (assertion,) = form(endpoint)["client_assertion"]
    assert jwt.decode(assertion, key, algorithms=["ES384"]).header == {"alg": "ES384", "typ": "JWT"}


def test_an_address_that_is_registered_is_not_asked_for() -> None:
    endpoint = Endpoint()
    asked(endpoint, with_secret())
    assert endpoint.discovered == []


def test_one_that_is_not_registered_is_asked_for_without_a_token() -> None:
    endpoint = Endpoint()
    assert isinstance(asked(endpoint, with_secret("")), AccessToken)
    assert endpoint.discovered == [(".well-known/smart-configuration", NoToken())]
    assert [url for url, _sending in endpoint.posted] == [ENDPOINT]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/token",
        "https://ehr.example.org/token",
        "http://ehr.example.org:8443/token",
        "https://ehr.example.org:8443@evil.example/token",
        "/token",
        "",
    ],
)
def test_a_secret_is_sent_to_no_origin_but_the_registered_one(elsewhere: str) -> None:
    """Whoever answers for the server could else have it sent anywhere."""
    endpoint = Endpoint(configuration=json.dumps({"token_endpoint": elsewhere}).encode())
    assert asked(endpoint, with_secret("")) == Refused(UpstreamFault.NOT_ALLOWED)
    assert endpoint.posted == []


def test_an_assertion_may_go_where_the_server_says_since_it_is_good_only_there() -> None:
    elsewhere = "https://login.example.org/token"
    endpoint = Endpoint(configuration=json.dumps({"token_endpoint": elsewhere}).encode())
    assert isinstance(asked(endpoint, with_key()), AccessToken)
    (assertion,) = form(endpoint)["client_assertion"]
    assert jwt.decode(assertion, KEY, algorithms=["ES384"]).claims["aud"] == elsewhere


@pytest.mark.parametrize("configuration", [b"{}", b'{"token_endpoint": 7}', b"<html>", b"[]"])
def test_a_server_that_names_no_endpoint_gives_no_token(configuration: bytes) -> None:
    endpoint = Endpoint(configuration=configuration)
    assert asked(endpoint, with_key()) == Refused(UpstreamFault.NOT_JSON)
    assert endpoint.posted == []


@pytest.mark.parametrize("step", ["send", "post_form"])
def test_one_that_cannot_be_asked_just_now_is_told_as_that_and_asked_again(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the address or for the token: what waits for it is then waited out, not given up."""
    endpoint = Endpoint()
    tokens, ours = Tokens(cast("FhirClient", endpoint), Clock()), source(with_key())
    with monkeypatch.context() as away:
        away.setattr(endpoint, step, lambda *_call: Refused(UpstreamFault.STATUS_5XX))
        assert tokens.of(ours, Deadline.after(30_000)) == Refused(UpstreamFault.STATUS_5XX)
    assert isinstance(tokens.of(ours, Deadline.after(30_000)), AccessToken)


def test_what_is_sent_for_a_token_shows_itself_to_nobody() -> None:
    endpoint = Endpoint()
    for credentials in (with_secret(), with_key(ENDPOINT)):
        asked(endpoint, credentials)
        assert "a-secret-of-the-client" not in repr(credentials)
        assert str(KEY.as_dict(private=True)["d"]) not in repr(credentials)
    (_url, basic), (_same, assertion) = endpoint.posted
    assert "a-secret-of-the-client" not in repr(basic)
    assert "client_assertion" not in repr(assertion)
