"""What a laboratory result is: its analyte, specimen and value, each as a closed answer.

Codes decide; of texts only a unit and a value are read (decision 23). Whatever cannot be settled
ends in a named `Reason`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from cds_service.core.elements import (
    Coding,
    Measured,
    NotNumeric,
    NoValue,
    SpecimenGiven,
    SpecimenLink,
    ValueForm,
)
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.model import LabResult
from cds_service.core.quantity import (
    UCUM,
    Quantity,
    UnitMissing,
    UnitNotUnderstood,
    UnitUnderstood,
    quantity,
)
from cds_service.core.schema import AcceptedCode, RefusedCode
from cds_service.core.verdict import NO_VALUE, NotInterpretable, Reason, Value

IMPLAUSIBLE_FROM = Decimal(10) ** 9
"""Values of 10^9 and more, as received, and those below zero are implausible (docs/integrating.md).
"""

_AS_TEXT = "valueString"
"""How FHIR names a value that came as text."""
NOT_COVERED = "not-covered"
FROM_SPECIMEN = "from-specimen"
_FOLLOWED = frozenset({SpecimenLink.NONE, SpecimenLink.UNSATISFACTORY, SpecimenLink.RESOLVED})
"""Links of specimens that were read, or where none was named."""
SETTLE_NOTHING = frozenset({SpecimenLink.UNCERTAIN, SpecimenLink.INVALID})
"""Links of specimens whose codes can contradict the test code, and no more."""
DOUBTS = {
    SpecimenLink.OF_ANOTHER_PATIENT: "recorded for another patient",
    SpecimenLink.ENTERED_IN_ERROR: "recorded as entered in error",
    SpecimenLink.UNSATISFACTORY: "marked unsatisfactory",
}
"""Links of specimens that are not to be relied on, and what is said of them: a result from such a
sample counts for no limit beside another result, and goes into no index."""


@dataclass(frozen=True, slots=True)
class OurAnalyte:
    """The result is of this analyte, by this LOINC code."""

    code: AcceptedCode


@dataclass(frozen=True, slots=True)
class LookAlike:
    """The result carries a refused code: it looks like the analyte and is not."""

    code: RefusedCode


@dataclass(frozen=True, slots=True)
class CodesConflict:
    """Two codes of one result cannot both be right."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotOurs:
    """No code of the result is known to this knowledge."""


Analyte = OurAnalyte | LookAlike | CodesConflict | NotOurs


def analyte_of(codings: Iterable[Coding], knowledge: KnowledgeBase) -> Analyte:
    """Which analyte the codes of a result name, local codes included."""
    known = [loinc for coding in codings if (loinc := loinc_of(coding, knowledge))]
    loincs = list(dict.fromkeys(known))
    accepted = [knowledge.accepted[code] for code in loincs if code in knowledge.accepted]
    refused = [knowledge.refused[code] for code in loincs if code in knowledge.refused]
    companions = [code for code in loincs if code in knowledge.companion_loincs]
    if accepted and (refused or companions or not _agree(accepted)):
        return CodesConflict(tuple(loincs))
    if accepted:
        return OurAnalyte(min(accepted, key=lambda row: row.specimen == FROM_SPECIMEN))
    if refused:
        return LookAlike(min(refused, key=lambda row: row.answer == "none"))
    return NotOurs()


def loinc_of(coding: Coding, knowledge: KnowledgeBase) -> str:
    """The LOINC code that a code is, or that the site says it stands for; empty for any other."""
    if coding.system == LOINC:
        return coding.code
    return knowledge.local_codes.get((coding.system, coding.code), "")


def _agree(codes: list[AcceptedCode]) -> bool:
    """Whether the codes have one property, and not two different specimens."""
    specimens = {code.specimen for code in codes} - {FROM_SPECIMEN}
    return len({code.property for code in codes}) == 1 and len(specimens) <= 1


