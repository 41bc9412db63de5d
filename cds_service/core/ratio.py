"""The index of two specimens: how much of the CSF value is more than leakage from blood.

(CSF value / blood value) over (CSF albumin / serum albumin). Reported as a number, with no cut-off:
none was found validated. Two assays in one unit can disagree, so both values must come from one
named laboratory, and from one method where both name theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from cds_service.core.companions import CompanionValue, of_one_time
from cds_service.core.comparable import same_laboratory, same_method
from cds_service.core.interval import EXACT, Comparison
from cds_service.core.quantity import Quantity
from cds_service.core.schema import RatioRow
from cds_service.core.situation import NOT_APPLICABLE, Literature, NoPair, Pair, Situation
from cds_service.core.verdict import UNKNOWN, Fact


def without_pair(ratio: RatioRow) -> Fact:
    """The fact of a result that stands alone."""
    return Fact(f"ratio.{ratio.id}", NOT_APPLICABLE, "there is no pair of specimens")


def ratio_fact(
    ratio: RatioRow, situation: Situation, companions: Mapping[str, tuple[CompanionValue, ...]]
) -> Fact:
    """Fact `ratio.<id>`; its `because` is the number when it is computed."""
    name = f"ratio.{ratio.id}"
    if isinstance(situation.pair, NoPair) or situation.literature is Literature.BARRED:
        return without_pair(ratio)
    upper = situation.knowledge.companions[ratio.numerator_albumin].row.specimen
    own, other = situation.quantity, situation.pair.quantity
    above, below = (own, other) if situation.specimen == upper else (other, own)
    if why_not := _incomparable(situation, situation.pair):
        return Fact(name, NOT_APPLICABLE, why_not)
    missing = tuple(
        albumin
        for albumin in (ratio.numerator_albumin, ratio.denominator_albumin)
        if not companions.get(albumin)
    )
    if missing:
        return Fact(name, UNKNOWN, "an albumin of the pair is missing", missing)
    for albumin in (ratio.numerator_albumin, ratio.denominator_albumin):
        if len(several := of_one_time(companions[albumin])) > 1:
            return _open(name, situation.knowledge.companions[albumin].row.title, several)
    albumin_above = companions[ratio.numerator_albumin][0]
    albumin_below = companions[ratio.denominator_albumin][0]
    parts = (above, below, albumin_above.quantity, albumin_below.quantity)
    if not all(part.exact and part.interval.low > 0 for part in parts):
        return Fact(name, UNKNOWN, "a value of the pair is not one number above zero")
    index = EXACT.divide(_over(above, below), _over(parts[2], parts[3]))
    inputs = (albumin_above.result.ref, albumin_below.result.ref, situation.pair.result.ref)
    return Fact(name, "computed", f"{_rounded(index):f}", (), inputs)


def _open(name: str, title: str, several: Sequence[CompanionValue]) -> Fact:
    """No index where nobody can tell which albumin belongs in it."""
    values = ", ".join(f"{found.value.text} {found.value.unit}" for found in several)
    because = f"{title} has several values of one time ({values})"
    return Fact(name, UNKNOWN, because, (), tuple(found.result.ref for found in several))


def _incomparable(situation: Situation, pair: Pair) -> str:
    """Why the one value may not be divided by the other; empty where it may."""
    if pair.literature is Literature.BARRED:
        return "unit and LOINC code of the other result contradict each other"
    if situation.quantity.unit.family != pair.quantity.unit.family:
        return "the two results are of different unit families"
    if same_laboratory(situation.result, pair.result) is not Comparison.YES:
        return "the two results are not known to be of one laboratory"
    if same_method(situation.result, pair.result) is Comparison.NO:
        return "the two results were made with different methods"
    return ""


def _over(one: Quantity, other: Quantity) -> Decimal:
    return EXACT.divide(one.interval.low, other.interval.low)


def _rounded(index: Decimal) -> Decimal:
    """Two decimals, more only for very small numbers: the inputs carry no more."""
    digits = Decimal("0.01") if index >= Decimal("0.1") else Decimal("0.0001")
    return index.quantize(digits, ROUND_HALF_UP, context=EXACT)
