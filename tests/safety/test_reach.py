"""The walk leaves nothing out: what can be said is said on some card, so it was looked at."""

from __future__ import annotations

from cds_service.core.finding import Strength
from cds_service.core.note import NoteKind
from cds_service.core.verdict import Answer as ResultAnswer
from cds_service.core.verdict import Reason
from tests.safety.conftest import Walked


def test_every_finding_is_reached(walked: Walked) -> None:
    reached = {finding for each in walked.results for finding in each.findings}
    findings = {row.id for row in walked.knowledge.findings}
    contexts = {row.id for row in walked.knowledge.contexts}
    assert reached == findings | contexts | {"threshold-indeterminate"}


def test_every_finding_that_a_context_can_weaken_is_reached_weakened(walked: Walked) -> None:
    weakened = {
        (finding.id, context)
        for each in walked.results
        if isinstance(each.about, ResultAnswer)
        for finding in each.about.findings
        if finding.strength is Strength.WEAKENED
        for context in finding.weakened_by
    }
    known = {(name, row.id) for row in walked.knowledge.contexts for name in row.weakens}
    assert known - weakened == set()


def test_every_reason_is_reached(walked: Walked) -> None:
    assert {each.said.get("reason") for each in walked.results} - {None} == set(Reason)


def test_every_note_is_reached(walked: Walked) -> None:
    assert {note.kind for each in walked.cards for note in each.about.notes} == set(NoteKind)


def test_every_section_of_every_template_is_read(walked: Walked) -> None:
    left = {
        name: unread
        for name, template in walked.knowledge.templates.items()
        if (unread := set(template) - walked.read[name])
    }
    assert left == {}


def test_every_suggestion_is_offered_alone_or_in_a_look_alikes_place(walked: Walked) -> None:
    offered = {
        action["resource"]["code"]["text"]
        for each in walked.cards
        for suggestion in each.card.suggestions
        for action in suggestion["actions"]
        if action["type"] == "create"
    }
    known = {row.text for row in walked.knowledge.suggestions.values()}
    in_words_alone = {walked.knowledge.identity.analyte}
    assert offered == known | in_words_alone


def test_every_source_behind_a_rule_is_cited_on_some_card(walked: Walked) -> None:
    knowledge = walked.knowledge
    lists = [
        *(row.all_sources for row in knowledge.findings),
        *(row.all_sources for row in knowledge.contexts),
        *(row.all_sources for row in knowledge.notes.values()),
        *(row.sources for row in knowledge.reasons.values()),
        *(row.sources for row in knowledge.order_table.advice),
    ]
    wanted = {knowledge.sources[name].title.rstrip(".") for names in lists for name in names}
    cited = "\n".join({each.card.detail.partition("**Sources**")[2] for each in walked.cards})
    assert {title for title in wanted if title not in cited} == set()
