"""Whether two results were made alike: in one laboratory, with one assay, from one kind of tube.

Only then are two values compared with each other (series, index of two specimens). A laboratory or
assay that is not named proves nothing, in either direction.
"""

from __future__ import annotations

from cds_service.core.interval import Comparison
from cds_service.core.model import LabResult
from cds_service.core.quantity import Quantity


def same_laboratory(one: LabResult, other: LabResult) -> Comparison:
    """Whether the two are of one laboratory, as far as both name theirs."""
    return is_from(one, other.laboratory_reference, laboratory_name(other))


def is_from(result: LabResult, reference: str, name: str) -> Comparison:
    """Whether the result is of the laboratory with this reference and name: by reference if both
    are known, else by name.
    """
    own_reference, own_name = result.laboratory_reference, laboratory_name(result)
    if own_reference and reference:
        same = _same_resource(own_reference, reference)
        return Comparison.YES if same else Comparison.NO
    if own_name and name:
        return Comparison.YES if _same_name(own_name, name) else Comparison.NO
    return Comparison.CANNOT_TELL


def is_laboratory(named: str, result: LabResult) -> bool:
    """Whether a text names the laboratory of a result: its reference or, less surely, its name."""
    reference = result.laboratory_reference
    by_reference = bool(reference) and _same_resource(named, reference)
    return by_reference or _same_name(named, laboratory_name(result))


def laboratory_name(result: LabResult) -> str:
    """The name of the laboratory; empty where `laboratory` holds its reference for lack of one."""
    name, reference = result.laboratory, result.laboratory_reference
    return "" if "/" in name and reference and _same_resource(reference, name) else name


def _same_name(one: str, other: str) -> bool:
    """Whether two names are the same apart from capitals and spaces."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _same_resource(one: str, other: str) -> bool:
    """Whether two references name one resource; neither is empty.

    A reference without a server is taken to be on the same server as the other.
    """
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def joined_exactly(one: Quantity, other: Quantity) -> bool:
    """Whether an exact factor leads from the unit of one value to that of the other. Two units that
    are read alike are no such pair if one of them is only taken for the other (`[IU]/mL`, `U/mL`).
    """
    return (one.unit.family, one.unit.assumed) == (other.unit.family, other.unit.assumed)


def same_method(one: LabResult, other: LabResult) -> Comparison:
    """Whether the two were made with one method, as far as both name theirs."""
    if one.method and other.method:
        return Comparison.YES if one.method == other.method else Comparison.NO
    return Comparison.CANNOT_TELL


def same_specimen_type(one: LabResult, other: LabResult) -> Comparison:
    """Whether the two have one Specimen.type, by its codes; codes of different systems cannot be
    compared.

    Where neither has one, the two count as alike: the code of the test settled the specimen.
    """
    codes = {(coding.system, coding.code) for coding in one.specimen.codings}
    others = {(coding.system, coding.code) for coding in other.specimen.codings}
    if codes & others or not (codes or others):
        return Comparison.YES
    if {system for system, _ in codes} & {system for system, _ in others}:
        return Comparison.NO
    return Comparison.CANNOT_TELL
