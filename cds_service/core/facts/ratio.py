"""The index of two specimens: whether CSF holds more than what leaks in from blood.

(CSF value / blood value) over (CSF albumin / serum albumin). Reported as a number, with no cut-off:
none was found validated. Two assays in one unit can disagree, so both values must come from one
named laboratory, and from one method where both name theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from cds_service.core.elements import ResourceRef
from cds_service.core.fact import NOT_APPLICABLE, UNKNOWN, Fact
from cds_service.core.facts.companions import Companions, CompanionValue, differing_at_one_time
from cds_service.core.facts.situation import WHY_BARRED, Literature, Situation, literature_for
from cds_service.core.interval import EXACT, Comparison
from cds_service.core.quantity import Quantity
from cds_service.core.results.comparable import joined_exactly, same_laboratory, same_method
from cds_service.core.results.reading import DOUBTS
from cds_service.core.schema import RatioRow
from cds_service.core.verdict import PairedWith, Value


def without_pair(ratio: RatioRow) -> Fact:
    """The fact of a result that stands alone."""
    return Fact(f"ratio.{ratio.id}", NOT_APPLICABLE, "there is no pair of specimens")


def ratio_fact(
    ratio: RatioRow, situation: Situation, pair: PairedWith, companions: Companions
) -> Fact:
    """Fact `ratio.<id>` of a pair; where it is computed, `because` holds the number."""
    name = f"ratio.{ratio.id}"
    if situation.literature is Literature.BARRED:
        return Fact(name, NOT_APPLICABLE, WHY_BARRED)
    if why_not := _incomparable(situation, pair):
        return Fact(name, NOT_APPLICABLE, why_not)
    albumins = (ratio.numerator_albumin, ratio.denominator_albumin)
    if missing := tuple(albumin for albumin in albumins if not companions.get(albumin)):
        return Fact(name, UNKNOWN, "an albumin of the pair is missing", missing)
    together = {albumin: differing_at_one_time(companions[albumin]) for albumin in albumins}
    for title, values in _in_question(situation, pair, together):
        if len(values) > 1:
            told = ", ".join(value.words for _, value in values)
            because = f"{title} has several values of one time ({told})"
            return Fact(name, UNKNOWN, because, (), tuple(ref for ref, _ in values))
    return _computed(name, ratio, situation, pair, [together[albumin][0] for albumin in albumins])


def _in_question(
    situation: Situation, pair: PairedWith, albumins: Mapping[str, Sequence[CompanionValue]]
) -> Iterator[tuple[str, Sequence[tuple[ResourceRef, Value]]]]:
    """Each part of the index by title, with all its results of one time and their values."""
    knowledge = situation.knowledge
    own = (situation.result.ref, situation.value)
    yield knowledge.specimens[situation.specimen].words, (own, *pair.beside)
    yield (
        knowledge.specimens[pair.specimen].words,
        ((pair.result.ref, pair.value), *pair.of_one_time),
    )
    for name, several in albumins.items():
        title = knowledge.companions[name].row.title
        yield title, [(found.result.ref, found.value) for found in several]


def _computed(
    name: str,
    ratio: RatioRow,
    situation: Situation,
    pair: PairedWith,
    albumins: Sequence[CompanionValue],
) -> Fact:
    upper = situation.knowledge.companions[ratio.numerator_albumin].row.specimen
    own, other = situation.quantity, pair.quantity
    above, below = (own, other) if situation.specimen == upper else (other, own)
    parts = (above, below, *(albumin.quantity for albumin in albumins))
    if not all(part.exact and part.interval.low > 0 for part in parts):
        return Fact(name, UNKNOWN, "a value of the pair is not one number above zero")
    index = EXACT.divide(_over(above, below), _over(parts[2], parts[3]))
    inputs = (*(albumin.result.ref for albumin in albumins), pair.result.ref)
    return Fact(name, "computed", f"{_rounded(index):f}", (), inputs)


def _incomparable(situation: Situation, pair: PairedWith) -> str:
    """Why the one value may not be divided by the other; empty where it may."""
    if literature_for(pair.code, pair.quantity) is Literature.BARRED:
        return "unit and LOINC code of the other result contradict each other"
    for result in (situation.result, pair.result):
        if doubt := DOUBTS.get(result.specimen.link):
            return f"a specimen of the two results is {doubt}"
    if not joined_exactly(situation.quantity, pair.quantity):
        return "no exact factor leads from the unit of one result to that of the other"
    if same_laboratory(situation.result, pair.result) is not Comparison.YES:
        return "the two results are not known to be of one laboratory"
    if same_method(situation.result, pair.result) is Comparison.NO:
        return "the two results were made with different methods"
    return ""


def _over(one: Quantity, other: Quantity) -> Decimal:
    return EXACT.divide(one.interval.low, other.interval.low)


def _rounded(index: Decimal) -> Decimal:
    """Two decimals, four below 0.1: the inputs carry no more."""
    digits = Decimal("0.01") if index >= Decimal("0.1") else Decimal("0.0001")
    return index.quantize(digits, ROUND_HALF_UP, context=EXACT)
