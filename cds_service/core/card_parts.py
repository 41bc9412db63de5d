"""What every card has, whatever it is about: the reading order of its detail, and its members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from cds_service.core.boilerplate import boilerplate
from cds_service.core.escape import markdown
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import ResourceRef
from cds_service.core.verdict import Note

LONGEST_SUMMARY = 139
"""CDS Hooks 2.0.1, Card.summary: "<140-character"."""

DAY = len("2026-11-21")
_BLOCKS = ("supports", "not", "context", "next", "series", "used", "missing")


@dataclass(frozen=True, slots=True)
class Sections:
    """A headline for the summary, the line about the result, and the named blocks."""

    headline: str
    result: str
    named: Mapping[str, str]
    alert: str = ""
    """A second headline, of a note that must not be overlooked: where there is room for it."""


def detail_of(sections: Sections, closing: str, knowledge: KnowledgeBase) -> str:
    """The sections in reading order; sources and disclaimer close every card."""
    headings, named = boilerplate(knowledge).headings, sections.named
    blocks = [headings[name] + body for name in _BLOCKS if (body := named.get(name))]
    return "\n\n".join([sections.result, *blocks, closing])


def evaluation_members(
    inputs: Iterable[ResourceRef], missing: Iterable[str]
) -> Mapping[str, Sequence[object]]:
    """`inputs` and `missing` of the evaluation extension (docs/integrating.md); never empty."""
    members: dict[str, Sequence[object]] = {}
    if refs := [_input(ref) for ref in inputs]:
        members["inputs"] = refs
    if words := list(missing):
        members["missing"] = words
    return members


def _input(ref: ResourceRef) -> Mapping[str, str]:
    if ref.version:
        return {"resource": ref.resource, "version": ref.version}
    return {"resource": ref.resource}


def fill(knowledge: KnowledgeBase, template: str, section: str, values: Mapping[str, str]) -> str:
    """One section of a template with its placeholders replaced by escaped values."""
    return knowledge.templates[template][section].fill(values)


def fill_for(
    knowledge: KnowledgeBase,
    template: str,
    specimen: str,
    values: Mapping[str, str],
    family: str = "",
) -> str:
    """What holds for every specimen, then what holds for this one, then what is told in this unit
    family alone: never the other's numbers.
    """
    there = knowledge.templates[template]
    sections = ("says", specimen, in_family(specimen, family))
    return " ".join([there[name].fill(values) for name in sections if name in there])


@cache  # asked for every sentence, and there are few
def in_family(specimen: str, family: str) -> str:
    """The section for one specimen kind in one unit family: `blood-u`."""
    return f"{specimen}-{family.lower()}"


def fill_not_for(
    knowledge: KnowledgeBase, template: str, specimen: str, values: Mapping[str, str]
) -> str:
    """What a finding does not mean, for every specimen and then for this one."""
    there, own = knowledge.templates[template], f"not-{specimen}"
    return " ".join([there[name].fill(values) for name in ("not", own) if name in there])


def bullets(texts: Iterable[str]) -> str:
    """A Markdown list; nothing for empty texts."""
    return "\n".join(["- " + text.replace("\n", "\n  ") for text in texts if text])


def note_line(note: Note, knowledge: KnowledgeBase, specimen: str = "") -> str:
    """A note in its own words, its values escaped, a part of the record by its name."""
    unknown = knowledge.wording.phrases["unknown"]
    values = {name: _escaped(value) or unknown for name, value in note.values.items()}
    if "part" in values:
        values["part"] = missing_line([values["part"]], knowledge)
    return fill_for(knowledge, f"note-{note.kind.value}", specimen, values)


def _escaped(value: str | tuple[str, ...]) -> str:
    match value:
        case str():
            return markdown(value)
        case several:
            return ", ".join([markdown(one) for one in several])


def used_line(inputs: Iterable[ResourceRef], dates: Mapping[ResourceRef, str]) -> str:
    """Every input by reference, with its version and date where it carries them."""
    return "; ".join([_one_used(ref, dates) for ref in inputs])


def _one_used(ref: ResourceRef, dates: Mapping[ResourceRef, str]) -> str:
    about = []
    if ref.version:
        about.append(f"version {markdown(ref.version)}")
    if dated := markdown(dates.get(ref, "")[:DAY]):
        about.append(dated)
    return markdown(ref.resource) + (f" ({', '.join(about)})" if about else "")


def missing_line(words: Iterable[str], knowledge: KnowledgeBase) -> str:
    """What was missing, in a reader's words."""
    named = knowledge.wording.missing
    return ", ".join([named.get(word, word) for word in words])