def specimen_of(
    result: LabResult, code: AcceptedCode, knowledge: KnowledgeBase
) -> str | NotInterpretable:
    """The specimen kind that code and Specimen.type agree on, or why there is none. The type of an
    invalid Specimen, or of one that may not be meant, can contradict the code and settles nothing
    by itself.
    """
    named = specimens_named(result.specimen, knowledge)
    by_code = set() if code.specimen == FROM_SPECIMEN else {code.specimen}
    coded_but_unknown = bool(result.specimen.codings) and not named
    link = result.specimen.link
    if coded_but_unknown or not (by_code or (named and link not in SETTLE_NOTHING)):
        followed = link in _FOLLOWED
        return NotInterpretable(Reason.SPECIMEN_UNKNOWN, "" if followed else link.value)
    if len(named) > 1 or (named and by_code and named != by_code):
        return NotInterpretable(Reason.SPECIMEN_CONFLICT)
    (kind,) = named or by_code
    return NotInterpretable(Reason.SPECIMEN_NOT_COVERED) if kind == NOT_COVERED else kind


def specimens_named(given: SpecimenGiven, knowledge: KnowledgeBase) -> set[str]:
    """The kinds that the codes of a specimen name, `not-covered` among them."""
    return {
        knowledge.specimen_codes[coding.system, coding.code]
        for coding in given.codings
        if (coding.system, coding.code) in knowledge.specimen_codes
    }


@dataclass(frozen=True, slots=True)
class Understood:
    """A value whose number and unit are understood, plausible and of one family."""

    value: Value
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A value that cannot be used, as it can be shown, and why it cannot."""

    value: Value
    because: NotInterpretable


def value_of(result: LabResult, knowledge: KnowledgeBase) -> Understood | NotUnderstood:
    """Understand the value of a result of this analyte. The LOINC property is not looked at."""
    match result.value:
        case NoValue(why):
            return NotUnderstood(NO_VALUE, NotInterpretable(Reason.VALUE_ABSENT, why))
        case NotNumeric(kind):
            return NotUnderstood(NO_VALUE, NotInterpretable(Reason.VALUE_NOT_NUMERIC, kind))
        case Measured() as measured:
            return _measured(measured, knowledge)


def shown(measured: Measured, understood: UnitUnderstood) -> Value:
    """A measured value for display, in the unit it was understood in."""
    return Value(_number(measured), understood.shown, understood.unit.family)


def as_received(measured: Measured) -> Value:
    """The number with its unit as received; with the unit's text and code where they differ. The
    litre is both `l` and `L` in UCUM, so that this is no difference.
    """
    text, code = measured.unit.text, measured.unit.code
    alike = text.replace("l", "L") == code.replace("l", "L")
    differ = text and code and not alike and measured.unit.system == UCUM
    return Value(_number(measured), f"{text} or {code}" if differ else text or code, "")


def _number(measured: Measured) -> str:
    return f"{measured.comparator.value}{measured.number.text}"


def _measured(measured: Measured, knowledge: KnowledgeBase) -> Understood | NotUnderstood:
    match knowledge.units.read(measured.unit):
        case UnitMissing():
            reason = Reason.UNIT_MISSING
        case UnitNotUnderstood() if measured.form is ValueForm.TEXT:
            because = NotInterpretable(Reason.VALUE_NOT_NUMERIC, _AS_TEXT)
            return NotUnderstood(as_received(measured), because)
        case UnitNotUnderstood():
            reason = Reason.UNIT_UNKNOWN
        case UnitUnderstood() as understood:
            return _in_unit(measured, understood, knowledge)
    return NotUnderstood(as_received(measured), NotInterpretable(reason))


def _in_unit(
    measured: Measured, understood: UnitUnderstood, knowledge: KnowledgeBase
) -> Understood | NotUnderstood:
    value = shown(measured, understood)

    def unusable(reason: Reason) -> NotUnderstood:
        return NotUnderstood(replace(value, family=""), NotInterpretable(reason))

    if not knowledge.families[understood.unit.family].interpreted:
        return unusable(Reason.UNIT_MOLE)
    if not 0 <= measured.number.value < IMPLAUSIBLE_FROM:
        return unusable(Reason.IMPLAUSIBLE_VALUE)
    try:
        return Understood(value, quantity(measured, understood))
    except ValueError:  # "<0": no value is below zero
        return unusable(Reason.IMPLAUSIBLE_VALUE)
