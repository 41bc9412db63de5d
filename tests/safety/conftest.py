"""Every reachable card, made once: those about results, and those about draft orders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from cds_service.core.card import Card
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.note import Note
from cds_service.core.render import render
from cds_service.core.site.file import apply_site, read_site
from cds_service.core.template import Template, Wording
from cds_service.core.verdict import Answer
from cds_service.evaluate import evaluate
from cds_service.fhir.access import NoAccess, NoAccessReason
from cds_service.hooks.answer import answer
from cds_service.hooks.call import Call
from cds_service.hooks.request import Trigger, read_request
from cds_service.hooks.services import build_registry
from cds_service.hooks.suggestions import with_suggestions
from cds_service.knowledge.files import Library
from tests import records
from tests.safety.order_walk import drafts
from tests.safety.results import SITE
from tests.safety.walk import Step, walk


@dataclass
class Read(Mapping[str, Wording]):
    """One template that remembers which of its sections were read."""

    sections: Template
    read: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> Wording:
        self.read.add(name)
        return self.sections[name]

    def __contains__(self, name: object) -> bool:
        return name in self.sections

    def __iter__(self) -> Iterator[str]:
        return iter(self.sections)

    def __len__(self) -> int:
        return len(self.sections)


@dataclass(frozen=True)
class DraftAdvice:
    """The card is about a draft order, not about a result."""

    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class ReachableCard:
    """A card, what it is about, and how it came about."""

    label: str
    about: Answer | DraftAdvice
    card: Card

    @property
    def json(self) -> dict[str, Any]:
        return self.card.as_json()

    @property
    def said(self) -> dict[str, Any]:
        """The evaluation extension."""
        return dict(self.card.extension)

    @property
    def findings(self) -> set[str]:
        return set(self.said.get("findings", ()))


@dataclass(frozen=True)
class Walked:
    """All cards of both walks, and the knowledge they were made from."""

    knowledge: KnowledgeBase
    results: tuple[ReachableCard, ...]
    orders: tuple[ReachableCard, ...]

    @property
    def cards(self) -> tuple[ReachableCard, ...]:
        return self.results + self.orders

    @property
    def read(self) -> Mapping[str, set[str]]:
        """Template -> the sections that some card used."""
        templates = self.knowledge.templates.items()
        return {name: found.read for name, found in templates if isinstance(found, Read)}


@pytest.fixture(scope="session")
def listening(library: Library) -> KnowledgeBase:
    """The packaged knowledge with a site's codes; its templates remember what was read."""
    base = apply_site(library.bases, read_site(SITE))["sil2r"]
    return replace(base, templates={name: Read(t) for name, t in base.templates.items()})


def cards_of(step: Step) -> tuple[ReachableCard, ...]:
    """The cards of one step, suggestions included."""
    evaluation = evaluate(step.record, step.knowledge, records.AT, looking=step.looking)
    cards = render(evaluation, step.knowledge, scope="walk")
    cards = with_suggestions(cards, evaluation, step.knowledge, step.record.patient_id)
    return tuple(
        ReachableCard(step.label, answer, card)
        for answer, card in zip(evaluation.answers, cards, strict=True)
    )


def order_cards(knowledge: KnowledgeBase) -> tuple[ReachableCard, ...]:
    """The cards on every draft order of the walk, suggestions included."""
    registry = build_registry([knowledge], lab_result_hook="unused")
    service = registry.find(f"{knowledge.identity.id}-{Trigger.ORDER_SIGN}")
    made = []
    for label, request in drafts(knowledge):
        call = Call(
            service=service,
            request=read_request(request, service.trigger, service.hook, service.templates),
            caller="walk",
            at=records.AT,
            access=NoAccess(NoAccessReason.NO_SERVER),
            carded_before=lambda _references: frozenset(),
        )
        found = answer(call)
        made += [
            ReachableCard(label, DraftAdvice(advice.notes), card)
            for advice, card in zip(found.advice, found.cards, strict=True)
        ]
    return tuple(made)


@pytest.fixture(scope="session")
def walked(listening: KnowledgeBase) -> Walked:
    results = tuple(card for step in walk(listening) for card in cards_of(step))
    return Walked(listening, results, order_cards(listening))
