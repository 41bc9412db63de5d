"""Whether, for one hook call, the caller's FHIR server may be called, and for what.

`fhirServer` and `fhirAuthorization` are claims: the server must be registered for this caller, and
a token that was sent must be usable. Without `fhirAuthorization` a registered server is called
without a token (test servers are open like that). In every other case nothing is sent anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cds_service.core.json_object import JsonObject
from cds_service.fhir.calls.authorization import (
    AccessToken,
    Coverage,
    NoToken,
    TokenFlaw,
    Unusable,
    Usable,
    scope_covers,
    usable,
)
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.query import Read, Search
from cds_service.fhir.calls.session import FhirSession
from cds_service.fhir.client import FhirClient
from cds_service.origins import AllowList, FhirBase, Unregistered


class NoAccessReason(StrEnum):
    """Why the server is not called, beside the flaws of a token. A label for logs and cards."""

    NO_SERVER = "no-fhir-server"
    NOT_REGISTERED = "fhir-server-not-registered"


@dataclass(frozen=True, slots=True)
class NoAccess:
    """The FHIR server is not called."""

    reason: NoAccessReason | TokenFlaw


EVERY_READ: Final = "system/*.rs"
"""The scope where no token was given, or one of our own is used: the server alone decides."""


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """A session on the caller's FHIR server, and what may be asked there."""

    session: FhirSession
    scope: str
    """SMART scopes, separated by spaces."""

    def covers(self, query: Read | Search) -> Coverage:
        """Whether a query lies within what was granted."""
        return scope_covers(self.scope, query.resource_type, query.action)


@contextmanager
def server_access(
    *,
    server: str,
    authorization: JsonObject,
    patient_id: str,
    allowed: AllowList,
    client: FhirClient,
    deadline: Deadline,
) -> Iterator[ServerAccess | NoAccess]:
    """Access for the length of one hook call.

    `server` is `fhirServer` as received, empty when absent; `authorization` is `fhirAuthorization`,
    empty when absent; `allowed` is what this caller may name.
    """
    match _judge(server, authorization, patient_id, allowed):
        case NoAccess() as no_access:
            yield no_access
        case base, token, scope:
            with client.session(base, token, deadline) as session:
                yield ServerAccess(session, scope)


def _judge(
    server: str, authorization: JsonObject, patient_id: str, allowed: AllowList
) -> tuple[FhirBase, AccessToken | NoToken, str] | NoAccess:
    if not server:
        return NoAccess(NoAccessReason.NO_SERVER)
    base = allowed.find(server)
    if isinstance(base, Unregistered):
        return NoAccess(NoAccessReason.NOT_REGISTERED)
    if not authorization:
        return base, NoToken(), EVERY_READ
    match usable(authorization, patient_id):
        case Unusable(reason):
            return NoAccess(reason)
        case Usable(token, scope):
            return base, token, scope
