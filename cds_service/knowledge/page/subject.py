"""The knowledge base as every part of the page needs it, with numbered sources and cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.gate_words import alternatives_in_words
from cds_service.core.schema import AdviceRow, ContextRow, FindingRow, Gates
from cds_service.core.template import Wording
from cds_service.knowledge.page.bibliography import Bibliography
from cds_service.knowledge.page.markdown import bullets, text

R = TypeVar("R", bound=FindingRow | ContextRow | AdviceRow)


@dataclass(frozen=True)
class Subject:
    """One knowledge base, the digest of its content, its bibliography and its numbered cases."""

    knowledge: KnowledgeBase
    digest: str
    bibliography: Bibliography
    cases_of: Mapping[str, tuple[int, ...]]
    """Finding, reason or outcome -> the numbers of the worked cases that expect it."""

    @classmethod
    def of(cls, knowledge: KnowledgeBase, digest: str) -> Subject:
        """Number sources and cases."""
        return cls(knowledge, digest, Bibliography(knowledge), _cases_of(knowledge))

    def cite(self, names: Iterable[str]) -> str:
        """The sources by short name and number."""
        return self.bibliography.cite(names)

    def cases(self, name: str) -> str:
        """The numbers of the worked cases that expect this."""
        return ", ".join(str(number) for number in self.cases_of.get(name, ()))

    def suggestions(self, names: Iterable[str]) -> str:
        """Labels of suggested drafts."""
        return "; ".join(text(self.knowledge.suggestions[name].label) for name in names)

    def wording(self, template: str, section: str) -> str:
        """A section of a template, empty if there is none: limits as numbers, values of a result as
        {name}.
        """
        wording = self.knowledge.templates.get(template, {}).get(section)
        return self.filled(wording) if wording else ""

    def filled(self, wording: Wording) -> str:
        """A wording as the page shows it."""
        limits = self.knowledge.limits.values()
        known = {f"limit.{limit.id}": limit.amount for limit in limits}
        known["analyte"] = self.knowledge.identity.short_name
        shown = {name: known.get(name, f"{{{name}}}") for name in wording.placeholders}
        return text(wording.fill(shown))

    def when(self, alternatives: Iterable[Gates]) -> str:
        """The gates of one id in words, one bullet for each row that lets it fire."""
        found = alternatives_in_words(alternatives, self.knowledge)
        if len(found) == 1:
            return f"Fires when {text(found[0])}."
        return "Fires when any of these holds:\n\n" + bullets(f"{text(one)}." for one in found)


def by_id(rows: Iterable[R]) -> dict[str, list[R]]:
    """Rows with the same id are alternatives."""
    found: dict[str, list[R]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    return found


def merged(lists: Iterable[Sequence[str]]) -> list[str]:
    """The items of all lists, each once."""
    return list(dict.fromkeys(name for names in lists for name in names))


def _cases_of(knowledge: KnowledgeBase) -> Mapping[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for number, case in enumerate(knowledge.cases, start=1):
        expect = case.expect
        told = [*expect.findings, expect.reason or expect.outcome]
        for name in dict.fromkeys(told):
            found.setdefault(name, []).append(number)
    return {name: tuple(numbers) for name, numbers in found.items()}
