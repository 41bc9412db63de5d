"""What the service would have said about past results: an export, read chart by chart, and counted.

Nothing is kept and no server is called. The report holds counts; only for a change one result is
named, so that it can be looked up in the export.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path

from cds_service.commands.export_files import Found, LeftAside, Step, resources_in
from cds_service.core.card import Card
from cds_service.core.dates import is_ahead, whole_day
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.render import render
from cds_service.evaluate import Looking, evaluate
from cds_service.fhir.files.charts import Arrival, Charts
from cds_service.fhir.files.exported import UNDATED
from cds_service.fhir.wanted import Wanted, wanted_by

READINGS = 2
"""How often each file is read."""
_ENTRIES = "Entries that are no resource, or are Bundles themselves, are not read: {}."
_MONTH = 30.4
"""Days, on average."""


@dataclass(slots=True)
class Tally:
    """What one knowledge base says about an export. Cards are counted, not patients."""

    knowledge: str
    patients: int = 0
    """Patients with a result; a result without a patient counts as a patient of its own."""
    results: int = 0
    arrivals: int = 0
    """Results of one patient and one day arrive together."""
    without_card: int = 0
    """Arrivals that call for no card."""
    undated: int = 0
    """Arrivals of no day, or of one that is yet to come."""
    without_patient: int = 0
    """Arrivals that do not say whose results they are."""
    first: date = date.max
    last: date = date.min
    months: Counter[str] = field(default_factory=Counter)
    """Cards by the month (`2026-03`) in which their results arrived."""
    cards: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By indicator and outcome."""
    findings: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, arrival: Arrival, cards: Sequence[Card], today: date) -> None:
        """Count one arrival and what was said about it."""
        self.results += arrival.count
        self.arrivals += 1
        self.without_card += not cards
        self.without_patient += not arrival.patient_id
        if _has_come(arrival, today):
            self.first = min(self.first, arrival.day)
            self.last = max(self.last, arrival.day)
            self.months[f"{arrival.day:%Y-%m}"] += len(cards)
        else:
            self.undated += 1
        for card in cards:
            said = card.extension
            self.cards[card.indicator.value, said["outcome"]] += 1
            self.findings.update(said.get("findings", ()))
            self.reasons.update([said["reason"]] if "reason" in said else [])
            self.missing.update(said.get("missing", ()))

    @property
    def days(self) -> int:
        """How many days the dated results span; 0 where none is dated."""
        return (self.last - self.first).days + 1 if self.first <= self.last else 0

    @property
    def cards_a_month(self) -> float:
        """On average; 0 where the days are too few to tell."""
        return self.months.total() * _MONTH / self.days if self.days >= _MONTH else 0


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
        """Compare what is said about one arrival with what other settings would say."""
        was, would_be = _in_words(before), _in_words(after)
        if was == would_be:
            return
        change = Change(_listed(was - would_be), _listed(would_be - was))
        self.counts[change] += 1
        used = (
            each["resource"]
            for card in (*before, *after)
            for each in card.extension.get("inputs", ())
        )
        self.examples.setdefault(change, next(used, ""))


def read_charts(
    files: Sequence[Path], wanted: Sequence[Wanted], step: Step
) -> tuple[Charts, Sequence[LeftAside]]:
    """The charts in the files, which are read twice, and what of them could not be read."""
    charts = Charts(wanted)
    # By `map`: the variable of a loop would hold one document, maybe large, while the next is read.
    aside = list(chain.from_iterable(map(partial(_look, charts), resources_in(files, step))))
    deque(map(partial(_take, charts), resources_in(files, step)), maxlen=0)
    return charts, aside


def _look(charts: Charts, found: Found | LeftAside) -> Iterator[LeftAside]:
    match found:
        case LeftAside():
            yield found
        case Found(place, document):
            if unread := charts.look(document):
                yield LeftAside(place, _ENTRIES.format(unread))


def _take(charts: Charts, found: Found | LeftAside) -> None:
    if isinstance(found, Found):
        charts.take(found.document)


def rehearse(
    charts: Charts, bases: Sequence[KnowledgeBase], today: date, step: Step
) -> tuple[Tally, Changes]:
    """Evaluate every arrival as on its day; as on `today` where that is unknown, or yet to come.

    The cards of the first knowledge base are counted, and those of each further one compared.
    """
    own, *others = [_Voice(each, wanted_by(each), today) for each in bases]
    tally, changes = Tally(own.knowledge.tag), Changes()
    for arrivals in charts.arrivals():
        tally.patients += 1
        for arrival in arrivals:
            cards = own.says(arrival)
            tally.add(arrival, cards, today)
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
        at = arrival.day if _has_come(arrival, self.today) else self.today
        evaluation = evaluate(
            arrival.record(self.wanted), self.knowledge, at, looking=Looking.RESULT_ARRIVED
        )
        return render(evaluation, self.knowledge, scope="rehearsal")


def _has_come(arrival: Arrival, today: date) -> bool:
    return arrival.day != UNDATED and not is_ahead(whole_day(arrival.day), today)


def _in_words(cards: Sequence[Card]) -> Counter[str]:
    """What the cards of one arrival say: each card by its indicator, findings and reasons."""
    words: Counter[str] = Counter()
    for card in cards:
        words.update([f"{card.indicator.value} card", *card.extension.get("findings", ())])
        words.update([card.extension["reason"]] if "reason" in card.extension else [])
    return words


def _listed(words: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted(words.elements()))
