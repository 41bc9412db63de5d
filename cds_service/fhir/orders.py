"""Draft orders: the ServiceRequests of a `draftOrders` Bundle, read.

As with results, the cheap look at the codes comes first: only a ServiceRequest that carries a code
worth reading is validated (see `sent_drafts`). Whatever the Bundle holds, reading ends in
`ReadDrafts`, which is the same in whatever order the drafts were sent.

https://hl7.org/fhir/R4/servicerequest.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter

from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, Subject
from cds_service.core.orders.order import DraftOrder, Drafts, Performer
from cds_service.core.verdict import Skipped
from cds_service.fhir.bundle import Entry, Unresolved, open_document
from cds_service.fhir.parts import MOST_READ
from cds_service.fhir.reference import Fragment, Literal, NoLiteral, target_of
from cds_service.fhir.scope import Scope
from cds_service.fhir.sent_drafts import REQUEST, Meant, drafts_in
from cds_service.fhir.shape import Refusal, a_text, codings, objects
from cds_service.fhir.specimen import follow_specimens
from cds_service.fhir.subject import Whose
from cds_service.fhir.versions import only_newest
from cds_service.fhir.wanted import OF_COMPANIONS, Wanted

_IN_THE_MAKING = frozenset({"draft", "active", "on-hold", "unknown"})
_STATUSES = _IN_THE_MAKING | {"revoked", "completed", "entered-in-error"}
_INTENTS = frozenset(
    {
        "proposal", "plan", "directive", "order", "original-order", "reflex-order",
        "filler-order", "instance-order", "option",
    }
)  # fmt: skip
_as_written = attrgetter("system", "code", "display")
"""Puts codes in one order: that of a CodeableConcept has no meaning."""
_POSITION = re.compile(r"\[\d+\]")
"""Of an entry that is no resource: it follows the order in which the entries were sent."""


@dataclass(frozen=True, slots=True)
class ReadDrafts:
    """The drafts, the resources they were read from by place, and what was left aside."""

    drafts: Drafts
    resources: Mapping[int, JsonObject]
    left_aside: tuple[Skipped, ...]


Found = DraftOrder | InvalidResource | Skipped


def read_drafts(bundle: JsonObject, *, meant: Meant, whose: Whose, wanted: Wanted) -> ReadDrafts:
    """Read the drafts that may be spoken about. Never raises for what the Bundle holds.

    `wanted` holds the codes of orders: `analyte` those that are spoken about, `companions` those
    that may complete a pair. Of several versions of one draft the newest counts; one of which
    nothing tells that it is the newest completes nothing.
    """
    (document,) = only_newest({0: open_document(bundle)}).values()
    reader = _Reader(Scope(document.index, fhir_base=whose.fhir_base), whose)
    asked: list[DraftOrder | InvalidResource] = []
    beside: list[DraftOrder] = []
    resources: dict[int, JsonObject] = {}
    left_aside: list[Skipped] = []
    contents = [
        (place, one, entry, sort)
        for place, one in enumerate(drafts_in(document.entries, meant, wanted))
        for entry, sort in one.contents
    ]
    for place, one, entry, sort in contents[:MOST_READ]:
        is_asked = one.is_meant and sort not in OF_COMPANIONS
        match reader.read(entry, place, in_doubt=one.in_doubt):
            case Skipped() as skipped:
                left_aside.append(skipped)
            case InvalidResource() as invalid:
                asked += [invalid] if is_asked else []
            case DraftOrder(subject=subject) as order:
                resources[place] = entry.resource
                asked += [order] if is_asked else []
                is_there = subject is not Subject.ANOTHER_PATIENT and not one.in_doubt
                beside += [order] if is_there else []
    left_aside += [
        Skipped(entry.ref, "too many drafts to read") for _, _, entry, _ in contents[MOST_READ:]
    ]
    if document.misfits and meant.are_among(document.entries):
        left_aside += [Skipped(m.ref, "no resource, so not selected") for m in document.misfits]
    else:
        asked += [replace(m, where=_POSITION.sub("", m.where)) for m in document.misfits]
    drafts = Drafts(tuple(dict.fromkeys(asked)), tuple(beside))
    return ReadDrafts(drafts, resources, tuple(left_aside))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the drafts of one Bundle for one patient."""

    scope: Scope
    whose: Whose

    def read(self, entry: Entry, place: int, *, in_doubt: bool) -> Found:
        """The draft; where it is not valid FHIR R4; or why it is no order in the making.

        An invalid draft that names another patient must not be told as this patient's.
        """
        request = entry.resource
        subject = self.whose.owner(entry, self.scope)
        seen = tuple(sorted(codings(request.get("code")), key=_as_written))
        try:
            self.scope.checks.check(request)
            status = _closed(request, "status", _STATUSES)
            _closed(request, "intent", _INTENTS)
            if status not in _IN_THE_MAKING or request.get("doNotPerform") is True:
                return Skipped(entry.ref, "it is no order in the making")
            specimen, _ = follow_specimens(entry, self.scope, self.whose)
        except Refusal as refusal:
            if subject is Subject.ANOTHER_PATIENT:
                return DraftOrder(entry.ref, place, seen, subject)
            return InvalidResource(entry.ref, refusal.where, seen)
        laboratories = self._laboratories(entry)
        return DraftOrder(entry.ref, place, seen, subject, specimen, laboratories, in_doubt)

    def _laboratories(self, entry: Entry) -> tuple[Performer, ...]:
        """Performers that are organisations, or named in words; a person is no laboratory."""
        performers = objects(entry.resource.get("performer"))
        return tuple(found for one in performers for found in self._laboratory(one, entry))

    def _laboratory(self, performer: JsonObject, entry: Entry) -> Iterator[Performer]:
        display = a_text(performer.get("display"))
        match target_of(performer):
            case Literal(base, "Organization", id_):  # whichever version of it was meant
                server = f"{base}/" if base else ""
                yield Performer(display, f"{server}Organization/{id_}")
            case NoLiteral(type="Organization" | "") if display:
                yield Performer(display)
            case Fragment():
                inner = self.scope.resolve(performer, "Organization", entry)
                name = "" if isinstance(inner, Unresolved) else display or a_text(inner.get("name"))
                if name:
                    yield Performer(name)
            case _:
                return


def _closed(request: JsonObject, name: str, known: frozenset[str]) -> str:
    """A code of a closed value set, which `fhir.resources` does not check. Raises Refusal."""
    code = a_text(request.get(name))
    if code not in known:
        raise Refusal(f"{REQUEST}.{name}")
    return code
