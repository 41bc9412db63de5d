"""Our own access to a source's FHIR server: one token per source, kept in memory until it expires.

SMART Backend Services (client credentials with a signed assertion), client credentials with a
secret, a fixed token, or none. A token is never stored or logged; one that the server refuses is
forgotten, so that the next try gets a fresh one.

https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote_plus, urlencode
from uuid import uuid4

from joserfc import jwt

from cds_service import strict_json
from cds_service.core.json_object import JsonObject
from cds_service.errors import MalformedJson
from cds_service.events.faults import UpstreamFailed
from cds_service.events.source import ClientCredentials, ClientSecret, EventSource, SignedAssertion
from cds_service.fhir.calls.authorization import AccessToken, NoToken
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.exchange import Sending
from cds_service.fhir.calls.fetched import HttpAnswer, Refused, UpstreamFault
from cds_service.fhir.client import FhirClient
from cds_service.origins import Url, UrlRefusedError

ASSERTION_SECONDS = 240
"""SMART: at most five minutes."""
SPARE_SECONDS = 30
"""A token is not used in the last moments of its life."""
LONGEST_SECONDS = 3600
UNSAID_SECONDS = 60
"""What a token without `expires_in` is trusted for."""

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_DISCOVERY = ".well-known/smart-configuration"


@dataclass(frozen=True, slots=True)
class _Kept:
    token: AccessToken
    until: float


class Tokens:
    """The tokens of all sources; one per process, shared by its threads."""

    def __init__(self, client: FhirClient, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._locks: dict[str, threading.Lock] = {}

    def of(self, source: EventSource, deadline: Deadline) -> AccessToken | NoToken | Refused:
        """The token to call this source with, fetched when there is none yet."""
        match source.credentials:
            case NoToken() | AccessToken() as fixed:
                return fixed
            case ClientSecret() | SignedAssertion() as credentials:
                return self._kept_or_fetched(source, credentials, deadline)

    def needed(self, source: EventSource, deadline: Deadline) -> AccessToken | NoToken:
        """The token as by `of`. Raises UpstreamFailed where there is none to be had."""
        token = self.of(source, deadline)
        if isinstance(token, Refused):
            raise UpstreamFailed(token.fault, during="token")
        return token

    @contextmanager
    def using(self, source: EventSource, deadline: Deadline) -> Iterator[AccessToken | NoToken]:
        """The token as by `of`, for the calls of a block. Raises UpstreamFailed where there is none
        to be had; after one that the block raises, the token may be forgotten.
        """
        token = self.needed(source, deadline)
        try:
            yield token
        except UpstreamFailed as failed:
            self.forget_if_refused(source, failed.fault)
            raise

    def forget_if_refused(self, source: EventSource, fault: UpstreamFault) -> None:
        """Forgets the token if the fault of a call to this source is that it was not accepted."""
        if fault is UpstreamFault.STATUS_401:
            self._kept.pop(source.name, None)

    def _kept_or_fetched(
        self, source: EventSource, credentials: ClientCredentials, deadline: Deadline
    ) -> AccessToken | Refused:
        """One fetch at a time for each source: the others then find the token here."""
        lock = self._locks.setdefault(source.name, threading.Lock())
        if not lock.acquire(timeout=deadline.remaining):
            return Refused(UpstreamFault.DEADLINE)
        try:
            kept = self._kept.get(source.name)
            if kept is not None and self._clock() < kept.until:
                return kept.token
            return self._fetch(source, credentials, deadline)
        finally:
            lock.release()

    def _fetch(
        self, source: EventSource, credentials: ClientCredentials, deadline: Deadline
    ) -> AccessToken | Refused:
        url = credentials.token_url or self._discovered(source, credentials, deadline)
        if isinstance(url, Refused):
            return url
        asking = self._request(credentials, url)
        answer = self._client.post_form(url, asking, source.base, deadline, source.plain_http)
        if isinstance(answer, Refused):
            return answer
        return self._keep(source, _object_in(answer))

    def _discovered(
        self, source: EventSource, credentials: ClientCredentials, deadline: Deadline
    ) -> str | Refused:
        """The token endpoint that the server names. With a client secret it must have the origin of
        the registered server: the secret goes nowhere else.
        """
        asking = Sending("GET", _DISCOVERY, accept=_JSON)
        answer = self._client.send(source.base, asking, NoToken(), deadline)
        if isinstance(answer, Refused):
            return answer
        match credentials, _object_in(answer).get("token_endpoint"):
            case ClientSecret(), str(url) if not _same_origin(url, source.base.url):
                return Refused(UpstreamFault.NOT_ALLOWED)
            case _, str(url):
                return url
            case _:
                return Refused(UpstreamFault.NOT_JSON)

    def _request(self, credentials: ClientCredentials, url: str) -> Sending:
        form = {"grant_type": "client_credentials", "scope": credentials.scope}
        basic = None
        match credentials:
            case ClientSecret(client_id, secret):
                basic = (quote_plus(client_id), quote_plus(secret))
            case SignedAssertion():
                form["client_assertion_type"] = _ASSERTION_TYPE
                form["client_assertion"] = self._assertion(credentials, url)
        body = urlencode({name: value for name, value in form.items() if value}).encode()
        return Sending("POST", body=body, media_type=_FORM, accept=_JSON, basic=basic)

    def _assertion(self, credentials: SignedAssertion, url: str) -> str:
        now = int(self._clock())
        header = {"alg": credentials.algorithm, "typ": "JWT"}
        if isinstance(credentials.key.kid, str):
            header["kid"] = credentials.key.kid
        claims = {
            "iss": credentials.client_id,
            "sub": credentials.client_id,
            "aud": url,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": str(uuid4()),
        }
        return jwt.encode(header, claims, credentials.key, algorithms=[credentials.algorithm])

    def _keep(self, source: EventSource, given: JsonObject) -> AccessToken | Refused:
        match given:
            case {"access_token": str(secret), "token_type": str(kind)} if (
                secret and kind.lower() == "bearer"
            ):
                token = AccessToken(secret)
            case _:
                return Refused(UpstreamFault.NOT_JSON)
        seconds = given.get("expires_in")
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0:
            seconds = UNSAID_SECONDS
        until = self._clock() + min(seconds, LONGEST_SECONDS) - SPARE_SECONDS
        self._kept[source.name] = _Kept(token, until)
        return token


def _same_origin(text: str, url: Url) -> bool:
    try:
        return Url.parse(text).origin == url.origin
    except UrlRefusedError:
        return False


def _object_in(answer: HttpAnswer) -> JsonObject:
    try:
        return strict_json.parse_object(answer.body)
    except MalformedJson:
        return {}
