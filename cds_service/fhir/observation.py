"""One Observation as a `LabResult`: facts only, nothing interpreted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cds_service.core.elements import ComponentRef, LabValue, Moment, NoMoment, NoValue, Status
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource, LabResult, Subject
from cds_service.fhir.bundle import Entry, Unresolved
from cds_service.fhir.moment import instant, instant_in, moment_or_period
from cds_service.fhir.reference import (
    Fragment,
    Literal,
    NoLiteral,
    Target,
    Urn,
    target_of,
)
from cds_service.fhir.reference_range import read_ranges
from cds_service.fhir.report import Reports
from cds_service.fhir.scope import Scope
from cds_service.fhir.shape import Refusal, a_text, an_object, codings, objects
from cds_service.fhir.specimen import read_specimen
from cds_service.fhir.subject import Whose
from cds_service.fhir.value import noticed, read_value
from cds_service.fhir.wanted import (
    Codes,
    Wanted,
    codes_of,
    companion_components,
    components,
)

FLAGS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


@dataclass(frozen=True, slots=True)
class ObservationReader:
    """Reads the Observations of one document for one patient."""

    scope: Scope
    whose: Whose
    reports: Reports
    accepted: Codes
    """Codes of the analyte: a component that carries one holds a result of it."""

    def is_own(self, entry: Entry) -> bool:
        """Whether a resource is this patient's, or names nobody."""
        return self.whose.owner(entry, self.scope) is not Subject.ANOTHER_PATIENT

    def read(self, entry: Entry) -> LabResult | InvalidResource:
        """The Observation, or where it is not valid FHIR R4.

        An invalid one that names another patient must not be reported as this patient's: it is
        returned as another patient's result of which nothing was read.
        """
        try:
            return self._read(entry)
        except Refusal as refusal:
            seen = codings(entry.resource.get("code"))
            if self.is_own(entry):
                return InvalidResource(entry.ref, refusal.where, seen)
            another = Subject.ANOTHER_PATIENT
            return LabResult(entry.ref, seen, Status.UNKNOWN, NoValue(), another)

    def read_panel(self, panel: Entry) -> Iterator[LabResult | InvalidResource]:
        """One result for each component with a code of the analyte in an Observation of another
        test. It says only that the component is there: the value is not read.
        """
        whole = self.read(panel)
        for component in components(panel.resource, self.accepted):
            codes = codings(component["code"])
            match whole:
                case LabResult():
                    yield replace(
                        whole, codings=codes, value=noticed(component), ranges=(), flags=()
                    )
                case InvalidResource():
                    yield replace(whole, codings=codes)

    def read_companions(
        self, panel: Entry, wanted: Wanted
    ) -> Iterator[LabResult | InvalidResource]:
        """One result for each component with a code of a companion: value, ranges and flags are its
        own, all else is what the Observation says. Of one that is not valid or is another patient's
        no component is read.
        """
        found = list(companion_components(panel.resource, wanted))
        if not found:
            return
        whole = self.read(panel)
        if isinstance(whole, InvalidResource) or whole.subject is Subject.ANOTHER_PATIENT:
            yield whole
            return
        so_far: Counter[str] = Counter()
        for place, component in found:
            code = " ".join(sorted(code for _, code in codes_of(component) & wanted.companions))
            so_far[code] += 1
            ref = ComponentRef(whole.ref.resource, whole.ref.version, f"{code} {so_far[code]}")
            yield _in_component(component, place, replace(whole, ref=ref))

    def _read(self, entry: Entry) -> LabResult:
        observation = entry.resource
        self.scope.checks.check(observation)
        specimen, taken = read_specimen(entry, self.scope, self.whose, self.reports)
        effective = _effective(observation)
        laboratory = _laboratory(entry, self.scope)
        return LabResult(
            ref=entry.ref,
            codings=codings(observation["code"]),
            status=self._status(entry),
            value=self._value(observation),
            subject=self.whose.owner(entry, self.scope),
            specimen=specimen,
            collected=taken if isinstance(effective, NoMoment) else effective,
            issued=instant_in(observation, "issued", "Observation"),
            ranges=read_ranges(observation),
            laboratory=laboratory.name,
            laboratory_reference=laboratory.reference,
            flags=_flags(observation),
            method=_method(observation),
        )

    def _value(self, observation: JsonObject) -> LabValue:
        """A result without value and reason, but with components, may have its value in one."""
        match read_value(observation):
            case NoValue("") as nothing_said:
                for component in components(observation, self.accepted):
                    return noticed(component)
                return nothing_said
            case value:
                return value

    def _status(self, entry: Entry) -> Status:
        try:
            status = Status(a_text(entry.resource.get("status")))
        except ValueError:
            raise Refusal("Observation.status") from None
        if status is Status.CANCELLED:
            return status
        return Status.ENTERED_IN_ERROR if self.reports.have_withdrawn(entry) else status


