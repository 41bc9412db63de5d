"""One part of the record as a client or a FHIR server supplied it: what came, and in what state.

CDS Hooks tells five cases apart: the key is absent, `null`, a resource, one page of several, or an
OperationOutcome. They must never look alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability
from cds_service.fhir.calls.fetched import UpstreamFault
from cds_service.fhir.calls.pages import LastPage, Next, leads_to
from cds_service.fhir.shape import a_text, an_object, is_mislabelled, objects, type_of

_HARMLESS = frozenset({"information", "warning"})
_NOT_ALL = frozenset({"incomplete", "throttled", "timeout", "transient"})
"""Types of issue (https://hl7.org/fhir/R4/valueset-issue-type.html) by which a search came short.
`suppressed` is none of them: what a server may not show is its rule and no failure, and some say so
on every search.
"""
_LISTS = frozenset({"collection", "searchset"})
"""Types of Bundle that say, where they hold nothing, that there is nothing."""


@dataclass(frozen=True, slots=True)
class Supplied:
    """A part of the record; `resource` is `{}` unless it was given, wholly or in part."""

    availability: Availability
    resource: JsonObject = field(default_factory=dict)


NOT_SUPPLIED = Supplied(Availability.MISSING)


def supplied(value: object) -> Supplied:
    """Judge a prefetch value that was sent (an absent key is `NOT_SUPPLIED`).

    EMPTY: `null`, or a list without entries, such as a search that found nothing.

    FAILED: no resource; an OperationOutcome, also inside a Bundle, unless it holds hints and
    warnings only, as many servers add to a successful search; a Bundle without resources that is
    not such an empty list, or that holds something under another name than `entry`, since it does
    not say that there is nothing.

    PARTIAL, however little it holds: a Bundle that has a further page, or says itself by a warning
    or by its `total` that it is not all; one with an entry that could not be had, or that is a
    Bundle itself, since those are not opened.
    """
    if value is None:
        return Supplied(Availability.EMPTY)
    resource = an_object(value)
    match type_of(resource):
        case "" | "OperationOutcome":
            return Supplied(Availability.FAILED)
        case "Bundle":
            return _supplied_bundle(resource)
        case _:
            return Supplied(Availability.GIVEN, resource)


def _supplied_bundle(bundle: JsonObject) -> Supplied:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or is_mislabelled(bundle):
        return Supplied(Availability.FAILED)
    inside = _Inside(bundle)
    if any(map(_is_failure, inside.outcomes)):
        return Supplied(Availability.FAILED)
    if isinstance(leads_to(bundle), Next) or _comes_short(bundle, inside.outcomes):
        return Supplied(Availability.PARTIAL, bundle)
    if len(entries) == len(inside.outcomes):
        is_list = a_text(bundle.get("type")) in _LISTS
        return Supplied(Availability.EMPTY if is_list else Availability.FAILED)
    if all(isinstance(entry, dict) and "resource" not in entry for entry in entries):
        return Supplied(Availability.FAILED)
    is_part = inside.holds_bundles or inside.lacks_some
    return Supplied(Availability.PARTIAL if is_part else Availability.GIVEN, bundle)


def shortfalls(bundle: JsonObject) -> Iterator[UpstreamFault]:
    """Why a Bundle that came unasked may hold less than there is: an entry reports a failure, or
    gives no more of a resource than its location; the Bundle says itself that it is not all; or it
    holds a Bundle, which is not opened.
    """
    inside = _Inside(bundle)
    if any(map(_is_failure, inside.outcomes)):
        yield UpstreamFault.OPERATION_OUTCOME
    is_a_page = isinstance(leads_to(bundle), Next)
    if is_a_page or _comes_short(bundle, inside.outcomes) or inside.lacks_some:
        yield UpstreamFault.INCOMPLETE
    if inside.holds_bundles:
        yield UpstreamFault.WRONG_TYPE


def says_it_is_not_all(search: JsonObject) -> bool:
    """Whether a search says of itself that it came short, apart from pages that follow: by a
    warning, or on its last page by its `total`.
    """
    return _comes_short(search, _Inside(search).outcomes)


def is_altogether_other(resource: JsonObject, types: frozenset[str]) -> bool:
    """Whether a resource, or each one in a Bundle, says itself that it is of none of these types.

    A Bundle that holds a resource without a type is not: that is invalid FHIR, which the reader
    reports. An OperationOutcome in a Bundle is about the search.
    """
    if type_of(resource) != "Bundle":
        return type_of(resource) not in types
    inside = [e["resource"] for e in objects(resource.get("entry")) if "resource" in e]
    found = {type_of(an_object(each)) for each in inside} - {"OperationOutcome"}
    return bool(found) and found.isdisjoint(types | {""})


class _Inside:
    """What the entries of a Bundle say about the Bundle; each is looked at once."""

    def __init__(self, bundle: JsonObject) -> None:
        self._entries = objects(bundle.get("entry"))
        resources = [an_object(entry.get("resource")) for entry in self._entries]
        kinds = list(map(type_of, resources))
        self.outcomes: Sequence[JsonObject] = ()
        if "OperationOutcome" in kinds:
            self.outcomes = [r for r in resources if type_of(r) == "OperationOutcome"]
        self.holds_bundles = "Bundle" in kinds

    @property
    def lacks_some(self) -> bool:
        """Whether an entry says that its resource was refused, or gives only the location where it
        was stored (https://hl7.org/fhir/R4/http.html#transaction-response).
        """
        return any(_is_lacking(entry) for entry in self._entries if "response" in entry)


def _is_lacking(entry: JsonObject) -> bool:
    answer = an_object(entry["response"])
    was_refused = a_text(answer.get("status")).startswith(("4", "5"))
    return was_refused or ("resource" not in entry and "location" in answer)


def _comes_short(search: JsonObject, outcomes: Sequence[JsonObject]) -> bool:
    if any(map(_may_not_be_all, outcomes)):
        return True
    return _counts_more(search) and isinstance(leads_to(search), LastPage)


def _is_failure(outcome: JsonObject) -> bool:
    issues: Sequence[JsonObject] = objects(outcome.get("issue"))
    return not issues or any(a_text(issue.get("severity")) not in _HARMLESS for issue in issues)


def _may_not_be_all(outcome: JsonObject) -> bool:
    return any(a_text(issue.get("code")) in _NOT_ALL for issue in objects(outcome.get("issue")))


def _counts_more(bundle: JsonObject) -> bool:
    """Whether a search found more than it holds: on every page `total` is the number of all matches
    (https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.total).
    """
    total = bundle.get("total")
    if bundle.get("type") != "searchset" or not isinstance(total, int):
        return False
    return total > sum(map(_is_match, objects(bundle.get("entry"))))


def _is_match(entry: JsonObject) -> bool:
    is_outcome = type_of(an_object(entry.get("resource"))) == "OperationOutcome"
    return not is_outcome and an_object(entry.get("search")).get("mode", "match") == "match"
