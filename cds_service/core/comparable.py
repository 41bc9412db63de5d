"""Whether two results were made alike: in one laboratory, with one assay, from one kind of tube.

Two values are held against each other only then (series, index of two specimens). What nobody
named proves nothing, in either direction.
"""

from __future__ import annotations

from cds_service.core.interval import Comparison
from cds_service.core.model import LabResult


def same_laboratory(one: LabResult, other: LabResult) -> Comparison:
    """As far as both name theirs."""
    return is_from(one, other.laboratory_reference, laboratory_name(other))


def is_from(result: LabResult, place: str, name: str) -> Comparison:
    """Whether the result is of a laboratory: by where the organisation's resource stands, if both
    are told, else by name.
    """
    own_place, own_name = result.laboratory_reference, laboratory_name(result)
    if own_place and place:
        return Comparison.YES if _same_place(own_place, place) else Comparison.NO
    if own_name and name:
        return Comparison.YES if _same_name(own_name, name) else Comparison.NO
    return Comparison.CANNOT_TELL


def is_laboratory(named: str, result: LabResult) -> bool:
    """Whether a text names the laboratory of a result: by where it stands or, less surely, by its
    name.
    """
    place = result.laboratory_reference
    return bool(place and _same_place(named, place)) or _same_name(named, laboratory_name(result))


def laboratory_name(result: LabResult) -> str:
    """What the laboratory is called; empty where its reference stands for a name that it lacks."""
    name, place = result.laboratory, result.laboratory_reference
    return "" if "/" in name and place and _same_place(place, name) else name


def _same_name(one: str, other: str) -> bool:
    """Whether two names are one but for capitals and spaces, which people type as they like."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _same_place(one: str, other: str) -> bool:
    """Whether two references name one resource; none is empty.

    A reference without a server means that of the record, wherever that stands.
    """
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def same_method(one: LabResult, other: LabResult) -> Comparison:
    """By the method that each names."""
    if one.method and other.method:
        return Comparison.YES if one.method == other.method else Comparison.NO
    return Comparison.CANNOT_TELL


def same_specimen_type(one: LabResult, other: LabResult) -> Comparison:
    """By the codes of Specimen.type; codes of different systems cannot be held together here.

    Where neither has a code, the laboratory's code for the test stands for the tube as well.
    """
    codes = {(coding.system, coding.code) for coding in one.specimen.codings}
    others = {(coding.system, coding.code) for coding in other.specimen.codings}
    if codes & others or not (codes or others):
        return Comparison.YES
    if {system for system, _ in codes} & {system for system, _ in others}:
        return Comparison.NO
    return Comparison.CANNOT_TELL
