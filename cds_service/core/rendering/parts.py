"""The parts that all cards share: the reading order of the detail, lists, notes, the extension."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from cds_service.core.dates import day_of
from cds_service.core.elements import ResourceRef
from cds_service.core.escape import LONGEST, markdown
from cds_service.core.finding import Strength
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.note import Note
from cds_service.core.verdict import NotInterpretable, OrderAdvised, Verdict

LONGEST_SUMMARY = 139
"""CDS Hooks 2.0.1, Card.summary: "<140-character"."""

_OURS = frozenset({"sentence", "source"})
"""Values of notes that are sentences of the knowledge or the site file: they are not cut short."""
_LONGEST_OF_OURS = 400

BLOCKS = ("supports", "not", "context", "next", "series", "used", "missing")
"""The blocks of the detail, in reading order."""


def detail_of(about: str, blocks: Mapping[str, str], closing: str, knowledge: KnowledgeBase) -> str:
    """The detail of a card: `about`, then the blocks in reading order, each below its heading, then
    `closing` with sources and disclaimer.
    """
    headings = knowledge.wording.headings
    told = [f"**{headings[name]}**\n\n{body}" for name in BLOCKS if (body := blocks.get(name))]
    return "\n\n".join([about, *told, closing])


def extension_of(
    verdict: Verdict | OrderAdvised,
    findings: Iterable[str],
    inputs: Iterable[ResourceRef],
    missing: Iterable[str],
    knowledge: KnowledgeBase,
) -> Mapping[str, object]:
    """`org.sil2r-cds.evaluation` (docs/integrating.md) without its id. No empty members."""
    reason = verdict.reason.value if isinstance(verdict, NotInterpretable) else ""
    members: dict[str, object] = {
        "knowledge": knowledge.tag,
        "outcome": verdict.outcome.value,
        "reason": reason,
        "findings": list(dict.fromkeys(findings)),
        "inputs": list({(ref.resource, ref.version): _input(ref) for ref in inputs}.values()),
        "missing": list(missing),
    }
    return {name: value for name, value in members.items() if value}


def _input(ref: ResourceRef) -> Mapping[str, str]:
    if ref.version:
        return {"resource": ref.resource, "version": ref.version}
    return {"resource": ref.resource}


def fill(knowledge: KnowledgeBase, template: str, section: str, values: Mapping[str, str]) -> str:
    """One section of a template with its placeholders replaced by escaped values."""
    return knowledge.templates[template][section].fill(values)


def fill_each(
    knowledge: KnowledgeBase, template: str, sections: Iterable[str], values: Mapping[str, str]
) -> str:
    """The sections of a template, filled and joined; those it does not have are left out."""
    there = knowledge.templates[template]
    return " ".join([there[name].fill(values) for name in sections if name in there])


@cache  # called for every sentence, with few different arguments
def saying(specimen: str, family: str = "", strength: Strength = Strength.FULL) -> tuple[str, ...]:
    """The sections that say what a finding means: for every specimen, for this one, and for this
    one in this unit family alone. A weakened finding has one section of its own.
    """
    match strength:
        case Strength.FULL:
            return ("says", specimen, in_family(specimen, family))
        case Strength.WEAKENED:
            return ("weakly",)


@cache
def denying(specimen: str, family: str = "") -> tuple[str, ...]:
    """The sections that say what a finding does not mean: for every specimen, for this one, and for
    this one in this unit family alone.
    """
    return ("not", f"not-{specimen}", f"not-{in_family(specimen, family)}")


def in_family(specimen: str, family: str) -> str:
    """The section for one specimen kind in one unit family: `blood-u`."""
    return f"{specimen}-{family.lower()}"


def bullets(texts: Iterable[str]) -> str:
    """A Markdown list; nothing for empty texts."""
    return "\n".join(["- " + text.replace("\n", "\n  ") for text in texts if text])


def note_line(note: Note, knowledge: KnowledgeBase, specimen: str = "") -> str:
    """A note in its own words, its values escaped, parts of the record by their names."""
    unknown = knowledge.wording.phrases["unknown"]
    values = {
        name: _escaped(value, _LONGEST_OF_OURS if name in _OURS else LONGEST) or unknown
        for name, value in note.values.items()
    }
    if part := note.values.get("part"):
        values["part"] = missing_line([part] if isinstance(part, str) else part, knowledge)
    return fill_each(knowledge, f"note-{note.kind.value}", saying(specimen), values)


def _escaped(value: str | tuple[str, ...], longest: int) -> str:
    match value:
        case str():
            return markdown(value, longest)
        case several:
            return ", ".join([markdown(one) for one in several])


def used_line(inputs: Iterable[ResourceRef], dates: Mapping[ResourceRef, str]) -> str:
    """Every resource by reference, with its version and date where it carries them."""
    return "; ".join(dict.fromkeys([_one_used(ref, dates) for ref in inputs]))


def _one_used(ref: ResourceRef, dates: Mapping[ResourceRef, str]) -> str:
    about = []
    if ref.version:
        about.append(f"version {markdown(ref.version)}")
    if dated := markdown(day_of(dates.get(ref, ""))):
        about.append(dated)
    return markdown(ref.resource) + (f" ({', '.join(about)})" if about else "")


def missing_line(words: Iterable[str], knowledge: KnowledgeBase) -> str:
    """What was missing, in a reader's words."""
    named = knowledge.wording.missing
    return ", ".join([named.get(word, word) for word in words])
