"""`fhirAuthorization`: whether the access token may be used, and for what.

CDS Hooks 2.0.1, "Passing the Access Token to the CDS Service". The token is transient: it is kept
in memory for one hook call, never stored, never logged, and sent only to the base it came for.
Scopes are read in both syntaxes: SMART App Launch 1 (`patient/Observation.read`) and 2
(`patient/Observation.rs`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn, final

from cds_service.core.json_object import JsonObject
from cds_service.fhir.shape import a_text

_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750, section 2.1
_LONGEST_TOKEN = 8192
_LONGEST_SCOPE = 32_768
"""Each query of a call goes through all scopes, so megabytes of them would hold up the worker."""
_SCOPE = re.compile(
    r"(?:patient|user|system)/(?P<type>[A-Z][A-Za-z]*|\*)\.(?P<may>[a-z]+|\*)(?P<only>\?.*)?"
)
_SMART_2 = re.compile(r"c?r?u?d?s?")


@final
class AccessToken:
    """A bearer token that shows itself to nobody but `header`."""

    __slots__ = ("__secret",)

    def __init__(self, secret: str) -> None:
        self.__secret: Final = secret

    def header(self) -> str:
        """The value of the Authorization header."""
        return f"Bearer {self.__secret}"

    def __repr__(self) -> str:
        return "AccessToken(redacted)"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("an access token is not stored, copied or sent to another process")


@dataclass(frozen=True, slots=True)
class NoToken:
    """The server is called without a token, because none was given."""


class Action(StrEnum):
    """A FHIR interaction, by its letter in SMART App Launch 2."""

    READ = "r"
    SEARCH = "s"


class Coverage(StrEnum):
    """Whether a scope lets something be read."""

    YES = "yes"
    NO = "no"
    RESTRICTED = "restricted"
    """Only the part that a query in the scope names, so the answer may not be all there is."""


def scope_covers(scope: str, resource_type: str, action: Action) -> Coverage:
    """Whether a space separated list of SMART scopes covers an action on a resource type."""
    answers = {_one_covers(entry, resource_type, action) for entry in scope.split()}
    for answer in (Coverage.YES, Coverage.RESTRICTED):
        if answer in answers:
            return answer
    return Coverage.NO


def _one_covers(entry: str, resource_type: str, action: Action) -> Coverage:
    found = _SCOPE.fullmatch(entry)
    if found is None or found["type"] not in {resource_type, "*"}:
        return Coverage.NO
    may = found["may"]
    if may not in {"read", "*"} and not (_SMART_2.fullmatch(may) and action in may):
        return Coverage.NO
    return Coverage.RESTRICTED if found["only"] else Coverage.YES


class TokenFlaw(StrEnum):
    """Why an access token is not used. A label for logs and cards; holds nothing of the token."""

    TOKEN_ABSENT = "token-absent"  # noqa: S105 - a label
    TOKEN_MALFORMED = "token-malformed"  # noqa: S105 - a label
    NOT_BEARER = "token-not-bearer"
    EXPIRED = "token-expired"
    EXPIRY_ABSENT = "expiry-absent"
    ANOTHER_PATIENT = "token-of-another-patient"
    SCOPE_ABSENT = "scope-absent"
    SCOPE_TOO_LONG = "scope-too-long"


@dataclass(frozen=True, slots=True)
class Usable:
    """The token may be sent to the FHIR server; `scope` says for what."""

    token: AccessToken
    scope: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """The token is not used at all."""

    reason: TokenFlaw


def usable(fhir_authorization: JsonObject, patient_id: str) -> Usable | Unusable:
    """Judge `fhirAuthorization` as received, for the patient of the context (a bare FHIR id)."""
    for flaw in _flaws(fhir_authorization, patient_id):
        return Unusable(flaw)
    return Usable(
        AccessToken(a_text(fhir_authorization.get("access_token"))),
        a_text(fhir_authorization.get("scope")),
    )


def _flaws(members: JsonObject, patient_id: str) -> Iterator[TokenFlaw]:
    token = a_text(members.get("access_token"))
    if not token:
        yield TokenFlaw.TOKEN_ABSENT
    if len(token) > _LONGEST_TOKEN or _B64TOKEN.fullmatch(token) is None:
        yield TokenFlaw.TOKEN_MALFORMED
    if a_text(members.get("token_type")).lower() != "bearer":
        yield TokenFlaw.NOT_BEARER
    seconds = members.get("expires_in")
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        yield TokenFlaw.EXPIRY_ABSENT
    elif seconds <= 0:
        yield TokenFlaw.EXPIRED
    patient = members.get("patient")
    if patient is not None and a_text(patient).removeprefix("Patient/") != patient_id:
        yield TokenFlaw.ANOTHER_PATIENT
    scope = a_text(members.get("scope"))
    if not scope.strip():
        yield TokenFlaw.SCOPE_ABSENT
    if len(scope) > _LONGEST_SCOPE:
        yield TokenFlaw.SCOPE_TOO_LONG
