"""An export of many patients, sorted into charts: what was known of each when a result arrived.

An export is read twice: `look` finds the patients who have a result of the analyte, `take` keeps
what belongs to them. So memory holds their charts and not the hospital.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, groupby

from cds_service.core.json_object import JsonObject
from cds_service.core.model import PatientRecord
from cds_service.fhir.bundle import REFERRED_TO, Entry
from cds_service.fhir.files.exported import (
    UNDATED,
    known_since,
    named_by,
    opened,
    owned,
    references,
)
from cds_service.fhir.read import SHARED_PARTS, read_record
from cds_service.fhir.record_entries import CONDITION_TYPES, MEDICATION_TYPES
from cds_service.fhir.report import observations
from cds_service.fhir.results_named import Name, names_borne
from cds_service.fhir.supplied import NOT_SUPPLIED, Supplied, supplied
from cds_service.fhir.wanted import MAY_BE_OURS, OF_COMPANIONS, Sort, Wanted, carries, sort_of


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


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """A resource of a chart. It equals itself only."""

    entry: Entry
    day: date
    names: frozenset[Name] = frozenset()
    """Of the results that a report points at."""

    def is_known_on(self, day: date) -> bool:
        """Whether it was known by this day. Where either day is `UNDATED`, it was."""
        return UNDATED in (day, self.day) or self.day <= day


@dataclass(slots=True)
class _Chart:
    patient_id: str
    patients: list[_Held] = field(default_factory=list)
    """Versions of the Patient: which one counts is for the reader to tell."""
    analyte: list[_Held] = field(default_factory=list)
    """Results, and reports that hold one."""
    reports: list[_Held] = field(default_factory=list)
    """Reports that name results, or are of the analyte."""
    parts: dict[str, list[_Held]] = field(default_factory=lambda: defaultdict(list))
    """Companion results, conditions and medications, by prefetch key."""


class Charts:
    """The charts of an export: first `look` at all of it, then `take` all of it."""

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        self._wanted = wanted
        self._patients: set[str] = set()
        self._parts_there: set[str] = set()
        """The parts of a record that the export holds for any patient."""
        self._charts: dict[str, _Chart] = {}
        self._of_nobody: dict[str, list[_Chart]] = defaultdict(list)
        """One chart for each result that names no patient, by the name of the result."""
        self._pointed_at: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        """Resources that others point at and that come with these, by patient and name. The patient
        is empty where the resource names none, as any but a Patient may.
        """

    def __len__(self) -> int:
        return len(self._all())

    def look(self, document: JsonObject) -> int:
        """Learn whose charts are to be kept. Returns how many of its entries cannot be read: they
        are no resource, or Bundles themselves.
        """
        bundle = opened(document)
        for entry, patient_id in owned(bundle):
            sorts = self._sorts(entry)
            self._parts_there.update(_parts(entry, sorts))
            if patient_id and self._is_of_analyte(entry, sorts):
                self._patients.add(patient_id)
        return len(bundle.misfits) + sum(entry.kind == "Bundle" for entry in bundle.entries)

    def take(self, document: JsonObject) -> None:
        """Keep what belongs to these charts."""
        for entry, patient_id in owned(opened(document)):
            is_kept = patient_id in self._patients
            if entry.kind in REFERRED_TO and (is_kept or not patient_id):
                for name in entry.names - {entry.kind}:
                    self._pointed_at[patient_id, name].append(entry)
            if is_kept:
                chart = self._charts.setdefault(patient_id, _Chart(patient_id))
                self._put(chart, entry)
            elif not patient_id and self._is_of_analyte(entry, self._sorts(entry)):
                self._put_by_itself(entry)

    def arrivals(self) -> Iterator[Sequence[Arrival]]:
        """Chart by chart: what arrived, in the order of its days."""
        for chart in self._all():
            yield list(self._arrivals(chart))

    def _all(self) -> Sequence[_Chart]:
        return [*self._charts.values(), *chain.from_iterable(self._of_nobody.values())]

    def _arrivals(self, chart: _Chart) -> Iterator[Arrival]:
        named = _names_of(chart.analyte)
        alone = [
            report
            for report in chart.reports
            if report not in chart.analyte
            and self._is_coded(report.entry)
            and named.isdisjoint(report.names)
        ]
        for day, together in groupby(sorted([*chart.analyte, *alone], key=_day), key=_day):
            results = list(together)
            names = _names_of(results)
            with_them = [
                report
                for report in chart.reports
                if report not in results
                and not names.isdisjoint(report.names)
                and report.is_known_on(day)
            ]
            before = [held for held in chart.analyte if held.day < day]
            yield Arrival(
                day=day,
                patient_id=chart.patient_id,
                count=self._count(results),
                results=self._bundle("collection", [*results, *with_them], chart),
                history=self._bundle("searchset", before, chart),
                parts={
                    "patient": self._patient(chart),
                    **{part: self._known(part, chart, day) for part in SHARED_PARTS},
                },
            )

    def _patient(self, chart: _Chart) -> Supplied:
        match chart.patients:
            case []:
                return NOT_SUPPLIED
            case [only]:
                return supplied(only.entry.resource)
            case versions:
                return supplied(self._bundle("searchset", versions, chart))

    def _known(self, part: str, chart: _Chart, day: date) -> Supplied:
        """What was known on that day; a part of which the export has nothing was not supplied."""
        if part not in self._parts_there:
            return NOT_SUPPLIED
        known = [each for each in chart.parts[part] if each.is_known_on(day)]
        return supplied(self._bundle("searchset", known, chart))

    def _bundle(self, kind: str, held: Sequence[_Held], chart: _Chart) -> JsonObject:
        """A Bundle of these, and of what they point at."""
        entries = [each.entry for each in held]
        pointed_at = {
            id(one.resource): one
            for entry in entries
            for name in references(entry.resource)
            for owner in (chart.patient_id, "")
            for one in self._pointed_at.get((owner, name), ())
        }
        return {
            "resourceType": "Bundle",
            "type": kind,
            "entry": [_item(entry) for entry in (*entries, *pointed_at.values())],
        }

    def _put(self, chart: _Chart, entry: Entry) -> None:
        if entry.kind == "Patient":
            _add(chart.patients, _Held(entry, UNDATED))
            return
        sorts = self._sorts(entry)
        held = _Held(entry, known_since(entry.resource), named_by(entry))
        if not sorts.isdisjoint(MAY_BE_OURS):
            _add(chart.analyte, held)
        if held.names or self._is_coded(entry):
            _add(chart.reports, held)
        for part in _parts(entry, sorts):
            chart.parts[part].append(held)

    def _put_by_itself(self, entry: Entry) -> None:
        """A result that names no patient. The same resource twice under one id counts once."""
        name = entry.ref.resource
        known = (held for each in self._of_nobody[name] for held in (*each.analyte, *each.reports))
        if "/" in name and any(held.entry.resource == entry.resource for held in known):
            return
        chart = _Chart("")
        self._put(chart, entry)
        self._of_nobody[name].append(chart)

    def _count(self, arrived: Iterable[_Held]) -> int:
        """How many results these are; versions of one result count once, a report alone is one."""
        found = [
            each.ref.resource
            for held in arrived
            for each in [*self._results_in(held.entry)] or [held.entry]
        ]
        named = {name for name in found if "/" in name}
        return len(named) + sum("/" not in name for name in found)

    def _results_in(self, entry: Entry) -> Iterator[Entry]:
        for each in observations([entry]):
            if any(sort_of(each.resource, wanted) in MAY_BE_OURS for wanted in self._wanted):
                yield each

    def _sorts(self, entry: Entry) -> frozenset[Sort]:
        """The sorts of the Observations of an entry, for every analyte's knowledge."""
        return frozenset(
            sort_of(each.resource, wanted)
            for each in observations([entry])
            for wanted in self._wanted
        )

    def _is_of_analyte(self, entry: Entry, sorts: frozenset[Sort]) -> bool:
        """Whether an entry is a result of the analyte or a report of it: a report without its
        result is answered too.
        """
        return not sorts.isdisjoint(MAY_BE_OURS) or self._is_coded(entry)

    def _is_coded(self, entry: Entry) -> bool:
        if entry.kind != "DiagnosticReport":
            return False
        return any(carries(entry.resource, wanted.accepted) for wanted in self._wanted)


def _parts(entry: Entry, sorts: frozenset[Sort]) -> Sequence[str]:
    """The part that an entry belongs to beside results of the analyte: one, or none."""
    if not sorts.isdisjoint(OF_COMPANIONS):
        return ["labs"]
    if entry.kind in CONDITION_TYPES:
        return ["conditions"]
    return ["medications"] if entry.kind in MEDICATION_TYPES else []


def _add(held: list[_Held], one: _Held) -> None:
    """Add a resource, unless the same stood in another file."""
    if all(one.entry.resource != each.entry.resource for each in held):
        held.append(one)


def _names_of(held: Iterable[_Held]) -> frozenset[Name]:
    return frozenset(name for each in held for name in names_borne(each.entry, ""))


def _day(held: _Held) -> date:
    return held.day


def _item(entry: Entry) -> JsonObject:
    url = {"fullUrl": entry.full_url} if entry.full_url else {}
    return {**url, "resource": entry.resource}
