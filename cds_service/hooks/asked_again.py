"""A search that was sent only in part and asked for again keeps what was sent of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cds_service.core.json_object import JsonObject
from cds_service.fhir.shape import a_text, an_id, an_object, objects, type_of, version_of


def sent_entries(sent: JsonObject) -> Sequence[JsonObject]:
    """The entries sent, without OperationOutcomes, which are about the search."""
    entries = objects(sent.get("entry"))
    return [entry for entry in entries if _version_in(entry).kind != "OperationOutcome"]


def with_sent(fetched: JsonObject, sent: Sequence[JsonObject]) -> JsonObject:
    """The Bundle that was fetched, with those entries sent that it does not hold.

    The same version of a resource is taken as it was fetched. Two versions of it both stay: the
    reader takes the newer (`fhir.versions`), which may be the one that was sent.
    """
    entries = fetched.get("entry", [])
    there = set(map(_version_in, entries))
    more = [entry for entry in sent if not (own := _version_in(entry)).id or own not in there]
    return {**fetched, "entry": [*entries, *more]} if more else fetched


class _Version(NamedTuple):
    """Which version of which resource an entry holds, as far as it says so."""

    kind: str
    id: str
    version: str
    updated: str


def _version_in(entry: JsonObject) -> _Version:
    resource = an_object(entry.get("resource"))
    updated = a_text(an_object(resource.get("meta")).get("lastUpdated"))
    return _Version(type_of(resource), an_id(resource.get("id")), version_of(resource), updated)
