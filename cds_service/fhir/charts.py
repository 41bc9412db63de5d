"""An export of many patients, sorted into charts: what was known of each when a result arrived.

An export is read twice: `look` finds the patients who have a result of the analyte, `take` keeps
what belongs to them. So memory holds their charts and not the hospital.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, groupby

from cds_service.core.card import JsonObject
from cds_service.core.model import PatientRecord
from cds_service.fhir.bundle import Entry, Scope, open_document
from cds_service.fhir.moment import moment
from cds_service.fhir.parts import dates_as_written
from cds_service.fhir.read import read_record
from cds_service.fhir.record_entries import CONDITION_TYPES, MEDICATION_TYPES
from cds_service.fhir.report import observations, reports_in
from cds_service.fhir.shape import Refusal, a_text, an_id, an_object
from cds_service.fhir.subject import patient_id_of
from cds_service.fhir.supplied import NOT_SUPPLIED, Supplied, supplied
from cds_service.fhir.wanted import Sort, Wanted, carries, sort_of

_OF_ANALYTE = frozenset({Sort.ANALYTE, Sort.PANEL, Sort.UNREADABLE})
_SHARED = frozenset({"Medication", "Organization", "Specimen"})
"""What may be of no patient, and is kept because others point at it."""
_KNOWN_SINCE = ("issued", "recordedDate", "authoredOn", "dateAsserted", "performedDateTime")
"""Where a resource says since when its author knows of it; the day of the finding comes after."""
UNDATED = date.min
"""The day of what says of no day: it counts as known ever since."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The results of one patient that became known on one day, beside what was known by then."""

    day: date
    """`UNDATED` where the results do not tell."""
    patient_id: str
    """Empty where no patient is named."""
    count: int
    """How many results arrived together."""
    results: JsonObject
    history: JsonObject
    parts: Mapping[str, Supplied]

    def record(self, wanted: Wanted) -> PatientRecord:
        """The record as the service would have read it on that day."""
        return read_record(
            patient_id=self.patient_id,
            fhir_base="",
            results=self.results,
            parts={**self.parts, wanted.part: supplied(self.history)},
            wanted=wanted,
        )


@dataclass(frozen=True, slots=True)
class _Dated:
    day: date
    entry: Entry


@dataclass(slots=True)
class _Chart:
    patient_id: str
    patient: Supplied = NOT_SUPPLIED
    analyte: list[_Dated] = field(default_factory=list)
    reports: list[_Dated] = field(default_factory=list)
    """Those that hold no result of the analyte themselves; they may name one."""
    labs: list[_Dated] = field(default_factory=list)
    conditions: list[_Dated] = field(default_factory=list)
    medications: list[_Dated] = field(default_factory=list)


