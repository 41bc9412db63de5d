"""Every reason why a token would be refused: for the person who registers a client.

The caller itself is never told why, and the gate stops at the first reason. Here, on the operator's
own machine, each part of the token is put alone into one that is good otherwise, and the gate's own
verifier judges that: so no rule stands here a second time. The token is neither printed nor kept.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from cds_service.access.faults import IN_WORDS, TokenFault
from cds_service.access.gate import FEEDBACK
from cds_service.access.key_set import KeySet
from cds_service.access.keys import Fetch, KeyRing, NoKeySet, key_set_of
from cds_service.access.registry import Client, ClientRegistry, KeyUrl, UnknownIssuer
from cds_service.access.replay import Remembered
from cds_service.access.signature import is_signed
from cds_service.access.tokens import LATEST, Times, Verifier, json_of
from cds_service.core.json_object import JsonObject
from cds_service.errors import Unauthorised
from cds_service.fhir.calls.fetched import JwksFaultError, UpstreamFault

_OF_THE_WHOLE: Final = frozenset(
    {TokenFault.NO_TOKEN, TokenFault.NOT_BEARER, TokenFault.TOO_LARGE, TokenFault.MALFORMED}
)
"""With one of these the token cannot be taken apart."""
_OF_THE_SIGNATURE: Final = frozenset(
    {TokenFault.UNKNOWN_KEY, TokenFault.KEYS_UNAVAILABLE, TokenFault.BAD_SIGNATURE}
)
_NO_KEY_TO_TRY: Final = frozenset(
    {TokenFault.NO_KID, TokenFault.WRONG_ALGORITHM, TokenFault.HEADER_FORBIDDEN}
)
_BEFORE_A_TOKEN: Final = re.compile(r"\A(authorization:\s*)?bearer\s+", re.IGNORECASE)
_NO_SIGNATURE: Final = "AA"
_PROBE: Final = "probe"


@dataclass(frozen=True, slots=True)
class Offline:
    """A `Fetch` that fetches nothing."""

    def __call__(self, _url: str) -> bytes:
        """Raises JwksFaultError."""
        raise JwksFaultError(UpstreamFault.NOT_ALLOWED)


@dataclass(frozen=True, slots=True)
class NotFetched:
    """The keys are published at an address, and nothing was fetched."""

    url: str


@dataclass(frozen=True, slots=True)
class TokenReport:
    """What is wrong with a token, in the order in which the gate looks."""

    faults: tuple[TokenFault, ...]
    client: str = ""
    """The registered name; empty when the issuer is not registered."""
    unchecked: str = ""
    """Why the signature was not checked; empty when it was."""

    def lines(self) -> Iterator[str]:
        """The report for a person."""
        yield from (IN_WORDS[fault] for fault in self.faults)
        if self.unchecked:
            yield f"The signature was not checked: {self.unchecked}."
        if not self.faults:
            verdict = "Nothing else is wrong" if self.unchecked else "The token holds"
            yield f"{verdict}: client {self.client}."

    def as_json(self) -> dict[str, Any]:
        """The report for a machine."""
        return {
            "holds": not self.faults and not self.unchecked,
            "client": self.client,
            "faults": [{"code": fault.value, "text": IN_WORDS[fault]} for fault in self.faults],
            "signature": "not-checked" if self.unchecked else "checked",
            "because": self.unchecked,
        }


def read_keys(client: Client, fetch: Fetch) -> KeySet | NotFetched | NoKeySet:
    """The key set of a client, as the service would use it."""
    if isinstance(fetch, Offline) and isinstance(client.keys, KeyUrl):
        return NotFetched(client.keys.jku)
    return key_set_of(client, fetch)


def check_token(
    token: str,
    audience: str,
    registry: ClientRegistry,
    *,
    times: Times,
    now: Callable[[], float],
    fetch: Fetch,
) -> TokenReport:
    """Everything for which `audience`, the public address with the path called, would refuse this
    token.

    The token may be given as it stood in its header. Whether it was used before is not looked at,
    and it is not used up.
    """
    token = _BEFORE_A_TOKEN.sub("", token.strip())
    audience = audience.rstrip("/")  # the gate does so with the path called
    whole = _first_fault(registry, token, (audience,), times, now)
    if not _OF_THE_WHOLE.isdisjoint(whole):
        return TokenReport(tuple(whole), unchecked="the token cannot be read")
    header, claims = map(json_of, token.split(".")[:2])
    found: set[TokenFault] = set()
    client = registry.by_issuer(claims.get("iss"))
    if isinstance(client, UnknownIssuer):
        found.add(TokenFault.UNKNOWN_ISSUER)
        parts = _Parts(header, claims, _anybody(header), (audience,), times, now)
        found.update(parts.faults())
        return TokenReport(
            _in_order(found), unchecked="no client has this issuer, so there is no key"
        )
    audiences = (audience, audience.removesuffix(FEEDBACK))
    found.update(_Parts(header, claims, client, audiences, times, now).faults())
    if not found.isdisjoint(_NO_KEY_TO_TRY):
        unchecked = "the header must be mended first"
    else:
        faults, unchecked = _signature(token, header, read_keys(client, fetch))
        found.update(faults)
    return TokenReport(_in_order(found), client.name, unchecked)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a token, each judged alone."""

    header: JsonObject
    claims: JsonObject
    client: Client
    audiences: tuple[str, ...]
    times: Times
    now: Callable[[], float]

    def faults(self) -> Iterator[TokenFault]:
        """What is wrong with any of them; the same fault may come twice."""
        usual = {"typ", "kid", "alg", "jku"}
        for names in ({"typ"}, set(self.header) - usual, {"kid"}, {"alg"}, {"jku"}):
            yield from self._judged(in_header=names)
        for names in ({"aud"}, {"jti"}, {"tenant"}):
            yield from self._judged(in_claims=names)
        yield from self._time_faults()

    def _time_faults(self) -> Iterator[TokenFault]:
        """The three bounds apart: how long it lives, when it begins, when it ends."""
        endless = replace(self.times, lifetime=LATEST)
        yield from self._judged(in_claims={"iat", "exp"})
        yield from self._judged({"exp": LATEST}, in_claims={"iat", "nbf"}, times=endless)
        yield from self._judged({"iat": 0}, in_claims={"exp"}, times=endless)

    def _judged(
        self,
        claims: Mapping[str, object] | None = None,
        *,
        in_header: Set[str] = frozenset(),
        in_claims: Set[str] = frozenset(),
        times: Times | None = None,
    ) -> Collection[TokenFault]:
        """Why a good token is refused once its named members are replaced by those of this one."""
        good_header = {"typ": "JWT", "kid": _PROBE, "alg": self.client.algorithms[0]}
        second = int(self.now())
        good_claims = {
            "iss": self.client.issuer,
            "aud": self.audiences[0],
            "iat": second,
            "exp": second + 1,
            "jti": _PROBE,
            "tenant": next(iter(self.client.tenants), _PROBE),
            **(claims or {}),
        }
        probe = ".".join(
            (
                _written(_exchanged(good_header, self.header, in_header)),
                _written(_exchanged(good_claims, self.claims, in_claims)),
                _NO_SIGNATURE,
            )
        )
        # Without keys the verifier ends before the signature.
        keyless = replace(self.client, keys=KeyUrl(self.client.keys.jku))
        registry = ClientRegistry((keyless,))
        return _first_fault(registry, probe, self.audiences, times or self.times, self.now)


