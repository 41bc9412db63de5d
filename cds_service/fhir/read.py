"""FHIR JSON to `PatientRecord`: the one door through which a patient's data come in.

Whatever the JSON holds, reading ends in a record. It names each result that is not valid FHIR R4,
marks or leaves out what is another patient's, and says for each part whether it could be had. No
reference is ever followed beyond the resources that were given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cds_service.core.concepts import ConceptIndex
from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, InvalidResource, PatientRecord
from cds_service.fhir.bundle import Document, Index, index_of_all, open_document
from cds_service.fhir.each_once import LabReading, beside, further, strayed
from cds_service.fhir.observation import ObservationReader
from cds_service.fhir.parts import (
    NO_ENTRIES,
    NO_RESULTS,
    CodedPart,
    LaboratoryPart,
    laboratory_availability,
    read_coded,
    read_laboratory,
    results_availability,
)
from cds_service.fhir.patient import read_patient
from cds_service.fhir.record_entries import CONDITION_TYPES, MEDICATION_TYPES, EntryReader
from cds_service.fhir.report import reports_in
from cds_service.fhir.scope import Scope
from cds_service.fhir.subject import Whose
from cds_service.fhir.supplied import NOT_SUPPLIED, Supplied, shortfalls
from cds_service.fhir.validate import Checks
from cds_service.fhir.versions import deleted_in, only_newest, without
from cds_service.fhir.wanted import Wanted

SHARED_PARTS = ("labs", "conditions", "medications")
"""Parts of the record that every analyte uses, by prefetch key."""
REFERRED = "referred"
"""Resources that others refer to: each is found by a reference, and read in no other way."""
_USABLE = (Availability.GIVEN, Availability.PARTIAL)
_LABORATORY_TYPES = frozenset({"DiagnosticReport", "Observation"})
_READ_TOO = {
    "Condition": CONDITION_TYPES,
    "MedicationRequest": MEDICATION_TYPES,
    "Observation": _LABORATORY_TYPES,
}


def types_read(asked: str) -> frozenset[str]:
    """The resource types that are read in the answer to a query for this type, itself included."""
    return _READ_TOO.get(asked, frozenset({asked}))


def read_record(
    *,
    patient_id: str,
    fhir_base: str,
    results: JsonObject,
    parts: Mapping[str, Supplied],
    wanted: Wanted,
) -> PatientRecord:
    """Everything an evaluation may look at, for one patient. Never raises for what the JSON holds.

    `results` is the Bundle whose Observations of the analyte are to be interpreted, `{}` for none;
    `parts` are keyed by prefetch key, that of the analyte's results being `wanted.part`. Another
    patient's results are kept and marked if they stand in `results`, and left out of every other
    part (T-22). A result that stands in `results` is not repeated in the history. One that stands
    among the other laboratory results counts as one of the analyte's. Of several versions of one
    resource, in whatever part, the newest counts.
    """
    given = {key: parts.get(key, NOT_SUPPLIED) for key in ("patient", wanted.part, *SHARED_PARTS)}
    own, labs = given[wanted.part], given["labs"]
    whose = Whose(patient_id.removeprefix("Patient/"), fhir_base)
    referred = [parts[REFERRED]] if REFERRED in parts else []
    sent = [results, *(part.resource for part in (*given.values(), *referred))]
    opened = _opened(sent)
    documents = _Documents(whose, opened, index_of_all(opened.values()), opened[id(results)])
    is_charted = own.resource is results
    past = documents.laboratory(own.resource, wanted)
    main = past if is_charted else documents.arrived(own.resource, wanted)
    others = main if labs.resource is results else documents.laboratory(labs.resource, wanted)
    strays = () if others is main else others.analyte
    told = strayed(strays, main.analyte, wanted) if is_charted else main.analyte
    chart = documents.by_identity[id(given["patient"].resource)]
    patient = read_patient(given["patient"], chart.entries, whose.patient_id)
    conditions = documents.coded(given["conditions"].resource, CONDITION_TYPES, wanted.conditions)
    medications = documents.coded(
        given["medications"].resource, MEDICATION_TYPES, wanted.medications
    )
    known = beside(past.analyte, main.analyte)
    laboratory = {id(part): part for part in (main, past, others)}.values()
    companions = [one for part in laboratory for one in part.companions]
    return PatientRecord(
        patient_id=whose.patient_id,
        patient=patient.patient,
        results=told,
        history=further((*known, *strays), than=told),
        companions=further(companions, than=()),
        entries=(*conditions.entries, *medications.entries),
        availability={
            "results": documents.results_availability(results, main, own),
            "patient": patient.availability,
            wanted.part: documents.part_availability(own, known, was_cut=past.was_cut),
            "labs": documents.part_availability(
                labs, (*others.companions, *strays), was_cut=others.was_cut
            ),
            "conditions": _worst(given["conditions"], conditions.availability),
            "medications": _worst(given["medications"], medications.availability),
        },
        unread=(
            *patient.unread,
            *(each for each in (*known, *companions, *strays) if isinstance(each, InvalidResource)),
            *conditions.unread,
            *medications.unread,
        ),
    )


def _opened(sent: Iterable[JsonObject]) -> Mapping[int, Document]:
    """The documents by their `id()`, without deleted resources and replaced versions."""
    resources = {id(resource): resource for resource in sent}
    documents = {key: open_document(resource) for key, resource in resources.items()}
    deleted = frozenset(name for each in resources.values() for name in deleted_in(each))
    return only_newest(without(documents, deleted))


@dataclass(frozen=True, slots=True)
class _Documents:
    """The documents of one record, opened, each able to refer to the others."""

    whose: Whose
    by_identity: Mapping[int, Document]
    """By their `id()`: the same Bundle may be the results and a part as well."""
    index: Index
    """Of all documents."""
    sent: Document
    """The results to interpret. What reports among them say holds for the other parts too."""
    checks: Checks = field(default_factory=Checks)

    def arrived(self, known: JsonObject, wanted: Wanted) -> LaboratoryPart:
        """The results to interpret: those that were sent, and those among the known ones that a
        report names which was sent without them.
        """
        if self.sent.is_empty:
            return NO_RESULTS
        others = self.by_identity[id(known)]
        reader = self._reader(self.sent, wanted)
        part = read_laboratory(self.sent, reader, wanted, others.entries)
        if not part.elsewhere:
            return part
        named = read_laboratory(Document(part.elsewhere), self._reader(others, wanted), wanted)
        return LaboratoryPart(
            (*part.analyte, *named.analyte),
            (*part.companions, *named.companions),
            part.was_cut or named.was_cut,
        )

    def laboratory(self, resource: JsonObject, wanted: Wanted) -> LaboratoryPart:
        """The wanted Observations of one document."""
        document = self.by_identity[id(resource)]
        if document.is_empty:
            return NO_RESULTS
        return read_laboratory(document, self._reader(document, wanted), wanted)

    def _reader(self, document: Document, wanted: Wanted) -> ObservationReader:
        sent = () if document is self.sent else self.sent.entries
        reports = reports_in((*sent, *document.entries), self.whose.fhir_base)
        return ObservationReader(self._scope(document), self.whose, reports, wanted.accepted)

    def coded(
        self,
        resource: JsonObject,
        types: frozenset[str],
        concepts: ConceptIndex,
    ) -> CodedPart:
        """The entries of one document that count."""
        document = self.by_identity[id(resource)]
        if document.is_empty:
            return NO_ENTRIES
        reader = EntryReader(self._scope(document), self.whose)
        return read_coded(document, reader, types, concepts)

    def results_availability(
        self, results: JsonObject, main: LaboratoryPart, own: Supplied
    ) -> Availability:
        """Whether all results were read. Where they are a part of the record themselves, what they
        lack is said of that part.
        """
        if own.resource is not results and any(shortfalls(results)):
            return Availability.PARTIAL
        return results_availability(main)

    def part_availability(
        self, part: Supplied, found: Sequence[LabReading], *, was_cut: bool
    ) -> Availability:
        """How much of a part was read; one that holds nothing of a laboratory has failed (T-64)."""
        if part.availability not in _USABLE:
            return part.availability
        if not self.by_identity[id(part.resource)].is_of(_LABORATORY_TYPES):
            return Availability.FAILED
        return _worst(part, laboratory_availability(found, was_cut=was_cut))

    def _scope(self, document: Document) -> Scope:
        return Scope(document.index, self.index, self.whose.fhir_base, self.checks)


def _worst(part: Supplied, read_as: Availability) -> Availability:
    """The availability as supplied, unless reading the part showed a worse one."""
    return part.availability if read_as is Availability.GIVEN else read_as
