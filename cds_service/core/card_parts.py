"""What every card has, whatever it is about: ids, source, and the reading order of its detail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from cds_service.core.card import Card
from cds_service.core.citations import citation, url_of
from cds_service.core.disclaimer import disclaimer
from cds_service.core.escape import markdown
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import ResourceRef
from cds_service.core.schema import SourceRow
from cds_service.core.verdict import Note

LONGEST_SUMMARY = 139
"""CDS Hooks 2.0.1, Card.summary: "<140-character"."""

DAY = len("2026-11-21")
_NAMESPACE = UUID("6f2a52b4-5a0e-5d0c-9d39-3f8e6d1c7a11")
_BLOCKS = ("supports", "not", "context", "next", "series", "used", "missing")


@dataclass(frozen=True, slots=True)
class Sections:
    """A headline for the summary, the line about the result, and the named blocks."""

    headline: str
    result: str
    named: Mapping[str, str]


def identified(drafts: Sequence[Card], knowledge: str, scope: str) -> tuple[Card, ...]:
    """The cards of one evaluation with their ids: the same content gives the same ids."""
    seed = json.dumps([knowledge, scope, [draft.as_json() for draft in drafts]])
    evaluation_id = str(uuid5(_NAMESPACE, seed))
    return tuple(
        replace(
            draft,
            uuid=str(uuid5(_NAMESPACE, f"{seed}{number}")),
            extension={"id": evaluation_id, **draft.extension},
        )
        for number, draft in enumerate(drafts)
    )


def source_of(cited: tuple[SourceRow, ...], knowledge: KnowledgeBase) -> Mapping[str, str]:
    """The primary source of what the card says, else the knowledge base itself."""
    for source in cited[:1]:
        url = url_of(source)
        return {"label": source.short, "url": url} if url else {"label": source.short}
    return {"label": f"{knowledge.identity.title} {knowledge.identity.version}"}


def detail_of(sections: Sections, cited: tuple[SourceRow, ...], knowledge: KnowledgeBase) -> str:
    """The sections in reading order; sources and disclaimer close every card."""
    headings = knowledge.wording.headings
    blocks = [sections.result]
    for name in _BLOCKS:
        body = sections.named.get(name, "")
        if body:
            blocks.append(f"**{headings[name]}**\n\n{body}")
    if cited:
        numbered = "\n".join(
            f"{number}. {citation(source)}" for number, source in enumerate(cited, start=1)
        )
        blocks.append(f"**{headings['sources']}**\n\n{numbered}")
    blocks.append(disclaimer(knowledge))
    return "\n\n".join(blocks)


def evaluation_members(
    inputs: Iterable[ResourceRef], missing: Iterable[str]
) -> Mapping[str, list[object]]:
    """`inputs` and `missing` of the evaluation extension (interfaces, section 4); never empty."""
    members: dict[str, list[object]] = {
        "inputs": [
            {"resource": ref.resource, **({"version": ref.version} if ref.version else {})}
            for ref in inputs
        ],
        "missing": list(missing),
    }
    return {name: value for name, value in members.items() if value}


def fill(knowledge: KnowledgeBase, template: str, section: str, values: Mapping[str, str]) -> str:
    """One section of a template with its placeholders replaced by escaped values."""
    return " ".join(knowledge.templates[template][section].fill(values).split(" "))


def bullets(texts: Iterable[str]) -> str:
    """A Markdown list; nothing for empty texts."""
    return "\n".join("- " + text.replace("\n", "\n  ") for text in texts if text)


def note_line(note: Note, knowledge: KnowledgeBase) -> str:
    """A note in its own words, its values escaped."""
    unknown = knowledge.wording.phrases["unknown"]
    values = {name: markdown(text) or unknown for name, text in note.values.items()}
    return fill(knowledge, f"note-{note.kind.value}", "says", values)


def used_line(inputs: Iterable[ResourceRef], dates: Mapping[str, str]) -> str:
    """Every input by reference, with its version and date where it carries them."""
    return "; ".join(_one_used(ref, dates) for ref in inputs)


def _one_used(ref: ResourceRef, dates: Mapping[str, str]) -> str:
    version = f"version {markdown(ref.version)}" if ref.version else ""
    dated = markdown(dates.get(ref.resource, "")[:DAY])
    about = ", ".join(part for part in (version, dated) if part)
    return markdown(ref.resource) + (f" ({about})" if about else "")


def missing_line(words: Iterable[str], knowledge: KnowledgeBase) -> str:
    """What was missing, in a reader's words."""
    return ", ".join(knowledge.wording.missing.get(word, word) for word in words)
