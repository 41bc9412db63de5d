"""Values for the tables of plain resources: good ones of every kind, odd ones for every place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cds_service.exact import ExactDecimal
from cds_service.fhir.plain.grammar import Code, Element, Kind, Primitive, Several

GOOD: dict[str, Any] = {
    "boolean": False,
    "code": "wk-1",
    "date": "1961-07-14",
    "dateTime": "2026-03-01T08:30:00+01:00",
    "decimal": ExactDecimal("1.50"),
    "id": "a-1",
    "instant": "2026-03-01T08:30:00.125Z",
    "integer": 0,
    "positiveInt": 1,
    "string": "Some wörds",
    "uri": "urn:oid:2.999.1",
}
"""One value of every primitive kind."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_DATES = _words(
    "0000 0000-01-01 0001-01-01 1899-12-31 1900 1900-01 1900-01-01 1900-02-29 1961-7-14 "
    "2024-02-29 2026 2026-00 2026-02-28 2026-02-29 2026-02-30 2026-03-00 2026-03-01 2026-03-32 "
    "2026-04-31 2026-12 2026-13 2026-13-01 2026-3 20260301 2099-12-31 2100-01-01 9999-12-31 "
    "10000-01-01 -2026 2026-03-01T 2026-03-01T08 2026-03-01T08:30 2026-03-01T08:30Z "
    "2026-03-01T08:30:00 "
    "2026-03-01T08:30:00Z 2026-03-01T08:30:00z 2026-03-01t08:30:00Z 2026-03-01T24:00:00Z "
    "2026-03-01T23:60:00Z 2026-03-01T23:59:60Z 2026-03-01T23:59:61Z 2016-12-31T23:59:60Z "
    "2026-02-30T08:30:00Z 2024-02-29T08:30:00Z 2026-03-01T08:30:00.Z 2026-03-01T08:30:00.1Z "
    "2026-03-01T08:30:00,1Z 2026-03-01T08:30:00.123456Z 2026-03-01T08:30:00.1234567Z "
    "2026-03-01T08:30:00.123456789012Z 2026-03-01T08:30:00+14:00 2026-03-01T08:30:00+14:01 "
    "2026-03-01T08:30:00-14:00 2026-03-01T08:30:00-00:00 2026-03-01T08:30:00+00:00 "
    "2026-03-01T08:30:00+13:59 2026-03-01T08:30:00+01:60 2026-03-01T08:30:00+1:00 "
    "2026-03-01T08:30:00+0100 1900-01-01T00:00:00+14:00 2099-12-31T23:59:59.999999-14:00"
)
_TEXTS = (
    *(
        "",
        " ",
        "\t",
        "\n",
        "\x0b",
        "\x1c",
        "\x85",
        "\u00a0",
        "\u2003",
        "\u3000",
        "\u200b",
        "\ufeff",
    ),
    *(
        " a",
        "a ",
        "a b",
        "a  b",
        "a\tb",
        "a\n",
        "\na",
        "a\x0bb",
        "a\x00b",
        "\x00",
        "\x7f",
        "\ud800",
    ),
    *("a\udc00", "ü", "名", "\U0001f600", "½", "\u0661", "2026-03-0\u0661", "\uff12026"),
    *("a" * 64, "a" * 65, "a" * 255, "a" * 256, "a_b", "a.b", "-", ".", "a/b", "A" * 5000),
    *("http://loinc.org", "http://loinc.org ", "urn:uuid:x", "#a", "//", "%", "<", "<=", "~", "sa"),
    *("true", "1", "1.5", "null", "final", "Final", "banana", "male", "usual", "Observation"),
    *("<div>a</div>", "Patient/pat-1", "2026-03-01\n", "2026-03-01T08:30:00Z\n", "a-1\n"),
)
_NUMBERS = (
    *(0, 1, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 10**63, 10**64, -(10**64), 10**400),
    *(0.0, 1.5, -0.0, float("nan"), float("inf")),
    *map(ExactDecimal, _words("-0 0.0 1.50 1e5 1E+400 1E-400 1e999999 0e-9 NaN sNaN Infinity")),
    *(True, False),
)
_OTHERS: tuple[Any, ...] = (None, [], {}, [None], [[]], [{}], [""], ["a"], ["a", None], {"a": "b"})
_ELEMENTS: tuple[Any, ...] = (
    {"extension": [{"url": "urn:x", "valueString": "a"}]},
    {"extension": [{"url": "urn:x"}]},
    {"extension": [{"valueString": "a"}]},
    {"extension": [{"url": "urn:x", "valueString": "a", "valueCode": "b"}]},
    {"extension": [{"url": "urn:x", "valueString": "a", "extension": [{"url": "urn:y"}]}]},
    {"extension": []},
    {"id": "a"},
    {"fhir_comments": "a"},
    {"text": "a"},
    {"display": "a"},
    {"coding": [{"system": "urn:x", "code": "a"}]},
    {"coding": {"code": "a"}},
    {"reference": "Patient/pat-1"},
    {"start": "2026", "end": "2025"},
    {"value": 1},
    {"url": "urn:x"},
)
ODD: tuple[Any, ...] = (*_DATES, *_TEXTS, *_NUMBERS, *_OTHERS, *_ELEMENTS)
"""Values that stand at the edge of some type, beyond it, or in place of another."""