class _Forgetful:
    """Remembers nothing: a check must not use a token up."""

    def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
        return Remembered.FRESH


def _first_fault(
    registry: ClientRegistry,
    token: str,
    audiences: tuple[str, ...],
    times: Times,
    now: Callable[[], float],
) -> Collection[TokenFault]:
    """The fault for which the gate would refuse a token before it checks the signature, if any."""
    verifier = Verifier(registry, KeyRing(Offline(), now), _Forgetful(), now, times)
    try:
        verifier.verify([f"Bearer {token}"], audiences)
    except Unauthorised as error:
        return {TokenFault(error.cause)} - _OF_THE_SIGNATURE
    return ()


def _signature(
    token: str, header: JsonObject, keys: KeySet | NotFetched | NoKeySet
) -> tuple[Collection[TokenFault], str]:
    """What is wrong with the signature, or why it was not checked."""
    match keys:
        case NotFetched(url):
            return (), f"the keys are at {url}, and --fetch was not given"
        case NoKeySet(fault):
            return {TokenFault.KEYS_UNAVAILABLE}, f"the key set cannot be used ({fault})"
        case KeySet(by_kid) if header["kid"] not in by_kid:
            return {TokenFault.UNKNOWN_KEY}, "there is no key for it"
        case KeySet(by_kid) if is_signed(token, header, by_kid[header["kid"]]):
            return (), ""
        case KeySet():
            return {TokenFault.BAD_SIGNATURE}, ""


def _anybody(header: JsonObject) -> Client:
    """Stands for a client that is not registered: its row finds no fault in this header."""
    jku, algorithm = header.get("jku"), header.get("alg")
    return Client(
        name=_PROBE,
        issuer=_PROBE,
        keys=KeyUrl(jku if isinstance(jku, str) else _PROBE),
        algorithms=(algorithm if isinstance(algorithm, str) else _PROBE,),
    )


def _exchanged(good: JsonObject, own: JsonObject, names: Set[str]) -> JsonObject:
    """The good members, but those of these names as the token has them, or absent as there."""
    kept = {name: value for name, value in good.items() if name not in names}
    return kept | {name: value for name, value in own.items() if name in names}


def _written(members: JsonObject) -> str:
    # `str` for a number with decimals, which is as wrong as a text wherever it may stand
    text = json.dumps(members, default=str)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _in_order(faults: Iterable[TokenFault]) -> tuple[TokenFault, ...]:
    return tuple(sorted(faults, key=list(TokenFault).index))