def _in_component(
    component: JsonObject, place: int, whole: LabResult
) -> LabResult | InvalidResource:
    """What a component says itself, and the rest as the whole has it."""
    try:
        return replace(
            whole,
            codings=codings(component["code"]),
            value=read_value(component),
            ranges=read_ranges(component),
            flags=_flags(component),
        )
    except Refusal as refusal:
        within = refusal.where.removeprefix("Observation")
        where = f"Observation.component[{place}]{within}"
        return InvalidResource(whole.ref, where, codings(component["code"]))


def _effective(observation: JsonObject) -> Moment | NoMoment:
    """When the observation holds: for a laboratory result, when its specimen was taken."""
    if "effectiveInstant" in observation:
        return instant(observation["effectiveInstant"], "Observation.effectiveInstant")
    return moment_or_period(observation, "effective", "Observation")


@dataclass(frozen=True, slots=True)
class _Laboratory:
    """The laboratory of a result: its name, and the reference to its resource (see LabResult)."""

    name: str = ""
    reference: str = ""


_NOT_NAMED = _Laboratory()


def _laboratory(entry: Entry, scope: Scope) -> _Laboratory:
    """The organisation among the performers, else one named in words alone.

    A person is no laboratory: the same pathologist may sign for two.
    """
    in_words = _NOT_NAMED
    for performer in objects(entry.resource.get("performer")):
        match target_of(performer):
            case NoLiteral(""):
                in_words = in_words if in_words.name else _Laboratory(_display(performer))
            case target:
                for organisation in _organisation(target, performer, entry, scope):
                    return organisation
    return in_words


def _display(performer: JsonObject) -> str:
    return a_text(performer.get("display"))


def _organisation(
    target: Target, performer: JsonObject, entry: Entry, scope: Scope
) -> Iterator[_Laboratory]:
    """The performer, if it is an organisation: by display, else by its name or its reference."""
    display = _display(performer)
    match target:
        case Literal(base, "Organization", id_):
            server = base or entry.server
            reference = f"{server}/Organization/{id_}" if server else f"Organization/{id_}"
            yield _Laboratory(display or a_text(performer.get("reference")), reference)
        case Fragment() | Urn():
            # What it points at has no address of its own, so the name alone stands for it.
            match scope.resolve(performer, "Organization", entry):
                case Unresolved():
                    return
                case organisation:
                    yield _Laboratory(display or a_text(organisation.get("name")))
        case NoLiteral("Organization"):
            yield _Laboratory(display)
        case _:
            return


def _flags(observation: JsonObject) -> tuple[str, ...]:
    """Codes of HL7's own system alone, as sent; text is no code."""
    if "interpretation" not in observation:
        return ()
    flags = [
        coding.code
        for concept in objects(observation["interpretation"])
        for coding in codings(concept)
        if coding.system == FLAGS
    ]
    return tuple(dict.fromkeys(flags))


def _method(observation: JsonObject) -> str:
    """What the result was measured with: method by code or text, else the device by its display."""
    if "method" not in observation and "device" not in observation:
        return ""
    method, device = an_object(observation.get("method")), an_object(observation.get("device"))
    coded = codings(method)
    if coded:
        return coded[0].code
    return a_text(method.get("text")) or a_text(device.get("display"))