class Charts:
    """The charts of an export: first `look` at all of it, then `take` all of it."""

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        self._wanted = wanted
        self._patients: set[str] = set()
        self._kinds: set[str] = set()
        """Which parts of a record the export holds at all, of whomever."""
        self._charts: dict[str, _Chart] = {}
        self._of_nobody: list[_Chart] = []
        self._shared: dict[str, list[Entry]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._charts) + len(self._of_nobody)

    def look(self, document: JsonObject) -> None:
        """Learn whose charts are to be kept."""
        for entry, patient_id in _owned(document):
            sorts = self._sorts(entry)
            self._kinds.add(_part(entry, sorts))
            if self._is_of_analyte(entry, sorts) and patient_id:
                self._patients.add(patient_id)

    def take(self, document: JsonObject) -> None:
        """Keep what belongs to these charts."""
        for entry, patient_id in _owned(document):
            if entry.kind in _SHARED:
                for name in entry.names:
                    if entry not in self._shared[name]:
                        self._shared[name].append(entry)
            elif patient_id in self._patients:
                chart = self._charts.setdefault(patient_id, _Chart(patient_id))
                self._put(chart, entry)
            elif not patient_id and self._is_of_analyte(entry, self._sorts(entry)):
                chart = _Chart("")
                self._put(chart, entry)
                self._of_nobody.append(chart)

    def arrivals(self) -> Iterator[Sequence[Arrival]]:
        """Chart by chart: what arrived, in the order of its days."""
        for chart in (*self._charts.values(), *self._of_nobody):
            yield list(self._arrivals(chart))

    def _arrivals(self, chart: _Chart) -> Iterator[Arrival]:
        named = frozenset(chain.from_iterable(held.entry.names for held in chart.analyte))
        alone = [held for held in chart.reports if named.isdisjoint(_named_by(held.entry))]
        arriving = sorted([*chart.analyte, *filter(self._is_coded, alone)], key=_day)
        for day, together in groupby(arriving, key=_day):
            results = list(together)
            names = frozenset(chain.from_iterable(held.entry.names for held in results))
            with_them = [h for h in chart.reports if not names.isdisjoint(_named_by(h.entry))]
            yield Arrival(
                day=day,
                patient_id=chart.patient_id,
                count=len(results),
                results=self._bundle("collection", [*results, *with_them]),
                history=self._bundle("searchset", [h for h in chart.analyte if h.day < day]),
                parts={
                    "patient": chart.patient,
                    "labs": self._known(chart.labs, "labs", day),
                    "conditions": self._known(chart.conditions, "conditions", day),
                    "medications": self._known(chart.medications, "medications", day),
                },
            )

    def _known(self, held: Sequence[_Dated], part: str, day: date) -> Supplied:
        """What was known on that day; a part of which the export has nothing was not supplied."""
        if part not in self._kinds:
            return NOT_SUPPLIED
        known = held if day == UNDATED else [each for each in held if each.day <= day]
        return supplied(self._bundle("searchset", known))

    def _bundle(self, kind: str, held: Sequence[_Dated]) -> JsonObject:
        """A Bundle of these, and of what they point at."""
        entries = [each.entry for each in held]
        pointed_at = {
            id(shared): shared
            for entry in entries
            for name in _references(entry.resource)
            for shared in self._shared.get(name, ())
        }
        return {
            "resourceType": "Bundle",
            "type": kind,
            "entry": [_item(entry) for entry in (*entries, *pointed_at.values())],
        }

    def _put(self, chart: _Chart, entry: Entry) -> None:
        if entry.kind == "Patient":
            chart.patient = supplied(entry.resource)
            return
        sorts = self._sorts(entry)
        held = _Dated(_known_since(entry.resource), entry)
        if not sorts.isdisjoint(_OF_ANALYTE):
            if held not in chart.analyte:
                chart.analyte.append(held)
        elif entry.kind == "DiagnosticReport" and Sort.COMPANION not in sorts:
            chart.reports.append(held)
        else:
            match _part(entry, sorts):
                case "labs":
                    chart.labs.append(held)
                case "conditions":
                    chart.conditions.append(held)
                case "medications":
                    chart.medications.append(held)
                case _:
                    pass  # read nowhere

    def _sorts(self, entry: Entry) -> frozenset[Sort]:
        """What the Observations of an entry are to any of the knowledge."""
        return frozenset(
            sort_of(each.resource, wanted)
            for each in observations([entry])
            for wanted in self._wanted
        )

    def _is_of_analyte(self, entry: Entry, sorts: frozenset[Sort]) -> bool:
        """Also a report of it alone: that its result did not come along is told."""
        return not sorts.isdisjoint(_OF_ANALYTE) or self._is_coded(_Dated(UNDATED, entry))

    def _is_coded(self, held: _Dated) -> bool:
        if held.entry.kind != "DiagnosticReport":
            return False
        return any(carries(held.entry.resource, wanted.accepted) for wanted in self._wanted)


def _owned(document: JsonObject) -> Iterator[tuple[Entry, str]]:
    """The entries of a Bundle, or a resource alone, each with the id of its patient.

    What names nobody in a Bundle of one patient is that patient's; else nobody's, the empty text.
    """
    opened = open_document(document)
    scope = Scope(opened.index)
    patients = {an_id(e.resource.get("id")) for e in opened.entries if e.kind == "Patient"}
    only = "".join(patients) if len(patients) == 1 else ""
    for entry in opened.entries:
        if entry.kind == "Patient":
            yield entry, an_id(entry.resource.get("id"))
        else:
            subject = an_object(entry.resource.get("subject"))
            yield entry, patient_id_of(subject, entry, scope) or ("" if subject else only)


def _part(entry: Entry, sorts: frozenset[Sort]) -> str:
    """The part of a record that an entry belongs to, empty for none of the optional ones."""
    if Sort.COMPANION in sorts:
        return "labs"
    if entry.kind in CONDITION_TYPES:
        return "conditions"
    return "medications" if entry.kind in MEDICATION_TYPES else ""


def _day(held: _Dated) -> date:
    return held.day


def _known_since(resource: JsonObject) -> date:
    told = chain((resource.get(name) for name in _KNOWN_SINCE), dates_as_written(resource))
    for written in told:
        try:
            return moment(written, "").first_day
        except Refusal:
            continue
    return UNDATED


def _named_by(report: Entry) -> frozenset[str]:
    """The results that a report names."""
    found = reports_in([report], "")
    return frozenset({*found.upheld, *found.withdrawn})


def _references(resource: JsonObject) -> Iterator[str]:
    """What a resource points at in any of its elements: as written, and as `Type/id`."""
    waiting: list[object] = [resource]
    while waiting:
        match waiting.pop():
            case dict() as element:
                if written := a_text(element.get("reference")):
                    yield written
                    yield "/".join(written.split("/")[-2:])
                waiting += element.values()
            case list() as elements:
                waiting += elements
            case _:
                continue


def _item(entry: Entry) -> JsonObject:
    url = {"fullUrl": entry.full_url} if entry.full_url else {}
    return {**url, "resource": entry.resource}