MEMBERS: tuple[tuple[str, Any], ...] = (
    ("modifierExtension", [{"url": "urn:x", "valueBoolean": True}]),
    ("implicitRules", "urn:x"),
    ("extension", [{"url": "urn:x", "valueString": "a"}]),
    ("extension", []),
    ("contained", [{"resourceType": "Patient"}]),
    ("resource_type", "Observation"),
    ("resourceType", "Patient"),
    ("fhir_comments", "a"),
    ("language__ext", {"id": "a"}),
    ("unheardOf", "a"),
    ("id", ""),
    ("_id", {"id": "a"}),
    ("", "a"),
    ("valueString", "a"),
    ("valueBoolean", False),
    ("effectiveInstant", "2026-03-01T08:30:00Z"),
    ("text", {"status": "generated"}),
)
"""Members that may be put into any element, and seldom belong there."""


def least(kind: Kind) -> Any:
    """The smallest good value of a kind."""
    match kind:
        case Primitive(name):
            return GOOD[name]
        case Code(words):
            return min(words)
        case Several(of):
            return [least(of)]
        case Element():
            needed = [*kind.required, *(min(one.members) for one in kind.one_of if one.least)]
            return {name: least(kind.kinds[name]) for name in needed or [min(kind.kinds)]}


def with_member(element: Element, name: str, value: Any) -> dict[str, Any]:
    """The smallest good element that has this member, and no other of its choice."""
    rivals = {rival for one in element.one_of if name in one.members for rival in one.members}
    return {n: v for n, v in least(element).items() if n not in rivals} | {name: value}


def good(kind: Kind) -> Iterator[Any]:
    """Good values of a kind that, all together, hold every member at every depth."""
    match kind:
        case Primitive(name):
            yield GOOD[name]
        case Code(words):
            yield from words
        case Several(of):
            yield from ([value] for value in good(of))
        case Element():
            for name, member in kind.kinds.items():
                yield from (with_member(kind, name, value) for value in good(member))


def odd(kind: Kind, met: set[int]) -> Iterator[Any]:
    """Values of a kind with something odd in one place.

    `met` are the elements whose places were tried already: each is tried once.
    """
    yield from ODD
    match kind:
        case Several(of):
            one = least(of)
            yield from ([value] for value in odd(of, met))
            yield from ([one, one], [one, None], [None, one], [[one]], [one, ""], [one, {}], one)
        case Element() if id(kind) not in met:
            met.add(id(kind))
            yield [least(kind)]
            for name, value in MEMBERS:
                yield {**least(kind), name: value}
            for name in kind.kinds:
                yield {n: v for n, v in with_member(kind, name, None).items() if n != name}
                yield with_member(kind, name, None) | {f"_{name}": {"id": "a"}}
                yield from (least(kind) | two for two in _pairs(kind, name))
                yield {**least(kind), name: least(kind.kinds[name]), f"_{name}": {"id": "a"}}
            for name, member in kind.kinds.items():
                yield from (with_member(kind, name, value) for value in odd(member, met))


def _pairs(element: Element, name: str) -> Iterator[dict[str, Any]]:
    """A member together with each other one of its choice."""
    for one in element.one_of:
        for rival in one.members if name in one.members else ():
            yield {n: least(one.members[n]) for n in (name, rival)}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value but the whole."""
    match value:
        case dict() | list():
            steps = value.items() if isinstance(value, dict) else enumerate(value)
            for step, child in list(steps):
                yield (*path, step)
                yield from places(child, (*path, step))
        case _:
            pass  # there is no place in a text, a number or a null


def new_places(resource: Any, met: set[object]) -> list[tuple[Any, ...]]:
    """The places of a resource that are not yet met: under the same names, beside the same members.

    No verdict on a member asks for more than what stands beside it.
    """
    new = []
    for path in places(resource):
        names = tuple(step for step in path if isinstance(step, str))
        parent = at(resource, path[:-1])
        beside = frozenset(parent) if isinstance(parent, dict) else path[-1]
        if (place := (resource["resourceType"], names, beside)) not in met:
            met.add(place)
            new.append(path)
    return new


def mutants(resource: Any, paths: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    """A resource with one thing changed at one of the places, or added to the whole.

    The thing is taken away, replaced, doubled, wrapped, or gets one more member.
    """
    for path in paths:
        here = at(resource, path)
        for value in (*ODD, [here], [here, here], {"id": here}, [here, None]):
            yield put(resource, path, value)
        if isinstance(path[-1], str):
            yield without(resource, path)
            yield put(without(resource, path), (*path[:-1], f"_{path[-1]}"), {"id": "a"})
            yield put(without(resource, path), (*path[:-1], path[-1].upper()), here)
        if isinstance(here, dict):
            for name, value in MEMBERS:
                yield put(resource, (*path, name), value)
    for name, value in MEMBERS:
        yield {**resource, name: value}


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """What stands at a place."""
    for step in path:
        value = value[step]
    return value


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of the value with something else at a place."""
    if not path:
        return new
    step, *rest = path
    changed = value.copy()
    changed[step] = put(value[step], tuple(rest), new) if rest else new
    return changed


def without(value: Any, path: tuple[Any, ...]) -> Any:
    """A copy of the value without what stands at a place."""
    step, *rest = path
    if not rest:
        return {name: child for name, child in value.items() if name != step}
    changed = value.copy()
    changed[step] = without(value[step], tuple(rest))
    return changed
