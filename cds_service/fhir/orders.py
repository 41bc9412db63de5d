"""Draft orders: the ServiceRequests of a `draftOrders` Bundle, read.

As with results, the cheap look at the codes comes first: only a ServiceRequest that carries a code
worth reading is validated. Whatever the Bundle holds, reading ends in `ReadDrafts`.

https://hl7.org/fhir/R4/servicerequest.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, Subject
from cds_service.core.order import DraftOrder, Drafts, Performer
from cds_service.core.verdict import Skipped
from cds_service.fhir.bundle import Entry, Unresolved, open_document
from cds_service.fhir.parts import MOST_READ
from cds_service.fhir.reference import Fragment, Literal, NoLiteral, target_of
from cds_service.fhir.scope import Scope
from cds_service.fhir.shape import Refusal, a_text, codings, objects
from cds_service.fhir.specimen import follow_specimens
from cds_service.fhir.subject import Whose
from cds_service.fhir.versions import only_newest
from cds_service.fhir.wanted import OF_COMPANIONS, Sort, Wanted, sort_of

_TYPE = "ServiceRequest"
_IN_THE_MAKING = frozenset({"draft", "active", "on-hold", "unknown"})
_STATUSES = _IN_THE_MAKING | {"revoked", "completed", "entered-in-error"}
_INTENTS = frozenset(
    {
        "proposal", "plan", "directive", "order", "original-order", "reflex-order",
        "filler-order", "instance-order", "option",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EveryDraft:
    """`order-sign`: all drafts are meant."""


@dataclass(frozen=True, slots=True)
class Selected:
    """`order-select`: the drafts of these references (`ServiceRequest/1`, its bare id, or a
    fullUrl).
    """

    references: frozenset[str]

    @classmethod
    def by(cls, references: Iterable[str]) -> Selected:
        """The drafts that a client names. They stand in the same Bundle, so server and version of a
        reference say nothing more.
        """
        return cls(frozenset(name for text in references for name in _names_in(text)))

    def takes(self, entry: Entry) -> bool:
        """Whether the draft was selected. Its id counts as it is written: if it is no FHIR id, the
        draft is not valid, and that must be told.
        """
        *_, kind, id_ = ("", "", *entry.full_url.rsplit("/", 2))
        ends = {f"{kind}/{id_}", id_} if id_ else frozenset()
        written = entry.resource.get("id")
        own = {f"{entry.kind}/{written}", str(written)} if written else frozenset()
        return not self.references.isdisjoint(entry.names | ends | own)


def _names_in(text: str) -> Iterator[str]:
    yield text
    if "://" in text or "/_history/" in text:
        match target_of({"reference": text}):
            case Literal(_, kind, id_, _):
                yield f"{kind}/{id_}"
            case _:
                return


Meant = EveryDraft | Selected
"""Which drafts the caller asks about."""


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
    that may complete a pair. Of several versions of one draft the newest counts.
    """
    (document,) = only_newest({0: open_document(bundle)}).values()
    reader = _Reader(Scope(document.index, fhir_base=whose.fhir_base), whose)
    asked: list[DraftOrder | InvalidResource] = []
    beside: list[DraftOrder] = []
    resources: dict[int, JsonObject] = {}
    left_aside: list[Skipped] = []
    for place, entry, sort in _worth_reading(document.entries, wanted):
        is_asked = sort not in OF_COMPANIONS and _is_meant(meant, entry)
        match reader.read(entry, place):
            case Skipped() as skipped:
                left_aside.append(skipped)
            case InvalidResource() as invalid:
                asked += [invalid] if is_asked else []
            case DraftOrder() as order:
                resources[place] = entry.resource
                asked += [order] if is_asked and sort is Sort.ANALYTE else []
                beside += [order] if order.subject is not Subject.ANOTHER_PATIENT else []
    match meant:
        case EveryDraft():
            asked += document.misfits
        case Selected():
            left_aside += [Skipped(m.ref, "no resource, so not selected") for m in document.misfits]
    return ReadDrafts(Drafts(_each_once(asked), tuple(beside)), resources, tuple(left_aside))


def _each_once(
    asked: Iterable[DraftOrder | InvalidResource],
) -> tuple[DraftOrder | InvalidResource, ...]:
    """Each draft once. If a draft stood there twice and got two cards, a clinician who accepts both
    would order twice. Two without an id stay two.
    """
    told: dict[DraftOrder | InvalidResource, DraftOrder | InvalidResource] = {}
    for order in asked:
        match order:
            case DraftOrder(ref=ref) if "/" in ref.resource:
                told.setdefault(replace(order, place=0), order)
            case _:
                told.setdefault(order, order)
    return tuple(told.values())


def _worth_reading(entries: Sequence[Entry], wanted: Wanted) -> Iterator[tuple[int, Entry, Sort]]:
    """The ServiceRequests with a wanted or unreadable code, and their places; at most MOST_READ."""
    left = MOST_READ
    for place, entry in enumerate(entries):
        if left and entry.kind == _TYPE and "code" in entry.resource:
            sort = sort_of(entry.resource, wanted)
            if sort is not Sort.OTHER:
                left -= 1
                yield place, entry, sort


def _is_meant(meant: Meant, entry: Entry) -> bool:
    match meant:
        case EveryDraft():
            return True
        case Selected():
            return meant.takes(entry)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the drafts of one Bundle for one patient."""

    scope: Scope
    whose: Whose

    def read(self, entry: Entry, place: int) -> Found:
        """The draft; where it is not valid FHIR R4; or why it is no order in the making.

        An invalid draft that names another patient must not be told as this patient's.
        """
        request = entry.resource
        subject = self.whose.owner(entry, self.scope)
        seen = codings(request.get("code"))
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
        return DraftOrder(entry.ref, place, seen, subject, specimen, self._laboratories(entry))

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
        raise Refusal(f"{_TYPE}.{name}")
    return code
