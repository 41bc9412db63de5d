"""What surrounds a result: the other results of its patient, whatever its own value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from cds_service.core.dates import when_taken
from cds_service.core.elements import Moment, NoMoment
from cds_service.core.fact import Fact
from cds_service.core.facts.companions import Companions, CompanionsLeft, companions_left
from cds_service.core.facts.limits import companion_limits
from cds_service.core.facts.result import Facts
from cds_service.core.facts.situation import Situation
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import PatientRecord


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The record of a patient as seen from one result, with the facts by the usable companions."""

    knowledge: KnowledgeBase
    record: PatientRecord
    at: date
    taken: Moment | NoMoment
    """When the specimen of the result was taken."""
    companions: Companions
    """The usable ones near the result."""
    facts: Mapping[str, Fact]
    """At least those about the companions."""


def surroundings_of(situation: Situation, facts: Facts) -> Surroundings:
    """The surroundings of a result that has its facts."""
    return Surroundings(
        situation.knowledge,
        situation.record,
        situation.at,
        when_taken(situation.result, situation.at),
        facts.companions,
        facts.by_name,
    )


def left_beside(around: Surroundings, *, missing: Collection[str] = ()) -> CompanionsLeft:
    """The companion results that are left aside, of the tests that have a limit and of those that
    the card calls `missing`. A test that is called missing counts as having no usable result.
    """
    if not around.record.companions:  # the usual case
        return CompanionsLeft()
    return companions_left(
        around.knowledge,
        around.record,
        around.taken,
        around.at,
        asked=_tests_with_limits(around.knowledge).union(missing),
        counted=set(around.companions).difference(missing),
    )


@lru_cache(maxsize=8)
def _tests_with_limits(knowledge: KnowledgeBase) -> frozenset[str]:
    """The companion tests that a limit is for."""
    return frozenset(limit.row.of for limit in companion_limits(knowledge))
