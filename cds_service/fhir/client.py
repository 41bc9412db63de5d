"""The one door out: every HTTP call to a FHIR server or for a key set is made here.

What can go wrong is bounded: one deadline for everything, a cap on decoded bytes, registered
addresses only, no redirects, no cookies, nothing from the environment (proxies, `.netrc`), TLS
always verified, a breaker per origin, and at most one more try, only when no connection was made.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Final

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import SSLError as TlsError

from cds_service.errors import let_go
from cds_service.fhir.calls.addresses import AddressRefusedError
from cds_service.fhir.calls.authorization import AccessToken, NoToken
from cds_service.fhir.calls.breaker import Breakers, OriginCall
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.dial import Dial, dialled_pools
from cds_service.fhir.calls.exchange import Sending
from cds_service.fhir.calls.fetched import (
    JWKS_LIMIT,
    HttpAnswer,
    JwksFaultError,
    Refused,
    UpstreamFault,
    status_fault,
)
from cds_service.fhir.calls.network import Network
from cds_service.fhir.calls.session import FhirSession, Limits
from cds_service.fhir.calls.workers import Workers
from cds_service.origins import AllowList, FhirBase, PlainHttp, Url, UrlRefusedError, allows

THREADS: Final = 128
"""Most threads for each origin, made when needed: enough to read 25 charts side by side."""

_CHUNK = 64 * 1024
_READ_OK = frozenset({200})
_WRITE_OK = frozenset({200, 201, 202, 204})

# urllib3 writes whole addresses into its log, and a search holds the patient's id.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class FhirClient:
    """One per process, shared by its threads. `allowed` holds every base any caller may name;
    `threads` is how many exchanges with one origin may be under way side by side.
    """

    def __init__(
        self,
        allowed: AllowList,
        *,
        limits: Limits | None = None,
        network: Network | None = None,
        breakers: Breakers | None = None,
        threads: int = THREADS,
    ) -> None:
        self._allowed = allowed
        self._limits = limits or Limits()
        self._network = network or Network()
        self._breakers = breakers or Breakers()
        for base in allowed.bases:  # the first takes long, so not within the deadline of a call
            self._breakers.of(base.url.origin)
        self._workers = Workers(threads)

    def session(
        self, base: FhirBase, token: AccessToken | NoToken, deadline: Deadline
    ) -> FhirSession:
        """One call's exchanges with a server. For a base that is not allowed, all are refused.

        The session asks the breaker for admission once, with its first exchange, and must be
        closed: closing it reports how the call went.
        """
        registered = self._allowed.has(base)
        line = _Line(base.url, deadline, self._network)
        call = self._breakers.call(base.url.origin)
        half = deadline.remaining / 2

        def get(relative: str, cap: int) -> HttpAnswer | Refused:
            url = base.join(relative)
            if not registered or not allows(base, url):
                return Refused(UpstreamFault.NOT_ALLOWED)
            late = deadline.remaining < half
            return call.exchange(lambda: line.call(Sending("GET"), url, token, cap), late=late)

        def send(sending: Sending) -> HttpAnswer | Refused:
            url = base.join(sending.relative)
            if not registered or not allows(base, url):
                return Refused(UpstreamFault.NOT_ALLOWED)
            cap = self._limits.body_bytes
            return self._over_own_line(
                base.url.origin,
                call,
                base.url,
                deadline,
                lambda own: own.call(sending, url, token, cap),
            )

        def close() -> None:
            call.end()
            line.close()

        return FhirSession(
            base=base,
            deadline=deadline,
            limits=self._limits,
            get=get,
            send=send,
            run_all=partial(self._workers.run_all, base.url.origin),
            close=close,
        )

    def send(
        self,
        base: FhirBase,
        sending: Sending,
        token: AccessToken | NoToken,
        deadline: Deadline,
    ) -> HttpAnswer | Refused:
        """One call to a base that is allowed, within the same bounds as a read.

        Nothing is sent twice: only where no connection was made is there a second try. An answer is
        200, for what is written also 201, 202 or 204.
        """
        with self.session(base, token, deadline) as session:
            return session.send(sending)

    def post_form(
        self,
        url: str,
        sending: Sending,
        base: FhirBase,
        deadline: Deadline,
        plain_http: PlainHttp = PlainHttp.REFUSED,
    ) -> HttpAnswer | Refused:
        """A request to a token endpoint, which is configured or named by the server of `base`.

        The server may name another endpoint each time, so all of its endpoints share one breaker
        and one set of threads.
        """
        cap = self._limits.body_bytes
        whose = f"{base.url.origin} (tokens)"
        return self._ask_once(url, sending, cap, deadline, plain_http, whose=whose)

    def jwks_fetch(
        self, url: str, deadline: Deadline, plain_http: PlainHttp = PlainHttp.REFUSED
    ) -> bytes:
        """The bytes of a registered key set, at most 256 KiB. Raises JwksFaultError."""
        asking = Sending("GET", accept="application/json")
        outcome = self._ask_once(url, asking, JWKS_LIMIT, deadline, plain_http)
        if isinstance(outcome, Refused):
            raise JwksFaultError(outcome.fault)
        return outcome.body

    def close(self) -> None:
        """End the threads; calls under way end by their own deadlines."""
        self._workers.close()

    def _ask_once(
        self,
        url: str,
        sending: Sending,
        cap: int,
        deadline: Deadline,
        plain_http: PlainHttp,
        *,
        whose: str = "",
    ) -> HttpAnswer | Refused:
        """One exchange, without a token, with an address that no FHIR base covers.

        Breaker and threads are those of `whose`, or else of the address's origin.
        """
        try:
            target = Url.parse(url)
            FhirBase.parse(target.origin, plain_http)
        except UrlRefusedError:
            return Refused(UpstreamFault.NOT_ALLOWED)
        name = whose or target.origin
        with self._breakers.call(name) as call:
            return self._over_own_line(
                name,
                call,
                target,
                deadline,
                lambda line: line.call(sending, str(target), NoToken(), cap),
            )

    def _over_own_line(
        self,
        name: str,
        call: OriginCall,
        target: Url,
        deadline: Deadline,
        ask: Callable[[_Line], HttpAnswer | Refused],
    ) -> HttpAnswer | Refused:
        """One exchange over a connection of its own; comes back at the deadline at the latest."""
        with closing(_Line(target, deadline, self._network)) as line:
            once = {"": lambda: call.exchange(lambda: ask(line))}
            return self._workers.run_all(name, once, deadline)[""]


class _Line:
    """The connections of one hook call to one host."""

    def __init__(self, url: Url, deadline: Deadline, network: Network) -> None:
        self._deadline = deadline
        self._adapter = _DialledAdapter(
            Dial(url, deadline, network.reach, network.resolve), network.trust
        )

    def call(
        self, sending: Sending, url: str, token: AccessToken | NoToken, cap: int
    ) -> HttpAnswer | Refused:
        """One call, tried once more if no connection was made."""
        # A bare adapter: redirects, cookies, proxies and `.netrc` are the work of
        # requests.Session, which is not used.
        content = {"Content-Type": sending.media_type} if sending.body else {}
        request = requests.Request(
            sending.method,
            url,
            headers={
                "Accept": sending.accept,
                "Accept-Encoding": "gzip",
                "User-Agent": "sil2r-cds",
                **content,
                **sending.headers,
            },
            data=sending.body,
            auth=sending.basic or _Bearer(token),
        ).prepare()
        accepted = _READ_OK if sending.method == "GET" else _WRITE_OK
        if self._deadline.passed:  # which is no fault of the server
            return Refused(UpstreamFault.DEADLINE)
        outcome = self._try(request, cap, accepted)
        if outcome == Refused(UpstreamFault.CONNECT):  # so nothing was sent
            outcome = self._try(request, cap, accepted)
        return outcome

    def close(self) -> None:
        self._adapter.close()

    def _try(
        self, request: requests.PreparedRequest, cap: int, accepted: frozenset[int]
    ) -> HttpAnswer | Refused:
        try:
            with self._adapter.send(
                request, stream=True, timeout=self._deadline.require(), verify=True
            ) as response:
                return _answer(response, cap, accepted)
        except AddressRefusedError:
            return Refused(UpstreamFault.NOT_ALLOWED)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            let_go(error)
            return Refused(UpstreamFault.TIMEOUT if self._deadline.passed else _fault(error))


class _DialledAdapter(HTTPAdapter):
    """Connects by a Dial and trusts by one shared TLS context."""

    def __init__(self, dial: Dial, trust: ssl.SSLContext) -> None:
        self._dial = dial
        self._trust = trust
        super().__init__(max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_options: object
    ) -> None:
        self.poolmanager = dialled_pools(
            self._dial,
            num_pools=connections,
            maxsize=maxsize,
            block=block,
            ssl_context=self._trust,
            **pool_options,
        )

    def cert_verify(self, *_arguments: object, **_named: object) -> None:
        """Nothing to add: the context verifies certificate and host name (`verify` is True).

        The inherited method would load a bundle of authorities for every single connection.
        """


class _Bearer(AuthBase):
    """Puts the token on a request as it leaves, so that no variable holds it on the way."""

    def __init__(self, token: AccessToken | NoToken) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        match self._token:
            case AccessToken() as token:
                request.headers["Authorization"] = token.header()
            case NoToken():
                pass
        return request


def _answer(
    response: requests.Response, cap: int, accepted: frozenset[int]
) -> HttpAnswer | Refused:
    if response.status_code not in accepted:
        return Refused(status_fault(response.status_code))
    if response.headers.get("Content-Encoding", "identity").lower() not in {"identity", "gzip"}:
        return Refused(UpstreamFault.NOT_JSON)
    parts: list[bytes] = []
    room = cap
    while part := response.raw.read(min(_CHUNK, room + 1), decode_content=True):
        room -= len(part)
        if room < 0:
            return Refused(UpstreamFault.TOO_LARGE)
        parts.append(part)
    return HttpAnswer(response.headers.get("Content-Type", ""), b"".join(parts))


def _fault(error: Exception) -> UpstreamFault:
    """The fault of an exception of requests or urllib3, by what lies at its root."""
    causes: list[object] = [error]
    for cause in causes:
        if isinstance(cause, requests.exceptions.SSLError | TlsError | ssl.SSLError):
            return UpstreamFault.TLS
        if isinstance(cause, NewConnectionError):
            return UpstreamFault.CONNECT
        if isinstance(cause, TimeoutError):
            return UpstreamFault.TIMEOUT
        if isinstance(cause, BaseException):
            causes.extend((*cause.args, getattr(cause, "reason", None)))
    return UpstreamFault.BROKEN
