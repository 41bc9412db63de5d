"""What the service would have said, had it been there: an export, read chart by chart, and counted.

Nothing is kept and no server is called. What is told are counts; of a change one result is named,
so that it can be looked up in the export.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from cds_service.commands.documents import is_hook_request
from cds_service.core.card import Card, JsonObject
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.render import render
from cds_service.errors import InputError, MalformedJson
from cds_service.evaluate import Looking, evaluate
from cds_service.fhir.charts import UNDATED, Arrival, Charts
from cds_service.fhir.shape import type_of
from cds_service.fhir.wanted import Wanted, wanted_by
from cds_service.strict_json import parse_object

_LINES = ".ndjson"
"""One resource a line, as bulk exports have it (https://hl7.org/fhir/uv/bulkdata/)."""
_FILES = (".json", _LINES)

READINGS = 2
"""How often each file is read."""

Step = Callable[[int], object]
"""Told how many bytes, or charts, are done with."""


@dataclass(frozen=True, slots=True)
class LeftAside:
    """A file or a line that could not be read."""

    place: str
    because: str


@dataclass(slots=True)
class Tally:
    """What one knowledge base says about an export. Cards are counted, not patients."""

    knowledge: str
    patients: int = 0
    """Who have a result; one without a patient counts as one of its own."""
    results: int = 0
    arrivals: int = 0
    """Results of one patient and one day arrive together."""
    without_card: int = 0
    """Arrivals that call for none."""
    first: date = date.max
    last: date = date.min
    cards: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By indicator and outcome."""
    findings: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, arrival: Arrival, cards: Sequence[Card]) -> None:
        """Count one arrival and what was said about it."""
        self.results += arrival.count
        self.arrivals += 1
        self.without_card += not cards
        if arrival.day != UNDATED:
            self.first = min(self.first, arrival.day)
            self.last = max(self.last, arrival.day)
        for card in cards:
            said = card.extension
            self.cards[card.indicator.value, said["outcome"]] += 1
            self.findings.update(said.get("findings", ()))
            self.reasons.update([said["reason"]] if "reason" in said else [])
            self.missing.update(said.get("missing", ()))

    @property
    def days(self) -> int:
        """How many days the dated results span; 0 where none is dated."""
        return max((self.last - self.first).days + 1, 0) if self.first <= self.last else 0


@dataclass(frozen=True, slots=True)
class Change:
    """What two settings say differently about the same results."""

    lost: tuple[str, ...]
    """Findings and reasons, and cards by their indicator, that there are no longer."""
    gained: tuple[str, ...]


@dataclass(slots=True)
class Changes:
    """How often each change occurs, with the result of which it was seen first."""

    counts: Counter[Change] = field(default_factory=Counter)
    examples: dict[Change, str] = field(default_factory=dict)

    def add(self, before: Sequence[Card], after: Sequence[Card]) -> None:
        """Hold what is said about one arrival against what would be."""
        was, would_be = _in_words(before), _in_words(after)
        if was == would_be:
            return
        change = Change(_listed(was - would_be), _listed(would_be - was))
        self.counts[change] += 1
        used = [each["resource"] for card in (*before, *after) for each in card.extension["inputs"]]
        self.examples.setdefault(change, next(iter(used), ""))


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The files that are meant: those named, and in folders those that hold JSON, at any depth.

    Raises InputError where a folder has none.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(each for each in path.rglob("*") if each.suffix in _FILES)
        if not inside:
            raise InputError(
                "No file in this folder ends in .json or .ndjson.",
                where=str(path),
                remedy="Give FHIR R4 resources or Bundles, one in a file or one in a line.",
            )
        found += inside
    return found


def read_charts(
    files: Sequence[Path], wanted: Sequence[Wanted], step: Step
) -> tuple[Charts, tuple[LeftAside, ...]]:
    """The charts in the files, which are read twice, and what of them could not be read."""
    charts = Charts(wanted)
    aside: list[LeftAside] = []
    for document in _documents(files, step):
        match document:
            case LeftAside():
                aside.append(document)
            case _:
                charts.look(document)
    for document in _documents(files, step):
        if not isinstance(document, LeftAside):
            charts.take(document)
    return charts, tuple(aside)


@dataclass(frozen=True, slots=True)
class Alone:
    """Nothing is held against it."""


def rehearse(
    charts: Charts, knowledge: KnowledgeBase, other: KnowledgeBase | Alone, today: date, step: Step
) -> tuple[Tally, Changes]:
    """Evaluate every arrival as on its day; what is undated, as `today`."""
    tally, changes = Tally(knowledge.tag), Changes()
    own = _Voice(knowledge, wanted_by(knowledge), today)
    others = [] if isinstance(other, Alone) else [_Voice(other, wanted_by(other), today)]
    for arrivals in charts.arrivals():
        tally.patients += 1
        for arrival in arrivals:
            cards = own.says(arrival)
            tally.add(arrival, cards)
            for voice in others:
                changes.add(cards, voice.says(arrival))
        step(1)
    return tally, changes


@dataclass(frozen=True, slots=True)
class _Voice:
    knowledge: KnowledgeBase
    wanted: Wanted
    today: date

    def says(self, arrival: Arrival) -> tuple[Card, ...]:
        """The cards there would have been on the day of the arrival."""
        at = self.today if arrival.day == UNDATED else arrival.day
        evaluation = evaluate(
            arrival.record(self.wanted), self.knowledge, at, looking=Looking.RESULT_ARRIVED
        )
        return render(evaluation, self.knowledge, scope="rehearsal")


def _in_words(cards: Sequence[Card]) -> Counter[str]:
    """What the cards of one arrival say: each card by its indicator, findings and reasons."""
    words: Counter[str] = Counter()
    for card in cards:
        words.update([f"{card.indicator.value} card", *card.extension.get("findings", ())])
        words.update([card.extension["reason"]] if "reason" in card.extension else [])
    return words


def _listed(words: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted(words.elements()))


def _documents(files: Sequence[Path], step: Step) -> Iterator[JsonObject | LeftAside]:
    for file in files:
        try:
            if file.suffix == _LINES:
                with file.open("rb") as lines:
                    for number, line in enumerate(lines, start=1):
                        step(len(line))
                        if line.strip():
                            yield _document(line, f"{file} line {number}")
            else:
                data = file.read_bytes()
                step(len(data))
                yield _document(data, str(file))
        except OSError:
            yield LeftAside(str(file), "It cannot be read. Check path and permissions.")


def _document(data: bytes, place: str) -> JsonObject | LeftAside:
    try:
        document = parse_object(data)
    except MalformedJson as error:
        return LeftAside(place, error.text)
    if is_hook_request(document):
        return LeftAside(place, "It is a CDS Hooks request; `cds-service evaluate` takes those.")
    if not type_of(document):
        return LeftAside(place, "It is no FHIR resource.")
    return document
